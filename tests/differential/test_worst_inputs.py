"""A template's certificate, where every pixel is at full rate and every teacher asks for all that it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare.executions import neuron_places

from burstchip.backends.sim import simulator
from burstchip.compilation import compile_file
from burstchip.templates import write_template
from compiler.ir.certificate import Weights
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host, Rows, Streamed
from compiler.passes.certify import certify

pytestmark = pytest.mark.once

SAMPLES = 200


def greatest_streams(code: ChipProgram) -> dict[str, Rows]:
    """Each stream at the greatest integer that its input takes, in every row."""

    def full(value: int, size: int) -> Callable[[int, int], Any]:
        return lambda first, count: np.full((count, size), value, dtype=np.int64)

    return {
        signal.stream: full(population.program.inputs[name].high, population.size)
        for population in code.populations
        for name, signal in population.signals.items()
        if isinstance(signal, Streamed)
    }


@pytest.mark.parametrize(("weights", "learning"), [("limits", True), ("given", False)])
@pytest.mark.parametrize("form", ["carry", "chip"])
def test_bounds_hold_and_are_no_idle_claims(
    form: str, weights: Weights, learning: bool, tmp_path: Path
) -> None:
    write_template("digits", tmp_path)
    code = compile_file(tmp_path / "network.yaml", {"weight_form": form})[0]
    assert code.task is not None
    found = {(it.population, it.variable): it for it in certify(code, weights).bounds if it.kind != "port"}
    places = [place for place in neuron_places(code) if place in found]
    run = simulator.start(code, learning=learning, record=places, host=Host(greatest_streams(code)))
    values = run.advance(SAMPLES * code.task.present)
    ratios = []
    for place, seen in values.items():
        it, low, high = found[place], int(seen.min()), int(seen.max())
        assert it.low <= low and high <= it.high, (place, low, high, it)
        if it.kind == "state" and it.proved and max(-low, high) > 0:
            ratios.append(max(-it.low, it.high) / max(-low, high))
    assert len(ratios) >= 8
    assert np.median(ratios) <= 4
    if learning:
        # All weights come to one end, so that the bound is what happens.
        u = values["hidden", "u"]
        assert found["hidden", "u"].high <= 1.01 * u.max() or -found["hidden", "u"].low <= -1.01 * u.min()
