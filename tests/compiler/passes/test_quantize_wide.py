"""Weights of more than 8 bits, as the sum of two projections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstchip import record
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense, FixedInDegree
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant, Normal, Uniform
from compiler.passes.quantize_wide import split
from compiler.passes.weight_signs import SignMode
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models


@pytest.mark.parametrize("mode", ["MIXED", "EXCITATORY", "INHIBITORY"])
@given(bits=st.integers(0, 8), share=st.floats(0, 1))
def test_both_parts_are_weights_of_8_bits(mode: SignMode, bits: int, share: float) -> None:
    step, low, high = {"MIXED": (2, -256, 254), "EXCITATORY": (1, 0, 255), "INHIBITORY": (1, -255, 0)}[mode]
    wide = np.array([(low << bits) + round(share * ((high << bits) - (low << bits)) / step) * step])
    parts = split(wide, bits, mode)
    assert np.array_equal((parts[0] << bits) + parts[1], wide)
    for part in parts:
        assert np.all((part >= low) & (part <= high) & (part % step == 0))


def compiled(weight: Any, bits: int, connectivity: Any = None, **more: Any) -> ChipProgram:
    source = Population("in", "spike_list", 3, {}, spikes=tuple((k, 2.0 + k) for k in range(3)))
    cells = Population("cells", "lif", 20, {"tau_current": 0.0, "tau_membrane": 0.0, **more})
    ends = Endpoint("in", "events"), Endpoint("cells", "soma")
    wide = Projection("wide", *ends, connectivity or Dense(), weight, Constant(1.0), weight_bits=bits)
    return compile_network(
        Network("net", 1.0, 1, (source, cells), (wide,), (), (), None, "loihi2", {}, models())
    )


@pytest.mark.parametrize("bits", [9, 12, 16])
@pytest.mark.parametrize(
    ("weight", "connectivity"),
    [
        (Uniform(-3.0, 5.0), None),
        (Uniform(0.5, 4.0), FixedInDegree(2)),
        (Normal(-2.0, 0.2), None),
        (Constant(1.2345678), None),
    ],
)
def test_the_sum_is_what_was_asked_for(weight: Any, bits: int, connectivity: Any) -> None:
    code = compiled(weight, bits, connectivity)
    high, low = code.projections
    assert (high.name, low.name) == ("wide", "wide.low")
    fewer = [it.given for it in code.diagnostics if it.id == "BC366"]
    got = 8 + high.weight_exp - low.weight_exp
    assert low.weight_exp >= 0 and (got == bits if not fewer else fewer[0].startswith(f"{got} bits"))
    # From rest to threshold there are 2^14 units of the port.
    assert got >= min(bits, 10)
    asked = high.exact + low.exact
    held = high.weights * high.unit + low.weights * low.unit
    step = 2 if high.sign_mode == "MIXED" else 1
    # Half a step of the low part, and what the greatest magnitude is beyond the greatest integer.
    assert np.max(np.abs(held - asked)) <= step * low.unit * (1 + 1e-9)
    assert np.median(np.abs(held - asked)) <= 0.5 * step * low.unit
    (narrow,) = compiled(weight, 8, connectivity).projections
    assert np.allclose(np.sort(narrow.exact, axis=None), np.sort(asked, axis=None), rtol=1e-12)
    assert not [it for it in code.diagnostics if it.id in ("BC311", "BC318", "BC319")]
    (line,) = (line for line in code.quantisation if line.parameter == "greatest weight")
    assert line.relative_error <= 2.0 ** (2 - got)


@pytest.mark.parametrize("backend", ["sim", "plain"])
def test_one_event_does_what_both_parts_say(backend: str) -> None:
    code = compiled(Uniform(-3.0, 5.0), 12)
    high, low = code.projections
    v = record(code, 8, ["cells.v"], backend=backend).values["cells", "v"].astype(np.int64)
    assert low.weight_exp >= 0
    wide = (high.weights.astype(np.int64) << high.weight_exp) + (
        low.weights.astype(np.int64) << low.weight_exp
    )
    # Of what was there before an event 1/4096 remains; 64 units of v are one of the port.
    remains = np.vstack([np.zeros_like(v[:1]), np.trunc(v[:-1] / 4096).astype(np.int64)])
    assert np.array_equal((v - remains)[3:6], 64 * wide.T)
