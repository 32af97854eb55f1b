"""Weights that are given as the chip's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant, Normal, Uniform
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.registry import models


def compiled(weight: Any, parameters: Any = None, model: str = "lif", **more: Any) -> ChipProgram:
    """A projection of these weights onto four neurons with an integer threshold, or these parameters."""
    given = {"vth": 100.0} if parameters is None else parameters
    source = Population("in", "poisson_source", 25, {"rate": 10.0})
    cells = Population("cells", model, 4, given)
    ends = Endpoint("in", "events"), Endpoint("cells", "soma")
    joined = Projection("joined", *ends, Dense(), weight, Constant(1.0), **{"weight_exp": 2, **more})
    parts = (source, cells), (joined,), (), (), None
    return compile_network(Network("net", 1.0, 1, *parts, "loihi2", {}, models()))


@pytest.mark.parametrize(
    ("weight", "more", "held", "mode", "lost"),
    [
        (Constant(37.0), {}, 37, "EXCITATORY", 0),
        (Constant(-37.0), {}, -37, "INHIBITORY", 0),
        (Constant(37.0), {"sign_mode": "mixed"}, 36, "MIXED", 100),
        (Constant(-37.0), {"sign_mode": "mixed"}, -38, "MIXED", 100),
        (Constant(-37.0), {"weight_bits": 6}, -36, "INHIBITORY", 100),
        (Constant(-256.0), {"sign_mode": "mixed", "weight_exp": -8}, -256, "MIXED", 0),
        (Constant(-256.0), {}, -256, "MIXED", 0),
    ],
)
def test_they_stay_what_they_are(weight: Any, more: Any, held: int, mode: str, lost: int) -> None:
    code = compiled(weight, **more)
    (it,) = code.projections
    assert np.all(it.weights == held)
    assert (it.weight_exp, it.sign_mode) == (more.get("weight_exp", 2), mode)
    # A weight unit at exponent 0 is the peak of the response to 1 mV.
    (line,) = (line for line in code.quantisation if line.parameter == "integer weight")
    assert (line.requested, line.represented) == (weight.value, held)
    messages = [d.message for d in code.diagnostics if d.id == "BC364"]
    assert messages == ([f"{lost} of 100 weights of 'joined' lose their lowest bits"] if lost else [])


def test_drawn_ones_are_whole() -> None:
    (it,) = compiled(Uniform(3.0, 7.0)).projections
    assert set(np.unique(it.weights)) == {3, 4, 5, 6, 7}
    (it,) = compiled(Normal(50.0, 5.0)).projections
    assert 40 < it.weights.mean() < 60 and it.weights.std() > 2


@pytest.mark.parametrize(
    ("given", "id", "message"),
    [
        ({"weight": Constant(2.5)}, "BC363", "the weights of 'joined' are not integers of the chip"),
        ({"weight": Constant(256.0)}, "BC363", "the weights of 'joined' are not integers of the chip"),
        (
            {"weight": Constant(-1.0), "sign_mode": "excitatory"},
            "BC363",
            "the weights of 'joined' are not integers of the chip",
        ),
        (
            {"weight": Constant(3.0), "parameters": {}},
            "BC365",
            "the weights of 'joined' are integers, the scale of 'cells' is not given",
        ),
        (
            {"weight": Constant(3.0), "parameters": {}, "model": "burst_unit"},
            "BC365",
            "the weights of 'joined' are integers, the scale of 'cells' is not given",
        ),
    ],
)
def test_what_they_cannot_be(given: dict[str, Any], id: str, message: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        compiled(**given)
    assert [(it.id, it.message) for it in caught.value.diagnostics] == [(id, message)]
