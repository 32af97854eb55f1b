"""Populations: every registered model and random ones, with ordinary and extreme parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from generate.conductances import (
    LEAK_UNIT,
    NOISE,
    OPENED,
    SHORT_TERM,
    averages,
    is_opened,
    noise,
    opened,
    short_term,
)
from generate.programs import NUMBERS, PREFIX, generated_model, model_of
from generate.quantities import between, each, quantity, written
from hw_models.neurons.model import NeuronModel

SOURCES = ("rate_source", "poisson_source", "spike_list", "current_source", "message_list", NOISE)
GENERATED = "generated"
#: The parameter of each detector of bursts.
DETECTORS = {"burst_detector": "window", "burst_trace_detector": "tau"}
NEURONS = (
    *("lif", "lif", "lif_reset", "ternary_lif", "lif_modulated", "burst_unit", *DETECTORS, GENERATED),
    *OPENED,
    *SHORT_TERM,
)
#: Models that may keep averages of events and bursts and teach their synapses by them.
TAUGHT = (*DETECTORS, "pyramidal", "burst_poisson")
#: Models with the parameters of `lif`, and more.
LEAKY = ("lif", "lif_reset", "ternary_lif", "lif_modulated")
#: What a population may have in the chip's own integers, beside its threshold.
INTEGERS = ("du", "dv", "bias", "lower_threshold")
#: Few neurons, so that a step is cheap; sometimes enough to fill the vectors that sum rows of weights.
SIZES = (*range(1, 13), 1, 2, 3, 4, 5, 16, 17, 33)

_HOMEOSTASIS = ("target_rate", "homeostasis_gain", "homeostasis_limit", "homeostasis_window")
_TEACHER = ("teacher_on", "teacher_off", "teacher_gain")
_LIF = ("tau_membrane", "tau_current", "capacitance", "rest", "threshold", "bias")
#: What may differ between the neurons of a population.
_PER_NEURON: Mapping[str, tuple[str, ...]] = {
    "lif": (*_LIF, "refractory", "reset", "lower_bound"),
    "lif_reset": (*_LIF, "reset_interval", "reset_offset"),
    "ternary_lif": (*_LIF, "lower_threshold"),
    "lif_modulated": (*_LIF, "tau_modulator", "tau_trace"),
    "burst_unit": (
        *("tau_soma", "tau_current", "tau_dendrite", "capacitance", "rest", "threshold", "bias"),
        *("burst_window", *_HOMEOSTASIS, *_TEACHER),
    ),
    **{model: (parameter,) for model, parameter in DETECTORS.items()},
    **OPENED,
    **SHORT_TERM,
    NOISE: ("rate",),
    "rate_source": ("rate",),
    "poisson_source": ("rate",),
    "spike_list": (),
    "current_source": ("level", "start", "stop"),
    "message_list": (),
}
#: The greatest distance from rest to threshold within a population, as multiples of the least.
_SPREAD = {**dict.fromkeys(LEAKY, 1000.0), "burst_unit": 31.0}


@dataclass(frozen=True)
class PopulationStructure:
    """What all members of a structure have in common of one population.

    `per_neuron` are the parameters that are lists. `distance_mv` is the least distance from rest to
    threshold, which with `dendrite_shift` decides what a unit of weight is worth. `is_input`: a task shows
    its samples to this source.
    """

    name: str
    model: str
    size: int
    per_neuron: frozenset[str]
    distance_mv: float = 20.0
    dendrite_shift: int = 6
    is_input: bool = False
    refractory: bool = False
    teaches: bool = False
    bounded: bool = False
    #: Those of `INTEGERS` that are given in the chip's own integers; the threshold always, where any is.
    counted: frozenset[str] = frozenset()

    @property
    def neuron(self) -> NeuronModel:
        """Its model, with the options that make its program."""
        return model_of(self.model).with_options(["tau_average"] if self.teaches else [])

    @property
    def outputs(self) -> tuple[str, ...]:
        """What a projection may come from."""
        return tuple(self.neuron.program.outputs)

    @property
    def ports(self) -> tuple[str, ...]:
        """Where a projection may end."""
        return tuple(port.name for port in self.neuron.ports)

    @property
    def third_factors(self) -> frozenset[str]:
        """What rules can read of it."""
        return frozenset(("y1", "y2", "y3")) & frozenset(self.outputs)

    @property
    def gathers_errors(self) -> bool:
        """Whether the burst rule and the carry form can learn at it."""
        return {"y1", "y2"} <= self.third_factors and bool(self.neuron.roles.gathered)

    @property
    def is_generated(self) -> bool:
        """Whether its program is random."""
        return self.model.startswith(PREFIX)

    def weight_unit(self, port: str) -> float:
        """What a weight of 1 at exponent 0 is worth at a port: mV, or a fraction at the dendrite."""
        if self.is_generated:
            return 1.0
        if is_opened(port):
            return LEAK_UNIT
        if self.counted or port in ("modulator", "spikes"):
            return 1.0
        if port == "synapses":
            return 2.0**-10
        if port == "dendrite":
            return 1.0 / (64 << self.dendrite_shift)
        return self.distance_mv / (128 if self.model in LEAKY else 8192)


@st.composite
def population_structures(
    draw: st.DrawFn,
    name: str,
    among: tuple[str, ...],
    *,
    size: int | None = None,
    is_input: bool = False,
) -> PopulationStructure:
    """A population of one of the models `among`."""
    model = draw(st.sampled_from(among))
    if model == GENERATED:
        model = f"{PREFIX}{draw(st.integers(0, NUMBERS - 1))}"
        candidates = tuple(model_of(model).program.parameters)
    else:
        candidates = _PER_NEURON[model] if not is_input else ("max_rate",)
    lists = draw(st.sets(st.sampled_from(candidates))) if candidates and draw(st.booleans()) else set()
    counted = model in LEAKY and not draw(st.integers(0, 2))
    return PopulationStructure(
        name,
        model,
        draw(st.sampled_from(SIZES)) if size is None else size,
        frozenset(lists),
        draw(st.sampled_from((20.0, 20.0, 1.0, 0.01, 5000.0))),
        draw(st.sampled_from((6, 6, 0, 1, 4, 8))),
        is_input,
        model == "lif" and draw(st.booleans()),
        model in TAUGHT and draw(st.booleans()),
        model == "lif" and draw(st.booleans()),
        frozenset({"threshold", *draw(st.sets(st.sampled_from(INTEGERS)))} if counted else ()),
    )


def populations(it: PopulationStructure, step_ms: float, steps: int) -> st.SearchStrategy[dict[str, Any]]:
    """The mapping of one population in YAML."""
    if it.is_generated:
        return _integers(it).map(lambda keys: {"model": it.model, "size": it.size, **keys})
    made = {
        **dict.fromkeys((*LEAKY, "burst_unit"), _neurons),
        **dict.fromkeys(DETECTORS, _detectors),
        **dict.fromkeys((*OPENED, *SHORT_TERM, NOISE), _of_the_paper),
        "rate_source": _rates,
        "poisson_source": _rates,
        "spike_list": _listed,
        "current_source": _currents,
        "message_list": _messages,
    }[it.model]
    return made(it, step_ms, steps).map(lambda keys: {"model": it.model, "size": it.size, **keys})


@st.composite
def _integers(draw: st.DrawFn, it: PopulationStructure) -> dict[str, Any]:
    """Any integer that each parameter of a generated program holds."""
    widths = generated_model(it.model).program.parameters
    return {
        name: draw(each(st.integers(width.low, width.high), it.size, name in it.per_neuron))
        for name, width in widths.items()
    }


def _of_the_paper(it: PopulationStructure, step_ms: float, steps: int) -> st.SearchStrategy[dict[str, Any]]:
    if it.model in OPENED:
        return opened(it.model, it.size, it.per_neuron, step_ms, teaches=it.teaches)
    return (noise if it.model == NOISE else short_term)(it.size, it.per_neuron, step_ms)


@st.composite
def _detectors(draw: st.DrawFn, it: PopulationStructure, step_ms: float, steps: int) -> dict[str, Any]:
    name = DETECTORS[it.model]
    times = between(0, 50 * step_ms, (0.0, 0.5 * step_ms, step_ms, 5.5 * step_ms, 65535 * step_ms))
    keys = {name: written(draw(each(times, it.size, name in it.per_neuron)), "ms")}
    return {**keys, **(draw(averages(step_ms)) if it.teaches else {})}


def _times(step_ms: float) -> st.SearchStrategy[float]:
    return between(0, 50 * step_ms, (0.0, 1e-3 * step_ms, step_ms, 500 * step_ms, 1e9))


@st.composite
def _neurons(draw: st.DrawFn, it: PopulationStructure, step_ms: float, steps: int) -> dict[str, Any]:
    keys: dict[str, Any] = {}

    def put(name: str, unit: str, value: st.SearchStrategy[float]) -> None:
        keys[name] = written(draw(each(value, it.size, name in it.per_neuron)), unit)

    membrane = "tau_membrane" if it.model in LEAKY else "tau_soma"
    put(membrane, "ms", _times(step_ms))
    put("tau_current", "ms", _times(step_ms))
    keys |= _voltages(draw, it)
    if "capacitance" in it.per_neuron or draw(st.booleans()):
        put("capacitance", "pF", st.sampled_from((100.0, 100.0, 50.0, 1e-3, 1e6)))
    # A bias of 1 takes a neuron of 100 pF from rest to threshold within one step.
    one = it.distance_mv * 100 / step_ms
    drives = between(-0.1 * one, 0.6 * one, (0.0, 0.0, one, 3 * one, -one, 100 * one, -1000 * one))
    put("bias", "pA", drives)
    if it.model == "burst_unit":
        put("tau_dendrite", "ms", _times(step_ms))
        keys |= _homeostasis_and_teacher(draw, it, step_ms)
    else:
        keys |= _more_of(draw, it, keys, step_ms)
    if draw(st.booleans()):
        keys["initial"] = _initial(draw, it, keys, step_ms)
    return _in_integers(draw, it, keys)


def _in_integers(draw: st.DrawFn, it: PopulationStructure, keys: dict[str, Any]) -> dict[str, Any]:
    """The same population with the chip's own integers in place of what is `counted`."""
    if not it.counted:
        return keys

    def put(name: str, instead_of: str, value: st.SearchStrategy[int]) -> None:
        if keys.pop(instead_of, None) is not None:
            keys[name] = draw(each(value, it.size, instead_of in it.per_neuron))

    ternary = it.model == "ternary_lif"
    least = max(1, int(it.distance_mv))
    put("vth_hi" if ternary else "vth", "threshold", st.sampled_from((least, least, 10 * least, 131071)))
    if ternary and "lower_threshold" in it.counted:
        put("vth_lo", "lower_threshold", st.sampled_from((-1, -least, -131072)))
    if "du" in it.counted:
        put("du", "tau_current", st.one_of(st.integers(0, 4095), st.sampled_from((0, 4095))))
    if "dv" in it.counted:
        put("dv", "tau_membrane", st.one_of(st.integers(0, 4095), st.sampled_from((0, 4095))))
    if "bias" in it.counted:
        put("bias_mant", "bias", st.one_of(st.integers(-64, 255), st.sampled_from((-4096, 4095))))
        keys["bias_exp"] = draw(st.sampled_from((*range(8), -1, -4, -12)))
    return keys


