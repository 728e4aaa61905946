"""Lab 4: what students get wrong, and what they may write otherwise."""

from ...prove.mutant import Mutant

MM_GET, MM_PUT, MMPUT = "mm_get_huge_zero_folio", "mm_put_huge_zero_folio", "__mmput"
ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"
ZAP, COPY, OUTLIVES = "zap_huge_pmd", "copy_huge_pmd", "page_outlives_its_mappings"
TWICE = (
    "    if folio is not None and mm.huge_zero.test_and_set():\n"
    "        put_huge_zero_folio(HUGE_ZERO)  # another thread of this mm was first: one reference is enough\n"
)

MUTANTS = [
    # mm_get_huge_zero_folio
    Mutant(
        "the flag is never set",
        MM_GET,
        TWICE,
        "",
        "each_mm_takes_one_reference",
        "The reference is taken, and the mm does not know it. Each fault takes one more, and the end gives none back: "
        "the page can never go.",
    ),
    Mutant(
        "the flag says yes where there was no memory",
        MM_GET,
        "    if folio is not None and mm.huge_zero.test_and_set():\n",
        "    if mm.huge_zero.test_and_set() and folio is not None:\n",
        "each_mm_takes_one_reference",
        "The flag means: this mm has a reference. Where get found no memory there is none, and the end of the mm gives "
        "back what somebody else has taken.",
    ),
    Mutant(
        "a reference for each fault",
        MM_GET,
        source="""\
def mm_get_huge_zero_folio(mm):
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is not None:
        mm.huge_zero.set()
    return folio
""",
        caught_by="later_faults_write_nothing_shared",
        story="This is lab 3 with a flag beside it: the count is still written to in each fault. And the end of the mm "
        "gives one reference back for many.",
    ),
    Mutant(
        "taken and given back in each fault",
        MM_GET,
        "    if mm.huge_zero.test():  # the whole point: nothing is written that another mm shares\n"
        "        return HUGE_ZERO.folio.read()\n",
        "",
        "later_faults_write_nothing_shared",
        "The count comes out right, and the line bounces twice as often as in lab 3. Ask the flag before anything else.",
    ),
    Mutant(
        "whoever is second gives nothing back",
        MM_GET,
        TWICE,
        "    if folio is not None:\n        mm.huge_zero.set()\n",
        "two_threads_take_one_reference",
        "Two threads of one mm have both found the flag clear, and both have taken a reference. The mm gives one back "
        "when it ends: the other one keeps the page for ever. test_and_set tells who was second.",
    ),
    Mutant(
        "the flag is looked at, and then set",
        MM_GET,
        TWICE,
        "    if folio is not None:\n"
        "        if mm.huge_zero.test():\n"
        "            put_huge_zero_folio(HUGE_ZERO)\n"
        "        mm.huge_zero.set()\n",
        "two_threads_take_one_reference",
        "Between the look and the store the other thread looks as well. test_and_set does both in one operation.",
    ),
    Mutant(
        "the flag before the reference",
        MM_GET,
        source="""\
def mm_get_huge_zero_folio(mm):
    if mm.huge_zero.test_and_set():
        return HUGE_ZERO.folio.read()
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is None:
        mm.huge_zero.clear()
    return folio
""",
        caught_by="two_threads_take_one_reference",
        story="From the moment at which the flag is set the other thread believes it, and the reference has not been "
        "taken yet: there may be no folio, or one that is just being freed.",
    ),
    Mutant(
        "the second one sets the count right",
        MM_GET,
        "        put_huge_zero_folio(HUGE_ZERO)  # another thread of this mm was first: one reference is enough\n",
        "        HUGE_ZERO.refcount.set(2)\n",
        "an_unrelated_mm_and_the_shrinker",
        "2 is right for an mm that is alone on the machine. Another one may have been counted meanwhile, and its "
        "reference is wiped out.",
    ),
    Mutant(
        "no memory, but perhaps another one had some",
        MM_GET,
        TWICE,
        "    if folio is None:\n        return HUGE_ZERO.folio.read()\n"
        + TWICE.replace("folio is not None and ", ""),
        "there_may_be_no_folio",
        "Another mm has brought the folio meanwhile, and holds it. You have its address and no reference: when the other "
        "one ends, the page goes.",
    ),
    Mutant(
        "asked twice",
        MM_GET,
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n",
        "    folio = get_huge_zero_folio(HUGE_ZERO) or get_huge_zero_folio(HUGE_ZERO)\n",
        "no_program_can_tell_it_from_linux",
        "Where there is no memory the fault has a way out: small pages. Asking again at once counts another failure, and "
        "costs what was to be saved.",
    ),
    # mm_put_huge_zero_folio
    Mutant(
        "given back by everybody",
        MM_PUT,
        "    if mm.huge_zero.test():\n        put",
        "    if True:\n        put",
        "only_what_was_taken_is_given_back",
        "Most mms never read a zero. Each of them that ends would give back what another one holds.",
    ),
    Mutant(
        "the flag is cleared before it is looked at",
        MM_PUT,
        "    if mm.huge_zero.test():",
        "    mm.huge_zero.clear()\n    if mm.huge_zero.test():",
        "only_what_was_taken_is_given_back",
        "A clear flag says that there is nothing to give back, and so nothing is.",
    ),
    Mutant(
        "who is last takes the page away",
        MM_PUT,
        "        put_huge_zero_folio(HUGE_ZERO)",
        "        put_huge_zero_folio(HUGE_ZERO)\n"
        "        if HUGE_ZERO.refcount.cmpxchg(1, 0) == 1:\n"
        "            free_folio(HUGE_ZERO.folio.xchg(None))",
        "only_what_was_taken_is_given_back",
        "The next reader would have to bring and clear 2 MiB anew, again and again. The page stays until memory is "
        "needed: that is what the shrinker's reference is for.",
    ),
    Mutant(
        "a count that is read, and then set",
        MM_PUT,
        "        put_huge_zero_folio(HUGE_ZERO)",
        "        HUGE_ZERO.refcount.set(HUGE_ZERO.refcount.read() - 1)",
        "mms_come_and_go",
        "Two mms end at once. Both read the same count, and one of the two steps is lost. put_huge_zero_folio takes one "
        "off in one operation.",
    ),
    # __mmput
    Mutant(
        "the reference before the tables",
        MMPUT,
        "    exit_mmap(mm)\n"
        "    mm_put_huge_zero_folio(mm)  # last: until its tables are gone, another CPU may read through them\n",
        "    mm_put_huge_zero_folio(mm)\n    exit_mmap(mm)\n",
        "first_the_tables_then_the_reference",
        "The entries still lead to the page, and nothing keeps it there: the shrinker may take it, and its next owner's "
        "bytes can be read. An entry goes first, and then what it leads to.",
    ),
    Mutant(
        "nothing is given back",
        MMPUT,
        "    mm_put_huge_zero_folio(mm)  # last: until its tables are gone, another CPU may read through them\n",
        "",
        "first_the_tables_then_the_reference",
        "Every mm that has read zeroes holds the page for ever, also when it is long dead. Memory is asked for, and the "
        "shrinker finds a count that never comes down.",
    ),
    Mutant(
        "the tables stay",
        MMPUT,
        "    exit_mmap(mm)\n",
        "",
        "first_the_tables_then_the_reference",
        "Nobody uses this address space any more, and all that it maps is lost with it.",
    ),
    Mutant(
        "put without asking the flag",
        MMPUT,
        "    mm_put_huge_zero_folio(mm)  #",
        "    put_huge_zero_folio(HUGE_ZERO)  #",
        "first_the_tables_then_the_reference",
        "An mm that never faulted ends like any other. It has no reference to give back.",
    ),
    Mutant(
        "only who still maps something gives back",
        MMPUT,
        "    exit_mmap(mm)\n    mm_put",
        "    maps = mm.nr_ptes.read()\n    exit_mmap(mm)\n    if maps:\n        mm_put",
        "ends_beside_everything_else",
        "The mm has its reference from its first fault to its end, whatever it maps in between. One that unmaps "
        "everything before it ends would keep the page for ever.",
    ),
    # the places that call
    Mutant(
        "a reference for each entry",
        ANON,
        "mm_get_huge_zero_folio(mm)",
        "get_huge_zero_folio(HUGE_ZERO)",
        "entries_are_not_counted",
        "This is lab 3: the count is written to in each fault, and nobody gives these references back any more.",
    ),
    Mutant(
        "the loser puts, as in lab 3",
        ANON,
        "        pte_free_one(mm, table)\n    return 0",
        "        pte_free_one(mm, table)\n        put_huge_zero_folio(HUGE_ZERO)\n    return 0",
        "the_slower_thread_keeps_the_mms_reference",
        "In lab 3 the reference was the entry's, and who made no entry gave it back. Now it is the mm's, and the mm maps "
        "the folio: the faster thread has seen to that.",
    ),
    Mutant(
        "the loser gives back what the mm holds",
        ANON,
        "        pte_free_one(mm, table)\n    return 0",
        "        pte_free_one(mm, table)\n        mm_put_huge_zero_folio(mm)\n    return 0",
        "the_slower_thread_keeps_the_mms_reference",
        "The faster thread has mapped the folio, under the one reference that this mm has. mm_put is for its end.",
    ),
    Mutant(
        "fork does not hear of it",
        ANON,
        "    anon_vma_prepare(vma)\n",
        "",
        "faults_beside_everything_else",
        "fork copies the tables of areas that have an anon_vma. A child of this program faults for what it could have had.",
    ),
    Mutant(
        "the child takes nothing",
        COPY,
        "        mm_get_huge_zero_folio(dst_vma.vm_mm)  # never allocates: the parent holds the folio\n",
        "        pass\n",
        "a_child_takes_a_reference_of_its_own",
        "The parent's reference holds the page for as long as the parent lives. The child may live longer.",
    ),
    Mutant(
        "the flag is inherited, and no reference",
        COPY,
        "        mm_get_huge_zero_folio(dst_vma.vm_mm)  # never allocates: the parent holds the folio\n",
        "        dst_vma.vm_mm.huge_zero.set()\n",
        "a_child_takes_a_reference_of_its_own",
        "The flag means: this mm has a reference. A flag that is merely copied makes two mms give back what one has taken.",
    ),
    Mutant(
        "a reference for each entry of the child",
        COPY,
        "        mm_get_huge_zero_folio(dst_vma.vm_mm)",
        "        get_huge_zero_folio(HUGE_ZERO)",
        "a_child_takes_a_reference_of_its_own",
        "This is lab 3: the child's unmaps and its end do not give these references back any more.",
    ),
    Mutant(
        "the parent takes it for the child",
        COPY,
        "mm_get_huge_zero_folio(dst_vma.vm_mm)",
        "mm_get_huge_zero_folio(src_vma.vm_mm)",
        "a_child_takes_a_reference_of_its_own",
        "The parent has had its reference for long, so nothing happens. The child is who needs one.",
    ),
    Mutant(
        "a huge page that only one holds",
        COPY,
        "        folio_get(entry.folio)\n",
        "",
        "forks_beside_exits",
        "Real huge pages are counted as before. Only the zeroes have changed hands.",
    ),
    Mutant(
        "a write still puts",
        WP,
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n"
        "                put_huge_zero_folio(HUGE_ZERO)\n",
        "a_write_gives_nothing_back",
        "The entry had no reference of its own. This one was the mm's, and its end gives it back once more.",
    ),
    Mutant(
        "the flush went out with the put",
        WP,
        "                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "",
        "a_write_gives_nothing_back",
        "Nothing is freed here any more, but a CPU that remembers the old translation goes on reading zeroes where "
        "something was written.",
    ),
    Mutant(
        "the second writer does not look again",
        WP,
        "            same = vmf.pmd.read() == entry\n",
        "            same = True\n",
        "writes_beside_everything_else",
        "Another thread may have put its page there before you had the lock. Yours takes its place, and what the other "
        "one has written is lost.",
    ),
    Mutant(
        "a split still puts",
        SPLIT,
        "    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n",
        "    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)\n    put_huge_zero_folio(HUGE_ZERO)\n",
        "a_split_gives_nothing_back",
        "The entry had no reference of its own. This one was the mm's, and its end gives it back once more.",
    ),
    Mutant(
        "an unmap still puts",
        ZAP,
        "        return\n",
        "        put_huge_zero_folio(HUGE_ZERO)\n        return\n",
        "an_unmap_gives_nothing_back",
        "The entry had no reference of its own. This one was the mm's, and its end gives it back once more.",
    ),
    Mutant(
        "an unmap gives back what the mm holds",
        ZAP,
        "        return\n",
        "        mm_put_huge_zero_folio(vma.vm_mm)\n        return\n",
        "an_unmap_gives_nothing_back",
        "The mm may have more entries, and its flag still says that it has a reference. mm_put is for its end.",
    ),
    Mutant(
        "only zeroes are flushed",
        ZAP,
        source="""\
def zap_huge_pmd(vma, pmd, addr):
    entry = pmd.xchg(None)
    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))
    if is_huge_zero_pmd(entry):
        flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)
        return
    vma.vm_mm.rss.add(-entry.folio.nr_pages)
    folio_put(entry.folio)
""",
        caught_by="no_cpu_remembers_what_was_unmapped",
        story="A huge page of one's own is freed here, and a CPU that remembers the old translation reads whatever its "
        "next owner keeps there.",
    ),
    # what got worse
    Mutant(
        "nobody needs memory",
        OUTLIVES,
        "        DropCaches(),\n",
        "",
        "the_scenario_shows_that_the_page_stays",
        "An idle page stays in both designs until somebody asks for memory. Only then they differ.",
    ),
    Mutant(
        "the process is over",
        OUTLIVES,
        "        DropCaches(),\n",
        "        Exit(),\n        DropCaches(),\n",
        "every_design_tells",
        "The mm gives its reference back when it ends. To show that it holds what it does not map, it has to live.",
    ),
    Mutant(
        "it is still mapped",
        OUTLIVES,
        '        Munmap("a"),\n',
        "",
        "the_scenario_shows_that_the_page_stays",
        "A page that is mapped must stay, in any design. Let go of every mapping first.",
    ),
    # predictions
    Mutant(
        "a guess that is none", "predict_share_at_72", 'return "c"', 'return "55"', "a_guess_about_72_cpus"
    ),
    Mutant(
        "a guess that is none",
        "predict_half_the_work",
        'return "a"',
        "return 2",
        "a_guess_about_half_the_work",
    ),
    Mutant(
        "a guess that is none",
        "predict_one_fault_each",
        'return "b"',
        "return None",
        "a_guess_about_one_fault_each",
    ),
    Mutant(
        "the switch is not asked",
        ANON,
        "    if vmf.write or not transparent_hugepage_use_zero_page():",
        "    if vmf.write:",
        "faults_beside_everything_else",
    ),
    Mutant(
        "a fallback is counted where 2 MiB do not fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n",
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        VMSTAT.thp_fault_fallback.inc()\n",
        "faults_beside_everything_else",
    ),
    Mutant(
        "an anon_vma before it is clear that 2 MiB fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        return VM_FAULT_FALLBACK\n    anon_vma_prepare(vma)\n",
        "    anon_vma_prepare(vma)\n    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        return VM_FAULT_FALLBACK\n",
        "faults_beside_everything_else",
    ),
    Mutant(
        "a fallback is counted twice",
        ANON,
        "VMSTAT.thp_fault_fallback.inc()",
        "VMSTAT.thp_fault_fallback.add(2)",
        "faults_beside_everything_else",
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
        "forks_beside_exits",
    ),
    Mutant(
        "the parent may go on writing", COPY, "            src_pmd.set(entry)\n", "", "forks_beside_exits"
    ),
    Mutant("the child is no holder", COPY, "        folio_get(entry.folio)\n", "", "forks_beside_exits"),
    Mutant(
        "the parent is said to map it twice",
        COPY,
        "dst_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "src_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "forks_beside_exits",
    ),
    Mutant(
        "the child's table is the parent's",
        COPY,
        "pte_alloc_one(dst_vma.vm_mm)",
        "pte_alloc_one(src_vma.vm_mm)",
        "forks_beside_exits",
    ),
    Mutant(
        "the child's huge page is clean",
        COPY,
        "    dst_pmd.set(entry)",
        "    dst_pmd.set(entry._replace(dirty=False))",
        "forks_beside_exits",
    ),
    Mutant(
        "RSS only of what may be written to",
        COPY,
        "        dst_vma.vm_mm.rss.add(entry.folio.nr_pages)\n        if entry.write:\n",
        "        if entry.write:\n            dst_vma.vm_mm.rss.add(entry.folio.nr_pages)\n",
        "forks_beside_exits",
    ),
    Mutant(
        "RSS of what is shared stays",
        ZAP,
        "    vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "    if entry.folio.refcount.read() == 1:\n        vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "no_cpu_remembers_what_was_unmapped",
    ),
    Mutant(
        "what is shared is not taken off",
        ZAP,
        "    folio_put(entry.folio)",
        "    if entry.write:\n        folio_put(entry.folio)",
        "no_cpu_remembers_what_was_unmapped",
    ),
    Mutant(
        "the flag of the first mm",
        MM_GET,
        "    if mm.huge_zero.test():",
        "    if type(mm)(1).huge_zero.test():",
        "each_mm_takes_one_reference",
    ),
    Mutant(
        "RSS counts each small page of zeroes",
        SPLIT,
        "        table[i].set(zero_pte())",
        "        table[i].set(zero_pte())\n        vma.vm_mm.rss.inc()",
        "splits_beside_everything_else",
    ),
    Mutant(
        "the lock that is held is taken",
        SPLIT,
        "    table = pgtable_trans_huge_withdraw(pmd)",
        "    vma.vm_mm.page_table_lock.lock()\n    table = pgtable_trans_huge_withdraw(pmd)",
        "splits_beside_everything_else",
    ),
    Mutant(
        "a split without a flush",
        SPLIT,
        "    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)",
        "",
        "a_split_gives_nothing_back",
    ),
    Mutant("511 entries", SPLIT, "range(len(table))", "range(1, len(table))", "a_split_gives_nothing_back"),
]

