"""What an imported network does with given events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_graphs import Ran, Run
from numpy.typing import NDArray

from burstchip import compile_file, record
from burstchip.nir.importing import import_nir
from burstchip.nir.neurons_in import Settings


@pytest.fixture
def imported(tmp_path: Path) -> Run:
    """Import a file, put events [step, neuron] into the input, and record variables."""

    def run(
        file: Path,
        events: NDArray[Any] | None = None,
        variables: Sequence[str] = (),
        *,
        steps: int = 50,
        step_ms: float = 1.0,
        backend: str = "reference",
        edit: Callable[[str], str] = str,
        **settings: Any,
    ) -> Ran:
        network = tmp_path / "net.yaml"
        found = import_nir(file, network, Settings(step_ms, **settings))
        if events is not None:
            when = np.argwhere(events)
            np.save(tmp_path / "events.npy", np.stack([when[:, 1], when[:, 0] * step_ms], axis=1))
            text = network.read_text().replace("events: []", "events: {file: events.npy, unit: ms}")
            network.write_text(edit(text))
        values = {}
        code, _ = compile_file(network)
        if variables:
            seen = record(code, steps, list(variables), backend=backend).values
            for population, name in seen:
                scale = code.population(population).units[name][0] / 1000 if name in "uv" else 1
                values[f"{population}.{name}"] = np.asarray(seen[population, name]) * scale
        return Ran(network.read_text(), found, values)

    return run
