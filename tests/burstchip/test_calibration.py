"""What a network reaches in a run, and that integers chosen for it lose less: against recordings and sums."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burstchip.running.recording as recording
from burstchip import calibrate, load_network, record
from burstchip.error_shares import ErrorShares, error_shares
from compiler.calibration_bounds import calibration_bounds
from compiler.ir.calibration import Calibration
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant, Normal
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.registry import models


def network(
    weight: Any, *, sources: int, rate: float, step: float = 1.0, bits: int = 8, **cell: Any
) -> Network:
    """Poisson sources onto 8 lif neurons, `n`."""
    projection = Projection(
        "p",
        Endpoint("a", "events"),
        Endpoint("n", "soma"),
        Dense(),
        weight,
        Constant(step),
        weight_bits=bits,
    )
    populations = (
        Population("a", "poisson_source", sources, {"rate": rate}),
        Population("n", "lif", 8, cell),
    )
    return Network("test", step, 0, populations, (projection,), (), (), None, "loihi2", {}, models())


#: Weights of 4 bits from a normal distribution onto neurons that stay silent.
FEW_BITS = network(Normal(0.0, 1.0), sources=400, rate=20.0, bits=4, threshold=0.0)
#: 4000 sources at a tenth of a millisecond: at the scale for all of them at once sums are floored.
MANY = network(Normal(0.01, 0.002), sources=4000, rate=5.0, step=0.1)
#: Inhibition to many thresholds below rest, where the scale for eight of them clips.
INHIBITED = network(Constant(-0.25), sources=100, rate=100.0, step=0.1, tau_membrane=200.0, tau_current=1.0)


@pytest.fixture(scope="module")
def few_bits() -> Calibration:
    return calibrate(FEW_BITS, 2000)


def errors(code: ChipProgram, steps: int) -> ErrorShares:
    (found,) = error_shares(code, steps, [("n", "v")])
    return found


def line(code: ChipProgram, where: str, parameter: str) -> Any:
    return next(it for it in code.quantisation if (it.where, it.parameter) == (where, parameter))


def test_it_is_what_a_recording_of_the_same_run_has(few_bits: Calibration) -> None:
    code = compile_network(replace(FEW_BITS, target="none"))
    ran = record(code, 2000, [("a", "events"), ("n", "v"), ("n", "u")], backend="reference")
    unit = code.population("n").units["v"][0]
    for name in ("u", "v"):
        values, reach = ran.values["n", name] * unit, few_bits.reach("n", "state", name)
        assert reach is not None and reach.unit == "mV"
        assert (reach.low, reach.high) == (values.min(), values.max())
        assert reach.rms == pytest.approx(np.sqrt(np.mean(values**2)), rel=1e-12)
    mean, variance = few_bits.messages("a", "events")
    sent = ran.values["a", "events"]
    np.testing.assert_allclose(mean, sent.mean(axis=0))
    np.testing.assert_allclose(variance, sent.var(axis=0), atol=1e-12)
    assert few_bits.rate("a", "events") == pytest.approx(sent.mean() * 1000)
    # What arrives is the sum of the exact weights of all that sent a step before.
    sums = sent[:-1] @ code.projection("p").exact.T
    reach = few_bits.reach("n", "port", "soma")
    assert reach is not None and reach.unit == "mV"
    assert (reach.low, reach.high) == pytest.approx((sums.min(), sums.max()))
    assert reach.rms == pytest.approx(np.sqrt(np.sum(sums**2) / sums.shape[1] / 2000))


def test_the_parts_of_a_run_do_not_matter(few_bits: Calibration, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many steps come back at a time depends on the machine's speed."""
    monkeypatch.setattr(recording, "CALL_BYTES", 1 << 16)
    assert calibrate(FEW_BITS, 2000) == few_bits


def test_weights_of_few_bits_are_less_off(few_bits: Calibration) -> None:
    plain, chosen = compile_network(FEW_BITS), compile_network(FEW_BITS, calibration=few_bits)
    before, after = (errors(it, 2000) for it in (plain, chosen))
    assert before.parameter is not None and after.parameter is not None
    assert after.parameter < before.parameter / 2
    # The prediction: sums that are averaged over the membrane's time constant.
    text = line(chosen, "p", "calibrated sum").integers
    predicted = [float(part.split()[0]) / 100 for part in text.removeprefix("rms error ").split(", ")]
    for share, found in zip(predicted, (after, before), strict=True):
        assert found.parameter == pytest.approx(share * found.rms, rel=0.3)


def test_sums_are_floored_less_where_sources_never_send_at_once() -> None:
    plain, found = compile_network(MANY), calibrate(MANY, 500)
    chosen = compile_network(MANY, calibration=found)
    assert plain.projection("p").weight_exp < chosen.projection("p").weight_exp
    before, after = (errors(it, 2000) for it in (plain, chosen))
    assert before.state is not None and after.state is not None
    assert before.state > 0.7 * before.rms and after.state < before.state / 3
    # Bounds allow less than a run, but more than four times all sources at the greatest weight.
    proved = compile_network(MANY, calibration=calibration_bounds(MANY))
    least = [np.min(np.asarray(it.population("n").parameters["vth"])) for it in (plain, proved, chosen)]
    assert least == sorted(set(least))
    between = errors(proved, 2000)
    assert between.state is not None and after.state < between.state < before.state


def test_what_is_clipped_at_the_scale_for_the_worst_case_is_held() -> None:
    plain = compile_network(INHIBITED)
    chosen = compile_network(INHIBITED, calibration=calibrate(INHIBITED, 4000))
    before, after = (errors(it, 4000) for it in (plain, chosen))
    assert before.state is not None and after.state is not None
    assert before.state > 0.3 * before.rms and after.state < before.state / 5
    held = line(chosen, "n", "reach of v")
    assert held.requested == held.represented > 2 * 160.0


def test_what_no_scale_holds_is_a_warning() -> None:
    """1000 thresholds a step are more than the coarsest scale has."""
    # An event of 20 V, in 150 sources that send in every second step.
    huge = network(Constant(1000.0), sources=150, rate=500.0, tau_current=0.0)
    code = compile_network(huge, calibration=calibrate(huge, 50))
    assert [(d.id, d.severity) for d in code.diagnostics if d.id == "BC924"] == [("BC924", "warning")] * 2
    held = line(code, "n", "reach of soma")
    assert held.represented < held.requested and held.relative_error > 0.1


def test_a_protocol_is_not_calibrated_by_a_run_that_does_not_follow_it() -> None:
    loaded = load_network(Path(__file__).parents[2] / "examples" / "and_gate.yaml")
    with pytest.raises(BurstchipError, match="BC926"):
        calibrate(loaded, 10)
