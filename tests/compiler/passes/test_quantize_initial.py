"""What neurons start with, and what is drawn of them: integers, reports, backends, artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.running.recording import record
from compiler.artifact import artifact_sha256, load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network, Population
from compiler.ir.values import Normal, Uniform
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.registry import models


def compiled(*populations: Population, target: str = "loihi2", seed: int = 3) -> ChipProgram:
    return compile_network(Network("net", 1.0, seed, populations, (), (), (), None, target, {}, models()))


def cells(initial: dict[str, Any] | None = None, size: int = 4, **parameters: Any) -> Population:
    return Population("cells", "lif", size, parameters, initial=initial or {})


def lines(code: ChipProgram, what: str) -> list[tuple[str, float, float]]:
    return [
        (it.parameter, it.requested, it.represented)
        for it in code.quantisation
        if it.parameter.startswith(what)
    ]


STARTED = cells({"v": (-60.0, -70.0, -80.0, -51.0), "u": 10.0}, tau_membrane=1e6)


def test_states_at_the_start_in_every_backend() -> None:
    code = compiled(STARTED)
    (population,) = code.populations
    unit = population.units["v"][0]
    wanted = np.round(np.array([10.0, 0.0, -10.0, 19.0]) / unit).astype(int)
    assert np.array_equal(population.initial["v"], wanted)
    # 10 pA 1 ms / 100 pF is 0.1 mV a step.
    assert population.initial["u"] == round(0.1 / unit)
    plain, sim = (
        record(code, 3, [("cells", "v")], backend=it).values["cells", "v"] for it in ("plain", "sim")
    )
    assert np.array_equal(plain, sim)
    exact = record(code, 3, [("cells", "v")], backend="reference").values["cells", "v"]
    np.testing.assert_allclose(exact[0] * unit, [10.08, 0.08, -9.92, 19.08], atol=0.01)
    np.testing.assert_allclose(plain * unit, exact * unit, atol=0.01)
    assert lines(code, "initial v")[0][1] in (-60.0, -80.0, -51.0, -70.0)


def test_they_are_in_the_artifact_and_others_are_as_they_were(tmp_path: Path) -> None:
    code = compiled(STARTED)
    sha256 = save_artifact(code, tmp_path / "net.burst")
    loaded, found = load_artifact(tmp_path / "net.burst")
    assert found == sha256 == artifact_sha256(loaded)
    assert np.array_equal(loaded.populations[0].initial["v"], code.populations[0].initial["v"])
    save_artifact(compiled(cells()), tmp_path / "plain.burst")
    assert b"real_initial" not in (tmp_path / "plain.burst").read_bytes()


def test_what_the_width_does_not_hold_is_an_error() -> None:
    beyond = cells({"v": (-60.0, 1e9, -70.0, -70.0)})
    with pytest.raises(BurstchipError) as caught:
        compiled(beyond)
    (message,) = caught.value.diagnostics
    assert (message.id, message.given) == ("BC361", "1e+09 mV")
    assert message.message == "1 of 4 initial values of 'cells.v' exceed its width"
    assert message.required == "from -20550 mV to 20410 mV"
    # No chip, no width.
    (population,) = compiled(beyond, target="none").populations
    assert np.asarray(population.real_initial["v"]).max() > 1 << 23


def test_a_value_that_is_rounded_away_is_said() -> None:
    code = compiled(Population("cells", "burst_unit", 2, {}, initial={"h": 0.1}))
    (message,) = (it for it in code.diagnostics if it.id == "BC310")
    assert message.message == "'initial h' of 'cells' is 0.1 in the network and 0.09375 on the chip"


def test_drawn_values_depend_on_seed_population_name_and_neuron() -> None:
    bias, wide = Normal(100.0, 20.0), Uniform(5.0, 9.0)
    code = compiled(cells({"v": Uniform(-69.0, -60.0)}, 2000, bias=bias, tau_membrane=wide))
    (population,) = code.populations
    drawn = np.asarray(population.real["bias_mant"]) * 2.0 ** float(population.parameters["bias_exp"])  # type: ignore[arg-type]
    picoamperes = drawn * population.units["v"][0] * 100.0
    assert abs(picoamperes.mean() - 100.0) < 2.0 and abs(picoamperes.std() - 20.0) < 1.5
    assert [name for name, _, _ in lines(code, "bias")] == ["bias, least", "bias, median", "bias, greatest"]
    assert [name for name, _, _ in lines(code, "initial v")] == [
        f"initial v, {it}" for it in ("least", "median", "greatest")
    ]
    (least, median, greatest) = (asked for _, asked, _ in lines(code, "tau_membrane"))
    assert 5.0 < least < 5.1 and 6.5 < median < 7.5 and 8.9 < greatest < 9.0
    # The same whatever else is drawn; others with another seed, place or name.
    alone = compiled(cells(None, 2000, bias=bias))
    first = lines(alone, "bias, least")[0][1]
    assert first == lines(code, "bias, least")[0][1]
    assert first != lines(compiled(cells(None, 2000, bias=bias), seed=4), "bias, least")[0][1]
    two = compiled(cells(), Population("more", "lif", 2000, {"bias": bias}))
    assert first != lines(two, "bias, least")[0][1]


def test_a_drawn_value_out_of_range_is_an_error() -> None:
    with pytest.raises(BurstchipError) as caught:
        compiled(cells(None, 1000, tau_membrane=Normal(1.0, 1.0)))
    (message,) = caught.value.diagnostics
    assert message.id == "BC360" and message.required == "at least 0 ms"
    assert message.message.endswith(
        "of 1000 drawn values of 'tau_membrane' of population 'cells' are out of range"
    )
