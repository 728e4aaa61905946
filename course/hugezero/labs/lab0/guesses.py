"""What lab 0 lets one guess."""

from ..guesses import question

question(
    "frames for a byte",
    "",
    lambda frames: frames,
    "the byte needs a frame, and the page table with its entry needs another",
)
