"""Lab 3: what students get wrong, and what they may write otherwise."""

from ...prove.mutant import Mutant

GET, PUT = "get_huge_zero_folio", "put_huge_zero_folio"
COUNT, SCAN = "shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan"

ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"
COPY, ZAP = "copy_huge_pmd", "zap_huge_pmd"

NO_TICKET = (
    "No CPU forgets a translation by itself. Until flush_pmd_tlb_range returns, another thread of the program may still "
    "read through it. Linux had this order wrong until aa88b68c3b1d."
)

MUTANTS = [
    Mutant(
        "no memory, so nobody can be there",
        GET,
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n            return None",
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n            hz.refcount.set(0)\n            return None",
        "there_may_be_no_huge_page",
        "While this CPU found no memory, another one may have brought the folio: its count is not this CPU's to set.",
    ),
    Mutant(
        "a reference before anything is known",
        ANON,
        "    vma, mm = vmf.vma, vmf.vma.vm_mm\n",
        "    vma, mm = vmf.vma, vmf.vma.vm_mm\n    get_huge_zero_folio(HUGE_ZERO) if vmf.write else None\n",
        "each_huge_entry_holds_a_reference",
        "A write maps no zeroes. A reference that no entry holds is one that nobody gives back.",
    ),
    Mutant(
        "a reference where 2 MiB do not fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n",
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        get_huge_zero_folio(HUGE_ZERO)\n",
        "each_huge_entry_holds_a_reference",
        "Small pages will do there: no huge entry is made, so there is none whose reference that could be.",
    ),
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
        "no memory is not expected",
        GET,
        "        if folio is None:\n            VMSTAT.thp_zero_page_alloc_failed.inc()\n            return None\n",
        "",
        "the_first_reader_brings_the_folio",
        "Huge pages run out long before memory does. The caller has another way to go on, if it is told.",
    ),
    Mutant(
        "it waits for memory",
        GET,
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n            return None\n",
        "            continue\n",
        "the_first_reader_brings_the_folio",
        "Nobody promises that memory will come. A fault that waits for it may wait for ever.",
    ),
    Mutant(
        "no memory, and the count says one user",
        GET,
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n            return None\n",
        "            hz.refcount.inc()\n            return None\n",
        "the_first_reader_brings_the_folio",
        "The way out of a function after an error must leave everything as it was.",
    ),
    Mutant(
        "what was freed is counted as brought",
        GET,
        "        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)  # another CPU was faster: ask again\n            continue\n"
        "        hz.refcount.set(2)  # the caller, and the shrinker\n        VMSTAT.thp_zero_page_alloc.inc()\n",
        "        VMSTAT.thp_zero_page_alloc.inc()\n        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)\n            continue\n        hz.refcount.set(2)\n",
        "no_program_can_tell_it_from_linux",
        "A folio that loses the race is freed at once, and nobody ever used it. From 2012 on Linux counted it all the "
        "same, on purpose; since 1514760f8242 (2022) the counter means what stays.",
    ),
    Mutant(
        "nothing is counted as brought",
        GET,
        "        VMSTAT.thp_zero_page_alloc.inc()\n",
        "",
        "the_first_reader_brings_the_folio",
        "thp_zero_page_alloc tells an administrator how often the folio had to be brought again.",
    ),
    Mutant(
        "four tries, then without a reference",
        GET,
        "    while not hz.refcount.inc_not_zero():",
        "    for _ in range(4):\n        if hz.refcount.inc_not_zero():\n            return hz.folio.read()",
        "two_first_readers_share_one_folio",
        "A loop that gives up has to say so. Here it goes on without a reference, and the folio can go at any moment.",
    ),
    Mutant(
        "the pointer is enough",
        GET,
        "    while not hz.refcount.inc_not_zero():",
        "    while True:\n        known = hz.folio.read()\n        if known is not None:\n"
        "            hz.refcount.inc()\n            return known",
        "two_first_readers_share_one_folio",
        "Between the look at the pointer and the increment the installer sets its count, or the shrinker frees the folio. "
        "Only the count decides, and only inc_not_zero asks it in one operation.",
    ),
    Mutant(
        "is somebody there? then one more",
        GET,
        "    while not hz.refcount.inc_not_zero():",
        "    while True:\n        if hz.refcount.read() > 0:\n            hz.refcount.inc()\n            return hz.folio.read()",
        "no_schedule_gives_a_reader_a_freed_folio",
        "Between the look and the increment the last user can leave, and the shrinker can take the folio. inc_not_zero "
        "looks and adds in one operation.",
    ),
    Mutant(
        "the pointer first, then the count",
        GET,
        "    while not hz.refcount.inc_not_zero():",
        "    while True:\n        known = hz.folio.read()\n        if known is not None and hz.refcount.inc_not_zero():\n"
        "            return known",
        "three_users_and_the_shrinker_get_along",
        "Between the two the folio can go, and another one can come. The count is the new one's, the pointer the old "
        "one's. Read the pointer when you hold a reference.",
    ),
    Mutant(
        "the loser takes the folio that it lost to",
        GET,
        "        if hz.folio.cmpxchg(None, folio) is not None:\n"
        "            free_folio(folio)  # another CPU was faster: ask again\n"
        "            continue\n",
        "        found = hz.folio.cmpxchg(None, folio)\n        if found is not None:\n            free_folio(folio)\n"
        "            if hz.refcount.inc_not_zero():\n                return found\n            continue\n",
        "three_users_and_the_shrinker_get_along",
        "By the time the count says yes, that folio can have gone, and a third CPU can have brought another one. Read the "
        "pointer when you hold a reference.",
    ),
    # put_huge_zero_folio
    Mutant(
        "the last user frees the folio",
        PUT,
        "    hz.refcount.dec()",
        "    hz.refcount.dec()\n    if hz.refcount.cmpxchg(1, 0) == 1:\n        free_folio(hz.folio.xchg(None))",
        "a_reference_is_given_back",
        "Then each reader that comes alone has 2 MiB allocated, cleared and freed again. That was the worry about counting "
        "in 2012; the shrinker's own reference is the answer to it.",
    ),
    Mutant(
        "two are given back",
        PUT,
        "    hz.refcount.dec()",
        "    hz.refcount.add(-2)",
        "a_reference_is_given_back",
        "A user has one reference. The other one belongs to somebody else, who will read a freed folio.",
    ),
    Mutant(
        "nothing is given back",
        PUT,
        "    hz.refcount.dec()",
        "    pass",
        "a_reference_is_given_back",
        "A count that only grows is a folio that never goes: you have lab 2 again, with more work.",
    ),
    Mutant(
        "read, then store one less",
        PUT,
        "    hz.refcount.dec()",
        "    hz.refcount.set(hz.refcount.read() - 1)",
        "a_reference_is_given_back",
        "Between the two another CPU can count itself, and your store forgets it. dec() does both in one operation.",
    ),
    Mutant(
        "the pointer goes with the last user",
        PUT,
        "    hz.refcount.dec()",
        "    hz.refcount.dec()\n    if hz.refcount.read() == 1:\n        hz.folio.set(None)",
        "a_reference_is_given_back",
        "The shrinker holds the folio, and now it cannot find it any more: 512 frames are lost.",
    ),
    Mutant(
        "the count stops at 1",
        PUT,
        "    hz.refcount.dec()",
        "    if hz.refcount.read() > 2:\n        hz.refcount.dec()\n    else:\n        hz.refcount.set(1)",
        "users_come_and_go",
        "Between the look and the store another user may have come. Its reference is forgotten, and the folio can be "
        "freed under it.",
    ),
    # shrink_huge_zero_folio_count
    Mutant(
        "whatever is there could go",
        COUNT,
        "hz.refcount.read() == 1",
        "hz.folio.read() is not None",
        "count_tells_what_could_be_freed",
        "A folio that somebody uses cannot go. Whoever looks for memory would ask in vain, again and again.",
    ),
    Mutant(
        "the shrinker's own reference is forgotten",
        COUNT,
        "hz.refcount.read() == 1",
        "hz.refcount.read() == 0",
        "count_tells_what_could_be_freed",
        "When nobody uses the folio the count is 1: the shrinker's own. At 0 there is no folio at all.",
    ),
    Mutant(
        "one folio is one page",
        COUNT,
        "return HPAGE_PMD_NR if",
        "return 1 if",
        "count_tells_what_could_be_freed",
        "Shrinkers count in pages of 4 KiB. The huge one is 512 of them.",
    ),
    Mutant(
        "the count is the answer",
        COUNT,
        "    return HPAGE_PMD_NR if hz.refcount.read() == 1 else 0",
        "    return hz.refcount.read()",
        "count_tells_what_could_be_freed",
        "The question is how many pages could go, not how many use them.",
    ),
    Mutant(
        "true or false",
        COUNT,
        "    return HPAGE_PMD_NR if hz.refcount.read() == 1 else 0",
        "    return hz.refcount.read() == 1",
        "count_tells_what_could_be_freed",
        "Shrinkers answer in pages: who needs 100 asks on until there are 100.",
    ),
    Mutant(
        "counting takes it away",
        COUNT,
        "hz.refcount.read() == 1",
        "hz.refcount.cmpxchg(1, 0) == 1",
        "count_tells_what_could_be_freed",
        "count only looks. Here it makes the count 0 and leaves the folio where it is, so that nobody can use it, and "
        "nobody can bring another.",
    ),
    # shrink_huge_zero_folio_scan
    Mutant(
        "scan trusts what it has read",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n",
        "    if hz.refcount.read() != 1:\n        return 0\n    hz.refcount.set(0)\n",
        "no_schedule_frees_a_folio_in_use",
        "Between the look and the store a user can come. It was told that it has the folio, and then it is freed.",
    ),
    Mutant(
        "scan frees without asking",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n",
        "    hz.refcount.set(0)\n",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "count said that there may be work. By the time scan comes, somebody may have taken a reference.",
    ),
    Mutant(
        "the shrinker lets go, and sees what is left",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n",
        "    if hz.refcount.read() != 1 or not hz.refcount.dec_and_test():\n        return 0\n",
        "no_schedule_frees_a_folio_in_use",
        "If a user came in between, the shrinker has given its reference away for nothing. The user's put then brings the "
        "count to 0, and the folio is in everybody's way.",
    ),
    Mutant(
        "the pointer is left behind",
        SCAN,
        "    free_folio(hz.folio.xchg(None))\n",
        "    free_folio(hz.folio.read())\n",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "Everybody who wants to bring a new folio finds the old pointer there, and believes that somebody was faster.",
    ),
    Mutant(
        "the pointer goes first",
        SCAN,
        source="""\
def shrink_huge_zero_folio_scan(hz):
    if hz.refcount.read() != 1:
        return 0
    folio = hz.folio.xchg(None)
    if hz.refcount.cmpxchg(1, 0) != 1:
        hz.folio.set(folio)
        return 0
    free_folio(folio)
    return HPAGE_PMD_NR
""",
        caught_by="no_schedule_frees_a_folio_in_use",
        story="While the count is not 0, users may come and look for the pointer. It must be there for as long as that.",
    ),
    Mutant(
        "it is freed while it can still be found",
        SCAN,
        "    free_folio(hz.folio.xchg(None))\n",
        "    folio = hz.folio.read()\n    free_folio(folio)\n    hz.folio.set(None)\n",
        "no_schedule_frees_a_folio_in_use",
        "Between the two, hz.folio names memory that somebody else may have by now. Whoever compares an entry with it "
        "takes that for zeroes.",
    ),
    Mutant(
        "nothing is freed",
        SCAN,
        "    free_folio(hz.folio.xchg(None))\n",
        "    hz.folio.set(None)\n",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "The folio is forgotten, and not given back: 512 frames are gone until the machine restarts.",
    ),
    Mutant(
        "one page was freed",
        SCAN,
        "    return HPAGE_PMD_NR",
        "    return 1",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "Whoever looks for memory adds up what it is told. Linux really gave back one page of the 512 here, until "
        "5ddacbe92b80.",
    ),
    Mutant(
        "freed pages are claimed that were not",
        SCAN,
        "        return 0\n",
        "        return HPAGE_PMD_NR\n",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "Whoever looks for memory would stop looking, with nothing in hand.",
    ),
    Mutant(
        "the count is left at 1",
        SCAN,
        "hz.refcount.cmpxchg(1, 0) != 1",
        "hz.refcount.read() != 1",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "A count above 0 promises a folio. The next reader counts itself and finds nothing.",
    ),
    Mutant(
        "the shrinker waits until it is free",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n",
        "    while hz.refcount.cmpxchg(1, 0) != 1:\n        pass\n",
        "an_idle_folio_goes_and_a_busy_one_stays",
        "Whoever looks for memory cannot wait for a program that may read its zeroes for days.",
    ),
    Mutant(
        "the pointer is read before the count",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n    free_folio(hz.folio.xchg(None))\n",
        "    folio = hz.folio.read()\n    if folio is None or hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n    hz.folio.set(None)\n"
        "    free_folio(folio)\n",
        "two_shrinkers_free_it_once",
        "Between the two another shrinker can free that folio, and a reader can bring another one. Then the old one is "
        "freed twice, and the new one is lost.",
    ),
    Mutant(
        "what is freed was never brought",
        SCAN,
        "    free_folio(hz.folio.xchg(None))\n",
        "    free_folio(hz.folio.xchg(None))\n    VMSTAT.thp_zero_page_alloc.dec()\n",
        "memory_comes_back_when_somebody_needs_it",
        "thp_zero_page_alloc counts how often the folio was brought, not how many there are. It only grows.",
    ),
    # do_huge_pmd_anonymous_page
    Mutant(
        "the entry holds nothing",
        ANON,
        "get_huge_zero_folio(HUGE_ZERO)",
        "HUGE_ZERO.folio.read()",
        "each_huge_entry_holds_a_reference",
        "This is lab 2's line. Nothing is set aside at boot any more: somebody has to bring the folio, and hold it.",
    ),
    Mutant(
        "the slower thread keeps its reference",
        ANON,
        "        pte_free_one(mm, table)\n        put_huge_zero_folio(HUGE_ZERO)\n    return 0",
        "        pte_free_one(mm, table)\n    return 0",
        "two_threads_fault_the_same_memory",
        "Two threads took a reference, and there is one entry to give one back. The folio can never go again.",
    ),
    Mutant(
        "the slower thread keeps its table",
        ANON,
        "        pte_free_one(mm, table)\n        put_huge_zero_folio(HUGE_ZERO)\n    return 0",
        "        put_huge_zero_folio(HUGE_ZERO)\n    return 0",
        "two_threads_fault_the_same_memory",
        "The table was made for an entry that is not this thread's. Nobody else knows of it.",
    ),
    Mutant(
        "nobody else is expected",
        ANON,
        "ours = vmf.pmd.read() is None",
        "ours = True",
        "two_threads_fault_the_same_memory",
        "The fault came in when the entry was empty. By the time the lock is taken, another thread may have filled it.",
    ),
    Mutant(
        "the look comes before the lock",
        ANON,
        "    mm.page_table_lock.lock()\n    ours = vmf.pmd.read() is None\n",
        "    ours = vmf.pmd.read() is None\n    mm.page_table_lock.lock()\n",
        "two_threads_fault_the_same_memory",
        "What was seen before the lock was taken need not be so afterwards.",
    ),
    Mutant(
        "no huge page, and the table stays",
        ANON,
        "        pte_free_one(mm, table)\n        VMSTAT.thp_fault_fallback.inc()\n",
        "        VMSTAT.thp_fault_fallback.inc()\n",
        "each_huge_entry_holds_a_reference",
        "Small pages will do, with a table of their own. This one is nobody's.",
    ),
    Mutant(
        "no huge page is a reason to give up",
        ANON,
        "        VMSTAT.thp_fault_fallback.inc()\n        return VM_FAULT_FALLBACK",
        "        VMSTAT.thp_fault_fallback.inc()\n        return VM_FAULT_OOM",
        "each_huge_entry_holds_a_reference",
        "The zeroes are to be had in small pages too, and those cost nothing at all.",
    ),
    Mutant(
        "a reference before it is clear that one is needed",
        ANON,
        "    vma, mm = vmf.vma, vmf.vma.vm_mm\n    if not thp_vma_suitable",
        "    vma, mm = vmf.vma, vmf.vma.vm_mm\n    get_huge_zero_folio(HUGE_ZERO)\n    if not thp_vma_suitable",
        "each_huge_entry_holds_a_reference",
        "Each way out of this function from here on has to give it back, and most do not.",
    ),
    Mutant(
        "no table, and the reference stays",
        ANON,
        "    table = pte_alloc_one(mm)\n    if table is None:\n        return VM_FAULT_OOM\n"
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n    if folio is None:\n        pte_free_one(mm, table)\n",
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n    table = pte_alloc_one(mm)\n    if table is None:\n"
        "        return VM_FAULT_OOM\n    if folio is None:\n        pte_free_one(mm, table)\n",
        "faults_beside_everything_else",
        "Where there is no table there will be no entry, so that nobody will ever give this reference back.",
    ),
    Mutant(
        "the reference goes while the entry is there",
        ANON,
        "    return 0\n",
        "    if ours:\n        put_huge_zero_folio(HUGE_ZERO)\n    return 0\n",
        "each_huge_entry_holds_a_reference",
        "The reference is the entry's, not the function's: it is given back when the entry goes.",
    ),
    Mutant(
        "another reference for the loser",
        ANON,
        "        put_huge_zero_folio(HUGE_ZERO)\n    return 0",
        "        HUGE_ZERO.refcount.add(-2)\n    return 0",
        "two_threads_fault_the_same_memory",
        "The winner's entry holds the other one.",
    ),
    Mutant(
        "RSS counts the zeroes",
        ANON,
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))\n",
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))\n        mm.rss.add(HPAGE_PMD_NR)\n",
        "no_program_can_tell_huge_faults_from_linux",
        "RSS counts real memory of this program. The zeroes are everybody's.",
    ),
    # do_huge_pmd_wp_page
    Mutant(
        "a write keeps the reference",
        WP,
        "                put_huge_zero_folio(HUGE_ZERO)\n",
        "",
        "a_write_gives_the_reference_back",
        "The entry maps another page now. Nobody else will give this reference back, and the folio can never go.",
    ),
    Mutant(
        "put before the flush",
        WP,
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "                put_huge_zero_folio(HUGE_ZERO)\n",
        "                put_huge_zero_folio(HUGE_ZERO)\n"
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "a_write_gives_the_reference_back",
        NO_TICKET,
    ),
    Mutant(
        "no flush",
        WP,
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "",
        "a_write_gives_the_reference_back",
        "The other threads go on reading zeroes where this one has written, and later whatever the next owner keeps there.",
    ),
    Mutant(
        "the slower thread puts as well",
        WP,
        "                put_huge_zero_folio(HUGE_ZERO)\n            mm.page_table_lock.unlock()\n",
        "            put_huge_zero_folio(HUGE_ZERO)\n            mm.page_table_lock.unlock()\n",
        "a_write_gives_the_reference_back",
        "The entry had one reference, and the faster thread has given it back.",
    ),
    Mutant(
        "put while the entry still maps it",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n"
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "                put_huge_zero_folio(HUGE_ZERO)\n",
        "                put_huge_zero_folio(HUGE_ZERO)\n"
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n"
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "a_write_gives_the_reference_back",
        "Whoever reads through the entry then reads a page that may be freed already.",
    ),
    Mutant(
        "a flush from the page that was written",
        WP,
        "flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)",
        "flush_pmd_tlb_range(vma, vmf.address, vmf.address + PMD_SIZE)",
        "writes_beside_everything_else",
        "A translation of 2 MiB begins where its 2 MiB begin. A write in the middle has to flush all of them.",
    ),
    Mutant(
        "the flush comes first",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n"
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n",
        "a_write_gives_the_reference_back",
        "Between the two a CPU can look the old entry up again, and remember it.",
    ),
    Mutant(
        "a put for every huge page",
        WP,
        "        if wp_huge_reuse(vmf):\n            return 0\n",
        "        if wp_huge_reuse(vmf):\n            put_huge_zero_folio(HUGE_ZERO)\n            return 0\n",
        "writes_beside_everything_else",
        "An ordinary huge page holds no reference on the zeroes. Somebody else does, and will miss it.",
    ),
    Mutant(
        "no huge page, and the reference goes twice",
        WP,
        "        VMSTAT.thp_fault_fallback.inc()\n",
        "        VMSTAT.thp_fault_fallback.inc()\n        put_huge_zero_folio(HUGE_ZERO)\n",
        "writes_beside_everything_else",
        "The split gives the entry's reference back.",
    ),
    Mutant(
        "the slower thread keeps its huge page",
        WP,
        "            if not same:  # another thread was faster\n                folio_put(folio)\n",
        "",
        "writes_beside_everything_else",
        "It was made for an entry that another thread has filled. Nobody else knows of it.",
    ),
    Mutant(
        "nobody else is expected at a write",
        WP,
        "same = vmf.pmd.read() == entry",
        "same = True",
        "a_write_gives_the_reference_back",
        "Another thread may have written, unmapped or split meanwhile. What it did is overwritten, and the reference goes "
        "twice.",
    ),
    # split_huge_zero_page_pmd
    Mutant(
        "a split keeps the reference",
        SPLIT,
        "    put_huge_zero_folio(HUGE_ZERO)\n",
        "",
        "a_split_gives_the_reference_back",
        "Small entries map the small zero page, which nobody counts. The huge one has lost a user.",
    ),
    Mutant(
        "put before the flush of a split",
        SPLIT,
        "    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n    put_huge_zero_folio(HUGE_ZERO)\n",
        "    put_huge_zero_folio(HUGE_ZERO)\n    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "a_split_gives_the_reference_back",
        NO_TICKET,
    ),
    Mutant(
        "a split without a flush",
        SPLIT,
        "    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "",
        "a_split_gives_the_reference_back",
        "The other CPUs go on reading through the huge translation, also when the folio has long been freed.",
    ),
    Mutant(
        "put before the table is there",
        SPLIT,
        "    pmd.set(table)\n    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n    put_huge_zero_folio(HUGE_ZERO)\n",
        "    put_huge_zero_folio(HUGE_ZERO)\n    pmd.set(table)\n    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "a_split_gives_the_reference_back",
        "Until the table is set, every thread reads through the huge entry.",
    ),
    Mutant(
        "the flush of a split comes first",
        SPLIT,
        "    pmd.set(table)\n    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n    pmd.set(table)\n",
        "a_split_gives_the_reference_back",
        "Between the two a CPU can look the huge entry up again, and remember it.",
    ),
    Mutant(
        "a put for each small entry",
        SPLIT,
        "        table[i].set(zero_pte())\n",
        "        table[i].set(zero_pte())\n        put_huge_zero_folio(HUGE_ZERO)\n",
        "a_split_gives_the_reference_back",
        "One huge entry held one reference.",
    ),
    Mutant(
        "the split flushes a page",
        SPLIT,
        "flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)",
        "flush_pmd_tlb_range(vma, haddr + 4096, haddr + PMD_SIZE)",
        "a_split_gives_the_reference_back",
        "The translation begins at the first address of the 2 MiB.",
    ),
    Mutant(
        "the table is filled when it is in use",
        SPLIT,
        "    for i in range(len(table)):\n        table[i].set(zero_pte())\n    pmd.set(table)\n",
        "    pmd.set(table)\n    for i in range(len(table)):\n        table[i].set(zero_pte())\n",
        "splits_beside_everything_else",
        "Between the two, other threads find empty entries and fault. What they put there is then overwritten.",
    ),
    # copy_huge_pmd
    Mutant(
        "the child holds nothing",
        COPY,
        "        get_huge_zero_folio(HUGE_ZERO)  # never allocates: the parent's entry holds the folio\n",
        "        pass\n",
        "a_child_takes_a_reference_of_its_own",
        "When parent and child have both gone, two references have been given back, and one was taken.",
    ),
    Mutant(
        "a reference for every huge page",
        COPY,
        "        folio_get(entry.folio)\n",
        "        folio_get(entry.folio)\n        get_huge_zero_folio(HUGE_ZERO)\n",
        "a_child_takes_a_reference_of_its_own",
        "An ordinary huge page has a count of its own. Nobody will give this reference back.",
    ),
    Mutant(
        "the zeroes are counted as an ordinary page",
        COPY,
        "get_huge_zero_folio(HUGE_ZERO)  # never allocates: the parent's entry holds the folio",
        "folio_get(entry.folio)",
        "a_child_takes_a_reference_of_its_own",
        "The folio's own count is another one. The shrinker looks at hz.refcount.",
    ),
    Mutant(
        "a reference although the fork fails",
        COPY,
        "    table = pte_alloc_one(dst_vma.vm_mm)\n",
        "    if is_huge_zero_pmd(src_pmd.read()):\n        get_huge_zero_folio(HUGE_ZERO)\n"
        "    table = pte_alloc_one(dst_vma.vm_mm)\n",
        "a_child_takes_a_reference_of_its_own",
        "Take what has to be given back only when nothing can go wrong any more.",
    ),
    # zap_huge_pmd
    Mutant(
        "an unmap keeps the reference",
        ZAP,
        "        put_huge_zero_folio(HUGE_ZERO)  # after the flush: until then another CPU may read the folio\n",
        "",
        "an_unmap_gives_the_reference_back",
        "The entry is gone. Nobody else will give its reference back, and the folio can never go.",
    ),
    Mutant(
        "put before the flush of an unmap",
        ZAP,
        "    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n"
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n    if is_huge_zero_pmd(entry):\n"
        "        put_huge_zero_folio(HUGE_ZERO)  # after the flush: until then another CPU may read the folio\n"
        "        return\n",
        "    if is_huge_zero_pmd(entry):\n        put_huge_zero_folio(HUGE_ZERO)\n"
        "    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n"
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n    if is_huge_zero_pmd(entry):\n        return\n",
        "an_unmap_gives_the_reference_back",
        NO_TICKET,
    ),
    Mutant(
        "an unmap without a flush",
        ZAP,
        "    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n",
        "",
        "an_unmap_gives_the_reference_back",
        "The entry is empty, and other CPUs go on reading through what they remember of it.",
    ),
    Mutant(
        "the flush of an unmap comes first",
        ZAP,
        "    entry = pmd.xchg(None)\n    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n",
        "    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n    entry = pmd.xchg(None)\n",
        "an_unmap_gives_the_reference_back",
        "Between the two a CPU can look the entry up again, and remember it.",
    ),
    Mutant(
        "an unmap puts for every huge page",
        ZAP,
        "    vma.vm_mm.rss.add(-entry.folio.nr_pages)\n",
        "    put_huge_zero_folio(HUGE_ZERO)\n    vma.vm_mm.rss.add(-entry.folio.nr_pages)\n",
        "an_unmap_gives_the_reference_back",
        "An ordinary huge page holds no reference on the zeroes. Somebody else does, and will miss it.",
    ),
    Mutant(
        "the zeroes are put as an ordinary page",
        ZAP,
        "put_huge_zero_folio(HUGE_ZERO)  # after",
        "folio_put(entry.folio)  # after",
        "an_unmap_gives_the_reference_back",
        "The folio's own count is another one. At 0 the folio is freed, whoever else maps it.",
    ),
    Mutant(
        "an ordinary page goes before the flush",
        ZAP,
        "    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n",
        "    if is_huge_zero_pmd(entry):\n        flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)\n",
        "unmaps_beside_everything_else",
        "Other CPUs remember ordinary huge pages as well, and read what the next owner keeps there.",
    ),
    Mutant(
        "the table that was put aside is forgotten",
        ZAP,
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n",
        "",
        "an_unmap_gives_the_reference_back",
        "It was there for a split that cannot come any more: the entry is gone.",
    ),
    # schedules and guesses
    Mutant(
        "one after the other",
        "break_get_schedule",
        source="def break_get_schedule():\n    return 'nobody', [0, 0, 0]\n",
        caught_by="your_schedule_breaks_get",
        story="One CPU alone does nothing wrong here. Something has to happen between two of its steps.",
    ),
    Mutant(
        "no seed",
        "break_scan_schedule",
        source="def break_scan_schedule():\n    return [0, 1, 2]\n",
        caught_by="your_schedule_breaks_scan",
        story="The seed says which version is yours to break: give back the seed and the schedule.",
    ),
    Mutant(
        "no guess",
        "predict_two_first_faults",
        source="def predict_two_first_faults():\n    return 'I do not know'\n",
        caught_by="a_guess_about_two_first_faults",
        story="A guess is one of the answers that are offered. You get its point whether it is right or not.",
    ),
    Mutant(
        "not one of the answers",
        "predict_idle",
        source="def predict_idle():\n    return None\n",
        caught_by="a_guess_about_an_idle_folio",
        story="A guess is one of the answers that are offered. You get its point whether it is right or not.",
    ),
    Mutant(
        "the switch is not asked",
        ANON,
        "    if vmf.write or not transparent_hugepage_use_zero_page():",
        "    if vmf.write:",
        "no_program_can_tell_huge_faults_from_linux",
    ),
    Mutant(
        "a fallback is counted where 2 MiB do not fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n",
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        VMSTAT.thp_fault_fallback.inc()\n",
        "no_program_can_tell_huge_faults_from_linux",
    ),
    Mutant(
        "an anon_vma before it is clear that 2 MiB fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        return VM_FAULT_FALLBACK\n    anon_vma_prepare(vma)\n",
        "    anon_vma_prepare(vma)\n    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        return VM_FAULT_FALLBACK\n",
        "no_program_can_tell_huge_faults_from_linux",
    ),
    Mutant(
        "a fallback is counted twice",
        ANON,
        "VMSTAT.thp_fault_fallback.inc()",
        "VMSTAT.thp_fault_fallback.add(2)",
        "no_program_can_tell_huge_faults_from_linux",
    ),
    Mutant(
        "the new huge page is not cleared",
        WP,
        "            clear_folio(folio)\n",
        "",
        "writes_beside_everything_else",
    ),
    Mutant(
        "a shared huge page is a fallback, too",
        WP,
        "        VMSTAT.thp_fault_fallback.inc()\n    split",
        "    VMSTAT.thp_fault_fallback.inc()\n    split",
        "writes_beside_everything_else",
    ),
    Mutant(
        "a written huge page is counted twice",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n",
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n                VMSTAT.thp_fault_alloc.inc()\n",
        "writes_beside_everything_else",
    ),
    Mutant(
        "zeroes from the area's beginning on",
        SPLIT,
        "    for i in range(len(table)):",
        "    for i in range(max(0, vma.vm_start - haddr) // 4096, len(table)):",
        "splits_beside_everything_else",
    ),
    Mutant(
        "a split of zeroes counts itself",
        SPLIT,
        "    pmd.set(table)",
        "    VMSTAT.thp_split_pmd.inc()\n    pmd.set(table)",
        "splits_beside_everything_else",
    ),
    Mutant(
        "the child may write to what is shared",
        COPY,
        "            entry = pmd_wrprotect(entry)\n            src_pmd.set(entry)",
        "            src_pmd.set(pmd_wrprotect(entry))",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "the parent may go on writing",
        COPY,
        "            src_pmd.set(entry)\n",
        "",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "the child is no holder",
        COPY,
        "        folio_get(entry.folio)\n",
        "",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "the parent is said to map it twice",
        COPY,
        "dst_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "src_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "the child's table is the parent's",
        COPY,
        "pte_alloc_one(dst_vma.vm_mm)",
        "pte_alloc_one(src_vma.vm_mm)",
        "a_child_takes_a_reference_of_its_own",
    ),
    Mutant(
        "the child's huge page is clean",
        COPY,
        "    dst_pmd.set(entry)",
        "    dst_pmd.set(entry._replace(dirty=False))",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "RSS only of what may be written to",
        COPY,
        "        dst_vma.vm_mm.rss.add(entry.folio.nr_pages)\n        if entry.write:\n",
        "        if entry.write:\n            dst_vma.vm_mm.rss.add(entry.folio.nr_pages)\n",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "RSS of what is shared stays",
        ZAP,
        "    vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "    if entry.folio.refcount.read() == 1:\n        vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "nothing_is_left_behind",
    ),
    Mutant(
        "what is shared is not taken off",
        ZAP,
        "    folio_put(entry.folio)",
        "    if entry.write:\n        folio_put(entry.folio)",
        "nothing_is_left_behind",
    ),
    Mutant(
        "a failure is not counted",
        GET,
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n",
        "",
        "the_first_reader_brings_the_folio",
    ),
    Mutant(
        "whoever was slower has failed",
        GET,
        "            free_folio(folio)  # another CPU was faster: ask again\n",
        "            free_folio(folio)\n            VMSTAT.thp_zero_page_alloc_failed.inc()\n",
        "no_program_can_tell_it_from_linux",
    ),
    Mutant(
        "a failure is a fallback as well",
        GET,
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n",
        "            VMSTAT.thp_zero_page_alloc_failed.inc()\n            VMSTAT.thp_fault_fallback.inc()\n",
        "no_program_can_tell_it_from_linux",
    ),
]

