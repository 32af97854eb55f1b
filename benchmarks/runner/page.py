"""A session as one page of HTML and as Markdown: targets beside each other, with pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jinja2 import ChoiceLoader, PackageLoader
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

from benchmarks.runner.result import Results
from benchmarks.runner.summary import (
    MAIN,
    Row,
    columns,
    neurobench_keys,
    neurobench_of,
    range_of,
    rows,
    text_of,
    value_of,
)
from burstchip.report.page import environment
from burstchip.report.page import write_page as write_html
from burstchip.report.style import INK, POPULATIONS, WIDTH, Picture, figure_style, new_figure, picture
from compiler.whole_file import write_whole

PAGE, TABLE = "page.html", "results.md"


def write_page(results: Results, folder: Path) -> None:
    """Write `page.html` and `results.md` into the session's folder."""
    write_whole(folder / TABLE, markdown(results).encode())
    found = rows(results.entries)
    with figure_style():
        pictures = [it for it in (_errors(found), _speeds(found)) if it is not None]
    templates = environment()
    own, shared = PackageLoader("benchmarks.runner", "."), templates.loader
    assert shared is not None
    templates.loader = ChoiceLoader([own, shared])
    text = templates.get_template("bench.html.j2").render(
        results=results,
        workloads=_by_workload(found),
        unequal=[row for row in found if row.exactness.startswith(("parts", "another"))],
        compared=sum(row.exactness.startswith("bit-exact") for row in found),
        undone=[row for row in found if len(row.done) < len(row.entries)],
        neurobench_keys=neurobench_keys,
        neurobench_of=neurobench_of,
        value_of=value_of,
        range_of=range_of,
        pictures=pictures,
    )
    write_html(folder / PAGE, text)


def _by_workload(found: Sequence[Row]) -> list[tuple[str, str, list[str], list[Row]]]:
    names = dict.fromkeys(row.workload for row in found)
    grouped = [(name, [row for row in found if row.workload == name]) for name in names]
    return [(name, its[0].kind, columns(its), its) for name, its in grouped]


def markdown(results: Results) -> str:
    """Tables of the main numbers, one for each workload."""
    lines = [
        "# Benchmark results",
        "",
        f"{results.begun}, burstchip {results.burstchip}, commit {results.commit}, "
        f"{results.machine.get('processor')}, {results.machine.get('cores')} cores.",
    ]
    for name, kind, _, its in _by_workload(rows(results.entries)):
        shown = [key for key in MAIN if any(key in row.numbers for row in its)]
        head = ["target", "seeds", *(key.replace("_", " ") for key in shown), "exactness"]
        lines += ["", f"## {name} ({kind})", "", _line(head), _line(["---"] * len(head))]
        for row in its:
            values = [text_of(row.numbers.get(key)) for key in shown]
            last = row.exactness if row.done else row.state
            lines.append(_line([row.target, str(len(row.done)), *values, last]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _errors(found: Sequence[Row]) -> Picture | None:
    """Test error over epochs, a thin line a seed."""
    learned = [row for row in found if any(len(it.test_error) > 1 for it in row.done)]
    if not learned:
        return None
    names = list(dict.fromkeys(row.workload for row in learned))
    figure = new_figure(WIDTH, 2.2 * len(names))
    for ax, name in zip(np.ravel(figure.subplots(len(names), 1)), names, strict=True):
        for k, row in enumerate(it for it in learned if it.workload == name):
            for number, entry in enumerate(row.done):
                label = row.target if number == 0 else None
                ax.plot(entry.test_error, color=POPULATIONS[k % 5], linewidth=0.9, label=label)
        ax.set(title=name, xlabel="epoch", ylabel="test error (%)", ylim=(0, None))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()
    caption = "Test error after each epoch, a thin line a seed, a colour a target."
    return picture(figure, "errors", "Learning", caption, f"Lines for {', '.join(names)}")


def _speeds(found: Sequence[Row]) -> Picture | None:
    """Samples or steps a second on a logarithmic axis."""
    keys = ("samples_per_second", "steps_per_second")
    bars = [(row, row.numbers[key]) for row in found for key in keys if key in row.numbers]
    if not bars:
        return None
    figure = new_figure(WIDTH, 0.7 + 0.22 * len(bars))
    ax = figure.subplots()
    targets = list(dict.fromkeys(row.target for row, _ in bars))
    for k, (row, number) in enumerate(bars):
        ax.barh(k, number.value, color=POPULATIONS[targets.index(row.target) % 5])
        if number.low is not None and number.high is not None:
            ax.plot([number.low, number.high], [k, k], color=INK, linewidth=1.5)
    labels = [f"{row.workload}, {row.target}" for row, _ in bars]
    ax.set(xscale="log", xlabel="samples or steps a second")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(range(len(bars)), labels, fontsize=7)
    ax.invert_yaxis()
    caption = (
        "Samples or steps a second on each target, the mean of the trials. Dark lines are their range, "
        "of several seeds the interval of the mean."
    )
    return picture(figure, "speed", "Speed", caption, f"{len(bars)} bars")
