"""Calibrations that fit a network, and how integers are chosen by one: against hand-made ones."""

from __future__ import annotations

from dataclasses import replace
from math import log2, sqrt
from typing import Any

import numpy as np
import pytest

from compiler.calibration_bounds import calibration_bounds, without_chip
from compiler.ir.calibration import Calibration, Reach, Sent
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import ExplicitPairs
from compiler.ir.courses import Table, WrittenValue
from compiler.ir.network import Network, Probe, Signal
from compiler.ir.text import as_text
from compiler.ir.values import Normal
from compiler.passes.calibrate import calibrate, fingerprint
from compiler.passes.calibrated_sums import Sums
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.lif import LIF


def calibrated(
    network: Network, *reaches: Reach, sent: tuple[Sent, ...] = (), origin: Any = "run"
) -> Calibration:
    """One that fits the network."""
    _, elaborated = without_chip(network)
    sizes = {it.name: it.size for it in network.populations}
    steps = 100 if origin == "run" else 0
    return Calibration(
        origin, network.name, fingerprint(elaborated), network.step, steps, sizes, reaches, sent
    )


def sending(population: str, *rates: float) -> Sent:
    """Events of these probabilities a step."""
    return Sent(population, "events", rates, rates)


def soma(greatest: float, name: str = "n") -> Reach:
    return Reach(name, "port", "soma", "mV", 0.0, greatest, greatest)


def reached(greatest: float, port: float = 1.0) -> tuple[Reach, ...]:
    """Of a lif neuron: its potential, and what arrives."""
    return (
        soma(port),
        Reach("n", "state", "u", "mV", -1.0, 1.0, 1.0),
        Reach("n", "state", "v", "mV", -greatest, 0.0, greatest),
    )


def steps_to_threshold(code: ChipProgram, name: str = "n") -> int:
    """Units of v between rest and threshold."""
    return 64 * int(np.min(np.asarray(code.population(name).parameters["vth"])))


@pytest.fixture(scope="module")
def pair(make: Any) -> Network:
    parts = make.population("a"), make.population("n", tau_current=0.0)
    return make.network(*parts, make.projection("a.events", "n.soma", 1.0))  # type: ignore[no-any-return]


def test_without_a_calibration_nothing_changes(pair: Network) -> None:
    _, elaborated = without_chip(pair)
    assert calibrate(elaborated) is elaborated


