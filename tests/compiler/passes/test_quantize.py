"""Physical values become the nearest integers the chip has, and what is lost is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.ir.chip_program import ChipProgram, ProjectionCode, QuantisationLine
from compiler.ir.connectivity import ExplicitPairs
from compiler.ir.network import Plasticity, TraceSpec
from compiler.ir.values import Constant, Normal, Uniform
from compiler.passes.elaborate import elaborate
from compiler.passes.quantize import quantize
from compiler.passes.quantize_weights import mantissa
from hw_models.diagnostics import Place

#: One weight unit at exponent 0 of a lif: 64 of the 8192 steps of 20 mV.
UNIT = 20 / 128


@pytest.fixture
def code(make: Any) -> Any:
    """What quantize makes of a network."""
    return lambda *parts, **more: quantize(elaborate(make.network(*parts, **more)))


@pytest.fixture
def weights(make: Any, code: Any) -> Any:
    """(projection, program) of weights drawn so, between two populations of 50 neurons."""

    def quantized(weight: Any, **more: Any) -> tuple[ProjectionCode, ChipProgram]:
        parts = [make.population("a", size=50), make.population("b", size=50, tau_current=0.0)]
        if more.get("learn"):
            parts[1] = make.population("b", "burst_unit", 50)
            parts.append(make.burst_rule("rule", form=more.pop("form", "chip")))
        program = code(*parts, make.projection("a.events", "b.soma", weight, **more))
        return program.projections[0], program

    return quantized


@pytest.mark.parametrize(
    ("weight", "limit", "octaves", "integer", "sign"),
    [
        (20.0, None, 0, 128, "EXCITATORY"),
        (-20.0, None, 0, -128, "INHIBITORY"),
        # 255 at exponent 0 is the greatest weight that is not clipped.
        (255 * UNIT, None, 0, 255, "EXCITATORY"),
        (255.6 * UNIT, None, 1, 128, "EXCITATORY"),
        (256 * UNIT, None, 1, 128, "EXCITATORY"),
        (-255 * UNIT, None, 0, -255, "INHIBITORY"),
        (2.0, None, -4, 205, "EXCITATORY"),
        (2.0, 20.0, -1, 26, "EXCITATORY"),
        (2.0, 40.0, 0, 13, "EXCITATORY"),
        (0.0, None, 0, 0, "EXCITATORY"),
    ],
)
def test_the_smallest_exponent_that_fits(
    weights: Any, weight: float, limit: float | None, octaves: int, integer: int, sign: str
) -> None:
    """In units of the least voltage scale; a finer scale takes the place of an exponent below 0."""
    projection, program = weights(weight, limit=limit)
    assert (projection.weight_exp, projection.sign_mode) == (max(octaves, 0), sign)
    assert program.population("b").parameters["vth"] == 128 << max(-octaves, 0)
    assert np.all(projection.weights == integer)
    assert projection.unit == UNIT * 2.0**octaves
    assert projection.weight_unit == "mV"
    assert not [d for d in program.diagnostics if d.id == "BC311"]


def test_mixed_weights_are_even(weights: Any) -> None:
    projection, program = weights(Normal(0.0, 5.0))
    assert projection.sign_mode == "MIXED"
    assert not np.any(projection.weights % 2)
    greatest = np.abs(projection.exact).max()
    assert 127 * projection.unit < greatest <= 255 * projection.unit
    assert np.abs(projection.weights * projection.unit - projection.exact).max() <= projection.unit
    assert not program.diagnostics


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize(("low", "high"), [(-10.0, 10.0), (1.0, 10.0), (-10.0, -1.0)])
def test_fewer_bits_are_coarser_steps(weights: Any, bits: int, low: float, high: float) -> None:
    projection, _ = weights(Uniform(low, high), weight_bits=bits)
    step = 2 ** (8 - bits + (low * high < 0))
    assert projection.num_weight_bits == bits
    assert not np.any(projection.weights % step)
    # Lava keeps such weights as they are: clip to the mode's range, then truncate.
    ends = {"MIXED": (-256, 255), "EXCITATORY": (0, 255), "INHIBITORY": (-255, 0)}[projection.sign_mode]
    assert ends[0] <= projection.weights.min() and projection.weights.max() <= ends[1]


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(["static", "chip", "carry"]),
    sign=st.sampled_from(["MIXED", "EXCITATORY", "INHIBITORY"]),
    bits=st.integers(1, 8),
)
def test_a_mantissa_s_greatest_weight_is_one_that_it_has(form: Any, sign: Any, bits: int) -> None:
    allowed = mantissa(form, sign, bits)
    greatest = allowed.greatest * 2**allowed.fraction_bits
    ends = [end for end in (allowed.low, allowed.high) if end]
    assert greatest % allowed.step == 0
    # With one bit and both signs only -256 and 0 remain.
    assert greatest > 0 or (bits, sign) == (1, "MIXED")
    assert all(abs(end) >= greatest for end in ends)


def test_uniform_weights_take_every_representable_value_alike(make: Any, code: Any) -> None:
    parts = (make.population("a", size=300), make.population("b", size=300, tau_current=0.0))
    weight = Uniform(-20 * UNIT, 20 * UNIT)
    program = code(*parts, make.projection("a.events", "b.soma", weight, limit=256 * UNIT))
    values, counts = np.unique(program.projections[0].weights, return_counts=True)
    assert values.tolist() == list(range(-20, 22, 2))
    assert np.all(np.abs(counts - 90_000 / 21) < 5 * np.sqrt(90_000 / 21))


def test_plastic_weights(weights: Any) -> None:
    carry, _ = weights(Uniform(-3.25, 3.25), limit=20.0, learn="rule", form="carry")
    # 128 units for 20 mV, of 256 tags each; a burst unit's weights count from 1/8192.
    assert carry.weight_exp == 6 and carry.sign_mode == "MIXED"
    assert carry.unit == 20 / 128 / 256
    assert carry.weights.max() == pytest.approx(3.25 / carry.unit, rel=0.01)
    assert np.any(carry.weights % 2)
    chip, _ = weights(Uniform(-3.25, 3.25), limit=20.0, learn="rule")
    assert chip.weight_exp == 5 and not np.any(chip.weights % 2)
    assert chip.unit == 20 / 256


@pytest.mark.parametrize(("bits", "greatest"), [(8, 254), (5, 240), (3, 192), (1, 0)])
def test_the_greatest_weight_to_learn_from_is_one_that_lava_does_not_truncate(
    weights: Any, bits: int, greatest: int
) -> None:
    chip, _ = weights(Uniform(-20.0, 20.0), limit=20.0, learn="rule", weight_bits=bits)
    step = 2 ** (9 - bits)
    assert not np.any(chip.weights % step)
    assert (chip.weights.min(), chip.weights.max()) == (-256, greatest)


def test_weights_beyond_their_limit_are_clipped_and_counted(make: Any, code: Any) -> None:
    place = Place("net.yaml", 3, 4)
    pairs = ExplicitPairs.of(((0, 0), (1, 1), (2, 2)), (1.0, 5.0, -9.0))
    program = code(
        make.population("a"),
        make.population("b", tau_current=0.0),
        make.projection("a.events", "b.soma", None, connectivity=pairs, limit=4.0, places={"limit": place}),
    )
    assert program.projections[0].weights.tolist() == [52, 204, -204]
    clipped = next(d for d in program.diagnostics if d.id == "BC311")
    assert str(clipped) == (
        "net.yaml:3:4: warning[BC311]: 2 of 3 weights of 'a.events->b.soma' are clipped\n"
        "  required: at most 4 mV, the limit    given: up to 9 mV    hint: raise the limit of the weights"
    )


@pytest.mark.parametrize("weight", [Constant(5.0), Uniform(3.0, 5.0), Normal(4.0, 0.5)])
def test_the_limit_holds_for_weights_of_every_origin(make: Any, weight: Any) -> None:
    parts = [make.population("a", size=40), make.population("b", size=5, tau_current=0.0)]
    # 256 units are far more than the limit.
    (found,) = make.compiled(*parts, make.projection("a.events", "b.soma", weight, limit=4.0)).projections
    assert np.max(found.exact) == 4.0 and np.max(found.weights) * found.unit < 4.01
    network = make.network(*parts, make.projection("a.events", "b.soma", weight, limit=4.0))
    program = quantize(elaborate(replace(network, target="none")))
    assert np.max(program.projections[0].exact) == 4.0
    assert [it.id for it in program.diagnostics] == ["BC311"]


@pytest.mark.parametrize(
    ("sign_mode", "weight", "low", "high"),
    [("excitatory", 2.0, 0, 255), ("inhibitory", -2.0, -255, 0), ("mixed", 2.0, -256, 255)],
)
def test_the_sign_mode_of_weights_that_learn(
    make: Any, code: Any, sign_mode: Any, weight: float, low: int, high: int
) -> None:
    parts = [make.population("a", size=2), make.population("b", size=2, tau_current=0.0)]
    rule = Plasticity("rule", "chip", "lava", 2.0, (), {"dw": "x0*2^3 - y0*2^3"})
    ends = make.projection("a.events", "b.soma", weight, learn="rule", limit=5.0, sign_mode=sign_mode)
    program = code(*parts, rule, ends)
    assert program.projections[0].sign_mode == sign_mode.upper()
    line = next(line for line in program.quantisation if line.parameter == "limit")
    assert line.integers == f"weights in {low}..{high}"


def test_weights_of_another_sign_than_their_sign_mode(make: Any) -> None:
    pairs = ExplicitPairs.of(((0, 0), (1, 1)), (1.0, -2.0))
    ends = make.projection("a.events", "b.soma", None, connectivity=pairs, sign_mode="excitatory")
    (error,) = make.errors(make.population("a"), make.population("b"), ends)
    assert str(error) == (
        "error[BC343]: 1 of 2 weights of 'a.events->b.soma' have another sign\n"
        "  required: weights of at least 0    given: from -2 to 1"
        "    hint: other weights, or another sign_mode than excitatory"
    )


def test_weights_that_no_exponent_reaches(make: Any) -> None:
    (error,) = make.errors(
        make.population("a"),
        make.population("b", tau_current=0.0),
        make.projection("a.events", "b.soma", 1e4),
    )
    assert error.id == "BC314"
    assert (
        error.message == "the weights of 'a.events->b.soma' exceed the greatest that the chip can represent"
    )
    assert (error.required, error.given) == ("at most 5100 mV", "10000 mV")


@pytest.mark.parametrize(("weight", "integer"), [(0.001, 210), (1e-4, 21), (1e-5, 2), (1e-6, 0)])
def test_small_weights_take_the_least_exponent(weights: Any, weight: float, integer: int) -> None:
    """At the finest voltage scale, 2^14 weight units to the threshold."""
    projection, program = weights(weight)
    assert program.population("b").parameters["vth"] == 1 << 14
    assert projection.weight_exp == -8 and np.all(projection.weights == integer)
    found = [message.id for message in program.diagnostics]
    assert found == (["BC318", "BC310"] if integer == 0 else [])


def test_dense_weights_are_target_by_source(make: Any, code: Any) -> None:
    program = code(
        make.population("a", size=2),
        make.population("b", size=3),
        make.projection("a.events", "b.soma", Uniform(0.0, 30.0), delay=Uniform(1.0, 9.0)),
    )
    projection = program.projections[0]
    synapses = elaborate(
        make.network(
            make.population("a", size=2),
            make.population("b", size=3),
            make.projection("a.events", "b.soma", Uniform(0.0, 30.0), delay=Uniform(1.0, 9.0)),
        )
    ).synapses[0]
    assert projection.dense and projection.weights.shape == (3, 2) == projection.exact.shape
    assert projection.pre.size == projection.post.size == 0
    for k in range(6):
        exact = 30.0 * (synapses.quantiles[k] + 0.5) / 65536  # type: ignore[index]
        assert projection.exact[synapses.post[k], synapses.pre[k]] == exact
        assert projection.weights[synapses.post[k], synapses.pre[k]] * projection.unit == pytest.approx(
            exact, abs=projection.unit
        )
    # Delays stay in the order of the synapses, source first.
    assert projection.delays.tolist() == synapses.delays.tolist()


def test_a_delay_beyond_the_chip(make: Any) -> None:
    parts = (make.population("a"), make.population("b"))
    longest = make.compiled(*parts, make.projection("a.events", "b.soma", delay=63.0))
    assert set(longest.projections[0].delays.tolist()) == {62}
    for delay, steps in ((64.0, 64), (1e15, (1 << 20))):
        (error,) = make.errors(*parts, make.projection("a.events", "b.soma", delay=delay))
        assert error.id == "BC312"
        assert error.message == f"a delay of 'a.events->b.soma' is {steps} steps"
        assert error.required == "1..63 steps (6 bits, Loihi)"


def test_every_delay_that_could_be_drawn_has_to_fit(make: Any) -> None:
    for seed in range(20):
        parts = (make.population("a"), make.population("b"))
        (error,) = make.errors(
            *parts, make.projection("a.events", "b.soma", delay=Uniform(0.1, 6.4)), step=0.1, seed=seed
        )
        assert (error.id, error.given) == ("BC312", "64 steps")
        make.compiled(
            *parts, make.projection("a.events", "b.soma", delay=Uniform(0.1, 6.3)), step=0.1, seed=seed
        )


@pytest.mark.parametrize(("step", "steps"), [(1.0, [1, 2, 3, 3]), (0.5, [1, 3, 5, 6])])
def test_half_a_step_is_rounded_up(make: Any, code: Any, step: float, steps: list[int]) -> None:
    spikes = ((0, 0.5), (1, 1.5), (2, 2.5), (3, 3.0))
    program = code(make.population("a", "spike_list", spikes=spikes), step=step)
    assert program.population("a").spikes[:, 0].tolist() == steps
    parts = (make.population("a"), make.population("b"))
    for delay, extra in ((1.5, 1), (2.5, 2), (2.49, 1)):
        delayed = code(*parts, make.projection("a.events", "b.soma", delay=delay))
        assert set(delayed.projections[0].delays.tolist()) == {extra}
    pushed = code(make.population("a", "current_source", start=0.5, stop=2.5))
    assert [pushed.population("a").parameters[name] for name in ("start", "stop")] == [1, 3]


def test_a_current_that_stops_before_it_starts(make: Any) -> None:
    (error,) = make.errors(make.population("a", "current_source", start=10.0, stop=(20.0, 5.0, 30.0, 40.0)))
    assert (error.id, error.given) == ("BC193", "start 10 ms, stop 5 ms")


@pytest.mark.parametrize(
    ("model", "parameters", "message", "required", "given"),
    [
        (
            "burst_unit",
            {"target_rate": 1200.0},
            "'target_rate' of population 'n' exceeds the range of the chip's integers",
            "rate_target in 0..1048576",
            "rate_target = 1258291",
        ),
        (
            "burst_unit",
            {"teacher_on": 1e5, "teacher_gain": 0.125},
            "'teacher_on' of population 'n' exceeds the range of the chip's integers",
            "teacher_on in -32768..32767",
            "teacher_on = 51200",
        ),
        (
            "burst_unit",
            {"threshold": (-50.0, -69.9, -50.0, -50.0)},
            "'threshold' of population 'n' exceeds the range of the chip's integers",
            "vth in 0..4095",
            "vth = 25600",
        ),
        (
            "lif",
            {"threshold": -75.0},
            "population 'n': the threshold is not above the resting potential",
            "threshold above rest",
            "threshold -75 mV, rest -70 mV",
        ),
    ],
)
def test_a_value_that_the_chip_cannot_hold(
    make: Any, model: str, parameters: dict[str, Any], message: str, required: str, given: str
) -> None:
    (error,) = make.errors(make.population("n", model, **parameters))
    assert error.id == ("BC315" if "exceeds" in message else "BC192")
    assert (error.message, error.required, error.given) == (message, required, given)


def test_each_neuron_s_threshold(make: Any, code: Any) -> None:
    """One unit for the population: weights mean the same for all of its neurons."""
    thresholds = (-50.0, -60.0, -40.0, -55.0)
    program = code(
        make.population("a"),
        make.population("b", threshold=thresholds, bias=100.0, tau_current=0.0),
        make.projection("a.events", "b.soma", 10.0),
    )
    parameters = program.population("b").parameters
    assert np.asarray(parameters["vth"]).tolist() == [256, 128, 384, 192]
    # 1 mV in units of 10 mV / 8192.
    assert parameters["bias_mant"] == 819
    assert program.projections[0].unit == 10 / 128 * 2.0 ** program.projections[0].weight_exp
    line = next(line for line in program.quantisation if line.parameter == "threshold")
    assert line.relative_error < 1e-12


def lines(program: ChipProgram) -> dict[tuple[str, str], QuantisationLine]:
    return {(line.where, line.parameter): line for line in program.quantisation}


def test_the_report_has_a_line_for_each_value(make: Any, code: Any) -> None:
    network = make.digits()
    program = code(*network.populations, *network.projections, *network.plasticity, network.task)
    found = lines(program)
    hidden = {parameter for where, parameter in found if where == "hidden"}
    assert hidden >= {"tau_soma", "threshold", "bias", "burst_window", "target_rate", "homeostasis_gain"}
    bias = found["hidden", "bias"]
    assert (bias.requested, bias.unit, bias.integers) == (73.24, "pA", "bias_mant = 300, bias_exp = 0")
    assert bias.represented == pytest.approx(73.24, rel=1e-3) and bias.relative_error < 1e-4
    weight = found["image.events->hidden.soma", "greatest weight"]
    assert weight.unit == "mV" and weight.requested == pytest.approx(3.25, rel=0.01)
    assert found["plasticity rule", "learning_rate"].integers == "shift = 4"
    assert found["plasticity rule", "x1 tau"].integers == "tau = 16 steps"
    # Two projections share the rule: one set of lines.
    assert len(program.quantisation) == len(found)


def test_a_rounding_that_is_more_than_a_twentieth_is_reported(make: Any, code: Any) -> None:
    place = Place("net.yaml", 8, 9)
    neurons = make.population("n", "burst_unit", homeostasis_window=700.0)
    neurons = replace(neurons, parameter_places={"homeostasis_window": place})
    (warning,) = code(neurons).diagnostics
    assert str(warning) == (
        "net.yaml:8:9: warning[BC310]: 'homeostasis_window' of 'n' is 700 ms in the network"
        " and 512 ms on the chip\n"
        "  required: 700 ms    given: 512 ms (rate_shift = 9)"
    )
    assert not code(make.population("n", "burst_unit", homeostasis_window=1000.0)).diagnostics


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        # Nothing that is asked for gets lost without a word.
        ({"teacher_on": 500.0}, "'teacher_on' of 'n' is 500 Hz in the network and 0 Hz on the chip"),
        ({"tau_current": 0.1}, "'tau_current' of 'n' is 0.1 ms in the network and 0 ms on the chip"),
        ({"tau_soma": 1e6}, "'tau_soma' of 'n' is 1e+06 ms in the network and infinite on the chip"),
        ({"bias": 1e9}, "'bias' of 'n' is 1e+09 pA in the network and 127969 pA on the chip"),
        (
            {"dendrite_shift": (6.0, 7.0, 6.0, 6.0)},
            "'dendrite_shift' of 'n' is 6 in the network and 7 on the chip",
        ),
        (
            {"burst_window": (1024.0, 64.0, 1024.0, 1024.0)},
            "'burst_window' of 'n' is 64 in the network and 1024 on the chip",
        ),
    ],
)
def test_values_that_get_lost(make: Any, code: Any, parameters: dict[str, Any], message: str) -> None:
    (warning,) = code(make.population("n", "burst_unit", **parameters)).diagnostics
    assert (warning.id, warning.message) == ("BC310", message)


def test_of_many_neurons_the_worst_is_told(make: Any, code: Any) -> None:
    program = code(make.population("n", tau_current=(5.0, 0.1, 5.0, 5.0)))
    (warning,) = program.diagnostics
    assert warning.given == "0 ms (du = [ 741 4095 741 741])"


@pytest.mark.parametrize(
    ("more", "id_", "message", "required", "given"),
    [
        (
            {"every": 8.5},
            "BC313",
            "'every' of plasticity 'rule' is not a whole number of steps",
            "a multiple of 1 ms",
            "8.5 ms",
        ),
        (
            {"learning_rate": 2.0**-15},
            "BC321",
            "'learning_rate' of plasticity 'rule' cannot be represented",
            "2^-14 to 2^8 in the form chip",
            "2^-15",
        ),
        (
            {"consolidation_rate": 2.0**-8},
            "BC321",
            "'consolidation_rate' of plasticity 'rule' cannot be represented",
            "2^-7 to 2^8 in the form chip",
            "2^-8",
        ),
        (
            {"form": "carry", "learning_rate": 2.0**-13},
            "BC321",
            "'learning_rate' of plasticity 'rule' cannot be represented",
            # Two halvings are to come.
            "2^-12 to 2^0 in the form carry",
            "2^-13",
        ),
        (
            {"form": "carry", "learning_rate": 4.0},
            "BC321",
            "'learning_rate' of plasticity 'rule' cannot be represented",
            "2^-12 to 2^0 in the form carry",
            "2^2",
        ),
    ],
)
def test_rules_that_cannot_be(
    make: Any, more: dict[str, Any], id_: str, message: str, required: str, given: str
) -> None:
    parts = vars(make.digits(rule=make.burst_rule(**more)))
    (error,) = make.errors(*parts["populations"], *parts["projections"], *parts["plasticity"], parts["task"])
    assert (error.id, error.message, error.required, error.given) == (id_, message, required, given)


@pytest.mark.parametrize("name", ["present", "teach_after"])
def test_times_of_the_task_are_whole_steps(make: Any, name: str) -> None:
    network = make.digits()
    task = replace(network.task, **{name: 24.25})
    (error,) = make.errors(*network.populations, *network.projections, *network.plasticity, task)
    assert (error.id, error.message) == ("BC313", f"'{name}' is not a whole number of steps")
    assert error.hint == "did you mean: 24 ms"


def test_traces(make: Any, code: Any) -> None:
    network = make.digits("carry")
    program = code(*network.populations, *network.projections, *network.plasticity, network.task)
    learning = program.projections[0].learning
    assert (learning.traces[0].kind, learning.traces[0].decay, learning.traces[0].impulse) == (
        "plain",
        248,
        16,
    )
    network = make.digits("chip")
    program = code(*network.populations, *network.projections, *network.plasticity, network.task)
    learning = program.projections[0].learning
    assert (learning.traces[0].kind, learning.traces[0].tau, learning.traces[0].impulse) == ("lava", 16.0, 16)


def test_spike_lists_are_sorted_by_time(make: Any, code: Any) -> None:
    program = code(make.population("s", "spike_list", 3, spikes=((2, 5.0), (0, 1.0), (1, 5.0))), step=0.5)
    assert program.populations[0].spikes.tolist() == [[2, 0], [10, 1], [10, 2]]


@pytest.mark.parametrize(
    ("forms", "expected"), [([], "none"), (["chip"], "chip"), (["chip", "carry"], "mixed")]
)
def test_the_form_of_the_weights(make: Any, code: Any, forms: list[str], expected: str) -> None:
    parts = [make.population("a"), *(make.population(f"n{i}", "burst_unit") for i in range(len(forms)))]
    for i, form in enumerate(forms):
        parts += [
            make.burst_rule(form, form=form),
            make.projection("a.events", f"n{i}.soma", 1.0, learn=form),
        ]
    assert code(*parts).weight_form == expected


@pytest.mark.parametrize(
    ("more", "most", "text"),
    [
        ({"learn": "rule"}, 255, "weights in -256..255"),
        ({"learn": "rule", "form": "carry"}, 32639, "weights in -32640..32639"),
        ({}, 256, "weights in -256..254"),
    ],
)
def test_the_limit_has_a_line(weights: Any, more: dict[str, Any], most: int, text: str) -> None:
    """What a weight may reach in integers; the exact limit stays for `reference` where weights learn."""
    projection, program = weights(Uniform(-3.0, 3.0), limit=20.0, **more)
    (line,) = (it for it in program.quantisation if it.parameter == "limit")
    assert (line.requested, line.unit, line.integers) == (20.0, "mV", text)
    assert line.represented == pytest.approx(most * projection.unit)
    assert projection.limit == (20.0 if more else None)
    unlimited, program = weights(Uniform(-3.0, 3.0), **more)
    assert unlimited.limit is None
    assert "limit" not in [it.parameter for it in program.quantisation]


def test_a_fractional_increment_is_rounded_and_reported(make: Any, code: Any) -> None:
    traces = (TraceSpec("x1", 16.0, 12.3), TraceSpec("x2", 16.0, 0.4))
    parts = [make.population("a", size=2), make.population("b", size=2)]
    rule = Plasticity("rule", "chip", "lava", 2.0, traces, {"dw": "u0*x1*x2"})
    found = code(*parts, rule, make.projection("a.events", "b.soma", learn="rule"))
    learning = found.projections[0].learning
    assert [(trace.impulse, trace.increment) for trace in learning.traces] == [(12, 12.3), (0, 0.4)]
    lines = [line for line in found.quantisation if line.parameter.endswith("increment")]
    assert [(line.requested, line.represented) for line in lines] == [(12.3, 12.0), (0.4, 0.0)]
    assert [it.message for it in found.diagnostics if "increment" in it.message] == [
        "'x2 increment' of 'plasticity rule' is 0.4 in the network and 0 on the chip"
    ]
