"""What lab 2 lets one guess."""

from ..guesses import question

question(
    "predict_faults",
    "abcd",
    lambda faults, small, huge: "c" if faults == small + huge else None,
    "it took {0:,}: {2} for the entries of 2 MiB that fit, and {1} for the pages at both ends, one by one",
)
question(
    "look before the lock",
    "abc",
    "b",
    "both CPUs see an empty entry and both fill it: the first table that was put aside is lost, and nothing tells",
)
question(
    "a dirty entry is split",
    "abc",
    lambda small, dirty: "a" if small and not dirty else None,
    "of the {0} small entries {1} are dirty: nobody has written to zeroes, whatever an entry says",
)
question(
    "two writers",
    "abcd",
    "d",
    "the slower one finds the entry changed, gives its page back, and its program tries again on the other's page",
)
question(
    "one byte each 2 MiB",
    "",
    lambda newest, oldest: (newest, oldest) if newest > oldest > 0 else None,
    "a huge page is 512 pages for one byte, and a split needs one",
)
question(
    "predict_table_memory",
    "abc",
    lambda huge, small: "b" if huge == small else None,
    "there are {0} tables where there were {1}: each huge entry has one put aside",
)
question(
    "predict_who_pays",
    "abc",
    lambda paid, unpaid: "a" if paid > unpaid else None,
    "the writer takes {0} faults where it took {1}: no huge page is left for it",
)
