"""Lab 1, the zero page: memory that nobody wrote shares one page of zeroes.

New against the kernel before: a read of untouched memory takes no frame, fork copies entries
and not bytes, and the first write to a shared page breaks the sharing.
"""

from hugezero.block.bio import (
    SECTOR_SIZE,
    bdev_write_zeroes_sectors,
    bio_add_folio,
    bio_alloc,
    issue_write_zeroes,
    submit_bio_wait,
)
from hugezero.hw.ram import PAGE_SIZE
from hugezero.mm.mm_types import ENOMEM, VM_FAULT_OOM, anon_vma_prepare
from hugezero.mm.page_alloc import ZERO_PAGE, alloc_folio, clear_folio, folio_get, folio_put
from hugezero.mm.pgtable import (
    copy_user_page,
    is_zero_pte,
    mk_pte,
    pte_alloc,
    pte_index,
    pte_mkdirty,
    pte_mkwrite,
    pte_wrprotect,
    zero_pte,
)
from hugezero.scenario import Fork, Mmap, Read, Write


def do_anonymous_page(vmf):
    """Give a page to an address of private anonymous memory that has none yet.

    A read gets the zero page, which nobody counts. A write gets a zeroed folio of its own.
    Returns 0, or VM_FAULT_OOM.
    Linux: mm/memory.c
    """
    if not vmf.write:
        vmf.pte.set(zero_pte())  # no anon_vma either: fork need not look at an area that only read zeroes
        return 0
    anon_vma_prepare(vmf.vma)
    folio = alloc_folio()
    if folio is None:
        return VM_FAULT_OOM
    clear_folio(folio)
    vmf.vma.vm_mm.rss.inc()
    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))
    return 0


def do_wp_page(vmf):
    """Let a write through to a page of private memory that is mapped read-only.

    The zero page: a zeroed folio takes its place, and nothing is copied. A folio that
    somebody else holds too: a copy takes its place. A folio that nobody else holds is
    simply made writable.
    Returns 0, or VM_FAULT_OOM.
    Linux: mm/memory.c
    """
    entry = vmf.orig_pte
    if not is_zero_pte(entry) and entry.folio.refcount.read() == 1:
        vmf.pte.set(pte_mkdirty(pte_mkwrite(entry)))
        return 0
    anon_vma_prepare(vmf.vma)
    folio = alloc_folio()
    if folio is None:
        return VM_FAULT_OOM
    if is_zero_pte(entry):
        clear_folio(folio)
        vmf.vma.vm_mm.rss.inc()
    else:
        copy_user_page(folio, entry)
    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))
    if not is_zero_pte(entry):
        folio_put(entry.folio)  # last: until the entry has changed, it is still mapped here
    return 0


def blkdev_issue_zero_pages(bdev, sector, nr_sects):
    """Make *nr_sects* sectors of *bdev*, from *sector*, read as zeroes.

    A disk that can zero by itself is asked to, as much at a time as it takes. Any other
    one is written to with the zero page, as many pieces to a bio as fit. No memory is
    allocated.
    Returns 0, or EIO.
    Linux: block/blk-lib.c
    """
    at_once = bdev_write_zeroes_sectors(bdev)
    while nr_sects and at_once:
        n = min(nr_sects, at_once)
        error = issue_write_zeroes(bdev, sector, n)
        if error:
            return error
        sector, nr_sects = sector + n, nr_sects - n
    while nr_sects:
        bio = bio_alloc(bdev, sector)
        while nr_sects and bio_add_folio(bio, ZERO_PAGE, min(PAGE_SIZE, nr_sects * SECTOR_SIZE)):
            n = min(PAGE_SIZE // SECTOR_SIZE, nr_sects)
            sector, nr_sects = sector + n, nr_sects - n
        error = submit_bio_wait(bio)
        if error:
            return error
    return 0


def copy_pte_range(dst_vma, src_vma, dst_pmd, src_pmd, addr, end):
    """Copy the entries from *addr* to *end* for a forked child; the pages become shared.

    Each folio gets one more holder, and from now on neither side may write to it without
    a fault.
    Returns 0, or ENOMEM.
    Linux: mm/memory.c
    """
    src, dst = src_pmd.read(), pte_alloc(dst_vma.vm_mm, dst_pmd)
    if dst is None:
        return ENOMEM
    for address in range(addr, end, PAGE_SIZE):
        entry = src[pte_index(address)].read()
        if entry is None:
            continue
        if not is_zero_pte(entry):
            folio_get(entry.folio)
            dst_vma.vm_mm.rss.inc()
            if entry.write:
                entry = pte_wrprotect(entry)
                src[pte_index(address)].set(entry)
        dst[pte_index(address)].set(entry)
    return 0


def zap_pte_range(vma, pmd, addr, end):
    """Empty the entries from *addr* to *end* and give back what they held.

    Linux: mm/memory.c
    """
    table = pmd.read()
    for address in range(addr, end, PAGE_SIZE):
        entry = table[pte_index(address)].xchg(None)
        if entry is None or is_zero_pte(entry):
            continue
        vma.vm_mm.rss.dec()
        folio_put(entry.folio)


def predict_fork_faults():
    """How many page faults does a child take that reads again what its parent has read?

    Returns "a" (none), "b" (1) or "c" (16384).
    """
    return "c"


def wrong_bytes():
    """A program that reads wrong bytes on a kernel whose do_wp_page trusts the dirty bit.

    Returns a list of actions: Mmap, Read, Write, Fork, ...
    """
    return [
        Mmap("a", 4096),
        Write("a", data=b"p"),
        Fork("child"),
        Write("a", data=b"c", by="child"),
        Read("a"),
    ]
