"""The page of a protocol that was followed: pictures, answers, and how to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from burstchip.backends.available import REAL
from burstchip.files.provenance import origin_of
from burstchip.report.page import environment
from burstchip.report.protocol_pictures import protocol_pictures
from burstchip.report.style import figure_style
from burstchip.tasks.protocol.results import Done
from compiler.whole_file import write_all_whole


def write_protocol_page(done: Done, page: Path, command: str) -> None:
    """Write the page, with every picture inside, and pictures in `figures` beside it. Raises OSError."""
    finished = done.finished
    with figure_style():
        pictures = protocol_pictures([it.followed for it in finished.values()])
    seeds = ", ".join(str(seed) for seed in finished)
    text = (
        environment()
        .get_template("protocol.html.j2")
        .render(
            title=done.name,
            right=done.summary["right"],
            asked=done.summary["asked"],
            backend=done.backend,
            arithmetic="real numbers, exact parameters"
            if done.backend in REAL
            else "the integers of the chip",
            step=f"{done.step_ms:g} ms",
            seeds=f"{'seed' if len(finished) == 1 else 'seeds'} {seeds}",
            pictures=pictures,
            answers=[
                {
                    "teacher": it.teacher,
                    "example": it.example.replace("_", " "),
                    "target": it.target,
                    "rate": spread(it.rates),
                    "right": f"{it.right} of {len(it.rates)}",
                }
                for it in done.answers
            ],
            command=command,
            origin=origin_of(done.artifacts),
            diagnostics=[str(it) for it in done.diagnostics],
        )
    )
    figures = {page.parent / "figures" / f"{it.name}.svg": it.svg for it in pictures}
    write_all_whole({**figures, page: text.encode()})


def spread(values: Sequence[float]) -> str:
    """A mean, with the standard deviation over seeds."""
    many = f" ± {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""
    return f"{np.mean(values):.3g}{many}"
