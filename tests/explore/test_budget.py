"""Whatever a loop looks like, its rounds are counted."""

import pytest
from hugezero.explore.budget import TooManyLines, line_budget

LOOPS = (
    "while True:\n        pass",
    "while True: pass",
    "for _ in iter(int, 1): pass",
    "while 1 < 2: x = 3",
    "x = all(True for _ in iter(int, 1))",
)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_is_ended(loop):
    names = {}
    exec(compile(f"def turn():\n    {loop}\n", "<cell>", "exec"), names)
    with pytest.raises(TooManyLines), line_budget(20_000):
        names["turn"]()


def test_a_loop_with_an_end_is_not():
    names = {}
    exec(compile("def turn():\n    for _ in range(500): pass\n    return 7\n", "<cell>", "exec"), names)
    with line_budget(20_000):
        assert names["turn"]() == 7
