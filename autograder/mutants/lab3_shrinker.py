"""Lab 3: what students get wrong, and what they may write otherwise."""

from . import Mutant

GET, PUT = "get_huge_zero_folio", "put_huge_zero_folio"
COUNT, SCAN = "shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan"

MUTANTS = [
    # get_huge_zero_folio
    Mutant(
        "the count starts at 1",
        GET,
        "hz.refcount.set(2)",
        "hz.refcount.set(1)",
        "the_first_reader_brings_the_folio",
        "The reader and the shrinker share one reference. When the reader gives it back, the count is 0 and the "
        "folio is still there: no later reader can join it, and no reader can bring another.",
    ),
    Mutant(
        "the count is forgotten",
        GET,
        "        hz.refcount.set(2)  # the caller, and the shrinker\n",
        "",
        "the_first_reader_brings_the_folio",
        "A folio with a count of 0 is one that nobody may join. Everybody who comes finds it in the way, for ever.",
    ),
    Mutant(
        "what was brought is not zero",
        GET,
        "        clear_folio(folio)\n",
        "",
        "the_first_reader_brings_the_folio",
        "A frame that is handed out holds what its last owner left in it. Here every program on the machine could "
        "read that.",
    ),
    Mutant(
        "one page instead of 512",
        GET,
        "alloc_folio(HPAGE_PMD_ORDER)",
        "alloc_folio()",
        "the_first_reader_brings_the_folio",
        "The entry promises 2 MiB. Behind the first 4 KiB it would show memory that belongs to others.",
    ),
    Mutant(
        "it says that all went well",
        GET,
        "        return folio\n    return hz.folio.read()",
        "        return True\n    return True",
        "the_first_reader_brings_the_folio",
        "The caller has to map something, so it must be told what.",
    ),
    Mutant(
        "a new folio for each reader",
        GET,
        "while not hz.refcount.inc_not_zero():",
        "while True:",
        "the_first_reader_brings_the_folio",
        "The second reader can never install its folio, since the first one's is there. It frees and allocates for ever.",
    ),
    Mutant(
        "a plain increment",
        GET,
        source="""\
def get_huge_zero_folio(hz):
    if hz.refcount.read() == 0:
        folio = alloc_folio(HPAGE_PMD_ORDER)
        if folio is None:
            VMSTAT.thp_zero_page_alloc_failed.inc()
            return None
        clear_folio(folio)
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.set(2)
            VMSTAT.thp_zero_page_alloc.inc()
            return folio
        free_folio(folio)
    hz.refcount.inc()
    return hz.folio.read()
""",
        caught_by="two_first_readers_share_one_folio",
        story="Between the look at the count and the increment another CPU can change it: the installer overwrites your "
        "increment, or the shrinker takes the folio. inc_not_zero looks and adds in one operation.",
    ),
    Mutant(
        "the count before the pointer",
        GET,
        "        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)  # another CPU was faster: ask again\n"
        "            continue\n"
        "        hz.refcount.set(2)  # the caller, and the shrinker\n",
        "        hz.refcount.set(2)\n"
        "        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)\n"
        "            continue\n",
        "two_first_readers_share_one_folio",
        "A count above 0 tells the others that they may use the pointer. It has to be there by then.",
    ),
    Mutant(
        "whoever comes last installs",
        GET,
        "        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)  # another CPU was faster: ask again\n"
        "            continue\n",
        "        hz.folio.set(folio)\n",
        "two_first_readers_share_one_folio",
        "The second store overwrites the first one's folio, and nobody knows of that one any more: 512 frames are gone "
        "until the machine restarts. cmpxchg stores only if nobody was faster.",
    ),
    Mutant(
        "look, then store",
        GET,
        "        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)  # another CPU was faster: ask again\n"
        "            continue\n",
        "        if hz.folio.read() is not None:\n"
        "            free_folio(folio)\n"
        "            continue\n"
        "        hz.folio.set(folio)\n",
        "two_first_readers_share_one_folio",
        "Between the look and the store another CPU can install its folio. cmpxchg does both in one operation.",
    ),
    Mutant(
        "the loser keeps its folio for nobody",
        GET,
        "            free_folio(folio)  # another CPU was faster: ask again\n",
        "",
        "two_first_readers_share_one_folio",
        "Linux lost memory at this place as well: it gave back one page of the loser's 512, until 5ddacbe92b80.",
    ),
    Mutant(
        "the loser returns what it has freed",
        GET,
        "            continue\n",
        "            return folio\n",
        "two_first_readers_share_one_folio",
        "The loser has freed that folio itself. There is another one now, and the loser has to ask for a reference to it.",
    ),
    Mutant(
        "the loser takes the winner's folio without asking",
        GET,
        "            continue\n",
        "            return hz.folio.read()\n",
        "two_first_readers_share_one_folio",
        "The loser has no reference. When it gives back what it never took, the count is one too low, and the folio can "
        "go while somebody reads it.",
    ),
    Mutant(
        "the loser just adds one",
        GET,
        "            continue\n",
        "            hz.refcount.inc()\n            return hz.folio.read()\n",
        "two_first_readers_share_one_folio",
        "The winner may not have set its count yet: it overwrites your increment. And the shrinker may have been there "
        "since. Only inc_not_zero tells whether there is still something to join.",
    ),
    Mutant(
        "the loser gives up",
        GET,
        "            continue\n",
        "            return None\n",
        "two_first_readers_share_one_folio",
        "None means that there is no memory. Here there is a folio: another CPU has just brought it.",
    ),
    Mutant(
        "the pointer is looked at again",
        GET,
        "        return folio\n    return hz.folio.read()",
        "        break\n    return hz.folio.read()",
        "",
        "",
    ),
]
EQUIVALENTS = []