EQUIVALENTS = [
    Mutant(
        "a loop that reads and exchanges",
        GET,
        source="""\
def get_huge_zero_folio(hz):
    while True:
        count = hz.refcount.read()
        if count > 0:
            if hz.refcount.cmpxchg(count, count + 1) == count:
                return hz.folio.read()
            continue
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
""",
    ),
    Mutant(
        "whoever finds a folio waits for its count",
        GET,
        source="""\
def get_huge_zero_folio(hz):
    while not hz.refcount.inc_not_zero():
        if hz.folio.read() is not None:
            continue
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
    return hz.folio.read()
""",
    ),
    Mutant(
        "it calls itself",
        GET,
        source="""\
def get_huge_zero_folio(hz):
    if hz.refcount.inc_not_zero():
        return hz.folio.read()
    folio = alloc_folio(HPAGE_PMD_ORDER)
    if folio is None:
        VMSTAT.thp_zero_page_alloc_failed.inc()
        return None
    folio.data.clear()
    if hz.folio.cmpxchg(None, folio) is not None:
        folio_put(folio)
        return get_huge_zero_folio(hz)
    VMSTAT.thp_zero_page_alloc.inc()
    hz.refcount.set(2)
    return folio
""",
    ),
    Mutant("two is added", GET, "hz.refcount.set(2)", "hz.refcount.add(2)"),
    Mutant(
        "the folio is looked up after the count is set",
        GET,
        "        return folio\n    return hz.folio.read()",
        "        break\n    return hz.folio.read()",
    ),
    Mutant(
        "one lock around everything",
        GET,
        source="""\
def get_huge_zero_folio(hz):
    while not hz.refcount.inc_not_zero():
        folio = alloc_folio(HPAGE_PMD_ORDER)
        if folio is None:
            VMSTAT.thp_zero_page_alloc_failed.inc()
            return None
        clear_folio(folio)
        hz.lock.lock()
        mine = hz.folio.read() is None
        if mine:
            hz.folio.set(folio)
            hz.refcount.set(2)
        hz.lock.unlock()
        if mine:
            VMSTAT.thp_zero_page_alloc.inc()
            return folio
        free_folio(folio)
    return hz.folio.read()
""",
    ),
    Mutant("down and tested", PUT, "hz.refcount.dec()", "hz.refcount.dec_and_test()"),
    Mutant("minus one is added", PUT, "hz.refcount.dec()", "hz.refcount.add(-1)"),
    Mutant(
        "a loop that reads and exchanges, down",
        PUT,
        "    hz.refcount.dec()",
        "    count = hz.refcount.read()\n    while hz.refcount.cmpxchg(count, count - 1) != count:\n"
        "        count = hz.refcount.read()",
    ),
    Mutant(
        "count, the other way round",
        COUNT,
        "    return HPAGE_PMD_NR if hz.refcount.read() == 1 else 0",
        "    if hz.refcount.read() != 1:\n        return 0\n    return HPAGE_PMD_NR",
    ),
    Mutant(
        "scan looks first",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n",
        "    if hz.refcount.read() != 1 or hz.refcount.cmpxchg(1, 0) != 1:\n",
    ),
    Mutant(
        "scan tries as long as there is something",
        SCAN,
        "    if hz.refcount.cmpxchg(1, 0) != 1:\n        return 0\n",
        "    while hz.refcount.read() == 1:\n        if hz.refcount.cmpxchg(1, 0) == 1:\n            break\n"
        "    else:\n        return 0\n",
    ),
    Mutant(
        "the pointer is read and cleared",
        SCAN,
        "    free_folio(hz.folio.xchg(None))\n",
        "    folio = hz.folio.read()\n    hz.folio.set(None)\n    folio_put(folio)\n",
    ),
    Mutant(
        "the slower thread gives back within the lock",
        ANON,
        "    mm.page_table_lock.unlock()\n    if not ours:  # another thread was faster, and took a reference of its own\n"
        "        pte_free_one(mm, table)\n        put_huge_zero_folio(HUGE_ZERO)\n",
        "    if not ours:\n        put_huge_zero_folio(HUGE_ZERO)\n        pte_free_one(mm, table)\n"
        "    mm.page_table_lock.unlock()\n",
    ),
    Mutant(
        "the folio first, then the table",
        ANON,
        "    table = pte_alloc_one(mm)\n    if table is None:\n        return VM_FAULT_OOM\n"
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n    if folio is None:\n        pte_free_one(mm, table)\n",
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n    table = pte_alloc_one(mm) if folio is not None else None\n"
        "    if folio is not None and table is None:\n        put_huge_zero_folio(HUGE_ZERO)\n"
        "        return VM_FAULT_OOM\n    if folio is None:\n",
    ),
    Mutant(
        "the put comes after the lock",
        WP,
        "                put_huge_zero_folio(HUGE_ZERO)\n            mm.page_table_lock.unlock()\n"
        "            if not same:  # another thread was faster\n                folio_put(folio)\n",
        "            mm.page_table_lock.unlock()\n            if same:\n                put_huge_zero_folio(HUGE_ZERO)\n"
        "            else:\n                folio_put(folio)\n",
    ),
    Mutant(
        "emptied, flushed, then filled",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n"
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "                put_huge_zero_folio(HUGE_ZERO)\n",
        "                vmf.pmd.xchg(None)\n                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "                put_huge_zero_folio(HUGE_ZERO)\n                map_anon_folio_pmd(folio, vmf.pmd, vma)\n",
    ),
    Mutant(
        "the entry is emptied before a split, as in Linux",
        SPLIT,
        "    table = pgtable_trans_huge_withdraw(pmd)\n",
        "    pmd.xchg(None)\n    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "    table = pgtable_trans_huge_withdraw(pmd)\n",
    ),
    Mutant(
        "the reference first, then the table",
        COPY,
        source="""\
def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    entry = src_pmd.read()
    zeroes = is_huge_zero_pmd(entry)
    if zeroes:
        get_huge_zero_folio(HUGE_ZERO)
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        if zeroes:
            put_huge_zero_folio(HUGE_ZERO)
        return ENOMEM
    if not zeroes:
        folio_get(entry.folio)
        dst_vma.vm_mm.rss.add(HPAGE_PMD_NR)
        entry = pmd_wrprotect(entry)
        src_pmd.set(entry)
    pgtable_trans_huge_deposit(dst_pmd, table)
    dst_pmd.set(entry)
    return 0
""",
    ),
    Mutant(
        "the table comes back last",
        ZAP,
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n    if is_huge_zero_pmd(entry):\n"
        "        put_huge_zero_folio(HUGE_ZERO)  # after the flush: until then another CPU may read the folio\n"
        "        return\n    vma.vm_mm.rss.add(-entry.folio.nr_pages)\n    folio_put(entry.folio)\n",
        "    if is_huge_zero_pmd(entry):\n        put_huge_zero_folio(HUGE_ZERO)\n    else:\n"
        "        folio_put(entry.folio)\n        vma.vm_mm.rss.add(-entry.folio.nr_pages)\n"
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n",
    ),
    Mutant("another guess", "predict_two_first_faults", 'return "b"', 'return "d"'),
    Mutant("a wrong guess", "predict_idle", 'return "c"', 'return "a"'),
    Mutant(
        "the folio before its table, and given back where there is none",
        ANON,
        source="""
def do_huge_pmd_anonymous_page(vmf):
    vma, mm = vmf.vma, vmf.vma.vm_mm
    if not thp_vma_suitable(vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vma)
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is None:
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    table = pte_alloc_one(mm)
    if table is None:
        put_huge_zero_folio(HUGE_ZERO)
        return VM_FAULT_OOM
    mm.page_table_lock.lock()
    try:
        if vmf.pmd.read() is None:
            pgtable_trans_huge_deposit(vmf.pmd, table)
            vmf.pmd.set(mk_huge_zero_pmd(folio))
            table = None
    finally:
        mm.page_table_lock.unlock()
    if table is not None:
        pte_free_one(mm, table)
        put_huge_zero_folio(HUGE_ZERO)
    return 0
""",
    ),
    Mutant(
        "a reference first, and given back where there is no table",
        COPY,
        source="""
def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    entry = src_pmd.read()
    zeroes = is_huge_zero_pmd(entry)
    if zeroes:
        get_huge_zero_folio(HUGE_ZERO)
    table = pte_alloc_one(dst_vma.vm_mm)
    match (table, zeroes):
        case (None, True):
            put_huge_zero_folio(HUGE_ZERO)
            return ENOMEM
        case (None, False):
            return ENOMEM
        case (_, False):
            entry = pmd_wrprotect(entry)
            src_pmd.set(entry)
            folio_get(entry.folio)
            dst_vma.vm_mm.rss.add(512)
    dst_pmd.set(entry)
    pgtable_trans_huge_deposit(dst_pmd, table)
    return 0
""",
    ),
]
