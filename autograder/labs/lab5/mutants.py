"""Lab 5: what students get wrong about a page that never goes, and what they may write otherwise."""

from ...prove.mutant import Mutant
from . import mutants_counting

INIT, MM_GET, MM_PUT = "hugezero_init", "mm_get_huge_zero_folio", "mm_put_huge_zero_folio"
LARGEST, ZERO, BLOCK = "largest_zero_folio", "blkdev_issue_zero_pages", "assemble_block"
SECRET = "secret_on_disk"


def _program(*actions: str) -> str:
    lines = ",\n        ".join(actions)
    return f"def secret_on_disk():\n    return [\n        {lines},\n    ]\n"


MUTANTS = [
    Mutant(
        "no position at all",
        "when_would_you",
        "return 1024",
        "pass",
        "a_position_with_a_number",
        'A function without a return has given no answer. If you mean never, say "never".',
    ),
    # secret_on_disk
    Mutant(
        "memory never gets tight",
        SECRET,
        "        DropCaches(),\n",
        "",
        "the_disk_reads_a_frame_that_was_freed",
        "When the process has gone, nobody uses the folio any more; but only the shrinker frees it, and it must be asked.",
    ),
    Mutant(
        "the process lives on",
        SECRET,
        "        Exit(),\n",
        "",
        "the_disk_reads_a_frame_that_was_freed",
        "As long as the process lives, its mm holds the folio, and the shrinker leaves it alone.",
    ),
    Mutant(
        "the disk never works",
        SECRET,
        "        DiskWorks(),\n",
        "",
        "the_disk_reads_a_frame_that_was_freed",
        "A bio that waits does no harm. The disk has to come to it.",
    ),
    Mutant(
        "the disk is faster",
        SECRET,
        "        Zeroout(),\n",
        "        Zeroout(),\n        DiskWorks(),\n",
        "the_disk_reads_a_frame_that_was_freed",
        "The disk was through before the process ended. That is what mostly happens, and why such a bug lives long.",
    ),
    Mutant(
        "nobody takes the frame",
        SECRET,
        '        Write("b", 0, b"secret", by="other"),\n',
        "",
        "what_another_process_wrote_is_on_the_disk",
        "A frame that is free still holds what its last owner left in it: zeroes. Nobody would notice.",
    ),
    Mutant(
        "the secret was there before",
        SECRET,
        source=_program(
            'Mmap("b", 2 << 20)',
            'Madvise("b", "hugepage")',
            'Fork("other")',
            'Write("b", 0, b"secret", by="other")',
            "Zeroout()",
            "Exit()",
            "DropCaches()",
            "DiskWorks()",
        ),
        caught_by="what_another_process_wrote_is_on_the_disk",
        story="That process has its frame already, so it is given no other. Whoever asks for memory next is given the free one.",
    ),
    Mutant(
        "no program at all",
        SECRET,
        source="def secret_on_disk():\n    return []\n",
        caught_by="the_disk_reads_a_frame_that_was_freed",
        story="Begin with Zeroout(): what must happen between it and DiskWorks()?",
    ),
    *mutants_counting.MUTANTS,
    # guesses
    Mutant(
        "no guess about counting",
        "predict_counting_again",
        'return "d"',
        'return "about 1.5 times"',
        "a_guess_about_counting",
        "The guess is one letter.",
    ),
    Mutant(
        "no guess about 1 GiB",
        "predict_one_gib",
        'return "b"',
        "return 512",
        "a_guess_about_one_gib",
        "The guess is one letter.",
    ),
    Mutant(
        "a position without a number",
        "when_would_you",
        "return 1024",
        'return "always"',
        "a_position_with_a_number",
        "Always is a number of MiB as well: that of the smallest machine there is.",
    ),
    # hugezero_init
    Mutant(
        "persistent whatever was asked for",
        INIT,
        "    if not config.PERSISTENT_HUGE_ZERO_FOLIO.test():\n",
        "    if False:\n",
        "without_the_option_all_is_as_before",
        "The option is off by default, because 2 MiB that never come back are too much for some machines.",
    ),
    Mutant(
        "the shrinker is still registered",
        INIT,
        source="""\
def hugezero_init(config):
    shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)
    if config.PERSISTENT_HUGE_ZERO_FOLIO.test() and get_huge_zero_folio(HUGE_ZERO) is None:
        pr_warn("no memory for a persistent huge zero folio")
""",
        caught_by="a_persistent_folio_is_there_from_boot_on",
        story="A shrinker gives back what nobody uses. Nobody counts who uses a folio that stays, so one day it would go.",
    ),
    Mutant(
        "the shrinker is never registered",
        INIT,
        "        shrinker_register(",
        "        (",
        "without_the_option_all_is_as_before",
        "Without the option the folio comes and goes as in lab 4, and it is the shrinker that lets it go.",
    ),
    Mutant(
        "a boot without memory is the end",
        INIT,
        '        pr_warn("no memory for a persistent huge zero folio: small pages of zeroes must do")',
        '        raise MemoryError("no memory for a persistent huge zero folio")',
        "a_boot_without_memory_is_survived",
        "A machine that does not boot helps nobody. Small pages of zeroes are slower, and right.",
    ),
    Mutant(
        "nobody is told",
        INIT,
        '        pr_warn("no memory for a persistent huge zero folio: small pages of zeroes must do")',
        "        pass",
        "a_boot_without_memory_is_survived",
        "Who has asked for the option should be able to find out that it has no effect.",
    ),
    Mutant(
        "no memory at boot: then as in lab 4",
        INIT,
        '        pr_warn("no memory for a persistent huge zero folio: small pages of zeroes must do")',
        '        pr_warn("no memory for a persistent huge zero folio")\n'
        '        shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)',
        "a_boot_without_memory_is_survived",
        "Code that was built for a folio that stays holds no references. If one came later, and could go, nobody would "
        "hold it.",
    ),
    Mutant(
        "one page instead of 512",
        INIT,
        source="""\
def hugezero_init(config):
    if not config.PERSISTENT_HUGE_ZERO_FOLIO.test():
        shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)
        return
    folio = alloc_folio()
    if folio is None:
        pr_warn("no memory")
        return
    clear_folio(folio)
    HUGE_ZERO.folio.set(folio)
    HUGE_ZERO.refcount.set(2)
""",
        caught_by="a_persistent_folio_is_there_from_boot_on",
        story="The huge zero folio is 2 MiB long: alloc_folio(HPAGE_PMD_ORDER).",
    ),
    Mutant(
        "boot takes a second folio where the first one fails",
        INIT,
        "    elif get_huge_zero_folio(HUGE_ZERO) is None:\n",
        "    elif get_huge_zero_folio(HUGE_ZERO) is None and get_huge_zero_folio(HUGE_ZERO) is None:\n",
        "a_boot_without_memory_is_survived",
        "The allocator has tried already, and asked the shrinkers. A boot that asks again and again is no better.",
    ),
    Mutant(
        "two references for the kernel, one of which is given back",
        INIT,
        source="""\
def hugezero_init(config):
    if not config.PERSISTENT_HUGE_ZERO_FOLIO.test():
        shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)
    elif alloc_folio(HPAGE_PMD_ORDER) is None:
        pr_warn("no memory")
    else:
        get_huge_zero_folio(HUGE_ZERO)
""",
        caught_by="a_persistent_folio_is_there_from_boot_on",
        story="Trying whether there is memory takes that memory. get_huge_zero_folio says itself whether there was some.",
    ),
    Mutant(
        "the statistics are counted twice",
        INIT,
        '        pr_warn("no memory for a persistent huge zero folio: small pages of zeroes must do")',
        '        pr_warn("no memory for a persistent huge zero folio")\n    else:\n        VMSTAT.thp_zero_page_alloc.inc()',
        "programs_live_on_whatever_was_booted",
        "get_huge_zero_folio has counted this allocation already.",
    ),
    # mm_get_huge_zero_folio
    Mutant(
        "counted although it stays",
        MM_GET,
        "CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or mm.huge_zero.test()",
        "mm.huge_zero.test()",
        "what_never_goes_is_not_counted",
        "A count that nobody looks at is a cache line that all CPUs fight for, and for nothing.",
    ),
    Mutant(
        "no memory at boot, and it tries again",
        MM_GET,
        "    if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or mm.huge_zero.test():\n",
        "    if HUGE_ZERO.folio.read() and (CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or mm.huge_zero.test()):\n",
        "what_never_goes_is_not_counted",
        "A folio that comes later has no shrinker and holds nobody's reference. If there was none at boot there is none.",
    ),
    Mutant(
        "never counted at all",
        MM_GET,
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n    if folio is not None and mm.huge_zero.test_and_set():\n"
        "        put_huge_zero_folio(HUGE_ZERO)\n    return folio\n",
        "    return HUGE_ZERO.folio.read()\n",
        "where_it_may_go_each_mm_holds_it_once",
        "Without the option the folio can go. Who does not hold it may be left with a freed one.",
    ),
    Mutant(
        "a reference for each call",
        MM_GET,
        " or mm.huge_zero.test():",
        ":",
        "where_it_may_go_each_mm_holds_it_once",
        "It is put back at once, but the shared line was written to twice. The flag is there to spare that.",
    ),
    Mutant(
        "the flag is set first",
        MM_GET,
        "    folio = get_huge_zero_folio(HUGE_ZERO)\n    if folio is not None and mm.huge_zero.test_and_set():\n"
        "        put_huge_zero_folio(HUGE_ZERO)\n    return folio\n",
        "    mm.huge_zero.set()\n    return get_huge_zero_folio(HUGE_ZERO)\n",
        "where_it_may_go_each_mm_holds_it_once",
        "If there is no memory, the flag promises a reference that nobody has taken, and one is given back at the end.",
    ),
    Mutant(
        "two threads, two references",
        MM_GET,
        "    if folio is not None and mm.huge_zero.test_and_set():\n        put_huge_zero_folio(HUGE_ZERO)\n",
        "    if folio is not None:\n        mm.huge_zero.set()\n",
        "two_threads_and_a_shrinker_in_both_kernels",
        "Another thread of this mm may have been faster. test_and_set tells, and one of the two references goes back.",
    ),
    Mutant(
        "it returns nothing where it stays",
        MM_GET,
        "        return HUGE_ZERO.folio.read()\n",
        "        return None\n",
        "what_never_goes_is_not_counted",
        "The caller wants to map it, so it must be told which folio it is.",
    ),
    # mm_put_huge_zero_folio
    Mutant(
        "put although nobody holds it",
        MM_PUT,
        "not CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() and mm.huge_zero.test()",
        "CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or mm.huge_zero.test()",
        "only_what_was_held_is_given_back",
        "Each process that ends takes one off the count of a folio that stays for ever. Soon it is below zero.",
    ),
    Mutant(
        "put without a look at the flag",
        MM_PUT,
        " and mm.huge_zero.test()",
        "",
        "only_what_was_held_is_given_back",
        "Most processes never read a huge page of zeroes. They have nothing to give back.",
    ),
    Mutant(
        "never put",
        MM_PUT,
        "    if not CONFIG",
        "    if False and not CONFIG",
        "only_what_was_held_is_given_back",
        "Without the option each mm that ends gives its reference back, or the folio never goes.",
    ),
    Mutant(
        "put frees it",
        MM_PUT,
        "        put_huge_zero_folio(HUGE_ZERO)\n",
        "        put_huge_zero_folio(HUGE_ZERO)\n"
        "        if HUGE_ZERO.refcount.cmpxchg(1, 0) == 1:\n"
        "            free_folio(HUGE_ZERO.folio.xchg(None))\n",
        "only_what_was_held_is_given_back",
        "It is the shrinker that lets the folio go, when memory is tight. Freed at once, it would be zeroed again for the "
        "next reader, and so on.",
    ),
    Mutant(
        "put in two steps",
        MM_PUT,
        "        put_huge_zero_folio(HUGE_ZERO)\n",
        "        count = HUGE_ZERO.refcount.read()\n        HUGE_ZERO.refcount.set(count - 1)\n",
        "processes_end_in_both_kernels",
        "Between the look at the count and the store another process can end. One of the two references is never given back.",
    ),
    # largest_zero_folio
    Mutant(
        "whatever huge folio is there",
        LARGEST,
        "HUGE_ZERO.folio.read() if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() else None",
        "HUGE_ZERO.folio.read()",
        "the_largest_folio_that_never_goes",
        "Without the option that folio belongs to those who hold it. It may go while the disk reads it: it is the bug of "
        "5.2 again.",
    ),
    Mutant(
        "None where there is no huge one",
        LARGEST,
        "    return ZERO_PAGE if folio is None else folio\n",
        "    return folio\n",
        "the_largest_folio_that_never_goes",
        "There is always a folio of zeroes that never goes: the zero page.",
    ),
    Mutant(
        "always the zero page",
        LARGEST,
        "    return ZERO_PAGE if folio is None else folio\n",
        "    return ZERO_PAGE\n",
        "the_largest_folio_that_never_goes",
        "That is right, and what it was all for is gone: 512 pieces for what could be one.",
    ),
    Mutant(
        "a reference that nobody gives back",
        LARGEST,
        "HUGE_ZERO.folio.read() if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() else None",
        "get_huge_zero_folio(HUGE_ZERO) if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() else None",
        "the_largest_folio_that_never_goes",
        "Callers of this function have nothing to give back, and nobody to do it for them.",
    ),
    Mutant(
        "it looks twice",
        LARGEST,
        source="""\
def largest_zero_folio():
    if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() and HUGE_ZERO.folio.read() is not None:
        return HUGE_ZERO.folio.read()
    if HUGE_ZERO.refcount.read() > 1:
        return HUGE_ZERO.folio.read()
    return ZERO_PAGE
""",
        caught_by="it_can_be_read_whoever_goes",
        story="Somebody uses the huge zero folio now. That says nothing about the moment at which the disk reads it.",
    ),
    # blkdev_issue_zero_pages
    Mutant(
        "2 MiB hard-coded",
        ZERO,
        "    whole = zeroes.nr_pages * PAGE_SIZE\n",
        "    whole = 2 << 20\n",
        "zeroes_reach_the_disk_in_any_kernel",
        "largest_zero_folio gives what there is, and that may be 4 KiB. Ask the folio for its size.",
    ),
    Mutant(
        "4 KiB hard-coded",
        ZERO,
        "    whole = zeroes.nr_pages * PAGE_SIZE\n",
        "    whole = PAGE_SIZE\n",
        "pieces_are_as_large_as_there_are",
        "Right, and as slow as in lab 1: the folio may be much larger than that.",
    ),
    Mutant(
        "two sizes are known",
        ZERO,
        "    whole = zeroes.nr_pages * PAGE_SIZE\n",
        "    whole = PAGE_SIZE if zeroes is ZERO_PAGE else 2 << 20\n",
        "every_edge_of_a_bio_of_any_zeroes",
        "There may be a third size one day. The folio knows its own.",
    ),
    Mutant(
        "the last piece is a whole one",
        ZERO,
        "min(whole, nr_sects * SECTOR_SIZE)",
        "whole",
        "zeroes_reach_the_disk_in_any_kernel",
        "What lies behind the range was zeroed as well. It was somebody's.",
    ),
    Mutant(
        "the last piece is a page",
        ZERO,
        "min(whole, nr_sects * SECTOR_SIZE)",
        "min(whole, max(PAGE_SIZE, nr_sects * SECTOR_SIZE))",
        "zeroes_reach_the_disk_in_any_kernel",
        "A range ends at a sector, not at a page.",
    ),
    Mutant(
        "the error is forgotten",
        ZERO,
        "        error = submit_bio_wait(bio)\n        if error:\n            return error\n",
        "        submit_bio_wait(bio)\n",
        "errors_of_the_disk_are_passed_on",
        "The caller believes that the sectors are zero. They still hold what was there.",
    ),
    Mutant(
        "the disk is never asked whether it can zero by itself",
        ZERO,
        "    at_once = bdev_write_zeroes_sectors(bdev)\n",
        "    at_once = 0\n",
        "errors_of_the_disk_are_passed_on",
        "A disk that zeroes by itself needs no bytes from memory at all, however large the zeroes are.",
    ),
    Mutant(
        "a bio for each piece",
        ZERO,
        "        while nr_sects and bio_add_folio(",
        "        if nr_sects and bio_add_folio(",
        "pieces_are_as_large_as_there_are",
        "A bio has room for 256 pieces. Each bio costs a command, and a wait.",
    ),
    Mutant(
        "an error of the disk's own zeroing is forgotten",
        ZERO,
        "        error = issue_write_zeroes(bdev, sector, n)\n        if error:\n            return error\n",
        "        issue_write_zeroes(bdev, sector, n)\n",
        "any_range_of_any_disk_in_any_kernel",
        "A disk that zeroes by itself can fail at that, too.",
    ),
    # assemble_block
    Mutant(
        "the tail begins where the data begin",
        BLOCK,
        "(block_size - offset - length, 0)",
        "(block_size - offset, 0)",
        "a_small_block_is_its_data_and_zeroes",
        "Behind the data there is so much left as the block is longer than offset and length together.",
    ),
    Mutant(
        "no zeroes behind the data",
        BLOCK,
        ", (block_size - offset - length, 0)):",
        ",):",
        "a_small_block_is_its_data_and_zeroes",
        "The rest of the block keeps what was on the disk: somebody's old data, in a file of somebody else.",
    ),
    Mutant(
        "no zeroes before the data",
        BLOCK,
        "((offset, length), ",
        "((0, length), ",
        "a_small_block_is_its_data_and_zeroes",
        "The data were written too far in front, and the block is too short.",
    ),
    Mutant(
        "the data from the start of their folio",
        BLOCK,
        "bio_add_folio(bio, folio, data, offset)",
        "bio_add_folio(bio, folio, data)",
        "a_small_block_is_its_data_and_zeroes",
        "The data are in the folio at the same offset as in the block. What lies before them was never cleared.",
    ),
    Mutant(
        "the whole folio as it is",
        BLOCK,
        source="""\
def assemble_block(bdev, sector, folio, offset, length, block_size):
    bio = bio_alloc(bdev, sector)
    bio_add_folio(bio, folio, block_size)
    return submit_bio_wait(bio)
""",
        caught_by="a_small_block_is_its_data_and_zeroes",
        story="Around the data the folio holds what its last owner left in it. Now that is on the disk.",
    ),
    Mutant(
        "the folio is cleared around the data",
        BLOCK,
        source="""\
def assemble_block(bdev, sector, folio, offset, length, block_size):
    copy = alloc_folio(folio.order)
    clear_folio(copy)
    copy.data.store(offset, folio.data.load(offset, length))
    bio = bio_alloc(bdev, sector)
    bio_add_folio(bio, copy, block_size)
    return submit_bio_wait(bio)
""",
        caught_by="a_small_block_is_its_data_and_zeroes",
        story="A copy takes memory, in the middle of a write that may have been started because memory is tight.",
    ),
    Mutant(
        "blocks of 4 KiB only",
        BLOCK,
        "(block_size - offset - length, 0)",
        "(PAGE_SIZE - offset - length, 0)",
        "large_blocks_in_both_kernels",
        "File systems with blocks of 16 and 64 KiB are what the persistent folio was made for.",
    ),
    Mutant(
        "one piece of zeroes must do",
        BLOCK,
        "        while pad:\n",
        "        if pad:\n",
        "large_blocks_in_both_kernels",
        "Without the option a piece of zeroes is 4 KiB at most, and a block may need fifteen of them.",
    ),
    Mutant(
        "2 MiB hard-coded in a block",
        BLOCK,
        "    whole = zeroes.nr_pages * PAGE_SIZE\n",
        "    whole = 2 << 20\n",
        "large_blocks_in_both_kernels",
        "largest_zero_folio gives what there is, and that may be 4 KiB. Ask the folio for its size.",
    ),
    Mutant(
        "two sizes are known in a block",
        BLOCK,
        "    whole = zeroes.nr_pages * PAGE_SIZE\n",
        "    whole = PAGE_SIZE if zeroes is ZERO_PAGE else 2 << 20\n",
        "zeroes_of_a_third_size_do_as_well",
        "There may be a third size one day. The folio knows its own.",
    ),
    Mutant(
        "a piece of data even where there are none",
        BLOCK,
        "        if data:\n            bio_add_folio(bio, folio, data, offset)\n",
        "        if pad == 0 and data is not False and data != 0 or data == 0 and length == 0:\n"
        "            bio_add_folio(bio, folio, data, offset)\n",
        "any_part_of_any_block",
        "A block may have no data at all: then it is zeroes, and nothing else.",
    ),
    Mutant(
        "the error of a block is forgotten",
        BLOCK,
        "    return submit_bio_wait(bio)\n",
        "    submit_bio_wait(bio)\n    return 0\n",
        "a_block_that_does_not_reach_the_disk_is_an_error",
        "The file system believes that the block is on the disk.",
    ),
    Mutant(
        "a block in three writes",
        BLOCK,
        source="""\
def assemble_block(bdev, sector, folio, offset, length, block_size):
    zeroes = largest_zero_folio()
    whole = zeroes.nr_pages * PAGE_SIZE
    if offset % SECTOR_SIZE or length % SECTOR_SIZE or sector + block_size // SECTOR_SIZE > bdev.bd_nr_sectors + 8:
        bio = bio_alloc(bdev, sector)
        for pad, data in ((offset, length), (block_size - offset - length, 0)):
            while pad:
                n = min(pad, whole)
                bio_add_folio(bio, zeroes, n)
                pad -= n
            if data:
                bio_add_folio(bio, folio, data, offset)
        return submit_bio_wait(bio)
    for pad, data in ((offset, length), (block_size - offset - length, 0)):
        if pad or data:
            bio = bio_alloc(bdev, sector)
            sector += (pad + data) // SECTOR_SIZE
            while pad:
                n = min(pad, whole)
                bio_add_folio(bio, zeroes, n)
                pad -= n
            if data:
                bio_add_folio(bio, folio, data, offset)
            error = submit_bio_wait(bio)
            if error:
                return error
    return 0
""",
        caught_by="a_small_block_is_its_data_and_zeroes",
        story="A block that goes out in parts can reach the disk in parts.",
    ),
    Mutant(
        "tried once more after an error",
        BLOCK,
        "    return submit_bio_wait(bio)\n",
        "    error = submit_bio_wait(bio)\n"
        "    if error and sector + block_size // SECTOR_SIZE <= bdev.bd_nr_sectors:\n"
        "        bdev.data.paste(sector * SECTOR_SIZE, zeroes.data.read(), 0, min(whole, block_size))\n"
        "    return error\n",
        "one_bio_a_block_and_no_more_on_the_disk_than_reached_it",
        "After an error the disk holds what had reached it before the bad sector. Writing over that makes it worse.",
    ),
    Mutant(
        "the flag of the first mm",
        "mm_get_huge_zero_folio",
        "CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or mm.huge_zero.test()",
        "CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or type(mm)(1).huge_zero.test()",
        "two_threads_and_a_shrinker_in_both_kernels",
    ),
    Mutant(
        "the flag of the first mm is given back",
        "mm_put_huge_zero_folio",
        "mm.huge_zero.test()",
        "type(mm)(1).huge_zero.test()",
        "processes_end_in_both_kernels",
    ),
]
EQUIVALENTS = [
    *mutants_counting.EQUIVALENTS,
    Mutant(
        "register_huge_zero_shrinker of lab 3",
        INIT,
        '        shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)\n',
        "        register_huge_zero_shrinker(config)\n",
    ),
    Mutant(
        "all of boot by hand",
        INIT,
        source="""\
def hugezero_init(config):
    if not config.PERSISTENT_HUGE_ZERO_FOLIO.read():
        register_huge_zero_shrinker()
        return
    folio = alloc_folio(HPAGE_PMD_ORDER)
    if folio is None:
        VMSTAT.thp_zero_page_alloc_failed.inc()
        pr_warn("huge zero folio: no memory")
        return
    clear_folio(folio)
    HUGE_ZERO.folio.set(folio)
    HUGE_ZERO.refcount.set(1)
    VMSTAT.thp_zero_page_alloc.inc()
""",
    ),
    Mutant(
        "one question after the other",
        MM_GET,
        source="""\
def mm_get_huge_zero_folio(mm):
    if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test():
        return HUGE_ZERO.folio.read()
    if not mm.huge_zero.test():
        if get_huge_zero_folio(HUGE_ZERO) is None:
            return None
        if mm.huge_zero.test_and_set():
            put_huge_zero_folio(HUGE_ZERO)
    return HUGE_ZERO.folio.read()
""",
    ),
    Mutant(
        "the flag is asked first",
        MM_PUT,
        source="""\
def mm_put_huge_zero_folio(mm):
    if mm.huge_zero.test():
        if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test():
            return
        put_huge_zero_folio(HUGE_ZERO)
""",
    ),
    Mutant(
        "or, in one line",
        LARGEST,
        source="""\
def largest_zero_folio():
    return CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() and HUGE_ZERO.folio.read() or ZERO_PAGE
""",
    ),
    Mutant(
        "bytes instead of sectors",
        ZERO,
        source="""\
def blkdev_issue_zero_pages(bdev, sector, nr_sects):
    able = bdev_write_zeroes_sectors(bdev)
    end = sector + nr_sects
    while able and sector < end:
        n = min(able, end - sector)
        if issue_write_zeroes(bdev, sector, n):
            return EIO
        sector += n
    folio = largest_zero_folio()
    left = (end - sector) * SECTOR_SIZE
    while left > 0:
        bio = bio_alloc(bdev, end - left // SECTOR_SIZE)
        full = False
        while left and not full:
            piece = min(left, folio.nr_pages * PAGE_SIZE)
            full = not bio_add_folio(bio, folio, piece)
            if not full:
                left -= piece
        error = submit_bio_wait(bio)
        if error:
            return error
    return 0
""",
    ),
    Mutant(
        "head, data and tail one after the other",
        BLOCK,
        source="""\
def assemble_block(bdev, sector, folio, offset, length, block_size):
    zeroes = largest_zero_folio()
    size = zeroes.nr_pages * PAGE_SIZE

    def pad(n):
        for start in range(0, n, size):
            bio_add_folio(bio, zeroes, min(size, n - start))

    bio = bio_alloc(bdev, sector)
    pad(offset)
    if length > 0:
        bio_add_folio(bio, folio, length, offset)
    pad(block_size - (offset + length))
    return submit_bio_wait(bio)
""",
    ),
    Mutant(
        "memory gets tight because somebody takes it",
        SECRET,
        source=_program(
            'Mmap("all", 6 << 20)',
            'Mmap("b", 2 << 20)',
            'Madvise("all", "hugepage")',
            'Madvise("b", "hugepage")',
            'Fork("other")',
            "Zeroout()",
            'Write("all", 0, b"full", 6 << 20, 2 << 20, by="other")',
            "Exec()",
            'DropCaches(3, by="other")',
            'Write("b", 4096, b"mine", by="other")',
            "DiskWorks(1)",
        ),
    ),
    Mutant(
        "small pages do as well",
        SECRET,
        '        Madvise("b", "hugepage"),\n',
        "",
    ),
    Mutant("never", "when_would_you", "return 1024", 'return "never"'),
    Mutant("on every machine", "when_would_you", "return 1024", "return 0"),
    Mutant("a number with a point", "when_would_you", "return 1024", "return 65536.0"),
]
