"""Populations of the paper's neurons, of short-term plasticity and of private noise."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from generate.quantities import between, each, quantity, written

#: Models with conductance ports, and what may differ between the neurons of a population.
OPENED = {
    "pyramidal": ("bias", "dendrite_bias", "threshold_jump", "plateau"),
    "burst_poisson": ("bias", "dendrite_bias", "refractory"),
    "adex": ("bias", "adaptation"),
    "adex_pv": ("bias",),
    "adex_som": ("bias", "adaptation"),
}
SHORT_TERM = {"depressing": ("baseline", "gain"), "facilitating": ("baseline", "tau_depression")}
NOISE = "poisson_noise"
#: A weight of 1 at exponent 0, as a multiple of the leak.
LEAK_UNIT = 2.0**-12
RELEASE = 1 << 12


def is_opened(port: str) -> bool:
    """Whether the weights of a port are conductances."""
    return port.rpartition("_")[2] in ("exc", "inh")


@st.composite
def opened(
    draw: st.DrawFn,
    model: str,
    size: int,
    per_neuron: frozenset[str],
    step_ms: float,
    *,
    teaches: bool,
) -> dict[str, Any]:
    """The keys of a population with conductances; none is where it would say nothing new."""
    keys: dict[str, Any] = draw(averages(step_ms)) if teaches else {}

    def put(name: str, unit: str, value: st.SearchStrategy[float]) -> None:
        if name in per_neuron or draw(st.booleans()):
            keys[name] = written(draw(each(value, size, name in per_neuron)), unit)

    times = between(0.1, 60, (step_ms, 1000.0))
    put("bias", "pA", between(-200, 1500, (0.0, 700.0, 5000.0)))
    put("tau_exc", "ms", times)
    put("tau_inh", "ms", times)
    put("adaptation", "pA", between(-300, 100, (0.0,)))
    if draw(st.integers(0, 2)) == 0:
        put("noise", "pA", between(0, 500, (0.0, 100.0)))
        put("tau_noise", "ms", between(0, 60, (0.0, step_ms, 5.0)))
    if model.startswith("adex"):
        put("slope", "mV", between(0.5, 5, (2.0,)))
        put("refractory", "ms", between(0, 5, (0.0, step_ms)))
        return keys
    put("tau_soma", "ms", times)
    put("dendrite_bias", "pA", between(-200, 900, (0.0, 500.0)))
    put("threshold_jump", "mV", between(0, 10, (0.0,)))
    put("dendrite_slope", "mV", between(1, 20, (6.0,)))
    if draw(st.booleans()):
        keys["own_drive"] = draw(st.integers(0, 1))
    if draw(st.booleans()):
        keys[draw(st.sampled_from(("burst_trace", "burst_window")))] = written(draw(times), "ms")
    if model == "pyramidal":
        put("plateau", "pA", between(0, 2500, (0.0,)))
        put("back_propagation_time", "ms", between(0, 5, (0.0, step_ms)))
    else:
        put("refractory", "ms", between(0, 30, (0.0, step_ms)))
        put("second_after", "ms", between(step_ms, 10))
        put("second_within", "ms", between(0, 15, (0.0,)))
    return keys


@st.composite
def averages(draw: st.DrawFn, step_ms: float) -> dict[str, Any]:
    """The keys of a population that teaches its synapses by its events and bursts, one of them at least."""
    keys = {"tau_average": quantity(draw(between(10 * step_ms, 20000, (100.0, 5000.0))), "ms")}
    for name, values in (
        ("rate_high", between(0, 100 / step_ms, (0.0, 5.0))),
        ("rate_low", between(0, 30, (0.0, 100.0))),
    ):
        if draw(st.booleans()):
            keys[name] = quantity(draw(values), "Hz")
    if draw(st.booleans()):
        keys["tau_rate"] = quantity(draw(between(10 * step_ms, 30000)), "ms")
    for name in ("low_of_events", "usual_held"):
        if draw(st.booleans()):
            keys[name] = str(draw(st.integers(0, 1)))
    if draw(st.booleans()):
        # 40 Hz over 100 s are all that an average holds.
        rates = {name: quantity(draw(between(0, 40, (0.0,))), "Hz") for name in ("E", "S")}
        keys["initial"] = {**rates, "P": quantity(draw(between(0, 1, (0.0, 1.0))), "")}
    return keys


@st.composite
def short_term(draw: st.DrawFn, size: int, per_neuron: frozenset[str], step_ms: float) -> dict[str, Any]:
    """The keys of a population of short-term plasticity."""
    keys: dict[str, Any] = {}
    for name in ("baseline", "gain"):
        if name in per_neuron or draw(st.booleans()):
            keys[name] = written(draw(each(between(0, 1, (0.0, 1.0)), size, name in per_neuron)), "")
    for name in ("tau_depression", "tau_facilitation"):
        if name in per_neuron or draw(st.booleans()):
            times = between(0, 300, (0.0, step_ms))
            keys[name] = written(draw(each(times, size, name in per_neuron)), "ms")
    return keys


@st.composite
def noise(draw: st.DrawFn, size: int, per_neuron: frozenset[str], step_ms: float) -> dict[str, Any]:
    """The keys of a population of private noise."""
    rates = between(0, 1500 / step_ms, (0.0, 4000 / step_ms, 1e-3))
    return {"rate": written(draw(each(rates, size, "rate" in per_neuron)), "Hz")}