EQUIVALENTS = [
    Mutant(
        "the pointer is read at the end",
        MM_GET,
        source="""\
def mm_get_huge_zero_folio(mm):
    if not mm.huge_zero.test():
        if get_huge_zero_folio(HUGE_ZERO) is None:
            return None
        if mm.huge_zero.test_and_set():
            put_huge_zero_folio(HUGE_ZERO)
    return HUGE_ZERO.folio.read()
""",
    ),
    Mutant(
        "who was first returns first",
        MM_GET,
        TWICE,
        "    if folio is None:\n        return None\n    first = not mm.huge_zero.test_and_set()\n    if first:\n"
        "        return folio\n    put_huge_zero_folio(HUGE_ZERO)\n",
    ),
    Mutant(
        "the flag is cleared afterwards",
        MM_PUT,
        "        put_huge_zero_folio(HUGE_ZERO)",
        "        put_huge_zero_folio(HUGE_ZERO)\n        mm.huge_zero.clear()",
    ),
    Mutant(
        "an early return",
        MM_PUT,
        "    if mm.huge_zero.test():\n",
        "    if not mm.huge_zero.test():\n        return\n    if True:\n",
    ),
    Mutant(
        "the reference is given back in place",
        MMPUT,
        "    mm_put_huge_zero_folio(mm)  #",
        "    if mm.huge_zero.test():\n        put_huge_zero_folio(HUGE_ZERO)  #",
    ),
    Mutant(
        "the child's reference after its entry",
        COPY,
        source="""\
def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        return ENOMEM
    entry = src_pmd.read()
    zeroes = is_huge_zero_pmd(entry)
    if not zeroes:
        folio_get(entry.folio)
        dst_vma.vm_mm.rss.add(entry.folio.nr_pages)
        if entry.write:
            entry = pmd_wrprotect(entry)
            src_pmd.set(entry)
    pgtable_trans_huge_deposit(dst_pmd, table)
    dst_pmd.set(entry)
    if zeroes:
        mm_get_huge_zero_folio(dst_vma.vm_mm)
    return 0
""",
    ),
    Mutant(
        "the table is freed where it is not needed",
        ANON,
        source="""\
def do_huge_pmd_anonymous_page(vmf):
    vma, mm = vmf.vma, vmf.vma.vm_mm
    if not thp_vma_suitable(vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vma)
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    table = pte_alloc_one(mm)
    if table is None:
        return VM_FAULT_OOM
    folio = mm_get_huge_zero_folio(mm)
    if folio is None:
        VMSTAT.thp_fault_fallback.inc()
        pte_free_one(mm, table)
        return VM_FAULT_FALLBACK
    mm.page_table_lock.lock()
    if vmf.pmd.read() is None:
        pgtable_trans_huge_deposit(vmf.pmd, table)
        vmf.pmd.set(mk_huge_zero_pmd(folio))
        mm.page_table_lock.unlock()
    else:
        mm.page_table_lock.unlock()
        pte_free_one(mm, table)
    return 0
""",
    ),
    Mutant(
        "forgotten by madvise, and in a child",
        OUTLIVES,
        source="""\
def page_outlives_its_mappings():
    return (
        Fork("reader"),
        Mmap("zeroes", 2 * PMD_SIZE, by="reader"),
        Madvise("zeroes", "hugepage", by="reader"),
        Read("zeroes", PMD_SIZE + 5, by="reader"),
        Madvise("zeroes", "dontneed", by="reader"),
        DropCaches(3, by="reader"),
    )
""",
    ),
    Mutant("a wrong guess", "predict_share_at_72", 'return "c"', 'return "a"'),
    Mutant(
        "the mm's reference before the table",
        ANON,
        source="""
def do_huge_pmd_anonymous_page(vmf):
    vma, mm = vmf.vma, vmf.vma.vm_mm
    if not thp_vma_suitable(vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vma)
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    folio = mm_get_huge_zero_folio(mm)
    if folio is None:
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    table = pte_alloc_one(mm)  # without one the mm keeps its reference, until it dies
    if table is None:
        return VM_FAULT_OOM
    mm.page_table_lock.lock()
    try:
        if vmf.pmd.read() is None:
            pgtable_trans_huge_deposit(vmf.pmd, table)
            vmf.pmd.set(mk_huge_zero_pmd(folio))
            return 0
    finally:
        mm.page_table_lock.unlock()
    pte_free_one(mm, table)
    return 0
""",
    ),
    Mutant(
        "halves of a table, by recursion",
        SPLIT,
        source="""
def split_huge_zero_page_pmd(vma, haddr, pmd):
    def fill(low, high):
        if high - low == 1:
            return table[low].set(zero_pte())
        fill((low + high) // 2, high)
        return fill(low, (low + high) // 2)

    table = pgtable_trans_huge_withdraw(pmd)
    fill(0, len(table))
    pmd.set(table)
    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)
""",
    ),
]
