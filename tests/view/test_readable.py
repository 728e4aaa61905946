"""Pictures can be read by everybody: contrast, and what happens where something is not installed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hugezero import view

CSS = Path(view.__file__).with_name("picture.css").read_text(encoding="utf-8")
JUPYTERLAB = {"hz-ink": "#000000", "hz-card": "#ffffff"}  # what its light theme sets
# Every text colour, and every colour that it may stand on.
PAIRS = [
    *(
        (ink, on)
        for ink in ("hz-ink", "hz-soft")
        for on in ("hz-bg", "hz-card", "hz-zero", "hz-data", "hz-free")
    ),
    *(("hz-bad", on) for on in ("hz-bg", "hz-card", "hz-free")),
    ("hz-sel", "hz-bg"),
]


def colours(theme):
    light, dark = re.findall(r"\.hz \{(.*?)\}", CSS, re.DOTALL)[:2]
    found = {}
    for block in (light, dark) if theme == "dark" else (light,):
        found |= dict(re.findall(r"--(hz-\w+): .*?(#[0-9a-f]{6})", block))
    return found


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("ink", "on"), PAIRS)
@pytest.mark.parametrize("theme", ["light", "dark", "jupyterlab"])
def test_every_text_has_contrast_on_what_it_stands_on(theme, ink, on):
    palette = colours(theme) | (JUPYTERLAB if theme == "jupyterlab" else {})
    assert contrast(palette[ink], palette[on]) >= 4.5


def without(modules, code):
    blocked = "".join(f"sys.modules[{name!r}] = None; " for name in modules)
    course = str(Path(view.__file__).resolve().parents[2])
    program = f"import sys; sys.path.insert(0, {course!r}); {blocked}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_need_no_widgets_no_numpy_and_no_matplotlib():
    said = without(
        ["anywidget", "ipywidgets", "traitlets", "numpy", "matplotlib", "IPython"],
        "from hugezero.view import chart, memory_map, progress, timeline\n"
        "from hugezero.machine import boot\n"
        "from hugezero.mm.mmap import mm_alloc, mmap\n"
        "machine = boot(); mmap(mm_alloc(), 4096)\n"
        "for picture in (memory_map(machine), timeline(machine)):\n"
        "    bundle = picture._repr_mimebundle_(); assert '<svg' in bundle['text/html']\n"
        "print(bundle['text/plain']); progress('pages')(5, 10)",
    )
    assert "mm 1: RSS 0 kB" in said or "just been switched on" in said
    assert "5 of 10 pages" in said


def test_what_draws_is_imported_when_something_is_drawn():
    said = without(
        [],
        "import hugezero.view, hugezero.machine\n"
        "print(sorted({'anywidget', 'ipywidgets', 'matplotlib', 'numpy'} & set(sys.modules)))",
    )
    assert said.strip() == "[]"


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(AttributeError, match="it has chart, cycles_chart, lines_chart, memory_map, progress"):
        view.memorymap  # noqa: B018
