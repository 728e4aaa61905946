"""Lab 1: what students get wrong, and what they may write otherwise."""

from ...prove.mutant import Mutant

ANON, WP, ZERO, COPY, ZAP = (
    "do_anonymous_page",
    "do_wp_page",
    "blkdev_issue_zero_pages",
    "copy_pte_range",
    "zap_pte_range",
)

MUTANTS = [
    Mutant(
        "a copy that finds no memory is made all the same",
        WP,
        "    if folio is None:\n",
        "    if folio is None and is_zero_pte(entry):\n",
        "a_sole_owner_keeps_its_page",
        "Memory runs out for a copy as it does for zeroes. Both ways through the function must be able to say so.",
    ),
    Mutant(
        "fork counts the zero page",
        "copy_pte_range",
        "        if entry is None:\n            continue\n",
        "        if entry is None:\n            continue\n        if is_zero_pte(entry):\n            folio_get(entry.folio)\n",
        "fork_shares_pages_and_counts_each_holder",
        "Nobody counts the zero page, so nobody gives a reference back: with each fork its count would grow, for ever.",
    ),
    Mutant(
        "a page that was only read",
        "wrong_bytes",
        '        Write("a", data=b"p"),\n',
        '        Read("a"),\n',
        "the_scenario_shows_wrong_bytes",
        "A page that was only read is not dirty: even this kernel copies it before it lets anybody write.",
    ),
    Mutant(
        "a frame for each read",
        ANON,
        "if not vmf.write:",
        "if False:",
        "a_read_maps_the_zero_page",
        "Linux did this from 2.6.24 until it took the zero page back: every page that is only read costs a frame.",
    ),
    Mutant(
        "the zero page is writable",
        ANON,
        "vmf.pte.set(zero_pte())",
        "vmf.pte.set(pte_mkwrite(zero_pte()))",
        "a_read_maps_the_zero_page",
        "One writable mapping of the zero page, and every process reads what was written there. CVE-2017-1000405 "
        "was this with the huge one.",
    ),
    Mutant(
        "the zero page as an ordinary page",
        ANON,
        "zero_pte()",
        "mk_pte(ZERO_PAGE)",
        "a_read_maps_the_zero_page",
        "Without 'special' in the entry, unmap and fork take the zero page for a page that somebody counted.",
    ),
    Mutant(
        "RSS moves on a read",
        ANON,
        "        vmf.pte.set(zero_pte())",
        "        vmf.vma.vm_mm.rss.inc()\n        vmf.pte.set(zero_pte())",
        "a_read_is_counted_by_nobody",
        "RSS counts real memory, and a mapping of the zero page uses none.",
    ),
    Mutant(
        "the zero page is counted",
        ANON,
        "        vmf.pte.set(zero_pte())",
        "        folio_get(ZERO_PAGE)\n        vmf.pte.set(zero_pte())",
        "a_read_is_counted_by_nobody",
        "This count is why Linux 2.6.24 gave the zero page up: every CPU wrote to the one cache line that held it.",
    ),
    Mutant(
        "a read makes an anon_vma",
        ANON,
        "    if not vmf.write:",
        "    anon_vma_prepare(vmf.vma)\n    if not vmf.write:",
        "a_read_is_counted_by_nobody",
        "With an anon_vma, fork copies the tables of an area that holds nothing but zeroes.",
    ),
    Mutant(
        "the new page is not cleared",
        ANON,
        "    clear_folio(folio)\n",
        "",
        "a_write_gets_a_zeroed_folio",
        "A frame that is handed out uncleared shows one program what another one left in it.",
    ),
    Mutant(
        "no anon_vma for a written page",
        ANON,
        "    anon_vma_prepare(vmf.vma)\n",
        "",
        "a_write_gets_a_zeroed_folio",
        "fork copies the tables of areas with an anon_vma only. Without one the child reads zeroes where data were.",
    ),
    Mutant(
        "no memory is no problem",
        ANON,
        "return VM_FAULT_OOM",
        "return 0",
        "a_write_gets_a_zeroed_folio",
        "A handler that says 0 promises that the access will go through now. Here it would fault for ever.",
    ),
    Mutant(
        "RSS is forgotten",
        ANON,
        "    vmf.vma.vm_mm.rss.inc()\n",
        "",
        "a_write_gets_a_zeroed_folio",
        "RSS would fall below zero when the page is unmapped.",
    ),
    Mutant(
        "RSS before memory",
        ANON,
        "    if folio is None:",
        "    vmf.vma.vm_mm.rss.inc()\n    if folio is None:",
        "a_write_gets_a_zeroed_folio",
        "Count what you have, not what you hope to get.",
    ),
    Mutant(
        "a page is counted that could not be had",
        ANON,
        "        return VM_FAULT_OOM\n    clear_folio(folio)\n    vmf.vma.vm_mm.rss.inc()",
        "        vmf.vma.vm_mm.rss.inc()\n        return VM_FAULT_OOM\n    clear_folio(folio)\n"
        "    vmf.vma.vm_mm.rss.inc()",
        "a_write_gets_a_zeroed_folio",
        "The way out of a function after an error must leave everything as it was.",
    ),
    Mutant(
        "what pte_mkwrite gives is thrown away",
        ANON,
        "    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))",
        "    entry = mk_pte(folio)\n    pte_mkwrite(entry)\n    pte_mkdirty(entry)\n    vmf.pte.set(entry)",
        "a_write_gets_a_zeroed_folio",
        "An entry is a value. pte_mkwrite gives another one; the first is as it was, and the write faults again.",
    ),
    Mutant(
        "mapped first, cleared later",
        ANON,
        "    clear_folio(folio)\n    vmf.vma.vm_mm.rss.inc()\n"
        "    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))",
        "    vmf.vma.vm_mm.rss.inc()\n    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))\n    clear_folio(folio)",
        "a_write_gets_a_zeroed_folio",
        "Between the two, another thread of the program could read what the frame's last owner left.",
    ),
    Mutant(
        "the old page is given back too early",
        WP,
        "    if is_zero_pte(entry):\n        clear_folio(folio)",
        "    if not is_zero_pte(entry):\n        folio_put(entry.folio)\n    if is_zero_pte(entry):\n"
        "        clear_folio(folio)",
        "a_write_to_a_shared_page_copies_it",
        "While an entry maps a page, somebody can look at it; and here the bytes were still to be copied.",
    ),
    Mutant(
        "the zero page is copied",
        WP,
        "        clear_folio(folio)",
        "        copy_user_page(folio, entry)",
        "a_write_to_the_zero_page_copies_nothing",
        "It is correct, and reads 4 KiB to learn what was known before: they are zeroes.",
    ),
    Mutant(
        "the page that follows the zero page is not cleared",
        WP,
        "        clear_folio(folio)\n",
        "",
        "a_write_to_the_zero_page_copies_nothing",
        "The program read zeroes there a moment ago, and now reads what another one left.",
    ),
    Mutant(
        "no anon_vma on the first write after a read",
        WP,
        "    anon_vma_prepare(vmf.vma)\n",
        "",
        "a_write_to_the_zero_page_copies_nothing",
        "The read before this write made no anon_vma. If the write makes none, fork loses the page.",
    ),
    Mutant(
        "RSS of a broken zero page is forgotten",
        WP,
        "        vmf.vma.vm_mm.rss.inc()\n",
        "",
        "a_write_to_the_zero_page_copies_nothing",
        "The zero page was not counted; the page that takes its place must be.",
    ),
    Mutant(
        "the zero page is given back",
        WP,
        "    if not is_zero_pte(entry):\n        folio_put",
        "    if True:\n        folio_put",
        "a_write_to_the_zero_page_copies_nothing",
        "Nobody took a reference on the zero page, so nobody may give one back. Pins on it were lost in the other "
        "direction in 873aefb376bb.",
    ),
    Mutant(
        "everybody is the sole owner",
        WP,
        "entry.folio.refcount.read() == 1",
        "entry.folio.refcount.read() >= 1",
        "a_write_to_a_shared_page_copies_it",
        "A page with two holders was written to in place: the other one sees it.",
    ),
    Mutant(
        "RSS grows with each copy",
        WP,
        "        copy_user_page(folio, entry)",
        "        copy_user_page(folio, entry)\n        vmf.vma.vm_mm.rss.inc()",
        "a_write_to_a_shared_page_copies_it",
        "One page was exchanged for another: the process has as many as before.",
    ),
    Mutant(
        "the old page is never given back",
        WP,
        "        folio_put(entry.folio)",
        "        pass",
        "a_write_to_a_shared_page_copies_it",
        "Each copy leaves a page behind that nobody can find any more.",
    ),
    Mutant(
        "a copy is made for nobody",
        WP,
        "entry.folio.refcount.read() == 1",
        "False",
        "a_sole_owner_keeps_its_page",
        "When the other holder has gone, there is nobody left to copy for.",
    ),
    Mutant(
        "no memory for a copy is no problem",
        WP,
        "return VM_FAULT_OOM",
        "return 0",
        "a_sole_owner_keeps_its_page",
        "A handler that says 0 promises that the access will go through now.",
    ),
    Mutant(
        "a second reference to the old page",
        WP,
        "    folio = alloc_folio()",
        "    if not is_zero_pte(entry):\n        folio_get(entry.folio)\n    folio = alloc_folio()",
        "a_write_to_a_shared_page_copies_it",
        "A reference that is taken must be given back on every way out.",
    ),
    Mutant(
        "a bio for each page",
        ZERO,
        "while nr_sects and bio_add_folio(",
        "if bio_add_folio(",
        "a_bio_is_filled_before_it_is_sent",
        "Each bio is a command to the disk. 512 of them where 2 suffice.",
    ),
    Mutant(
        "the tail is a whole page",
        ZERO,
        "min(PAGE_SIZE, nr_sects * SECTOR_SIZE)",
        "PAGE_SIZE",
        "the_sectors_read_as_zeroes",
        "The last piece went past the range, and zeroed data that somebody wanted to keep.",
    ),
    Mutant(
        "the disk is not asked",
        ZERO,
        "at_once = bdev_write_zeroes_sectors(bdev)",
        "at_once = 0",
        "a_bio_is_filled_before_it_is_sent",
        "Many disks can zero a range by one command, and need not be sent zeroes over the cable.",
    ),
    Mutant(
        "the disk is asked for everything at once",
        ZERO,
        "n = min(nr_sects, at_once)",
        "n = nr_sects",
        "a_bio_is_filled_before_it_is_sent",
        "max_write_zeroes_sectors is how much one command may cover.",
    ),
    Mutant(
        "errors of the disk are lost",
        ZERO,
        "        error = submit_bio_wait(bio)\n        if error:\n            return error\n",
        "        submit_bio_wait(bio)\n",
        "a_bio_is_filled_before_it_is_sent",
        "The caller believes that old data are gone, and they are still there.",
    ),
    Mutant(
        "every bio starts at the same sector",
        ZERO,
        "            sector, nr_sects = sector + n, nr_sects - n\n        error = submit",
        "            nr_sects = nr_sects - n\n        error = submit",
        "every_edge_of_a_bio",
        "Right for the first MiB: then the same MiB is zeroed again.",
    ),
    Mutant(
        "a page of zeroes of its own",
        ZERO,
        "    at_once =",
        "    alloc_folio()\n    at_once =",
        "the_sectors_read_as_zeroes",
        "There is a page of zeroes that is never written to, and it is shared with the disk as well.",
    ),
    Mutant(
        "fork counts the zero page",
        COPY,
        "        if not is_zero_pte(entry):\n            folio_get(entry.folio)\n            dst_vma.vm_mm.rss.inc()",
        "        dst_vma.vm_mm.rss.inc()\n        if not is_zero_pte(entry):\n            folio_get(entry.folio)",
        "fork_shares_pages_and_counts_each_holder",
        "A page that is not counted when it is mapped must not be counted when its mapping is copied.",
    ),
    Mutant(
        "fork takes no reference",
        COPY,
        "            folio_get(entry.folio)\n",
        "",
        "fork_shares_pages_and_counts_each_holder",
        "Two processes hold the page and it counts one: the first to leave frees it under the other.",
    ),
    Mutant(
        "the parent may go on writing",
        COPY,
        "                src[pte_index(address)].set(entry)\n",
        "",
        "fork_shares_pages_and_counts_each_holder",
        "The child's entry is read-only, the parent's is not: what the parent writes, the child sees.",
    ),
    Mutant(
        "fork does not say that there is no memory",
        COPY,
        "return ENOMEM",
        "return 0",
        "no_program_can_tell_forks_from_linux",
        "The child starts with a part of its memory missing, and reads zeroes there.",
    ),
    Mutant(
        "only pages that may be written to are counted",
        COPY,
        "            dst_vma.vm_mm.rss.inc()\n            if entry.write:",
        "            if entry.write:\n                dst_vma.vm_mm.rss.inc()",
        "fork_shares_pages_and_counts_each_holder",
        "Right for the first fork. After it every shared page is read-only, and a second fork counts none.",
    ),
    Mutant(
        "unmap stops at a zero page",
        ZAP,
        "            continue",
        "            break",
        "unmapping_gives_back_what_was_counted",
        "A zero page in the middle, and everything behind it stays for ever.",
    ),
    Mutant(
        "the zero page stays mapped",
        ZAP,
        "        entry = table[pte_index(address)].xchg(None)\n        if entry is None or is_zero_pte(entry):\n"
        "            continue",
        "        entry = table[pte_index(address)].read()\n        if entry is None or is_zero_pte(entry):\n"
        "            continue\n        table[pte_index(address)].set(None)",
        "unmapping_gives_back_what_was_counted",
        "Nobody counts it, so it is easily forgotten; but the program could read there after it unmapped.",
    ),
    Mutant(
        "unmap gives the zero page back",
        ZAP,
        "if entry is None or is_zero_pte(entry):\n            continue\n        vma.vm_mm.rss.dec()",
        "if entry is None:\n            continue\n        if not is_zero_pte(entry):\n            vma.vm_mm.rss.dec()",
        "unmapping_gives_back_what_was_counted",
        "The zero page was freed. The next process that reads a zero reads somebody else's data.",
    ),
    Mutant(
        "unmap forgets RSS",
        ZAP,
        "        vma.vm_mm.rss.dec()\n",
        "",
        "unmapping_gives_back_what_was_counted",
        "RSS only ever grows, and the wrong process is killed when memory gets tight.",
    ),
    Mutant(
        "unmap leaks every page",
        ZAP,
        "        folio_put(entry.folio)",
        "        pass",
        "unmapping_gives_back_what_was_counted",
        "The entry is gone, the reference is not.",
    ),
    Mutant(
        "an entry stays behind",
        ZAP,
        ".xchg(None)",
        ".read()",
        "unmapping_gives_back_what_was_counted",
        "The page was given back while an entry still points to it.",
    ),
    Mutant(
        "nobody else can see",
        "wrong_bytes",
        '        Fork("child"),\n        Write("a", data=b"c", by="child"),\n',
        '        Write("a", data=b"c"),\n',
        "the_scenario_shows_wrong_bytes",
        "One process alone cannot be shown wrong bytes by a page that is its own.",
    ),
    Mutant(
        "a guess that is none",
        "predict_fork_faults",
        'return "c"',
        'return "many"',
        "a_guess_is_written_down",
        "",
    ),
    Mutant(
        "zeroes for free only once",
        ANON,
        "if not vmf.write:",
        "if not vmf.write and not vmf.vma.anon_vma:",
        "no_program_can_tell_reads_from_linux",
        "An area that was written to once gets a frame for each page that it reads from then on.",
    ),
    Mutant(
        "a write that failed leaves the zero page",
        ANON,
        "        return VM_FAULT_OOM",
        "        vmf.pte.set(zero_pte())\n        return VM_FAULT_OOM",
        "anonymous_memory_may_run_out",
        "The way out of a function after an error must leave everything as it was.",
    ),
    Mutant(
        "two holders, and never three",
        WP,
        "entry.folio.refcount.read() == 1",
        "entry.folio.refcount.read() != 2",
        "no_program_can_tell_writes_from_linux",
        "After two forks three processes hold the page, and one of them wrote into all.",
    ),
    Mutant(
        "given back without a copy",
        WP,
        "        return VM_FAULT_OOM",
        "        if not is_zero_pte(entry):\n            folio_put(entry.folio)\n        return VM_FAULT_OOM",
        "copies_may_run_out_of_memory",
        "There was no memory for a copy, so the old page is still mapped here; and its reference is gone.",
    ),
    Mutant(
        "errors of a disk that zeroes by itself are lost",
        ZERO,
        "        error = issue_write_zeroes(bdev, sector, n)\n        if error:\n            return error\n",
        "        issue_write_zeroes(bdev, sector, n)\n",
        "any_range_of_any_disk",
        "The caller believes that old data are gone, and they are still there.",
    ),
    Mutant(
        "only pages that may be written to are taken off",
        ZAP,
        "        vma.vm_mm.rss.dec()",
        "        if entry.write:\n            vma.vm_mm.rss.dec()",
        "no_program_can_tell_unmaps_from_linux",
        "After a fork every shared page is read-only, and was counted all the same.",
    ),
    Mutant(
        "whichever page of a huge one it was",
        WP,
        "copy_user_page(folio, entry)",
        "copy_user_page(folio, entry._replace(page=0))",
        "no_program_can_tell_writes_from_linux",
    ),
    Mutant(
        "one page behind the end is copied",
        COPY,
        "range(addr, end, PAGE_SIZE)",
        "range(addr, end + PAGE_SIZE, PAGE_SIZE)",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "the last page is not copied",
        COPY,
        "range(addr, end, PAGE_SIZE)",
        "range(addr, max(addr + PAGE_SIZE, end - PAGE_SIZE), PAGE_SIZE)",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "the child's table begins where the area does",
        COPY,
        "        dst[pte_index(address)].set(entry)",
        "        dst[(address - addr) // PAGE_SIZE].set(entry)",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "a holder for each page that could be written to",
        COPY,
        "            folio_get(entry.folio)\n            dst_vma.vm_mm.rss.inc()\n            if entry.write:\n",
        "            dst_vma.vm_mm.rss.inc()\n            if entry.write:\n                folio_get(entry.folio)\n",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "a fork ends at the first hole",
        COPY,
        "            continue",
        "            break",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "the child starts with clean pages",
        COPY,
        "        dst[pte_index(address)].set(entry)",
        "        dst[pte_index(address)].set(entry._replace(dirty=False))",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "the child gets the first page of a huge one",
        COPY,
        "        dst[pte_index(address)].set(entry)",
        "        dst[pte_index(address)].set(entry._replace(page=0))",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "the parent's RSS grows with a fork",
        COPY,
        "dst_vma.vm_mm.rss.inc()",
        "src_vma.vm_mm.rss.inc()",
        "fork_shares_pages_and_counts_each_holder",
    ),
    Mutant(
        "the parent pays for the child's table",
        COPY,
        "pte_alloc(dst_vma.vm_mm, dst_pmd)",
        "pte_alloc(src_vma.vm_mm, dst_pmd)",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "what is read-only stays as it was copied once",
        COPY,
        "        dst[pte_index(address)].set(entry)",
        "        dst[pte_index(address)].set(entry if is_zero_pte(entry) else pte_mkdirty(entry))",
        "no_program_can_tell_forks_from_linux",
    ),
    Mutant(
        "an unmap ends at the first hole",
        ZAP,
        "        if entry is None or is_zero_pte(entry):\n            continue",
        "        if entry is None:\n            break\n        if is_zero_pte(entry):\n            continue",
        "no_program_can_tell_unmaps_from_linux",
    ),
    Mutant(
        "an unmap begins at the first entry",
        ZAP,
        "table[pte_index(address)].xchg(None)",
        "table[(address - addr) // PAGE_SIZE].xchg(None)",
        "no_program_can_tell_unmaps_from_linux",
    ),
    Mutant(
        "one page behind the end is unmapped",
        ZAP,
        "range(addr, end, PAGE_SIZE)",
        "range(addr, end + PAGE_SIZE, PAGE_SIZE)",
        "no_program_can_tell_unmaps_from_linux",
    ),
    Mutant(
        "what was never written to stays",
        ZAP,
        "        if entry is None or is_zero_pte(entry):",
        "        if entry is None or is_zero_pte(entry) or not entry.dirty:",
        "no_program_can_tell_unmaps_from_linux",
    ),
    Mutant(
        "RSS falls once for all",
        ZAP,
        "        vma.vm_mm.rss.dec()\n        folio_put(entry.folio)",
        "        if address == addr:\n            vma.vm_mm.rss.dec()\n        folio_put(entry.folio)",
        "unmapping_gives_back_what_was_counted",
    ),
    Mutant(
        "a copy is clean",
        WP,
        "    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))\n    if",
        "    vmf.pte.set(pte_mkwrite(mk_pte(folio)))\n    if",
        "no_program_can_tell_writes_from_linux",
    ),
    Mutant(
        "RSS grows with every written page of zeroes but the first",
        WP,
        "    if is_zero_pte(entry):\n        clear_folio(folio)\n        vmf.vma.vm_mm.rss.inc()",
        "    if is_zero_pte(entry):\n        clear_folio(folio)\n        if vmf.vma.vm_mm.rss.read():\n            vmf.vma.vm_mm.rss.inc()",
        "a_write_to_the_zero_page_copies_nothing",
    ),
    Mutant(
        "a frame of one's own is clean",
        ANON,
        "pte_mkdirty(pte_mkwrite(mk_pte(folio)))",
        "pte_mkwrite(mk_pte(folio))",
        "no_program_can_tell_reads_from_linux",
    ),
    Mutant(
        "the first page of an area only is cleared",
        ANON,
        "    clear_folio(folio)\n",
        "    if vmf.vma.vm_mm.rss.read() < 2:\n        clear_folio(folio)\n",
        "anonymous_memory_may_run_out",
    ),
]

