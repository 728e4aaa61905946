"""Lab 5: what students get wrong about a reference for each bio, and what they may write otherwise."""

from ...prove.mutant import Mutant

COUNTING, END = "zeroout_counting", "end_zeroout"
OWN, LAW = "each_bio_has_a_reference_of_its_own", "the_zeroes_stay_until_the_disk_is_through"
RANGE, MEMORY = (
    "the_whole_range_is_zeroed_when_the_disk_is_through",
    "without_memory_nothing_is_sent_or_counted",
)
EACH, LAST = "each_bio_gives_its_reference_back", "the_last_bio_lets_the_folio_go_and_no_earlier_one"
TAKE = "        zeroes = get_huge_zero_folio(HUGE_ZERO)\n"
NONE = "        if zeroes is None:\n            return ENOMEM\n"
SEND = '        bio.bi_end_io = "end_zeroout"\n        submit_bio(bio)\n'
PUT = "    put_huge_zero_folio(HUGE_ZERO)\n"

MUTANTS = [
    # zeroout_counting
    Mutant(
        "given back when it is sent",
        COUNTING,
        SEND,
        "        submit_bio(bio)\n        put_huge_zero_folio(HUGE_ZERO)\n",
        OWN,
        "Sent is not written. Until the disk has come to the bio, somebody must hold what it reads.",
    ),
    Mutant(
        "given back when it is sent, and again at the end",
        COUNTING,
        SEND,
        SEND + "        put_huge_zero_folio(HUGE_ZERO)\n",
        OWN,
        "The reference now belongs to the bio. Whoever gives it back here gives back what is not theirs any more.",
    ),
    Mutant(
        "one reference for all bios",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    zeroes = get_huge_zero_folio(HUGE_ZERO)
    if zeroes is None:
        return ENOMEM
    while nr_sects:
        n = min(nr_sects, zeroes.nr_pages * PAGE_SIZE // SECTOR_SIZE)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, n * SECTOR_SIZE)
        bio.bi_end_io = "end_zeroout"
        submit_bio(bio)
        sector, nr_sects = sector + n, nr_sects - n
    return 0
""",
        caught_by=OWN,
        story="The first bio that ends gives back the only reference there was. The others are still waiting for the disk.",
    ),
    Mutant(
        "the folio is looked at, not taken",
        COUNTING,
        "get_huge_zero_folio(HUGE_ZERO)",
        "HUGE_ZERO.folio.read()",
        OWN,
        "It is there now. The disk comes later, and by then the shrinker may have been there.",
    ),
    Mutant(
        "held by the process",
        COUNTING,
        "get_huge_zero_folio(HUGE_ZERO)",
        "mm_get_huge_zero_folio(mm)",
        OWN,
        "A process gives its reference back when it ends, whatever the disk is doing.",
    ),
    Mutant(
        "nobody is told",
        COUNTING,
        '        bio.bi_end_io = "end_zeroout"\n',
        "",
        OWN,
        "When the disk is through nobody gives the reference back: this folio never goes again.",
    ),
    Mutant(
        "only the last bio gives back",
        COUNTING,
        '        bio.bi_end_io = "end_zeroout"\n',
        '        if sector + length // SECTOR_SIZE == end:\n            bio.bi_end_io = "end_zeroout"\n',
        OWN,
        "Each bio has a reference, so each one must give one back, in whatever order they end.",
    ),
    Mutant(
        "no memory for the second bio is no error",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    end = sector + nr_sects
    if nr_sects and get_huge_zero_folio(HUGE_ZERO) is None:
        return ENOMEM
    while sector < end:
        zeroes = HUGE_ZERO.folio.read()
        length = min(zeroes.nr_pages * PAGE_SIZE, (end - sector) * SECTOR_SIZE)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, length)
        bio.bi_end_io = "end_zeroout"
        submit_bio(bio)
        sector += length // SECTOR_SIZE
        if sector < end and get_huge_zero_folio(HUGE_ZERO) is None:
            return 0
    return 0
""",
        caught_by=LAW,
        story="Where memory runs out between two bios, not all are on their way, and the caller must be told: ENOMEM.",
    ),
    Mutant(
        "the second reference is taken in two steps",
        COUNTING,
        TAKE,
        "        zeroes = HUGE_ZERO.folio.read()\n"
        "        if zeroes is None:\n"
        "            zeroes = get_huge_zero_folio(HUGE_ZERO)\n"
        "        else:\n"
        "            HUGE_ZERO.refcount.inc()\n",
        LAW,
        "Between the look and the count the shrinker may take the folio away. get_huge_zero_folio does both at once.",
    ),
    Mutant(
        "the reference is counted after the bio is sent",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    end = sector + nr_sects
    while sector < end:
        zeroes = get_huge_zero_folio(HUGE_ZERO)
        if zeroes is None:
            return ENOMEM
        put_huge_zero_folio(HUGE_ZERO)
        length = min(zeroes.nr_pages * PAGE_SIZE, (end - sector) * SECTOR_SIZE)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, length)
        bio.bi_end_io = "end_zeroout"
        submit_bio(bio)
        HUGE_ZERO.refcount.inc()
        sector += length // SECTOR_SIZE
    return 0
""",
        caught_by=LAW,
        story="Take the reference before the bio is sent: the disk, or the shrinker, may be faster than your next line.",
    ),
    Mutant(
        "the last piece is a whole folio",
        COUNTING,
        "min(zeroes.nr_pages * PAGE_SIZE, (end - sector) * SECTOR_SIZE)",
        "zeroes.nr_pages * PAGE_SIZE",
        RANGE,
        "What lies after the range was zeroed as well. It was somebody's.",
    ),
    Mutant(
        "the last piece is forgotten",
        COUNTING,
        "    while sector < end:\n",
        "    while sector + 4096 <= end or sector == end - nr_sects < end:\n",
        RANGE,
        "A range need not be a multiple of 2 MiB. What is left over is a bio as well.",
    ),
    Mutant(
        "all bios begin at the same sector",
        COUNTING,
        "        bio = bio_alloc(bdev, sector)\n",
        "        bio = bio_alloc(bdev, end - nr_sects)\n",
        RANGE,
        "The second bio begins where the first one ends.",
    ),
    Mutant(
        "it waits for the disk",
        COUNTING,
        SEND,
        "        submit_bio_wait(bio)\n        put_huge_zero_folio(HUGE_ZERO)\n",
        RANGE,
        "That is safe, and the process stands still until the disk is through. It was to go on.",
    ),
    Mutant(
        "no memory is no error",
        COUNTING,
        "            return ENOMEM\n",
        "            return 0\n",
        MEMORY,
        "The caller believes that the sectors will be zero. Nobody is going to write to them.",
    ),
    Mutant(
        "no memory, and a reference is given back all the same",
        COUNTING,
        NONE,
        "        if zeroes is None:\n            HUGE_ZERO.refcount.add(-1)\n            return ENOMEM\n",
        MEMORY,
        "get_huge_zero_folio returned None: it has taken nothing, and there is nothing to give back.",
    ),
    Mutant(
        "a folio is taken for no sectors",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    end = sector + nr_sects
    zeroes = get_huge_zero_folio(HUGE_ZERO)
    if zeroes is None:
        return ENOMEM
    while sector < end:
        length = min(zeroes.nr_pages * PAGE_SIZE, (end - sector) * SECTOR_SIZE)
        get_huge_zero_folio(HUGE_ZERO)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, length)
        bio.bi_end_io = "end_zeroout"
        submit_bio(bio)
        sector += length // SECTOR_SIZE
    put_huge_zero_folio(HUGE_ZERO)
    return 0
""",
        caught_by=MEMORY,
        story="Nothing is to be zeroed, so nothing is needed for it; and where memory is short that must not fail.",
    ),
    Mutant(
        "no memory, and the bios sent before lose their references",
        COUNTING,
        NONE,
        "        if zeroes is None:\n"
        "            while HUGE_ZERO.refcount.read() > 1:\n"
        "                put_huge_zero_folio(HUGE_ZERO)\n"
        "            return ENOMEM\n",
        "any_range_and_two_programs_at_once",
        "What is on its way is the disk's: it gives those references back itself, and the others are somebody else's.",
    ),
    Mutant(
        "eight bios and no more",
        COUNTING,
        "    while sector < end:\n",
        "    while sector < end and len(bdev.queue.read()) < 8:\n",
        "any_range_and_two_programs_at_once",
        "A long range takes many bios, and there is room for them in the queue.",
    ),
    # end_zeroout
    Mutant(
        "nothing is given back",
        END,
        PUT,
        "    pass\n",
        EACH,
        "The folio can never go: nobody holds it, and its count says otherwise.",
    ),
    Mutant(
        "given back twice",
        END,
        PUT,
        PUT + PUT,
        EACH,
        "The second one belongs to another bio, or to a process, which is still reading.",
    ),
    Mutant(
        "only a bio that went well gives back",
        END,
        PUT,
        "    if bio.bi_status.read() == 0:\n        put_huge_zero_folio(HUGE_ZERO)\n",
        EACH,
        "The disk is through with a bio that failed as well, and does not need its memory any more.",
    ),
    Mutant(
        "freed with the last bio",
        END,
        PUT,
        PUT
        + "    if HUGE_ZERO.refcount.cmpxchg(1, 0) == 1:\n        free_folio(HUGE_ZERO.folio.xchg(None))\n",
        EACH,
        "Whether an idle folio goes is for the shrinker to say, when memory is tight. The next request would have to bring it again.",
    ),
    Mutant(
        "the kernel's own reference is given back with the last bio",
        END,
        PUT,
        PUT + "    if not bio.bi_bdev.queue.read():\n        HUGE_ZERO.refcount.dec()\n",
        EACH,
        "The last reference is the kernel's own, and only the shrinker takes it.",
    ),
    Mutant(
        "given back in two steps",
        END,
        PUT,
        "    count = HUGE_ZERO.refcount.read()\n    HUGE_ZERO.refcount.set(count - 1)\n",
        LAST,
        "Between the look at the count and the store somebody else takes a reference, and it is lost.",
    ),
    Mutant(
        "a reference for each piece",
        END,
        PUT,
        "    for _ in bio.bi_io_vec.read():\n        put_huge_zero_folio(HUGE_ZERO)\n",
        "bios_of_all_kinds_give_one_reference_back",
        "A bio has one reference, however many pieces it has.",
    ),
]
EQUIVALENTS = [
    Mutant(
        "from bio to bio in a for loop",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    at_once = (PAGE_SIZE << 9) // SECTOR_SIZE
    for first in range(sector, sector + nr_sects, at_once):
        folio = get_huge_zero_folio(HUGE_ZERO)
        if not isinstance(folio, type(ZERO_PAGE)):
            return ENOMEM
        bio = bio_alloc(bdev, first)
        bio.bi_end_io = "end_zeroout"
        bio_add_folio(bio, folio, min(at_once, sector + nr_sects - first) * SECTOR_SIZE)
        submit_bio(bio)
    return 0
""",
    ),
    Mutant(
        "the next reference before this bio is sent",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    if not nr_sects:
        return 0
    zeroes = get_huge_zero_folio(HUGE_ZERO)
    while zeroes is not None:
        n = min(nr_sects, zeroes.nr_pages * PAGE_SIZE // SECTOR_SIZE)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, n * SECTOR_SIZE)
        bio.bi_end_io = end_zeroout.__name__
        sector, nr_sects = sector + n, nr_sects - n
        if not nr_sects:
            submit_bio(bio)
            return 0
        zeroes = get_huge_zero_folio(HUGE_ZERO)
        submit_bio(bio)
    return ENOMEM
""",
    ),
    Mutant(
        "held for itself as well, while it sends",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    if nr_sects == 0:
        return 0
    zeroes = get_huge_zero_folio(HUGE_ZERO)
    if zeroes is None:
        return ENOMEM
    while nr_sects:
        n = min(nr_sects, zeroes.nr_pages * PAGE_SIZE // SECTOR_SIZE)
        get_huge_zero_folio(HUGE_ZERO)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, n * SECTOR_SIZE)
        bio.bi_end_io = "end_zeroout"
        submit_bio(bio)
        sector, nr_sects = sector + n, nr_sects - n
    put_huge_zero_folio(HUGE_ZERO)
    return 0
""",
    ),
    Mutant(
        "several pieces to a bio",
        COUNTING,
        source="""\
def zeroout_counting(mm, bdev, sector, nr_sects):
    while nr_sects:
        zeroes = get_huge_zero_folio(HUGE_ZERO)
        if zeroes is None:
            return ENOMEM
        bio = bio_alloc(bdev, sector)
        bio.bi_end_io = "end_zeroout"
        for _ in range(3):
            n = min(nr_sects, zeroes.nr_pages * PAGE_SIZE // SECTOR_SIZE)
            if n:
                bio_add_folio(bio, zeroes, n * SECTOR_SIZE)
            sector, nr_sects = sector + n, nr_sects - n
        submit_bio(bio)
    return 0
""",
    ),
    Mutant(
        "by hand, with a word on the way",
        END,
        PUT,
        "    print(bio, bio.bi_status.read())\n    hz = HUGE_ZERO\n    put_huge_zero_folio(hz)\n    return bio.bi_status.read()\n",
    ),
    Mutant("one off the count", END, PUT, "    HUGE_ZERO.refcount.add(-1)\n"),
]