def test_the_text_shows_what_is_reached(pair: Network) -> None:
    seen: dict[str, Any] = {}
    found = calibrated(pair, soma(3.0), sent=(sending("a", 0.1, 0.2, 0.3, 0.4),))
    compile_network(pair, seen.__setitem__, calibration=found)
    before, after = (as_text(seen[name]) for name in ("elaborate", "calibrate"))
    assert after == before + (
        "  calibration from a run of 100 steps\n"
        "    a.events sends 250 a second\n"
        "    port n.soma = 0..3, rms 3 mV\n"
    )


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({"sizes": {"a": 4, "n": 5}}, "populations differ: n of 4, n of 5"),
        ({"sizes": {"a": 4}}, "populations differ: n of 4"),
        ({"reaches": (Reach("n", "port", "dendrite", "", 0.0, 1.0),)}, "no port n.dendrite"),
        ({"reaches": (Reach("n", "state", "soma", "", 0.0, 1.0),)}, "no state n.soma"),
        ({"sent": (sending("b", 1.0),)}, "no output b.events"),
        ({"sent": (sending("a", 1.0),)}, "1 neurons at a.events"),
    ],
)
def test_a_calibration_of_another_network(pair: Network, changes: dict[str, Any], given: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        compile_network(pair, calibration=replace(calibrated(pair), **changes))
    (found,) = caught.value.diagnostics
    assert (found.id, found.given) == ("BC922", given)


def test_a_network_that_changed_is_a_warning(make: Any, pair: Network) -> None:
    found = calibrated(pair, *reached(5.0))
    changed = replace(pair, seed=7)
    plain = compile_network(pair).diagnostics
    told = compile_network(changed, calibration=found).diagnostics
    assert [d.id for d in told] == ["BC923", *(d.id for d in plain)]
    assert compile_network(pair, calibration=found).diagnostics == plain
    # Neither is another run in real numbers.
    shown = replace(pair, probes=(Probe("n", "v"),))
    assert "BC923" not in {d.id for d in compile_network(shown, calibration=found).diagnostics}
    fewer = replace(pair, projections=(replace(pair.projections[0], weight_bits=6),))
    assert "BC923" not in {d.id for d in compile_network(fewer, calibration=found).diagnostics}


def test_all_that_a_run_depends_on_changes_the_hash(make: Any) -> None:
    def of(
        signals: tuple[Signal, ...] = (), spikes: Any = ((0, 1.0),), step: float = 1.0, **cell: Any
    ) -> str:
        parts = make.population("a", "spike_list", spikes=spikes), replace(make.population("n"), **cell)
        net = make.network(*parts, make.projection("a.events", "n.soma", 1.0), step=step)
        return fingerprint(without_chip(replace(net, signals=signals))[1])

    drives = [
        Signal("s", "n", "bias", Table(np.full(3, value), 1.0, True), start)
        for value, start in ((1.0, 0.0), (2.0, 0.0), (1.0, 1.0))
    ]
    found = [of(), of(spikes=((0, 2.0),)), of(spikes=((1, 1.0),)), of(step=0.5), of(initial={"v": -60.0})]
    found += [of(initial={"v": -61.0}), of(parameters={"tau_current": 1.0}), *(of((it,)) for it in drives)]
    assert len(set(found)) == len(found)
    assert of() == of()


def test_no_chip_no_calibration(pair: Network) -> None:
    with pytest.raises(BurstchipError) as caught:
        compile_network(replace(pair, target="none"), calibration=calibrated(pair))
    assert [d.id for d in caught.value.diagnostics] == ["BC925"]


def test_the_scale_holds_twice_what_was_reached(make: Any) -> None:
    """A slow membrane at a short step asks for the finest scale that there is room for."""
    parts = make.population("a"), make.population("n", tau_membrane=400.0, tau_current=0.0)
    slow = make.network(*parts, make.projection("a.events", "n.soma", 0.01), step=0.1)
    scales = {}
    for greatest in (10.0, 80.0, 160.0, 320.0):
        code = compile_network(slow, calibration=calibrated(slow, *reached(greatest)))
        scales[greatest] = steps_to_threshold(code)
        # 20 mV to the threshold, 2^23 units at most.
        assert 2 * greatest <= ((1 << 23) - 1) * 20.0 / scales[greatest]
    assert scales[10.0] > scales[80.0] > scales[160.0] > scales[320.0]
    # Nowhere more than two thresholds in 2^23 units, or as many as vth has bits for.
    assert scales[10.0] <= 1 << 22
    assert steps_to_threshold(compile_network(slow)) == 1 << 20


def test_a_port_that_learns_takes_the_worst_case_of_a_run_but_bounds_as_they_are(make: Any) -> None:
    rule = make.burst_rule("rule", consolidate_every=None, consolidation_rate=None, learning_rate=None)
    rule = replace(rule, rules={"dw": "2^-2*x1*y0"}, traces=rule.traces)
    parts = (make.population("a", size=1000), make.population("n", tau_membrane=200.0, tau_current=0.0), rule)
    plastic = make.network(*parts, make.projection("a.events", "n.soma", 1.0, limit=2.0, learn="rule"))
    worst = 4 * 1000 * 2.0
    run = compile_network(plastic, calibration=calibrated(plastic, *reached(20.0)))
    proved = compile_network(plastic, calibration=calibrated(plastic, *reached(20.0, 900.0), origin="bounds"))
    held = (1 << 17) * 20.0 * 64
    assert worst <= held / steps_to_threshold(run) < 2 * worst
    assert steps_to_threshold(proved) > steps_to_threshold(run)


def spread(make: Any, weights: tuple[float, ...], bits: int) -> Network:
    """Each source has a weight of its own onto one neuron."""
    pairs = ExplicitPairs.of(tuple((k, 0) for k in range(len(weights))), weights)
    return make.network(  # type: ignore[no-any-return]
        make.population("a", size=len(weights)),
        make.population("n", size=1),
        make.projection("a.events", "n.soma", None, connectivity=pairs, weight_bits=bits, name="p"),
    )


WEIGHTS = (8.0, *(0.1 + 0.01 * k for k in range(90)))


def test_a_weight_that_is_never_sent_is_clipped_for_the_others(make: Any) -> None:
    net = spread(make, WEIGHTS, 4)
    silent = (0.0, *[0.01] * (len(WEIGHTS) - 1))
    often = (0.1, *silent[1:])
    clipped, whole = (
        compile_network(net, calibration=calibrated(net, *reached(20.0), sent=(sending("a", *rates),)))
        for rates in (silent, often)
    )
    for code, count in ((clipped, 1), (whole, 0)):
        held = code.projection("p").weights * code.projection("p").unit
        assert np.count_nonzero(np.abs(held.ravel() - WEIGHTS) > 0.5) == count
    off = [
        float(np.abs(it.projection("p").weights * it.projection("p").unit - WEIGHTS).ravel()[1:].max())
        for it in (clipped, whole)
    ]
    assert off[0] < off[1] / 4
    found = [d for d in clipped.diagnostics if d.id == "BC311"]
    assert [d.message for d in found] == ["1 of 91 weights of 'p' are clipped"]
    assert found[0].hint is not None and "sums are less off so" in found[0].hint
    assert not [d for d in whole.diagnostics if d.id == "BC311"]


def test_a_limit_and_bounds_leave_every_weight_whole(make: Any) -> None:
    net = spread(make, WEIGHTS, 4)
    silent = (sending("a", 0.0, *[0.01] * (len(WEIGHTS) - 1)),)
    limited = replace(net, projections=(replace(net.projections[0], limit=8.0),))
    for it, found in (
        (limited, calibrated(limited, *reached(20.0), sent=silent)),
        (net, calibrated(net, *reached(20.0), origin="bounds")),
    ):
        code = compile_network(it, calibration=found)
        held = code.projection("p").weights * code.projection("p").unit
        assert np.max(held) == pytest.approx(8.0, rel=0.05)


def test_the_line_of_the_sums_is_their_arithmetic(make: Any) -> None:
    net = spread(make, WEIGHTS, 4)
    rates = np.full(len(WEIGHTS), 0.02)
    code = compile_network(
        net, calibration=calibrated(net, *reached(20.0), sent=(sending("a", *rates.tolist()),))
    )
    it = next(line for line in code.quantisation if line.parameter == "calibrated sum")
    memory = 1 / (1 - np.exp(-1 / 20.0))
    variance = rates * (1 - rates)

    def rms(weights: Any) -> float:
        return sqrt((rates @ weights) ** 2 + variance @ weights**2 / (2 * memory - 1))

    exact = np.array(WEIGHTS)
    projection = code.projection("p")
    assert projection.weight_exp >= 0
    held = projection.weights.ravel() * projection.unit
    assert it.requested == pytest.approx(rms(exact), rel=1e-9)
    assert it.represented == pytest.approx(rms(held), rel=1e-9)
    assert it.integers.startswith(f"rms error {100 * rms(held - exact) / rms(exact):.3g} % predicted, ")


def test_flooring_is_the_mean_and_the_spread_of_what_is_cut_off(make: Any) -> None:
    """Against sums that are floored one by one."""
    net = spread(make, WEIGHTS[1:], 8)
    _, elaborated = without_chip(net)
    rates = [0.5] * 90
    found = calibrated(net, sent=(sending("a", *rates),))
    sums = Sums.of(elaborated.synapses[0], "static", found, np.ones(1), 1.0)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 200, 90) @ (rng.random((90, 20_000)) < 0.5)
    lost = drawn / 8 - (drawn >> 3)
    assert sums.floored(-3, 1.0) == pytest.approx(np.sqrt(np.mean(lost**2)), rel=0.02)
    assert sums.floored(0, 1.0) == sums.floored(5, 1.0) == 0.0


