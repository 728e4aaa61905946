"""Lab 0: one mistake for each way in which a warm-up can go wrong."""

from ...prove.mutant import Mutant

MUTANTS = [
    Mutant(
        "not cleared",
        "alloc_zeroed_folio",
        "        clear_folio(folio)",
        "        pass",
        "the_folio_is_all_zeroes",
        "A frame comes as its last owner left it.",
    ),
    Mutant(
        "no memory is not expected",
        "alloc_zeroed_folio",
        "    if folio is not None:\n        clear_folio(folio)",
        "    clear_folio(folio)",
        "the_folio_is_all_zeroes",
        "alloc_folio gives None when there is no memory, and None cannot be cleared.",
    ),
    Mutant(
        "everybody gets the lock",
        "spin_trylock",
        "return not lock.locked.test_and_set()",
        "lock.locked.set()\n    return True",
        "one_cpu_takes_a_free_lock",
        "A lock that everybody gets protects nothing.",
    ),
    Mutant(
        "test, then set",
        "spin_trylock",
        "return not lock.locked.test_and_set()",
        "if lock.locked.test():\n        return False\n    lock.locked.set()\n    return True",
        "two_cpus_under_every_schedule",
        "Between the test and the set, the other CPU tested too, and saw a free lock.",
    ),
]

EQUIVALENTS = [
    Mutant(
        "two returns",
        "spin_trylock",
        source="""
def spin_trylock(lock):
    if lock.locked.test_and_set():
        return False
    return True
""",
    ),
    Mutant(
        "test first, to be quick",
        "spin_trylock",
        source="""
def spin_trylock(lock):
    if lock.locked.test():
        return False
    return not lock.locked.test_and_set()
""",
    ),
]
