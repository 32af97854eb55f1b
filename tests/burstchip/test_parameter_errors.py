"""What one rounded parameter does to a run, where that follows from the equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from burstchip import record
from burstchip.error_shares import error_shares, with_rounded_parameters
from burstchip.parameter_errors import ParameterError, parameter_errors, rounded_one_by_one
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

STEPS = 300


def compiled(target: str = "loihi2", **cell: Any) -> ChipProgram:
    """One source of an event in step 0 onto one lif neuron."""
    populations = (
        Population("a", "spike_list", 1, {}, ((0, 0.0),)),
        Population("n", "lif", 1, {"tau_current": 0.0, **cell}),
    )
    ends = Endpoint("a", "events"), Endpoint("n", "soma")
    projection = Projection("p", *ends, Dense(), Constant(3.0), Constant(1.0), weight_bits=3)
    parts = (populations, (projection,), (), (), None, target, {}, models())
    return compile_network(Network("n", 1.0, 0, *parts))


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def only(found: tuple[ParameterError, ...], where: str, parameter: str) -> ParameterError:
    (it,) = [it for it in found if (it.where, it.parameter) == (where, parameter)]
    return it


def test_a_rounded_decay_and_a_rounded_weight() -> None:
    code = compiled(tau_membrane=60.0)
    found = parameter_errors(code, STEPS, [("n", "v")])
    n = np.arange(STEPS - 1)
    kept = 1 - int(np.asarray(code.population("n").parameters["dv"])) / 4096
    decay = only(found, "n", "dv")
    assert decay.error == pytest.approx(rms(np.r_[0.0, 3.0 * (np.exp(-n / 60) - kept**n)]), rel=1e-9)
    weight = code.projection("p").weights.item() * code.projection("p").unit
    off = only(found, "p", "weights")
    assert weight != pytest.approx(3.0, rel=1e-3)
    assert off.error == pytest.approx(abs(weight - 3.0) * rms(np.r_[0.0, np.exp(-n / 60)]), rel=1e-9)
    assert (off.unit, off.rate, off.rate_error) == ("mV", 0.0, 0.0)
    # The threshold and the bias are integers already.
    assert {it.parameter for it in found} == {"dv", "weights"}


def test_the_rate_that_a_parameter_changes() -> None:
    """A current that just reaches the threshold, and a decay of 13.63/4096 that becomes 14/4096."""
    code = compiled(tau_membrane=300.0, bias=7.0)
    it = only(parameter_errors(code, 4000, [("n", "events")]), "n", "dv")
    alone = next(program for where, name, program in rounded_one_by_one(code) if name == "dv")
    counts = [record(x, 4000, [("n", "events")], backend="reference").events["n"] for x in (code, alone)]
    assert counts[0] > counts[1]
    assert (it.rate, it.rate_error) == pytest.approx((counts[0] / 4, (counts[1] - counts[0]) / 4))


def test_all_of_them_together_are_the_parameter_error() -> None:
    code = compiled(tau_membrane=60.0)
    whole = with_rounded_parameters(code)
    for where, name, program in rounded_one_by_one(code):
        if name == "weights":
            assert np.array_equal(program.projection(where).exact, whole.projection(where).exact)
        else:
            assert code.population(where).real.keys() - program.population(where).real.keys() == {name}
    (share,) = error_shares(code, STEPS, [("n", "v")])
    found = [it.error for it in parameter_errors(code, STEPS, [("n", "v")])]
    # v is a product of what both change, by little.
    assert share.parameter is not None and share.parameter <= sum(found) * 1.01


def test_for_no_chip_nothing_is_rounded() -> None:
    assert parameter_errors(compiled(target="none"), STEPS, [("n", "v")]) == ()