def test_a_scale_between_powers_of_two_takes_weights_to_the_end_of_their_integers(make: Any) -> None:
    """8 bits mixed or 4 of one sign: the greatest weight uses most of them."""
    net = spread(make, tuple(np.linspace(0.05, 1.1, 40).tolist()), 4)
    sent = (sending("a", *[0.01] * 40),)
    code = compile_network(net, calibration=calibrated(net, *reached(20.0), sent=sent))
    plain = compile_network(net)
    assert log2(steps_to_threshold(plain)) % 1 == 0 != log2(steps_to_threshold(code)) % 1
    off = [
        float(
            np.sqrt(
                np.mean(
                    (it.projection("p").weights * it.projection("p").unit - np.linspace(0.05, 1.1, 40)) ** 2
                )
            )
        )
        for it in (code, plain)
    ]
    assert off[0] < 0.7 * off[1]


def test_integers_of_one_s_own_keep_their_scale(make: Any) -> None:
    parts = make.population("a"), make.population("n", vth=100)
    own = make.network(*parts, make.projection("a.events", "n.soma", 30.0, weight_exp=1))
    code = compile_network(own, calibration=calibrated(own, *reached(5.0)))
    plain = compile_network(own)
    assert code.population("n").parameters == plain.population("n").parameters
    assert np.array_equal(code.projections[0].weights, plain.projections[0].weights)


