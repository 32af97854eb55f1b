"""The cost of a run and of its recording, told before either begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.backends.sim.layout import Layout, Variant
from burstchip.backends.sim.memory import allocate
from burstchip.frontend import load_network
from burstchip.running.cost import (
    recording_bytes,
    require_room_to_record,
    require_room_to_run,
    room_on_disk,
    run_bytes,
)
from burstchip.variables import parse_selections
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError

NETWORK = """burstchip: 1
name: delayed
step: 1 ms
populations:
  noise: {model: poisson_source, size: 50, rate: 10 Hz}
  cells: {model: lif, size: 3000}
projections:
  - {from: noise, to: cells.soma, weight: 1 mV, delay: 62 ms}
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("cost") / "net.yaml"
    path.write_text(NETWORK)
    return compile_network(load_network(path))


def test_a_run_is_refused_with_what_it_takes(code: ChipProgram) -> None:
    require_room_to_run(code, "sim", available=run_bytes(code, "sim"))
    with pytest.raises(BurstchipError) as caught:
        require_room_to_run(code, "plain", available=1 << 20)
    (message,) = caught.value.diagnostics
    assert (message.id, message.required) == ("BC681", "at most 1.0 MiB, which is available")
    assert message.given == "at least 4.8 MiB for 3,050 neurons, 150,000 synapses and delays up to 62 steps"
    assert message.hint is not None and message.hint.endswith("backend sim takes the least")


@pytest.mark.parametrize("backend", ["sim", "reference"])
def test_a_run_takes_about_what_was_told(code: ChipProgram, backend: str) -> None:
    arrays = allocate(Layout(code, Variant(learning=True, real=backend == "reference")))
    taken = sum(array.nbytes for array in arrays.values())
    assert 0.8 * taken < run_bytes(code, backend) < 1.05 * taken


def test_a_recording_counts_all_its_bytes(code: ChipProgram) -> None:
    selections = parse_selections(code, ["cells.v[0:10]", "cells.events[0:10]"])
    events = [selections[1].variable]
    assert recording_bytes(code, 100, selections) == 100 * (8 + 40 + 40)
    assert recording_bytes(code, 100, selections, flags=events) == 100 * (8 + 40 + 10)
    assert recording_bytes(code, 100, selections, real=True, listed=events) == 100 * (8 + 80)
    with pytest.raises(BurstchipError, match="BC511(?s:.*)at most 8.0 KiB(?s:.*)given: 8.6 KiB"):
        require_room_to_record(code, 100, selections, real=False, available=1 << 13)


def test_a_file_that_may_not_fit_on_the_disk(tmp_path: Path) -> None:
    assert room_on_disk(tmp_path / "new" / "out.nc", 100) == ()
    (warning,) = room_on_disk(tmp_path / "out.nc", 5 << 30, free=1 << 30)
    assert (warning.id, warning.severity) == ("BC682", "warning")
    assert (warning.required, warning.given) == (
        "at most 1.0 GiB, which is free",
        "up to 5.0 GiB before it is compressed",
    )
