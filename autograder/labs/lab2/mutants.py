"""Lab 2: what students get wrong with huge zeroes, and what they may write otherwise."""

from ...prove.mutant import Mutant

ANON, WP, SPLIT, COPY, ZAP, CHANGE = (
    "do_huge_pmd_anonymous_page",
    "do_huge_pmd_wp_page",
    "split_huge_zero_page_pmd",
    "copy_huge_pmd",
    "zap_huge_pmd",
    "change_huge_pmd",
)
FITS = "thp_vma_suitable(vma, haddr_of(vmf.address))"

MUTANTS = [
    Mutant(
        "the slower of two falls back",
        ANON,
        "        pte_free_one(mm, table)\n    return 0",
        "        pte_free_one(mm, table)\n        return VM_FAULT_FALLBACK\n    return 0",
        "two_cpus_may_fault_at_once",
        "There is a huge page there, made by the other thread: nothing has to go on with small ones.",
    ),
    # do_huge_pmd_anonymous_page
    Mutant(
        "a huge page for each read",
        ANON,
        "if vmf.write or not transparent_hugepage_use_zero_page():",
        "if True:",
        "a_read_maps_the_huge_zero_page",
        "Linux did this until 3.7: a program that only reads pays 2 MiB for each 2 MiB.",
    ),
    Mutant(
        "the huge zero page is writable",
        ANON,
        "mk_huge_zero_pmd(folio)",
        "mk_huge_zero_pmd(folio)._replace(write=True)",
        "a_read_maps_the_huge_zero_page",
        "Whoever writes there changes everybody's zeroes. CVE-2017-1000405 was a way to get there.",
    ),
    Mutant(
        "the huge zero page as an ordinary one",
        ANON,
        "mk_huge_zero_pmd(folio)",
        "mk_huge_pmd(folio)",
        "a_read_maps_the_huge_zero_page",
        "Without 'special' in the entry, unmap and fork take it for a huge page that somebody counted. "
        "CVE-2026-31397 was such a mix-up: an entry that was moved by userfaultfd was made anew, and lost the mark.",
    ),
    Mutant(
        "RSS moves on a huge read",
        ANON,
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))",
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))\n        mm.rss.add(HPAGE_PMD_NR)",
        "a_read_maps_the_huge_zero_page",
        "RSS counts real memory, and a mapping of zeroes uses none, however large it is.",
    ),
    Mutant(
        "the huge zero folio is counted",
        ANON,
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))",
        "        folio_get(folio)\n        vmf.pmd.set(mk_huge_zero_pmd(folio))",
        "a_read_maps_the_huge_zero_page",
        "It was set aside for ever, so nobody gives such a reference back. Lab 3 counts it, in another counter.",
    ),
    Mutant(
        "no table is put aside",
        ANON,
        "        pgtable_trans_huge_deposit(vmf.pmd, table)\n",
        "",
        "a_read_maps_the_huge_zero_page",
        "A split needs a page table at a moment when it cannot ask for memory. It has to be there already.",
    ),
    Mutant(
        "no anon_vma for a huge read",
        ANON,
        "    anon_vma_prepare(vma)\n",
        "",
        "a_read_maps_the_huge_zero_page",
        "fork copies the tables of areas with an anon_vma only. With one, a child takes one fault less for each 2 MiB.",
    ),
    Mutant(
        "the lock is kept",
        ANON,
        "    mm.page_table_lock.unlock()\n",
        "",
        "a_read_maps_the_huge_zero_page",
        "The first fault goes well. The second one waits for a lock that nobody will ever release.",
    ),
    Mutant(
        "nobody asks for use_zero_page",
        ANON,
        "if vmf.write or not transparent_hugepage_use_zero_page():",
        "if vmf.write:",
        "a_write_gets_a_huge_page",
        "The switch is there for whoever does not want huge zeroes; it has to be asked at each read.",
    ),
    Mutant(
        "a write is given zeroes",
        ANON,
        "if vmf.write or not transparent_hugepage_use_zero_page():",
        "if not transparent_hugepage_use_zero_page():",
        "a_write_gets_a_huge_page",
        "Right in the end, and after a second fault for each first write.",
    ),
    Mutant(
        "it only has to fit at its end",
        ANON,
        FITS,
        "(vma.vm_flags & VM_HUGEPAGE and haddr_of(vmf.address) + PMD_SIZE <= vma.vm_end)",
        "small_pages_where_2_mib_cannot_be",
        "The entry also covers what lies before the area: memory that the program never asked for.",
    ),
    Mutant(
        "it only has to fit at its start",
        ANON,
        FITS,
        "(vma.vm_flags & VM_HUGEPAGE and vma.vm_start <= haddr_of(vmf.address))",
        "small_pages_where_2_mib_cannot_be",
        "The entry also covers what lies behind the area: memory that the program never asked for.",
    ),
    Mutant(
        "2 MiB from the address on",
        ANON,
        FITS,
        "thp_vma_suitable(vma, vmf.address)",
        "small_pages_where_2_mib_cannot_be",
        "An entry covers 2 MiB that begin at a multiple of 2 MiB, and not those that begin where the fault was.",
    ),
    Mutant(
        "advice is ignored",
        ANON,
        FITS,
        "(vma.vm_start <= haddr_of(vmf.address) and haddr_of(vmf.address) + PMD_SIZE <= vma.vm_end)",
        "small_pages_where_2_mib_cannot_be",
        "Huge pages can cost much memory, so here a program gets them only where it has asked.",
    ),
    Mutant(
        "no huge zero folio is no problem",
        ANON,
        "    if folio is None:",
        "    if False:",
        "small_pages_where_2_mib_cannot_be",
        "On a machine that had no 2 MiB free at boot there is no such folio, and an entry leads to nothing.",
    ),
    Mutant(
        "a program dies for want of a huge page",
        ANON,
        "        VMSTAT.thp_fault_fallback.inc()\n        return VM_FAULT_FALLBACK",
        "        VMSTAT.thp_fault_fallback.inc()\n        return VM_FAULT_OOM",
        "small_pages_where_2_mib_cannot_be",
        "Huge pages are an extra. Where there are none, small ones do.",
    ),
    Mutant(
        "the table is lost where there is no huge zero folio",
        ANON,
        "    if folio is None:",
        "    if folio is None:\n        pte_alloc_one(mm)",
        "small_pages_where_2_mib_cannot_be",
        "A page table was made before it was clear that it would be needed, and nobody gave it back.",
    ),
    Mutant(
        "the fallback is not counted",
        ANON,
        "        VMSTAT.thp_fault_fallback.inc()\n",
        "",
        "small_pages_where_2_mib_cannot_be",
        "thp_fault_fallback in /proc/vmstat is how an administrator sees that huge pages are not to be had.",
    ),
    Mutant(
        "no page table is no problem",
        ANON,
        "        return VM_FAULT_OOM",
        "        return 0",
        "small_pages_where_2_mib_cannot_be",
        "A handler that says 0 promises that the access will go through now. Here it would fault for ever.",
    ),
    Mutant(
        "the loser keeps its table",
        ANON,
        "        pte_free_one(mm, table)",
        "        pass",
        "two_cpus_may_fault_at_once",
        "Each lost race leaves a page table behind that nobody can find any more.",
    ),
    Mutant(
        "whoever comes last wins",
        ANON,
        "ours = vmf.pmd.read() is None",
        "ours = True",
        "two_cpus_may_fault_at_once",
        "Another thread filled the entry while this one was preparing. Its table is lost, and perhaps what it wrote.",
    ),
    Mutant(
        "looked before the lock",
        ANON,
        "    mm.page_table_lock.lock()\n    ours = vmf.pmd.read() is None",
        "    ours = vmf.pmd.read() is None\n    mm.page_table_lock.lock()",
        "two_cpus_may_fault_at_once",
        "Between the look and the lock another CPU has all the time that it needs.",
    ),
    Mutant(
        "the loser keeps the lock",
        ANON,
        "    mm.page_table_lock.unlock()\n    if not ours:",
        "    if ours:\n        mm.page_table_lock.unlock()\n    else:",
        "two_cpus_may_fault_at_once",
        "Every way out of a function has to release what it took; the rare ways are the ones that get forgotten.",
    ),
    Mutant(
        "no lock at all",
        ANON,
        source="""
def do_huge_pmd_anonymous_page(vmf):
    vma, mm = vmf.vma, vmf.vma.vm_mm
    if not thp_vma_suitable(vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vma)
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    folio = HUGE_ZERO.folio.read()
    if folio is None:
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    table = pte_alloc_one(mm)
    if table is None:
        return VM_FAULT_OOM
    if vmf.pmd.read() is None:
        pgtable_trans_huge_deposit(vmf.pmd, table)
        vmf.pmd.set(mk_huge_zero_pmd(folio))
    else:
        pte_free_one(mm, table)
    return 0
""",
        caught_by="two_cpus_may_fault_at_once",
        story="Both CPUs look, both see an empty entry, and both fill it. The first one's table is lost.",
    ),
    Mutant(
        "only areas that begin at 2 MiB",
        ANON,
        f"not {FITS}",
        f"vma.vm_start % PMD_SIZE or not {FITS}",
        "no_program_can_tell_huge_reads_from_linux",
        "An area that begins in the middle of 2 MiB may still hold whole ones further on.",
    ),
    Mutant(
        "no zeroes, so a whole huge page",
        ANON,
        "        VMSTAT.thp_fault_fallback.inc()\n        return VM_FAULT_FALLBACK",
        "        return __do_huge_pmd_anonymous_page(vmf)",
        "huge_memory_may_run_out",
        "There was no memory for the zeroes at boot, and each reader is given 2 MiB of its own in their place.",
    ),
    Mutant(
        "put aside a little later",
        ANON,
        "        pgtable_trans_huge_deposit(vmf.pmd, table)\n        vmf.pmd.set(mk_huge_zero_pmd(folio))\n"
        "    mm.page_table_lock.unlock()\n    if not ours:",
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))\n    mm.page_table_lock.unlock()\n"
        "    if ours:\n        pgtable_trans_huge_deposit(vmf.pmd, table)\n    else:",
        "readers_writers_and_an_unmap",
        "Entry and table belong together. Between the two another thread may unmap or split, and finds no table.",
    ),
    # do_huge_pmd_wp_page
    Mutant(
        "the huge zero page is written to",
        WP,
        source="""
def do_huge_pmd_wp_page(vmf):
    vmf.pmd.set(pmd_mkdirty(pmd_mkwrite(vmf.orig_pmd)))
    return 0
""",
        caught_by="a_write_to_huge_zeroes_gets_a_huge_page",
        story="The zeroes of every process were made writable. That is what CVE-2017-1000405 came down to.",
    ),
    Mutant(
        "2 MiB of zeroes are copied",
        WP,
        "            clear_folio(folio)",
        "            copy_folio(folio, entry.folio)",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "It is correct, and reads 2 MiB to learn what was known before: they are zeroes.",
    ),
    Mutant(
        "the new huge page is not cleared",
        WP,
        "            clear_folio(folio)\n",
        "",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "The program read zeroes there a moment ago, and now reads 2 MiB of what somebody else left.",
    ),
    Mutant(
        "mapped first, cleared later",
        WP,
        "            clear_folio(folio)\n            mm.page_table_lock.lock()\n"
        "            same = vmf.pmd.read() == entry\n            if same:\n"
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n",
        "            mm.page_table_lock.lock()\n            same = vmf.pmd.read() == entry\n            if same:\n"
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n                clear_folio(folio)\n",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "The lock does not help: the hardware follows the entry, and another thread reads what was left there.",
    ),
    Mutant(
        "RSS twice",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)",
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n                mm.rss.add(HPAGE_PMD_NR)",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "map_anon_folio_pmd counts already; what is counted twice is never back at 0.",
    ),
    Mutant(
        "another table is put aside",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)",
        "                pgtable_trans_huge_deposit(vmf.pmd, pte_alloc_one(mm))\n"
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "The table that the read put aside is still there, for whatever the entry maps. A second one buries it.",
    ),
    Mutant(
        "always split",
        WP,
        "        folio = alloc_folio(HPAGE_PMD_ORDER)",
        "        folio = None",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "Linux did this from 5.8 to 6.12. A program that reads before it writes ends up with 512 small pages.",
    ),
    Mutant(
        "its own huge page is taken apart",
        WP,
        "        if wp_huge_reuse(vmf):\n            return 0",
        "        pass",
        "a_write_to_huge_zeroes_gets_a_huge_page",
        "The other holder has gone. There is nobody left to protect, and nothing to copy.",
    ),
    Mutant(
        "a shared huge page is written in place",
        WP,
        "        if wp_huge_reuse(vmf):\n            return 0",
        "        vmf.pmd.set(pmd_mkdirty(pmd_mkwrite(entry)))\n        return 0",
        "a_write_goes_on_with_small_pages",
        "Two processes hold the huge page, and what one of them writes the other one reads.",
    ),
    Mutant(
        "no huge page, no program",
        WP,
        "    return VM_FAULT_FALLBACK",
        "    return VM_FAULT_OOM",
        "a_write_goes_on_with_small_pages",
        "The split went well and 4 KiB are easily found, but the program is ended.",
    ),
    Mutant(
        "done after a split",
        WP,
        "    return VM_FAULT_FALLBACK",
        "    return 0",
        "a_write_goes_on_with_small_pages",
        "The small entry is still read-only: the program faults a second time for one write.",
    ),
    Mutant(
        "fallen back, and not split",
        WP,
        "    split_huge_pmd(vma, vmf.pmd, vmf.address)\n",
        "",
        "a_write_goes_on_with_small_pages",
        "The small fault needs a page table under the entry, and finds the huge entry still there.",
    ),
    Mutant(
        "the fallback of a write is not counted",
        WP,
        "        VMSTAT.thp_fault_fallback.inc()\n",
        "",
        "a_write_goes_on_with_small_pages",
        "thp_fault_fallback in /proc/vmstat is how an administrator sees that huge pages are not to be had.",
    ),
    Mutant(
        "split under the lock",
        WP,
        "    split_huge_pmd(vma, vmf.pmd, vmf.address)",
        "    mm.page_table_lock.lock()\n    split_huge_pmd(vma, vmf.pmd, vmf.address)\n    mm.page_table_lock.unlock()",
        "a_write_goes_on_with_small_pages",
        "split_huge_pmd takes the lock itself, and then waits for the one who holds it: for you.",
    ),
    Mutant(
        "nobody looks again",
        WP,
        "same = vmf.pmd.read() == entry",
        "same = True",
        "two_cpus_may_write_at_once",
        "Another thread has replaced the zeroes meanwhile, and written. Its 2 MiB are replaced in turn.",
    ),
    Mutant(
        "something is there, so it is the same",
        WP,
        "same = vmf.pmd.read() == entry",
        "same = vmf.pmd.read() is not None",
        "two_cpus_may_write_at_once",
        "What is there now may be another thread's huge page, or its page table.",
    ),
    Mutant(
        "looked again, but before the lock",
        WP,
        "            mm.page_table_lock.lock()\n            same = vmf.pmd.read() == entry",
        "            same = vmf.pmd.read() == entry\n            mm.page_table_lock.lock()",
        "two_cpus_may_write_at_once",
        "Between the look and the lock another CPU has all the time that it needs.",
    ),
    Mutant(
        "the loser keeps its huge page",
        WP,
        "                folio_put(folio)",
        "                pass",
        "two_cpus_may_write_at_once",
        "Each lost race leaves 2 MiB behind that nobody can find any more.",
    ),
    Mutant(
        "the loser of a write keeps the lock",
        WP,
        "            mm.page_table_lock.unlock()\n            if not same:",
        "            if same:\n                mm.page_table_lock.unlock()\n            else:",
        "two_cpus_may_write_at_once",
        "Every way out of a function has to release what it took; the rare ways are the ones that get forgotten.",
    ),
    Mutant(
        "two holders, and never three",
        WP,
        "        if wp_huge_reuse(vmf):\n            return 0",
        "        if entry.folio.refcount.read() != 2:\n            vmf.pmd.set(pmd_mkdirty(pmd_mkwrite(entry)))\n"
        "            return 0",
        "no_program_can_tell_huge_writes_from_linux",
        "After two forks three processes hold the huge page, and one of them wrote into all.",
    ),
    Mutant(
        "gone is as good as unchanged",
        WP,
        "same = vmf.pmd.read() == entry",
        "same = vmf.pmd.read() in (entry, None)",
        "writers_a_split_and_an_unmap",
        "Another thread has unmapped the 2 MiB meanwhile, and the table that was put aside went with them.",
    ),
    # split_huge_zero_page_pmd
    Mutant(
        "511 entries",
        SPLIT,
        "for i in range(len(table)):",
        "for i in range(1, len(table)):",
        "one_huge_entry_becomes_512_small_ones",
        "Whoever reads the one that was left out faults again for what was mapped before.",
    ),
    Mutant(
        "the dirty bit goes with it",
        SPLIT,
        "table[i].set(zero_pte())",
        "table[i].set(zero_pte()._replace(dirty=pmd.read().dirty))",
        "one_huge_entry_becomes_512_small_ones",
        "A page of zeroes was never written to, whatever an entry says. CVE-2017-1000405 began with such a bit.",
    ),
    Mutant(
        "small zeroes that may be written to",
        SPLIT,
        "table[i].set(zero_pte())",
        "table[i].set(pte_mkwrite(zero_pte()))",
        "one_huge_entry_becomes_512_small_ones",
        "One huge entry that nobody may write to became 512 small ones that everybody may.",
    ),
    Mutant(
        "the huge zero folio in small pieces",
        SPLIT,
        "table[i].set(zero_pte())",
        "table[i].set(Pte(pmd.read().folio, special=True, page=i))",
        "one_huge_entry_becomes_512_small_ones",
        "It reads as zeroes, and nobody is counted; but the small zero page is what small entries are for. In lab 3 "
        "the huge one may go away.",
    ),
    Mutant(
        "the zero page as an ordinary page",
        SPLIT,
        "table[i].set(zero_pte())",
        "table[i].set(mk_pte(ZERO_PAGE))",
        "one_huge_entry_becomes_512_small_ones",
        "Without 'special' in the entry, the next unmap gives the zero page back.",
    ),
    Mutant(
        "a table of its own",
        SPLIT,
        "table = pgtable_trans_huge_withdraw(pmd)",
        "table = pte_alloc_one(vma.vm_mm)",
        "one_huge_entry_becomes_512_small_ones",
        "A split may be asked for because memory is short. That is why the table was put aside before.",
    ),
    Mutant(
        "in use, and still put aside",
        SPLIT,
        "table = pgtable_trans_huge_withdraw(pmd)",
        "table = pgtable_trans_huge_withdraw(pmd)\n    pgtable_trans_huge_deposit(pmd, table)",
        "one_huge_entry_becomes_512_small_ones",
        "One table in two places: one of them will free it while the other uses it.",
    ),
    Mutant(
        "RSS moves with a split",
        SPLIT,
        "    pmd.set(table)",
        "    vma.vm_mm.rss.add(len(table))\n    pmd.set(table)",
        "one_huge_entry_becomes_512_small_ones",
        "512 mappings of zeroes are as little memory as one.",
    ),
    Mutant(
        "the lock is taken twice",
        SPLIT,
        "    table = pgtable_trans_huge_withdraw(pmd)",
        "    vma.vm_mm.page_table_lock.lock()\n    table = pgtable_trans_huge_withdraw(pmd)",
        "one_huge_entry_becomes_512_small_ones",
        "The caller holds it already. Linux's locks do not count how often one CPU took them: it waits for itself.",
    ),
    Mutant(
        "the caller's lock is released",
        SPLIT,
        "    pmd.set(table)",
        "    pmd.set(table)\n    vma.vm_mm.page_table_lock.unlock()",
        "one_huge_entry_becomes_512_small_ones",
        "Who takes a lock releases it. Here the caller would release what is no longer held.",
    ),
    Mutant(
        "the entry is set first",
        SPLIT,
        "    for i in range(len(table)):",
        "    pmd.set(table)\n    for i in range(len(table)):",
        "a_reader_on_another_cpu_sees_zeroes",
        "From that moment on other CPUs look into the table. One found an empty entry, was given a page for it, and "
        "lost it to the zeroes that came later.",
    ),
    Mutant(
        "only the pages of this area",
        SPLIT,
        "        table[i].set(zero_pte())",
        "        if vma.vm_start <= haddr + i * PAGE_SIZE < vma.vm_end:\n            table[i].set(zero_pte())",
        "no_program_can_tell_splits_from_linux",
        "By the time of the split, the area may have been cut in pieces already; the entry still covers all of them.",
    ),
    Mutant(
        "the lock is let go for a moment",
        SPLIT,
        "    for i in range(len(table)):\n        table[i].set(zero_pte())\n",
        "    vma.vm_mm.page_table_lock.unlock()\n    for i in range(len(table)):\n        table[i].set(zero_pte())\n"
        "    vma.vm_mm.page_table_lock.lock()\n",
        "two_splits_and_an_unmap",
        "Meanwhile another CPU sees a huge entry that has no table put aside any more.",
    ),
    # copy_huge_pmd
    Mutant(
        "fork takes a reference on the huge zero folio",
        COPY,
        "    if not is_huge_zero_pmd(entry):\n        folio_get(entry.folio)",
        "    folio_get(entry.folio)\n    if not is_huge_zero_pmd(entry):",
        "fork_copies_one_entry_for_2_mib",
        "No fault took a reference on it and no unmap gives one back: with each fork the count grows, for ever.",
    ),
    Mutant(
        "fork counts huge zeroes",
        COPY,
        "    if not is_huge_zero_pmd(entry):\n        folio_get(entry.folio)\n"
        "        dst_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "    dst_vma.vm_mm.rss.add(entry.folio.nr_pages)\n    if not is_huge_zero_pmd(entry):\n"
        "        folio_get(entry.folio)",
        "fork_copies_one_entry_for_2_mib",
        "What is not counted when it is mapped must not be counted when its mapping is copied.",
    ),
    Mutant(
        "no table for the child",
        COPY,
        "    pgtable_trans_huge_deposit(dst_pmd, table)\n",
        "",
        "fork_copies_one_entry_for_2_mib",
        "The child has a huge entry as well, and must be able to split it without memory.",
    ),
    Mutant(
        "fork takes no reference",
        COPY,
        "        folio_get(entry.folio)\n",
        "",
        "fork_copies_one_entry_for_2_mib",
        "Two processes hold the huge page and it counts one: the first to leave frees it under the other.",
    ),
    Mutant(
        "the parent may go on writing",
        COPY,
        "            src_pmd.set(entry)\n",
        "",
        "fork_copies_one_entry_for_2_mib",
        "The child's entry is read-only, the parent's is not: what the parent writes, the child sees.",
    ),
    Mutant(
        "zeroes are not copied",
        COPY,
        "    if not is_huge_zero_pmd(entry):",
        "    if is_huge_zero_pmd(entry):\n        pte_free_one(dst_vma.vm_mm, table)\n        return 0\n"
        "    if not is_huge_zero_pmd(entry):",
        "fork_copies_one_entry_for_2_mib",
        "The child reads zeroes all the same, after a fault for each 2 MiB. Small zeroes are treated so; huge ones "
        "are copied, and 512 faults are saved at once.",
    ),
    Mutant(
        "only what may be written to is counted",
        COPY,
        "        dst_vma.vm_mm.rss.add(entry.folio.nr_pages)\n        if entry.write:",
        "        if entry.write:\n            dst_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "fork_copies_one_entry_for_2_mib",
        "Right for the first fork. After it every shared page is read-only, and a second fork counts none.",
    ),
    Mutant(
        "fork does not say that there is no memory",
        COPY,
        "return ENOMEM",
        "return 0",
        "no_program_can_tell_huge_forks_from_linux",
        "The child starts with 2 MiB of its memory missing, and reads zeroes there.",
    ),
    # zap_huge_pmd
    Mutant(
        "the table stays behind",
        ZAP,
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n    if is_huge_zero_pmd(entry):\n        return\n",
        "    if is_huge_zero_pmd(entry):\n        return\n"
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))\n",
        "unmapping_2_mib_gives_everything_back",
        "Nobody counts huge zeroes, but each of their entries has a page table put aside. 4 KiB were lost for each.",
    ),
    Mutant(
        "RSS falls for what was never in it",
        ZAP,
        "    if is_huge_zero_pmd(entry):\n        return\n    vma.vm_mm.rss.add(-entry.folio.nr_pages)\n",
        "    vma.vm_mm.rss.add(-entry.folio.nr_pages)\n    if is_huge_zero_pmd(entry):\n        return\n",
        "unmapping_2_mib_gives_everything_back",
        "RSS is 512 pages too low, and below zero for a program that only read.",
    ),
    Mutant(
        "the huge zero folio is given back",
        ZAP,
        "    if is_huge_zero_pmd(entry):\n        return\n    vma.vm_mm.rss.add(-entry.folio.nr_pages)\n",
        "    if not is_huge_zero_pmd(entry):\n        vma.vm_mm.rss.add(-entry.folio.nr_pages)\n",
        "unmapping_2_mib_gives_everything_back",
        "The huge zero folio was freed. The next process that reads a zero reads somebody else's data.",
    ),
    Mutant(
        "RSS falls by one",
        ZAP,
        "vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "vma.vm_mm.rss.dec()",
        "unmapping_2_mib_gives_everything_back",
        "A huge page is 512 pages in RSS: ask the folio, do not assume its size.",
    ),
    Mutant(
        "unmap leaks 2 MiB",
        ZAP,
        "    folio_put(entry.folio)",
        "    pass",
        "unmapping_2_mib_gives_everything_back",
        "The entry is gone, the reference is not.",
    ),
    Mutant(
        "the entry stays",
        ZAP,
        "pmd.xchg(None)",
        "pmd.read()",
        "unmapping_2_mib_gives_everything_back",
        "Everything was given back while an entry still points to it.",
    ),
    Mutant(
        "the table is still put aside",
        ZAP,
        "    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))",
        "    table = pgtable_trans_huge_withdraw(pmd)\n    pgtable_trans_huge_deposit(pmd, table)\n"
        "    pte_free_one(vma.vm_mm, table)",
        "unmapping_2_mib_gives_everything_back",
        "A frame that is free was left where the next split would take it for a page table.",
    ),
    Mutant(
        "only what may be written to is taken off",
        ZAP,
        "    vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "    if entry.write:\n        vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "no_program_can_tell_huge_unmaps_from_linux",
        "After a fork every shared huge page is read-only, and was counted all the same.",
    ),
    # change_huge_pmd
    Mutant(
        "only its start is looked at",
        CHANGE,
        "if end - start < PMD_SIZE:",
        "if start != haddr_of(start):",
        "mprotect_changes_what_it_was_asked_to",
        "A part at the beginning was taken for the whole: 2 MiB changed where 4 KiB were meant.",
    ),
    Mutant(
        "only its end is looked at",
        CHANGE,
        "if end - start < PMD_SIZE:",
        "if end % PMD_SIZE:",
        "mprotect_changes_what_it_was_asked_to",
        "A part at the end was taken for the whole: 2 MiB changed where 4 KiB were meant.",
    ),
    Mutant(
        "always taken apart",
        CHANGE,
        "if end - start < PMD_SIZE:",
        "if True:",
        "mprotect_changes_what_it_was_asked_to",
        "Right, and 2 MiB that could have stayed one entry are 512 from now on.",
    ),
    Mutant(
        "says that it was done",
        CHANGE,
        "        return False",
        "        return True",
        "mprotect_changes_what_it_was_asked_to",
        "After a split the small entries have still to be changed; the caller does it, if it is told.",
    ),
    Mutant(
        "the whole is not protected",
        CHANGE,
        "    if not write:\n        pmd.set(pmd_wrprotect(pmd.read()))\n",
        "",
        "mprotect_changes_what_it_was_asked_to",
        "The area says read-only and the entry says writable. The hardware believes the entry.",
    ),
    Mutant(
        "rights that grow are given at once",
        CHANGE,
        "        pmd.set(pmd_wrprotect(pmd.read()))\n",
        "        pmd.set(pmd_wrprotect(pmd.read()))\n    else:\n        pmd.set(pmd_mkwrite(pmd.read()))\n",
        "mprotect_changes_what_it_was_asked_to",
        "That made the huge zero page writable. Rights that grow come with the next fault, which looks at what is there.",
    ),
    Mutant(
        "rights that grow do not split",
        CHANGE,
        "if end - start < PMD_SIZE:",
        "if end - start < PMD_SIZE and not write:",
        "no_program_can_tell_huge_mprotects_from_linux",
        "One entry for two areas with different rights: the next write makes all of it writable.",
    ),
    # the guesses
    Mutant(
        "a guess that is none",
        "predict_faults",
        'return "c"',
        'return "many"',
        "a_guess_about_faults_is_written_down",
        "",
    ),
    Mutant(
        "a guess with no answer",
        "predict_table_memory",
        'return "b"',
        "return None",
        "a_guess_about_tables_is_written_down",
        "",
    ),
    Mutant(
        "two guesses",
        "predict_who_pays",
        'return "a"',
        'return ("a", "c")',
        "a_guess_about_the_bill_is_written_down",
        "",
    ),
    Mutant(
        "an anon_vma before it is clear that 2 MiB fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        return VM_FAULT_FALLBACK\n    anon_vma_prepare(vma)\n",
        "    anon_vma_prepare(vma)\n    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        return VM_FAULT_FALLBACK\n",
        "no_program_can_tell_huge_reads_from_linux",
    ),
    Mutant(
        "a fallback is counted where 2 MiB do not fit",
        ANON,
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n",
        "    if not thp_vma_suitable(vma, haddr_of(vmf.address)):\n        VMSTAT.thp_fault_fallback.inc()\n",
        "no_program_can_tell_huge_reads_from_linux",
    ),
    Mutant(
        "huge zeroes are counted as a huge page",
        ANON,
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))",
        "        vmf.pmd.set(mk_huge_zero_pmd(folio))\n        VMSTAT.thp_fault_alloc.inc()",
        "no_program_can_tell_huge_reads_from_linux",
    ),
    Mutant(
        "the child's table is the parent's",
        COPY,
        "pte_alloc_one(dst_vma.vm_mm)",
        "pte_alloc_one(src_vma.vm_mm)",
        "no_program_can_tell_huge_forks_from_linux",
    ),
    Mutant(
        "the child may write to what is shared",
        COPY,
        "            entry = pmd_wrprotect(entry)\n            src_pmd.set(entry)",
        "            src_pmd.set(pmd_wrprotect(entry))",
        "fork_copies_one_entry_for_2_mib",
    ),
    Mutant(
        "the parent is said to map it twice",
        COPY,
        "dst_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "src_vma.vm_mm.rss.add(entry.folio.nr_pages)",
        "fork_copies_one_entry_for_2_mib",
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
        "fork_copies_one_entry_for_2_mib",
    ),
    Mutant(
        "a write that falls back is no fallback if the page is shared",
        WP,
        "        VMSTAT.thp_fault_fallback.inc()\n    split",
        "    VMSTAT.thp_fault_fallback.inc()\n    split",
        "no_program_can_tell_huge_writes_from_linux",
    ),
    Mutant(
        "the statistics count a written huge page twice",
        WP,
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)",
        "                map_anon_folio_pmd(folio, vmf.pmd, vma)\n                VMSTAT.thp_fault_alloc.inc()",
        "no_program_can_tell_huge_writes_from_linux",
    ),
    Mutant(
        "a split is counted twice",
        WP,
        "    split_huge_pmd(vma, vmf.pmd, vmf.address)",
        "    VMSTAT.thp_split_pmd.inc()\n    split_huge_pmd(vma, vmf.pmd, vmf.address)",
        "a_write_goes_on_with_small_pages",
    ),
    Mutant(
        "a split of zeroes counts itself",
        SPLIT,
        "    pmd.set(table)",
        "    VMSTAT.thp_split_pmd.inc()\n    pmd.set(table)",
        "no_program_can_tell_splits_from_linux",
    ),
    Mutant(
        "zeroes from the area's beginning on",
        SPLIT,
        "    for i in range(len(table)):",
        "    for i in range(max(0, vma.vm_start - haddr) // 4096, len(table)):",
        "no_program_can_tell_splits_from_linux",
    ),
    Mutant(
        "every second entry",
        SPLIT,
        "    for i in range(len(table)):",
        "    for i in range(0, len(table), 2):",
        "one_huge_entry_becomes_512_small_ones",
    ),
    Mutant(
        "RSS of what is shared stays",
        ZAP,
        "    vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "    if entry.folio.refcount.read() == 1:\n        vma.vm_mm.rss.add(-entry.folio.nr_pages)",
        "no_program_can_tell_huge_unmaps_from_linux",
    ),
    Mutant(
        "an unmap is counted as a split",
        ZAP,
        "    entry = pmd.xchg(None)",
        "    VMSTAT.thp_split_pmd.inc()\n    entry = pmd.xchg(None)",
        "no_program_can_tell_huge_unmaps_from_linux",
    ),
    Mutant(
        "what is shared is not taken off",
        ZAP,
        "    folio_put(entry.folio)",
        "    if entry.write:\n        folio_put(entry.folio)",
        "no_program_can_tell_huge_unmaps_from_linux",
    ),
    Mutant(
        "only a part that reaches the end is split",
        CHANGE,
        "    if end - start < PMD_SIZE:",
        "    if start % PMD_SIZE:",
        "mprotect_changes_what_it_was_asked_to",
    ),
    Mutant(
        "a part is split, and counted",
        CHANGE,
        "        split_huge_pmd(vma, pmd, start)\n        return False",
        "        VMSTAT.thp_split_pmd.inc()\n        split_huge_pmd(vma, pmd, start)\n        return False",
        "no_program_can_tell_huge_mprotects_from_linux",
    ),
    Mutant(
        "a huge page that may be written to is clean",
        CHANGE,
        "pmd.set(pmd_wrprotect(pmd.read()))",
        "pmd.set(pmd_wrprotect(pmd.read())._replace(dirty=False))",
        "no_program_can_tell_huge_mprotects_from_linux",
    ),
]