def test_bounds_are_the_sums_of_all_weights(make: Any) -> None:
    parts = make.population("a", size=10), make.population("n", size=3, tau_current=0.0)
    net = make.network(
        *parts,
        make.projection("a.events", "n.soma", 2.0, name="up"),
        make.projection("a.events", "n.soma", -1.0, name="down"),
    )
    found = calibration_bounds(net)
    reach = found.reach("n", "port", "soma")
    assert reach is not None and (found.origin, found.steps, found.sent) == ("bounds", 0, ())
    assert (reach.low, reach.high) == pytest.approx((-10.0, 20.0), rel=0.02)
    v = found.reach("n", "state", "v")
    # -10 mV in every step, of which exp(-1/20) is left: the sum of the series.
    assert v is not None and v.low == pytest.approx(-10.0 / (1 - np.exp(-1 / 20)), rel=0.02)


def test_a_signal_keeps_a_scale_that_holds_it(make: Any) -> None:
    """A current that the run did not see fits as it does for the worst case."""
    parts = make.population("n", tau_membrane=400.0, tau_current=0.0)
    drive = Signal("drive", "n", "bias", WrittenValue(0.0, 10_000.0, 0.0))
    steered = replace(make.network(parts, step=0.1), signals=(drive,))
    plain, free = (compile_network(it) for it in (steered, replace(steered, signals=())))
    assert steps_to_threshold(plain) == steps_to_threshold(free)
    chosen = compile_network(steered, calibration=calibrated(steered, *reached(5.0)))
    assert steps_to_threshold(chosen) <= steps_to_threshold(plain)


def test_wide_weights_get_the_bits_that_a_finer_scale_leaves_room_for(make: Any) -> None:
    """2000 sources of 16-bit weights, of which two send in a step and not all."""
    parts = make.population("a", size=2000), make.population("n", tau_current=0.0)
    weight = make.projection("a.events", "n.soma", Normal(1.0, 0.1), weight_bits=16, name="p")
    net = make.network(*parts, weight)
    sent = (sending("a", *[0.001] * 2000),)
    plain, chosen = (
        compile_network(net),
        compile_network(net, calibration=calibrated(net, *reached(20.0, 8.0), sent=sent)),
    )

    def off(code: ChipProgram) -> float:
        parts = (code.projection("p"), code.projection("p.low"))
        return float(np.std(sum(it.weights * it.unit for it in parts) - sum(it.exact for it in parts)))

    assert off(chosen) < off(plain) / 2
    line = next(it for it in chosen.quantisation if it.parameter == "calibrated sum")
    assert line.requested == pytest.approx(line.represented, rel=1e-3)


@pytest.mark.parametrize("limit", [10.0, 13.0, 14.9])
def test_the_limit_of_what_learns_is_kept_as_well_as_the_scale_allows(make: Any, limit: float) -> None:
    parts = (make.population("a"), make.population("n", "burst_unit"), make.burst_rule("rule"))
    weight = make.projection("a.events", "n.soma", 1.0, limit=limit, learn="rule")
    net = make.network(*parts, weight)
    plain, chosen = (
        next(it for it in code.quantisation if it.parameter == "limit")
        for code in (
            compile_network(net),
            compile_network(net, calibration=calibrated(net, *reached(20.0), origin="bounds")),
        )
    )
    assert plain.represented <= chosen.represented <= limit
    # Sixteen scales an octave, and 255 of 256.
    assert chosen.relative_error < 1 / 16 + 1 / 256
    assert (plain.relative_error > 0.2) == (limit != 10.0)


def test_a_model_that_does_not_say_what_its_states_count_gets_no_finer_scale(make: Any) -> None:
    parts = make.population("a"), make.population("n", "silent", tau_membrane=400.0, tau_current=0.0)
    net = make.network(*parts, make.projection("a.events", "n.soma", 1.0), step=0.1)

    def without_units(*given: Any) -> Any:
        return replace(LIF.in_chip_units(*given), units={}, origins={}, starts={})

    silent = replace(LIF, name="silent", in_chip_units=without_units, extended=None, options=(), initial=())
    net = replace(net, models={**net.models, "silent": silent})
    plain, chosen = compile_network(net), compile_network(net, calibration=calibrated(net, soma(3.0)))
    assert steps_to_threshold(chosen) <= steps_to_threshold(plain)