EQUIVALENTS = [
    Mutant(
        "the write first",
        ANON,
        source="""
def do_anonymous_page(vmf):
    if vmf.write:
        folio = alloc_folio(0)
        if not folio:
            return VM_FAULT_OOM
        folio.data.clear()
        anon_vma_prepare(vmf.vma)
        vmf.pte.set(Pte(folio, write=True, dirty=True))
        mm = vmf.vma.vm_mm
        mm.rss.add(1)
    else:
        vmf.pte.set(Pte(ZERO_PAGE, special=True))
    return 0
""",
    ),
    Mutant(
        "three ways, three returns",
        WP,
        source="""
def do_wp_page(vmf):
    old = vmf.pte.read()
    if old.special:
        new = alloc_folio()
        if new is None:
            return VM_FAULT_OOM
        anon_vma_prepare(vmf.vma)
        clear_folio(new)
        vmf.pte.set(Pte(new, write=True, dirty=True))
        vmf.vma.vm_mm.rss.inc()
        return 0
    if old.folio.refcount.read() > 1:
        new = alloc_folio()
        if new is None:
            return VM_FAULT_OOM
        new.data.paste(0, old.folio.data.read(), old.page * PAGE_SIZE, PAGE_SIZE)
        anon_vma_prepare(vmf.vma)
        vmf.pte.cmpxchg(old, Pte(new, write=True, dirty=True))
        folio_put(old.folio)
        return 0
    vmf.pte.xchg(old._replace(write=True, dirty=True))
    return 0
""",
    ),
    Mutant(
        "the pieces counted first",
        ZERO,
        source="""
def blkdev_issue_zero_pages(bdev, sector, nr_sects):
    limit = bdev.max_write_zeroes_sectors
    end = sector + nr_sects
    if limit:
        for start in range(sector, end, limit):
            error = issue_write_zeroes(bdev, start, min(limit, end - start))
            if error:
                return error
        return 0
    per_bio = BIO_MAX_VECS * 8
    for start in range(sector, end, per_bio):
        bio = bio_alloc(bdev, start)
        for at in range(start, min(end, start + per_bio), 8):
            bio_add_folio(bio, ZERO_PAGE, min(8, end - at) * 512, 0)
        error = submit_bio_wait(bio)
        if error:
            return error
    return 0
""",
    ),
    Mutant(
        "every entry is made read-only",
        COPY,
        source="""
def copy_pte_range(dst_vma, src_vma, dst_pmd, src_pmd, addr, end):
    table = pte_alloc(dst_vma.vm_mm, dst_pmd)
    if not table:
        return ENOMEM
    first = pte_index(addr)
    for i in range(first, first + (end - addr) // PAGE_SIZE):
        entry = src_pmd.read()[i].read()
        if entry:
            entry = entry._replace(write=False)
            if entry.folio is not ZERO_PAGE:
                src_pmd.read()[i].set(entry)
                dst_vma.vm_mm.rss.inc()
                entry.folio.refcount.inc()
            table[i].set(entry)
    return 0
""",
    ),
    Mutant(
        "read, then set",
        ZAP,
        source="""
def zap_pte_range(vma, pmd, addr, end):
    mm = vma.vm_mm
    while addr < end:
        slot = pmd.read()[pte_index(addr)]
        entry = slot.read()
        slot.set(None)
        if entry is not None and not entry.special:
            folio_put(entry.folio)
            mm.rss.add(-1)
        addr += PAGE_SIZE
""",
    ),
    Mutant(
        "the parent is the victim",
        "wrong_bytes",
        source="""
def wrong_bytes():
    return (Mmap("m", 8192), Write("m", 4096, b"secret"), Fork("k"), Write("m", 4096, b"!"), Read("m", 4096, by="k"))
""",
    ),
    Mutant("a wrong guess", "predict_fork_faults", 'return "c"', 'return "a"'),
    Mutant(
        "an anon_vma once there is memory",
        ANON,
        "    anon_vma_prepare(vmf.vma)\n    folio = alloc_folio()\n    if folio is None:\n        return VM_FAULT_OOM\n",
        "    folio = alloc_folio()\n    if folio is None:\n        return VM_FAULT_OOM\n    anon_vma_prepare(vmf.vma)\n",
    ),
    Mutant(
        "an anon_vma once there is memory for a copy",
        WP,
        "    anon_vma_prepare(vmf.vma)\n    folio = alloc_folio()\n    if folio is None:\n        return VM_FAULT_OOM\n",
        "    folio = alloc_folio()\n    if folio is None:\n        return VM_FAULT_OOM\n    anon_vma_prepare(vmf.vma)\n",
    ),
    Mutant(
        "a match, and the last page first",
        COPY,
        source="""
def copy_pte_range(dst_vma, src_vma, dst_pmd, src_pmd, addr, end):
    dst = pte_alloc(dst_vma.vm_mm, dst_pmd)
    if dst is None:
        return ENOMEM
    src = src_pmd.read()

    def copy(at):
        slot = src[pte_index(at)]
        match slot.read():
            case None:
                return
            case entry if is_zero_pte(entry):
                dst[pte_index(at)].set(entry)
            case entry:
                shared = pte_wrprotect(entry)
                slot.set(shared)
                dst[pte_index(at)].set(shared)
                folio_get(entry.folio)
                dst_vma.vm_mm.rss.inc()

    for at in reversed(range(addr, end, PAGE_SIZE)):
        copy(at)
    return 0
""",
    ),
    Mutant(
        "halves, by recursion",
        ZAP,
        source="""
def zap_pte_range(vma, pmd, addr, end):
    if end - addr > PAGE_SIZE:
        middle = addr + (end - addr) // PAGE_SIZE // 2 * PAGE_SIZE
        zap_pte_range(vma, pmd, addr, middle)
        zap_pte_range(vma, pmd, middle, end)
        return
    slot = pmd.read()[pte_index(addr)]
    entry = slot.read()
    try:
        if entry is not None and not is_zero_pte(entry):
            folio_put(entry.folio)
            vma.vm_mm.rss.dec()
    finally:
        slot.set(None)
""",
    ),
]
