"""Two kernels as short as they can be: one counts entries of the huge zero page, the other counts mms.

They are right, and slow: one lock around every count, and a write always splits. A program cannot tell them from
the kernels of labs 3 and 4 by what stays in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...check.checks import Failed
from ...hw.ram import PMD_SIZE
from ...machine import Kernel
from ...mm.huge_memory import (
    HUGE_ZERO,
    flush_pmd_tlb_range,
    haddr_of,
    is_huge_zero_pmd,
    mk_huge_zero_pmd,
    pgtable_trans_huge_deposit,
    pgtable_trans_huge_withdraw,
    split_huge_pmd,
    thp_vma_suitable,
)
from ...mm.mm_types import ENOMEM, VM_FAULT_FALLBACK, VM_FAULT_OOM, Mm, Vma, VmFault, anon_vma_prepare
from ...mm.mmap import exit_mmap
from ...mm.page_alloc import Folio
from ...mm.pgtable import PmdTable, pte_alloc_one, pte_free_one
from ...scenario import NotAScenario, Simulated
from ...store import KernelBug, Slot
from ..locked_kernel import STAND_INS, get_huge_zero_folio, put_huge_zero_folio

PAGES = 1 << 16  # of the machine that a program runs on: 256 MiB
LEFT = {True: "the page is still there", False: "the page has gone"}


def _kernel(counts_mms: bool) -> Kernel:
    def hold(mm: Mm) -> Folio | None:
        held = get_huge_zero_folio(HUGE_ZERO)
        if counts_mms and held is not None:
            if mm.huge_zero.test():
                put_huge_zero_folio(HUGE_ZERO)
            mm.huge_zero.set()
        return held

    def let_go(vma: Vma, pmd: Slot, address: int, below: Any) -> None:
        pmd.set(below)
        flush_pmd_tlb_range(vma, haddr_of(address), haddr_of(address) + PMD_SIZE)
        if not counts_mms:
            put_huge_zero_folio(HUGE_ZERO)

    def place(vma: Vma, pmd: Slot) -> int:
        table = pte_alloc_one(vma.vm_mm)
        if table is None:
            return VM_FAULT_OOM
        folio = hold(vma.vm_mm)
        if folio is None:
            pte_free_one(vma.vm_mm, table)
            return VM_FAULT_FALLBACK
        pgtable_trans_huge_deposit(pmd, table)
        pmd.set(mk_huge_zero_pmd(folio))
        return 0

    def read(vmf: VmFault) -> int:
        if vmf.write or not thp_vma_suitable(vmf.vma, haddr_of(vmf.address)):
            return VM_FAULT_FALLBACK
        anon_vma_prepare(vmf.vma)
        return place(vmf.vma, vmf.pmd)

    def write(vmf: VmFault) -> int:
        split_huge_pmd(vmf.vma, vmf.pmd, vmf.address)
        return VM_FAULT_FALLBACK

    def split(vma: Vma, haddr: int, pmd: Slot) -> None:
        let_go(vma, pmd, haddr, pgtable_trans_huge_withdraw(pmd))  # empty: whoever wants a zero faults again

    def copy(dst_vma: Vma, src_vma: Vma, dst_pmd: Slot, src_pmd: Slot) -> int:
        return ENOMEM if place(dst_vma, dst_pmd) else 0

    def zap(vma: Vma, pmd: Slot, addr: int) -> None:
        pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))
        let_go(vma, pmd, addr, None)

    def end(mm: Mm) -> None:
        exit_mmap(mm)
        if counts_mms and mm.huge_zero.test():
            put_huge_zero_folio(HUGE_ZERO)

    functions = {
        "do_huge_pmd_anonymous_page": read,
        "do_huge_pmd_wp_page": write,
        "split_huge_zero_page_pmd": split,
        "copy_huge_pmd": copy,
        "zap_huge_pmd": zap,
        "__mmput": end,
    }
    return Kernel({**STAND_INS, **functions})


DESIGNS = {"entries are counted": _kernel(False), "mms are counted": _kernel(True)}


class End(NamedTuple):
    """When a program is over: huge entries that map the huge zero page, was it ever brought, is it there?"""

    maps: int
    brought: bool
    there: bool


def how_it_ended(kernel: Kernel, scenario: Iterable[Any], **config: Any) -> End:
    """Run *scenario* on a machine with *kernel*, and look at what is left; Failed where it cannot be run."""
    simulated = Simulated(kernel, pages=PAGES, log=False, **config)
    try:
        simulated.run(scenario)
    except NotAScenario as error:
        raise Failed(str(error)) from None
    except KernelBug as bug:
        raise Failed(f"kernel bug: {bug}") from None
    cells = simulated.machine.cells
    maps = sum(isinstance(h, PmdTable) and is_huge_zero_pmd(entry) for (h, _), entry in cells.items())
    brought = simulated.machine.vmstat()["thp_zero_page_alloc"] > 0
    return End(maps, brought, simulated.machine.peek((HUGE_ZERO, "folio")) is not None)
