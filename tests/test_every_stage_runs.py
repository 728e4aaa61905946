"""Law 7: each notebook runs from top to bottom without an exception when blank, half done, and done."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import determine_grade

from autograder.course.layout import Course, source_of
from tests.net import drawn
from tests.net.frozen import digest, same

COURSE = Course()
pytestmark = pytest.mark.long  # all experiments of all notebooks, three times
WRONG = {  # half done: mistakes of every kind; in a lab without one the last exercise is still a stub
    "spin_trylock": "def spin_trylock(lock):\n    return lock",
    "do_wp_page": "def do_wp_page(vmf):\n    return vmf.nothing",
    "blkdev_issue_zero_pages": "def blkdev_issue_zero_pages(bdev, sector, nr_sects):\n    return None",
    "copy_pte_range": "copy_pte_range = 7",
    "zap_pte_range": "def zap_pte_range(vma, pmd, addr, end):\n    ZERO_PAGE.data.clear()",
    "split_huge_zero_page_pmd": "def split_huge_zero_page_pmd(vma, haddr, pmd):\n    pmd.set(None)",
    "do_huge_pmd_wp_page": "def do_huge_pmd_wp_page(vmf):\n    vmf.vma.vm_mm.page_table_lock.lock()\n    return 0",
    "zap_huge_pmd": "def zap_huge_pmd(vma, pmd):\n    pass",
    "predict_table_memory": "predict_table_memory = 'b'",
    "wrong_bytes": "def wrong_bytes():\n    return 'what?'",
    "shrink_huge_zero_folio_scan": "def shrink_huge_zero_folio_scan(hz):\n    if hz.refcount.read() == 1:\n"
    "        hz.refcount.set(0)\n        free_folio(hz.folio.xchg(None))\n        return 512\n    return 0",
    "break_scan_schedule": "def break_scan_schedule():\n    return [0, 1, 1]",
    "predict_idle": "def predict_idle():\n    return 5 / 0",
    "mm_put_huge_zero_folio": "def mm_put_huge_zero_folio(mm):\n    mm.users.dec()",
    "__mmput": "def __mmput(mm):\n    return mm_put_huge_zero_folio(mm, True)",
    "copy_huge_pmd": "def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):\n    dst_vma.vm_mm.huge_zero.set()",
    "predict_half_the_work": "predict_half_the_work = 'half'",
    "page_outlives_its_mappings": "def page_outlives_its_mappings():\n    return [Mmap('a', 1 << 21), 'drop']",
    "secret_on_disk": "def secret_on_disk():\n    return [Zeroout(), 'exit']",
    "hugezero_init": "def hugezero_init(config):\n    return config.NOTHING.test()",
    "largest_zero_folio": "def largest_zero_folio():\n    return HUGE_ZERO.folio",
    "assemble_block": "def assemble_block(bdev, sector, folio, offset, length, block_size):\n"
    "    return submit_bio_wait(folio)",
    "when_would_you": "def when_would_you():\n    return 'always'",
}


def notebook(stem, stage):
    opened = nbformat.read(COURSE.notebook(stem), 4)
    reference = COURSE.solution(stem).read_text()
    answers = [cell for cell in opened.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    names = [cell.metadata.nbgrader.grade_id for cell in answers]
    wrong = {name: WRONG[name] for name in names if name in WRONG} or {names[-1]: answers[-1].source}
    for name, cell in zip(names, answers, strict=True) if stage != "blank" else ():
        right = source_of(reference, name)
        cell.source = wrong.get(name, right) if stage == "half" else right
    return opened


def run(opened):
    NotebookClient(opened, timeout=120).execute(cwd=str(COURSE.root / "course"))
    return [cell for cell in opened.cells if cell.cell_type == "code"]


def pictures(cells):
    """The pictures and reports that a notebook shows, a line each."""
    for cell in cells:
        graded = cell.metadata.get("nbgrader", {}).get("grade")
        for out in (out for out in cell.outputs if "data" in out):
            data = out.data
            if graded and out.output_type == "execute_result":
                yield f"{cell.id} = {data['text/plain']}"
            elif "text/html" in data:
                shown = digest(drawn.without_style(data["text/html"]))[:16]
                yield f"{cell.id} {shown} {data['text/plain'].splitlines()[0]}"


STAGES = [(stem, stage) for stem in COURSE.stems() for stage in ("blank", "half", "done")]


@pytest.mark.parametrize(("stem", "stage"), STAGES)
def test_a_notebook_runs_without_an_exception(stem, stage):
    cells = run(notebook(stem, stage))
    graded = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert graded
    for cell in cells:
        assert not [out for out in cell.outputs if out.output_type == "error"]
        warned = [out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stderr"]
        assert not warned, cell.source
    scores = [determine_grade(cell) for cell in graded]
    same(f"notebooks/{stem}", {stage: "\n".join(pictures(cells))})
    voices = [cell.outputs[0].data["text/plain"].split(".")[0] for cell in graded]
    if stage == "blank":
        assert {points for points, _ in scores} == {0.0} and set(voices) == {"Not started"}
    elif stage == "half":
        points = [points for points, _ in scores]
        assert 0.0 in points and (max(points) > 0 or len(points) == 1)
    else:
        assert set(voices) == {"Done"} and all(points == most for points, most in scores)
