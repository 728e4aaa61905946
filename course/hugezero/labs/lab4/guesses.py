"""What lab 4 lets one guess."""

from ..guesses import question

question(
    "predict_share_at_72",
    "abcd",
    lambda small, large: "c" if large > 0.5 and large > 5 * small else None,
    "with three times the CPUs the share goes from {0:.1%} to {1:.1%}",
)
question(
    "predict_half_the_work",
    "abc",
    lambda old, new: "a" if abs(new / old - 1) < 0.1 else None,
    "they do {0:.2f} and then {1:.2f} million a second: everybody waits for the line, and that is no faster",
)
question(
    "predict_one_fault_each",
    "abc",
    lambda counted, flag: "b" if abs(flag / counted - 1) < 0.05 else None,
    "a life takes {0:.1f} µs and {1:.1f} µs: one get and one put each, with the flag and without",
)
