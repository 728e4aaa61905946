"""What lab 1 lets one guess."""

from ..guesses import question

question(
    "what a read changes",
    "abcd",
    lambda frames, rss, count: "b" if (frames, rss, count) == (0, 0, 0) else None,
    "the second read took {0} frames, RSS grew by {1} and the count by {2}: there is an entry more, and that is all",
)
question(
    "predict_fork_faults",
    "abc",
    lambda faults, pages: "c" if faults == pages else None,
    "it took {0:,}: an area that never held a page of its own is not copied",
)
question(
    "2 MiB of zeroes",
    "",
    lambda vectors, bios, frames: (vectors, bios, frames) if vectors and not frames else None,
    "each 4 KiB is one more vector that names the same page, and a bio holds 256 of them",
)
