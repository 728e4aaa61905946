"""How much code under test may do, in a notebook and in the judge alike. No limit is a time."""

OPERATIONS = 50_000  # of one call
CHECK_OPERATIONS = 1_000_000  # of all calls of one check
LINES = 200_000  # of Python in one call, or up to its next operation where it is asked for that
AFTER_STOP = 100  # operations that code tries after it was stopped
WORLDS = 30  # calls of a check that are run again, each in a world of its own
REMEMBERED, LONGEST = 1000, 500  # calls that are remembered for that, and operations of one
