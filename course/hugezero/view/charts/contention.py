"""Charts of what a shared line costs."""

from __future__ import annotations

from collections.abc import Mapping

from ...cost.cacheline import Replay
from ...cost.contention import knee, shares, throughput
from .figure import Chart, chart

LINES = ("-", "--", ":", "-.")
LETTER = 0.013  # of the length of a bar


def throughput_chart(curves: Mapping[str, Mapping[int, Replay]]) -> Chart:
    """Faults a second against CPUs, a curve for each kernel; the knee is marked where there is one."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    text = []
    ends: dict[float, list[str]] = {}  # names of curves that end at the same place stand in one line
    for (name, curve), style in zip(curves.items(), LINES, strict=False):
        cpus, many = list(curve), [throughput(found) for found in curve.values()]
        axes.plot(cpus, many, style)
        near = next((end for end in ends if abs(end - many[-1]) < many[-1] / 20), many[-1])
        ends.setdefault(near, []).append(name)
        at = knee(curve[cpus[-1]])
        if at < cpus[-1]:
            near = min(cpus, key=lambda n: abs(n - at))
            axes.plot([at, at], [0, throughput(curve[near])], linestyle=(0, (1, 3)), color="black")
            axes.annotate(f"knee: {at:.0f} CPUs", (at, 0), textcoords="offset points", xytext=(5, 6))
            text.append(f"{name}: the knee is at {at:.0f} CPUs")
        text.append(f"{name}: " + ", ".join(f"{n} CPUs {m:.1f}" for n, m in zip(cpus, many, strict=True)))
        last = cpus[-1]
    for end, names in ends.items():
        axes.annotate(
            f"{', '.join(names)}: {end:.1f}", (last, end), textcoords="offset points", xytext=(6, -3)
        )
    axes.set(xlabel="CPUs", ylabel="million faults a second", ylim=(0, None), xlim=(0, None))
    return chart(
        figure,
        alt=f"Throughput against CPUs: {', '.join(curves)}",
        text="Million faults a second.\n" + "\n".join(text),
    )


def cycles_chart(found: Mapping[str, Replay]) -> Chart:
    """Where the time of all CPUs goes: a bar for each kernel, from the work of faults to the shared lines."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 0.9 + 0.65 * len(found)))
    text = []
    words = {"fault": "work of faults", "unmap": "unmaps", "get": "get", "put": "put"}
    for row, (name, one) in enumerate(found.items()):
        part = shares(one)
        left, slim = 0.0, []
        for field, told in words.items():
            width = getattr(part, field)
            axes.barh(row, width, left=left, color=f"C{list(words).index(field)}", height=0.6)
            inside = f"{told} {width:.0%}"
            if width > LETTER * len(inside):
                axes.text(left + width / 2, row, inside, ha="center", va="center", fontsize=8)
            else:
                slim.append(f"{told} {width:.1%}")
            left += width
        axes.annotate(", ".join(slim), (1, row), textcoords="offset points", xytext=(5, -3), fontsize=8)
        text.append(f"{name}: " + ", ".join(f"{told} {getattr(part, f):.2%}" for f, told in words.items()))
        at = ", ".join(f"{line} {time / one.whole:.2%}" for line, time in one.at.items())
        text.append(f"  by line, waiting for it included: {at}")
    axes.set(xlim=(0, 1), xlabel="part of the time of all CPUs")
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    return chart(figure, alt=f"Where the time goes: {', '.join(found)}", text="\n".join(text))


def lines_chart(found: Replay) -> Chart:
    """The time of all CPUs by the cell that it goes to: lines that are shared, and all else."""
    import matplotlib.pyplot as plt

    own = {"own": "the mm's flag", "folio": "HUGE_ZERO.folio", "refcount": "HUGE_ZERO.refcount"}
    parts: dict[str, float] = {"all else": sum(found.work.values()) / found.whole}
    parts |= {own.get(line, line): time / found.whole for line, time in found.at.items() if time}
    figure, axes = plt.subplots(figsize=(6.4, 0.7 + 0.4 * len(parts)))
    bars = axes.barh(list(parts), list(parts.values()), height=0.6)
    axes.bar_label(bars, [f"{part:.2%}" for part in parts.values()], padding=4)
    axes.set(xlim=(0, 1.05), xlabel="part of the time of all CPUs")
    axes.invert_yaxis()
    told = "\n".join(f"{name}: {part:.2%}" for name, part in parts.items())
    return chart(figure, alt="The time of all CPUs, by cell", text=told)