EQUIVALENTS = [
    Mutant(
        "everything by hand, and back to small pages without a table",
        ANON,
        source="""
def do_huge_pmd_anonymous_page(vmf):
    vma = vmf.vma
    start = vmf.address // PMD_SIZE * PMD_SIZE
    if not vma.vm_flags & VM_HUGEPAGE or start < vma.vm_start or start + PMD_SIZE > vma.vm_end:
        return VM_FAULT_FALLBACK
    vma.anon_vma = True
    if vmf.write:
        return __do_huge_pmd_anonymous_page(vmf)
    if not TRANSPARENT_HUGEPAGE.use_zero_page.test():
        return __do_huge_pmd_anonymous_page(vmf)
    table = pte_alloc_one(vma.vm_mm)
    if table is None:
        return VM_FAULT_FALLBACK
    zeroes = HUGE_ZERO.folio.read()
    if zeroes is None:
        pte_free_one(vma.vm_mm, table)
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    vma.vm_mm.page_table_lock.lock()
    if vmf.pmd.read() is not None:
        vma.vm_mm.page_table_lock.unlock()
        pte_free_one(vma.vm_mm, table)
        return 0
    vmf.pmd.set(Pmd(zeroes, special=True))
    pgtable_trans_huge_deposit(vmf.pmd, table)
    vma.vm_mm.page_table_lock.unlock()
    return 0
""",
    ),
    Mutant(
        "compare-and-exchange under the lock",
        ANON,
        source="""
def do_huge_pmd_anonymous_page(vmf):
    if not thp_vma_suitable(vmf.vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vmf.vma)
    mm = vmf.vma.vm_mm
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    if HUGE_ZERO.folio.read() is None:
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    table = pte_alloc_one(mm)
    if not table:
        return VM_FAULT_OOM
    mm.page_table_lock.lock()
    try:
        if vmf.pmd.cmpxchg(None, mk_huge_zero_pmd(HUGE_ZERO.folio.read())) is None:
            pgtable_trans_huge_deposit(vmf.pmd, table)
        else:
            pte_free_one(mm, table)
    finally:
        mm.page_table_lock.unlock()
    return 0
""",
    ),
    Mutant(
        "a look before the work, and another under the lock",
        ANON,
        "    folio = HUGE_ZERO.folio.read()\n",
        "    if vmf.pmd.read() is not None:\n        return 0\n    folio = HUGE_ZERO.folio.read()\n",
    ),
    Mutant(
        "the shared page first, and zeroes recognised anew",
        WP,
        source="""
def do_huge_pmd_wp_page(vmf):
    mm = vmf.vma.vm_mm
    zeroes = is_huge_zero_pmd(vmf.orig_pmd)
    if not zeroes and wp_huge_reuse(vmf):
        return 0
    folio = alloc_folio(HPAGE_PMD_ORDER) if zeroes else None
    if folio is None:
        if zeroes:
            VMSTAT.thp_fault_fallback.inc()
        split_huge_pmd(vmf.vma, vmf.pmd, vmf.address)
        return VM_FAULT_FALLBACK
    folio.data.clear()
    mm.page_table_lock.lock()
    if is_huge_zero_pmd(vmf.pmd.read()):
        map_anon_folio_pmd(folio, vmf.pmd, vmf.vma)
        folio = None
    mm.page_table_lock.unlock()
    if folio is not None:
        folio_put(folio)
    return 0
""",
    ),
    Mutant(
        "the entry exchanged by hand",
        WP,
        source="""
def do_huge_pmd_wp_page(vmf):
    vma, entry = vmf.vma, vmf.orig_pmd
    if is_huge_zero_pmd(entry):
        folio = alloc_folio(HPAGE_PMD_ORDER)
        if folio is not None:
            clear_folio(folio)
            new = Pmd(folio, write=True, dirty=True)
            vma.vm_mm.page_table_lock.lock()
            won = vmf.pmd.cmpxchg(entry, new) == entry
            vma.vm_mm.page_table_lock.unlock()
            if won:
                vma.vm_mm.rss.add(HPAGE_PMD_NR)
                VMSTAT.thp_fault_alloc.inc()
            else:
                free_folio(folio)
            return 0
        VMSTAT.thp_fault_fallback.inc()
    elif wp_huge_reuse(vmf):
        return 0
    split_huge_pmd(vma, vmf.pmd, haddr_of(vmf.address))
    return VM_FAULT_FALLBACK
""",
    ),
    Mutant(
        "from the last entry to the first",
        SPLIT,
        source="""
def split_huge_zero_page_pmd(vma, haddr, pmd):
    table = pgtable_trans_huge_withdraw(pmd)
    entry = zero_pte()
    i = len(table)
    while i > 0:
        i -= 1
        table[i].set(entry)
    pmd.xchg(table)
""",
    ),
    Mutant(
        "every entry made read-only",
        COPY,
        source="""
def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    child = dst_vma.vm_mm
    table = pte_alloc_one(child)
    if not table:
        return ENOMEM
    pgtable_trans_huge_deposit(dst_pmd, table)
    entry = pmd_wrprotect(src_pmd.read())
    dst_pmd.set(entry)
    if entry.special:
        return 0
    src_pmd.set(entry)
    entry.folio.refcount.inc()
    child.rss.add(512)
    return 0
""",
    ),
    Mutant(
        "the table last",
        ZAP,
        source="""
def zap_huge_pmd(vma, pmd, addr):
    entry = pmd.read()
    pmd.set(None)
    if not is_huge_zero_pmd(entry):
        folio_put(entry.folio)
        vma.vm_mm.rss.add(-HPAGE_PMD_NR)
    table = pgtable_trans_huge_withdraw(pmd)
    pte_free_one(vma.vm_mm, table)
""",
    ),
    Mutant(
        "both ends compared",
        CHANGE,
        source="""
def change_huge_pmd(vma, pmd, start, end, write):
    whole = start % PMD_SIZE == 0 and end == start + PMD_SIZE
    if whole:
        if not write:
            pmd.set(pmd.read()._replace(write=False))
        return True
    split_huge_pmd(vma, pmd, haddr_of(start))
    return False
""",
    ),
    Mutant("a wrong guess", "predict_faults", 'return "c"', 'return "a"'),
    Mutant("another wrong guess", "predict_table_memory", 'return "b"', 'return "c"'),
    Mutant("a third wrong guess", "predict_who_pays", 'return "a"', 'return "b"'),
    Mutant(
        "try and finally, and the entry looked up first",
        ANON,
        source="""
def do_huge_pmd_anonymous_page(vmf):
    def fits():
        return thp_vma_suitable(vmf.vma, vmf.address - vmf.address % PMD_SIZE)

    if not fits():
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vmf.vma)
    match (vmf.write, transparent_hugepage_use_zero_page()):
        case (True, _) | (_, False):
            return __do_huge_pmd_anonymous_page(vmf)
    mm = vmf.vma.vm_mm
    table = pte_alloc_one(mm)
    zeroes = HUGE_ZERO.folio.read()
    if table is None:
        return VM_FAULT_OOM
    spare = table
    try:
        if zeroes is None:
            VMSTAT.thp_fault_fallback.add(1)
            return VM_FAULT_FALLBACK
        mm.page_table_lock.lock()
        try:
            if vmf.pmd.read() is None:
                pgtable_trans_huge_deposit(vmf.pmd, spare)
                spare = None
                vmf.pmd.set(mk_huge_zero_pmd(zeroes))
        finally:
            mm.page_table_lock.unlock()
        return 0
    finally:
        if spare is not None:
            pte_free_one(mm, spare)
""",
    ),
    Mutant(
        "the two halves of a table, by recursion",
        SPLIT,
        source="""
def split_huge_zero_page_pmd(vma, haddr, pmd):
    def fill(table, low, high):
        if high - low == 1:
            table[low].set(zero_pte())
        elif high > low:
            fill(table, low, (low + high) // 2)
            fill(table, (low + high) // 2, high)

    table = pgtable_trans_huge_withdraw(pmd)
    fill(table, 0, len(table))
    pmd.set(table)
""",
    ),
    Mutant(
        "the entry first, the table last",
        COPY,
        source="""
def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    entry = src_pmd.read()
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        return ENOMEM
    match entry:
        case zeroes if is_huge_zero_pmd(zeroes):
            dst_pmd.set(zeroes)
        case own:
            shared = pmd_wrprotect(own)
            src_pmd.set(shared)
            dst_pmd.set(shared)
            folio_get(own.folio)
            dst_vma.vm_mm.rss.add(HPAGE_PMD_NR)
    pgtable_trans_huge_deposit(dst_pmd, table)
    return 0
""",
    ),
    Mutant(
        "the switch is asked once more",
        ANON,
        "    if vmf.write or not transparent_hugepage_use_zero_page():",
        "    if vmf.write and transparent_hugepage_use_zero_page() or not transparent_hugepage_use_zero_page():",
    ),
]
