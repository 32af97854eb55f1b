"""Signals of generated networks: which variables have one, and courses for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from generate.conductances import OPENED
from generate.populations import DETECTORS, LEAKY, PopulationStructure
from generate.quantities import between, quantity

#: The variables and ports of each model.
VARIABLES = {
    **dict.fromkeys(LEAKY, ("bias", "soma")),
    "burst_unit": ("bias", "soma", "dendrite", "plastic", "teacher"),
    **dict.fromkeys(DETECTORS, ("spikes",)),
    **dict.fromkeys(("pyramidal", "burst_poisson"), ("bias", "dendrite_bias")),
    **dict.fromkeys(("adex", "adex_pv", "adex_som"), ("bias",)),
    "rate_source": ("rate",),
    "poisson_source": ("rate",),
    "current_source": ("level",),
}


@st.composite
def signal_structures(
    draw: st.DrawFn, made: tuple[PopulationStructure, ...]
) -> tuple[tuple[PopulationStructure, str], ...]:
    """Which variables have a signal: of three networks two have none."""
    if draw(st.integers(0, 2)) < 2:
        return ()
    # A task's samples set the rate of its source.
    possible = [
        (it, name)
        for it in made
        if not it.is_input
        for name in VARIABLES.get(it.model, ())
        if name not in it.counted
    ]
    if not possible:
        return ()
    return tuple(draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3, unique=True)))


@st.composite
def signals(
    draw: st.DrawFn, it: PopulationStructure, variable: str, step_ms: float, steps: int
) -> dict[str, Any]:
    """The signal of one variable."""
    one = it.distance_mv * 100 / step_ms
    unit, low, high = {
        "bias": ("pA", -200.0, 1500.0) if it.model in OPENED else ("pA", -one, 2 * one),
        "dendrite_bias": ("pA", -200.0, 900.0),
        "soma": ("mV", -it.distance_mv, it.distance_mv),
        "dendrite": ("", -0.4, 0.4),
        "plastic": ("", 0.0, 1.0),
        "teacher": ("Hz", 0.0, 500 / step_ms),
        "rate": ("Hz", 0.0, 1000 / step_ms),
        "level": ("", -40.0, 40.0),
        "spikes": ("", -3.0, 3.0),
    }[variable]
    flag = variable == "plastic"

    def value() -> Any:
        number = float(draw(st.integers(0, 1))) if flag else draw(between(low, high, (0.0, low, high)))
        return quantity(number, unit)

    def time(least: int, most: int) -> str:
        return quantity(draw(st.integers(least, most)) * step_ms, "ms")

    kinds = ("constant", "pulses", "steps", "table", *(() if flag else ("ramp", "sine")))
    kind = draw(st.sampled_from(kinds))
    if kind == "constant":
        course: Any = value()
    elif kind == "pulses":
        width = draw(st.integers(1, 20))
        period = width + draw(st.integers(1, 30))
        times = {"width": quantity(width * step_ms, "ms"), "period": quantity(period * step_ms, "ms")}
        course = {"value": value(), **times, **({"base": value()} if draw(st.booleans()) else {})}
    elif kind == "steps":
        begins = sorted(draw(st.sets(st.integers(0, steps), min_size=1, max_size=5)))
        course = [[quantity(n * step_ms, "ms"), value()] for n in begins]
    elif kind == "table":
        rows = [value() for _ in range(draw(st.integers(1, 6)))]
        course = {"values": rows, "every": time(1, 20), "repeat": draw(st.sampled_from(("yes", "no")))}
    elif kind == "ramp":
        course = {"from": value(), "to": value(), "over": time(1, 2 * steps)}
    else:
        half = (high - low) / 2
        amplitude = draw(between(0, half, (0.0, half)))
        frequency = draw(between(0.5 / step_ms, 400 / step_ms, (500 / step_ms, 125 / step_ms)))
        course = {
            "mean": quantity(low + half, unit),
            "amplitude": quantity(amplitude, unit),
            "frequency": quantity(frequency, "Hz"),
            "phase": quantity(draw(st.sampled_from((0.0, 0.25, 0.7))), ""),
        }
    found = {"to": f"{it.name}.{variable}", kind: course}
    if draw(st.booleans()):
        start = draw(st.integers(0, steps))
        found["start"] = quantity(start * step_ms, "ms")
        if draw(st.booleans()):
            found["stop"] = quantity((start + draw(st.integers(1, steps))) * step_ms, "ms")
    return found
