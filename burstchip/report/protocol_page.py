"""The page of a protocol that was followed: pictures, answers, and how to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from burstchip.backends.available import REAL
from burstchip.files.provenance import origin_of
from burstchip.report.page import environment
from burstchip.report.protocol_pictures import protocol_pictures
from burstchip.report.style import Picture, figure_style
from burstchip.tasks.protocol.following import Finished
from burstchip.tasks.protocol.results import answers
from hw_models.diagnostics import Diagnostic


def protocol_page(
    name: str,
    backend: str,
    step_ms: float,
    finished: Mapping[int, Finished],
    artifacts: Sequence[str],
    command: str,
    diagnostics: Sequence[Diagnostic],
) -> tuple[str, tuple[Picture, ...]]:
    """(the page as HTML with every picture inside, the pictures)."""
    all_followed = [it.followed for it in finished.values()]
    with figure_style():
        pictures = protocol_pictures(all_followed)
    found = answers(all_followed)
    seeds = ", ".join(str(seed) for seed in finished)
    page = (
        environment()
        .get_template("protocol.html.j2")
        .render(
            title=name,
            right=sum(it.right for it in found),
            asked=len(found) * len(finished),
            backend=backend,
            arithmetic="real numbers, exact parameters" if backend in REAL else "the integers of the chip",
            step=f"{step_ms:g} ms",
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
                for it in found
            ],
            command=command,
            origin=origin_of(artifacts),
            diagnostics=[str(it) for it in diagnostics],
        )
    )
    return page, pictures


def spread(values: Sequence[float]) -> str:
    """A mean, with the standard deviation over seeds."""
    many = f" ± {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""
    return f"{np.mean(values):.3g}{many}"
