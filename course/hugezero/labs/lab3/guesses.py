"""What lab 3 lets one guess."""

from ..guesses import question

question(
    "predict_two_first_faults",
    "abcd",
    "b",
    "the second store goes over the first, and nobody knows the first page any more",
)
question(
    "between two lines",
    "abc",
    "a",
    "a reader that comes right after the look is counted, and its count is then overwritten",
)
question(
    "the count of each action",
    "",
    lambda counts, owed: counts if any(counts) and counts == owed else None,
    "it is one for each huge entry of zeroes, and one for the shrinker",
)
question(
    "predict_idle",
    "abcd",
    lambda brought: "c" if brought == 1 else None,
    "{0} was brought: each time memory was short somebody used the page, and when they had left nobody asked",
)
