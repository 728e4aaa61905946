"""What lab 5 lets one guess."""

from ..guesses import question

question(
    "held while it is sent",
    "abcd",
    lambda mild, tight: "b" if tight and not mild else None,
    "the process lives on and holds nothing: without need of memory {0} frames were free when the disk read them, with it {1}",
)
question(
    "predict_counting_again",
    "abcd",
    lambda few, many: "d" if 1.3 < many / few < 1.7 else None,
    "8 CPUs do {0:.1f} requests in a microsecond and 72 do {1:.1f}: the line can only be in one place",
)
question(
    "predict_one_gib",
    "abc",
    lambda pieces, bios: "b" if (pieces, bios) == (512, 2) else None,
    "it took {0} pieces, and {1} bios to hold them",
)
