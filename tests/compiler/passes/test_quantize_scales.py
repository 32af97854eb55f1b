"""The scale of voltages, and what a weight means at any step: checked against solved equations."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import Any

import numpy as np
import pytest

from burstchip import record
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import ExplicitPairs
from compiler.ir.values import Normal
from hw_models.neurons.quantities import peak_response

TAUS = (0.7, 5.0, 19.9, 20.0, 63.0)


def vth(code: ChipProgram, name: str = "n") -> int:
    return int(np.min(np.asarray(code.population(name).parameters["vth"])))


@pytest.mark.parametrize("step", [0.1, 1.0])
@pytest.mark.parametrize("membrane", TAUS)
@pytest.mark.parametrize("current", TAUS)
def test_the_peak_is_that_of_the_recursion(current: float, membrane: float, step: float) -> None:
    u = v = greatest = 0.0
    for n in range(20_000):
        u = u * exp(-step / current) + (n == 0)
        v = v * exp(-step / membrane) + u
        greatest = max(greatest, v)
    assert peak_response(current, membrane, step) == pytest.approx(greatest, rel=1e-9)
    both = peak_response(np.array([current, 0.0]), membrane, step)
    assert np.asarray(both).tolist() == [peak_response(current, membrane, step), 1.0]


def test_huge_time_constants_have_a_peak() -> None:
    assert peak_response(1e17, 3.0, 1.0) == pytest.approx(1 / (1 - exp(-1 / 3)), rel=1e-6)
    assert np.isfinite(peak_response(1e17, 1e17, 0.01))
    # As integers have it that lose nothing in a step.
    assert peak_response(np.inf, 3.0, 1.0) == pytest.approx(1 / (1 - exp(-1 / 3)), rel=1e-12)
    assert peak_response(np.array([3.0, 0.0, np.inf]), np.inf, 1.0) == pytest.approx(
        [1 / (1 - exp(-1 / 3)), 1.0, 1.0]
    )


@pytest.mark.parametrize(
    ("weight", "doublings"),
    # 255 units of 20 mV / 128 at the least scale; then one bit finer for each half, up to eight thresholds.
    [(39.8, 0), (19.9, 1), (1.0, 5), (0.1, 7), (1e-3, 7)],
)
def test_small_weights_ask_for_a_finer_scale(make: Any, weight: float, doublings: int) -> None:
    code = make.compiled(
        make.population("a"),
        make.population("n", tau_current=0.0),
        make.projection("a.events", "n.soma", weight),
    )
    assert vth(code) == 128 << doublings


def test_slow_decays_ask_for_a_finer_scale(make: Any) -> None:
    assert vth(make.compiled(make.population("n", tau_membrane=20.0), step=1.0)) == 128
    assert vth(make.compiled(make.population("n", tau_membrane=20.0), step=0.1)) > 128
    # 800 ms and 2 pA at 0.1 ms: the potential would stay below a tenth of what it should reach.
    parts = make.population("n", tau_membrane=800.0, tau_current=0.0, bias=2.0)
    code = make.compiled(parts, step=0.1)
    unit = code.population("n").units["v"][0]
    integers, exact = (
        record(code, 40_000, variables=[("n", "v")], backend=backend).values["n", "v"][-1, 0] * unit
        for backend in ("sim", "reference")
    )
    assert exact == pytest.approx(16.0, rel=0.01)
    # The decay of 12 bits is another one than asked for, which the report says.
    rate = np.asarray(code.population("n").parameters["dv"]).item()
    held = 2.0 * 0.1 / 100 / (rate / 4096) * (1 - (1 - rate / 4096) ** 40_000)
    assert integers == pytest.approx(held, abs=20 / 128 + 0.1)


def test_a_great_sum_keeps_the_scale_coarse(make: Any) -> None:
    """A port of 2^17 units takes four times what all sources send at once."""
    wide = make.compiled(
        make.population("a", "poisson_source", 1000, rate=10.0),
        make.population("n", tau_current=0.0),
        make.projection("a.events", "n.soma", 1.0),
    )
    assert 1000 * 1.0 / 20 * vth(wide) * 4 <= 1 << 17 < 1000 * 1.0 / 20 * vth(wide) * 8


def test_each_neuron_s_time_constants(make: Any) -> None:
    """Weights mean the same depolarisation of neurons whose time constants differ."""
    taus = (0.0, 2.0, 5.0, 20.0)
    code = make.compiled(
        make.population("a", "spike_list", spikes=((0, 0.0),)),
        make.population("n", tau_current=taus),
        make.projection("a.events", "n.soma", 2.0),
    )
    unit = code.population("n").units["v"][0]
    for backend, share in (("reference", 1e-9), ("sim", 0.02)):
        values = record(code, 200, variables=[("n", "v")], backend=backend).values["n", "v"]
        assert values.max(axis=0) * unit == pytest.approx([2.0] * 4, rel=share)


def test_weights_that_become_0_are_counted(make: Any) -> None:
    pairs = ExplicitPairs.of(tuple((0, k) for k in range(200)), (20.0, *[0.03] * 199))
    parts = (make.population("a", size=1), make.population("n", size=200, tau_current=0.0))
    code = make.compiled(*parts, make.projection("a.events", "n.soma", None, connectivity=pairs))
    warning = next(d for d in code.diagnostics if d.id == "BC318")
    assert warning.message == "199 of 200 weights of 'a.events->n.soma' became 0"
    line = next(line for line in code.quantisation if line.parameter == "least weight")
    assert (line.requested, line.represented) == (0.03, 0.0)
    assert line.integers.startswith("199 of 200 weights became 0; rounding of each: half within 100 %")
    coarse = make.compiled(
        *parts, make.projection("a.events", "n.soma", None, connectivity=replaced(pairs, 0.11))
    )
    assert [d.message for d in coarse.diagnostics if d.id == "BC318"] == [
        "half of the weights of 'a.events->n.soma' are rounded by more than 42 %"
    ]
    spread = make.compiled(*parts, make.projection("a.events", "n.soma", Normal(0.0, 1.0)))
    assert not [d for d in spread.diagnostics if d.id == "BC318"]


def replaced(pairs: ExplicitPairs, weight: float) -> ExplicitPairs:
    """The pairs with this for every weight but the first."""
    assert pairs.weights is not None
    others = [weight] * (len(pairs.weights) - 1)
    return replace(pairs, weights=np.array([float(pairs.weights[0]), *others]))


@pytest.mark.parametrize("form", ["chip", "carry"])
@pytest.mark.parametrize("limit", [9.0, 10.0, 11.0, 20.0, 33.3])
def test_integers_of_a_weight_that_learns_end_within_its_limit(make: Any, form: str, limit: float) -> None:
    parts = (make.population("a"), make.population("n", "burst_unit"), make.burst_rule("rule", form=form))
    code = make.compiled(*parts, make.projection("a.events", "n.soma", 1.0, limit=limit, learn="rule"))
    line = next(line for line in code.quantisation if line.parameter == "limit")
    assert limit / 2 * 0.99 < line.represented <= limit == line.requested