def _more_of(
    draw: st.DrawFn, it: PopulationStructure, keys: Mapping[str, Any], step_ms: float
) -> dict[str, Any]:
    """What the models around `lif` have beside its parameters."""
    more: dict[str, Any] = {}

    def put(name: str, value: st.SearchStrategy[float]) -> None:
        more[name] = written(draw(each(value, it.size, name in it.per_neuron)), "ms")

    if it.model == "lif_reset":
        put("reset_interval", between(step_ms, 40 * step_ms, (0.0, step_ms, 60000 * step_ms)))
        put("reset_offset", between(0, 90 * step_ms, (0.0, step_ms)))
    if it.model == "lif_modulated":
        put("tau_modulator", _times(step_ms))
        put("tau_trace", _times(step_ms))
    if it.model == "ternary_lif":
        more |= _below_rest(draw, it, keys, ("lower_threshold",))
    if it.refractory:
        put("refractory", between(0, 20 * step_ms, (0.0, step_ms, 4095 * step_ms)))
    if it.bounded:
        more |= _below_rest(draw, it, keys, ("reset", "lower_bound"))
    return more


def _below_rest(
    draw: st.DrawFn, it: PopulationStructure, keys: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """Voltages below rest, each further below it than the one before; one for each neuron where rest is."""
    rests = keys["rest"]
    above = [_number(it) for it in rests] if isinstance(rests, list) else _number(rests)
    found: dict[str, Any] = {}
    for name in names:
        lists = isinstance(above, list) or name in it.per_neuron
        distances = between(0.01 * it.distance_mv, 1.5 * it.distance_mv, (it.distance_mv,))
        drawn = draw(each(distances, it.size, lists))
        if lists:
            highs = above if isinstance(above, list) else [above] * it.size
            above = [high - distance for high, distance in zip(highs, drawn, strict=True)]
        else:
            above -= drawn
        found[name] = _exactly(above, "mV")
    return found


def _initial(
    draw: st.DrawFn, it: PopulationStructure, keys: Mapping[str, Any], step_ms: float
) -> dict[str, Any]:
    rests = keys["rest"] if isinstance(keys["rest"], list) else [keys["rest"]] * it.size
    lists = isinstance(keys["rest"], list) or draw(st.booleans())
    above = draw(each(between(-it.distance_mv, 2 * it.distance_mv, ()), it.size, lists))
    v = [_number(rest) + more for rest, more in zip(rests, above, strict=True)] if lists else None
    given = keys.get("capacitance", "100 pF")
    # From rest to threshold within one step, where the capacitance is the least.
    one = it.distance_mv / step_ms * min(_number(c) for c in (given if isinstance(given, list) else [given]))
    shares = sorted((draw(between(-0.3, 0.3)), draw(between(-0.3, 0.3))))
    ends = [quantity(share * one, "pA") for share in shares]
    return {"v": _exactly(_number(rests[0]) + above if v is None else v, "mV"), "u": {"uniform": ends}}


def _voltages(draw: st.DrawFn, it: PopulationStructure) -> dict[str, Any]:
    """Rest and threshold, of which the least distance is `distance_mv`."""
    size = it.size
    rest = draw(each(between(-80, 10, (0.0, -1000.0)), size, "rest" in it.per_neuron))
    if not {"rest", "threshold"} & it.per_neuron:
        return {"rest": quantity(rest, "mV"), "threshold": quantity(rest + it.distance_mv, "mV")}
    if "threshold" not in it.per_neuron:
        # One threshold for all: the resting potentials make the distances.
        most = max(rest)
        spread = _SPREAD[it.model] * it.distance_mv
        rest = [max(value, most - 0.99 * spread + it.distance_mv) for value in rest]
        return {"rest": written(rest, "mV"), "threshold": quantity(most + it.distance_mv, "mV")}
    more = between(0, 2, (0.0, _SPREAD[it.model] - 1.01))
    extra = draw(st.lists(more, min_size=size, max_size=size))
    extra[draw(st.integers(0, size - 1))] = 0.0
    rests = rest if isinstance(rest, list) else [rest] * size
    thresholds = [r + it.distance_mv * (1 + e) for r, e in zip(rests, extra, strict=True)]
    return {"rest": written(rest, "mV"), "threshold": written(thresholds, "mV")}


def _homeostasis_and_teacher(draw: st.DrawFn, it: PopulationStructure, step_ms: float) -> dict[str, Any]:
    keys: dict[str, Any] = {"dendrite_shift": it.dendrite_shift}

    def put(name: str, unit: str, value: st.SearchStrategy[float]) -> None:
        keys[name] = written(draw(each(value, it.size, name in it.per_neuron)), unit)

    put("burst_window", "", st.sampled_from((2.0, 16.0, 100.0, 1024.0, 65536.0)))
    rates = between(0, 300 / step_ms, (0.0, 0.01, 1000 / step_ms))
    if it.per_neuron & set(_HOMEOSTASIS) or draw(st.booleans()):
        put("target_rate", "Hz", rates)
        put("homeostasis_gain", "", between(0, 20 * min(step_ms, 1), (1023.0 * min(step_ms, 1),)))
        put("homeostasis_limit", "", between(0, 1, (0.0, 1.0)))
        put("homeostasis_window", "ms", st.sampled_from((4.0, 64.0, 1024.0, 1e6)))
    if it.per_neuron & set(_TEACHER) or draw(st.booleans()):
        put("teacher_on", "Hz", rates)
        put("teacher_off", "Hz", rates)
        put("teacher_gain", "", between(0, 1, (0.0, 1.0)))
    return keys


def _number(text: str) -> float:
    return float(text.split()[0])


@st.composite
def _rates(draw: st.DrawFn, it: PopulationStructure, step_ms: float, steps: int) -> dict[str, Any]:
    name = "max_rate" if it.is_input else "rate"
    # A task wants a source that is not silent.
    low = 10 / step_ms if it.is_input else 0
    rates = between(low, 500 / step_ms, (low, 1000 / step_ms))
    return {name: written(draw(each(rates, it.size, name in it.per_neuron)), "Hz")}


@st.composite
def _listed(draw: st.DrawFn, it: PopulationStructure, step_ms: float, steps: int) -> dict[str, Any]:
    event = st.tuples(st.integers(0, it.size - 1), st.integers(0, steps + 10))
    events = draw(st.sets(event, min_size=draw(st.sampled_from((it.size, 0))), max_size=60))
    return {"events": [[neuron, quantity(n * step_ms, "ms")] for neuron, n in sorted(events, key=_by_time)]}


@st.composite
def _messages(draw: st.DrawFn, it: PopulationStructure, step_ms: float, steps: int) -> dict[str, Any]:
    listed = draw(_listed(it, step_ms, steps))["events"]
    sent = st.one_of(st.integers(1, 40), st.integers(-40, 40), st.sampled_from((-32768, 32767, 0, 1)))
    return {"messages": [[*event, draw(sent)] for event in listed]}


def _by_time(event: tuple[int, int]) -> tuple[int, int]:
    return event[1], event[0]


@st.composite
def _currents(draw: st.DrawFn, it: PopulationStructure, step_ms: float, steps: int) -> dict[str, Any]:
    size = it.size
    levels = st.one_of(
        st.integers(1, 40), st.integers(-40, 40), st.sampled_from((-32768, 32767, -256, 255, 0, 1))
    )
    keys: dict[str, Any] = {"level": draw(each(levels, size, "level" in it.per_neuron))}
    start = st.integers(0, steps // 2)
    stop = st.one_of(st.just(2_000_000_000), st.integers(steps // 2 + 1, steps + 5))
    for name, value in (("start", start), ("stop", stop)):
        if name in it.per_neuron or draw(st.booleans()):
            clocks = draw(each(value, size, name in it.per_neuron))
            times = [n * step_ms for n in clocks] if isinstance(clocks, list) else clocks * step_ms
            keys[name] = _exactly(times, "ms")
    return keys


def _exactly(values: float | list[float], unit: str) -> str | list[str]:
    """With so many digits that what was a little apart stays so."""
    if isinstance(values, list):
        return [f"{value:.12g} {unit}" for value in values]
    return f"{values:.12g} {unit}"
