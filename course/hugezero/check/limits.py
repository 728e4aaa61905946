"""How much code under test may do, in a notebook and in the judge alike. No limit is a time."""

OPERATIONS = 50_000  # of one call
CHECK_OPERATIONS = 1_000_000  # of all calls of one check
LINES = 200_000  # of Python in one call; between two operations of a search see explore.replay
AGAIN = 30  # questions of a check that are asked again, each in a world of its own
REMEMBERED, LONGEST = 1000, 500  # calls that are remembered for that, and operations of one

RAN_ON = f"did {OPERATIONS:,} operations and was not done"
RAN_ON_HINT = "is there a loop that cannot end?"
