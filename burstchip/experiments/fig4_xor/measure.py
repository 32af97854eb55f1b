"""Figure 4: whether XOR is solved, how output and hidden layer change, what the first teaching does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf

import msgspec
import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.experiment import Drawing, read_published
from burstchip.report.protocol_pictures import (
    draw_before_and_after,
    draw_costs,
    draw_mean_weights,
    draw_spread,
    examples_apart,
    over_round,
    probability_over_round,
)
from burstchip.report.style import AFTER, BURST, GUIDE, POPULATIONS, WIDTH, new_figure, picture, png
from burstchip.tasks.protocol.followed import Followed
from hw_models.neurons.quantities import decay_units

#: What a burst that finds a trace of one event adds to a weight, as a multiple of the leak: 1 % more than the
#: published 0.008 and 0.004, as all weights of excitation are.
LEARNING_RATES = (8.08e-3, 4.04e-3)
TAU_EXC_MS = 5.0
#: How plastic weights count, as a share of the leak, but for the mean of a conductance over a step.
WEIGHT_UNIT = 2.0**-9
#: What rules and chip make of a trace and a burst, which counts 64: 2^-6 and 2^-7, and three bits less.
RULE_GAINS = (64 / 2**6 / 2**3, 64 / 2**7 / 2**3)
#: The rate between yes and no in Hz.
MIDDLE = 6.0
#: A test is judged from 2 s after an example's beginning, running averages settled.
SETTLED = 2.0
POPULATION_NAMES = {"output": "output", "hidden1": "hidden 1", "hidden2": "hidden 2"}


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `published.yaml`: costs of epochs 1, 2, ... of the authors' seed 1."""

    cost: list[float]


@lru_cache(maxsize=1)
def published() -> Published:
    """The authors' series."""
    return read_published(__file__, Published)


def settings(step_ms: float, rate: float = 1.0) -> Mapping[str, str]:
    """The increments at which a burst adds the learning rates, times `rate`."""
    steps = TAU_EXC_MS / step_ms
    unit = WEIGHT_UNIT / float(steps * decay_units(TAU_EXC_MS, step_ms, 1))
    first, second = (rate * it / (gain * unit) for it, gain in zip(LEARNING_RATES, RULE_GAINS, strict=True))
    return {"first_increment": f"{first:.12g}", "second_increment": f"{second:.12g}"}


def _rate(it: Followed, population: str, part: str, example: int) -> float:
    """Events in a test in Hz a neuron."""
    return it.mean_rate("events", population, part, example, SETTLED, inf)


def _taught(it: Followed, population: str, example: int) -> tuple[float, float]:
    """Bursts an event in %, (before, in) the first teaching of an example.

    Before is the prediction, and where there is none the test before learning.
    """
    protocol = it.plan.protocol
    training = protocol.parts[it.plan.part_number("training")]
    begins = sum(phase.lasts for phase in protocol.phases_of(training) if not phase.taught) / 1000
    before = ("training", min(SETTLED, begins / 2), begins) if begins else ("before", SETTLED, inf)
    found = []
    for part, start, stop in (before, ("training", begins, inf)):
        bursts, events = (
            it.mean_rate(what, population, part, example, start, stop, 0) for what in ("bursts", "events")
        )
        found.append(100 * bursts / events if events else 0.0)
    return found[0], found[1]


def measure(it: Followed) -> Mapping[str, float]:
    """What one seed shows."""
    protocol = it.plan.protocol
    targets = np.array([example.targets[0] for example in protocol.examples])
    before, after = (
        np.array([_rate(it, "output", part, k) for k in range(len(targets))]) for part in ("before", "after")
    )
    taught = {
        name: np.array([_taught(it, name, k) for k in range(len(targets))]) for name in POPULATION_NAMES
    }
    moved = taught["output"][:, 1] - taught["output"][:, 0]

    def contrast(name: str) -> float:
        within = taught[name][:, 1]
        return float(within[targets == 1].mean() - within[targets == 0].mean())

    def change(population: str) -> float:
        return _rate(it, population, "after", 3) - _rate(it, population, "before", 3)

    costs = it.costs("training")

    def cost_of(epoch: int) -> float:
        """The mean over five epochs, which differ by chance."""
        near = costs[max(epoch - 3, 0) : epoch + 2]
        return float(np.mean(near)) if near.size else float(costs[-1])

    # Settling and the test before learning, and the one after it.
    untaught = (it.weights[2] - it.weights[0], it.weights[-1] - it.weights[-2])
    return {
        "solved": 100.0 * bool(np.all((after > MIDDLE) == (targets == 1))),
        **{
            f"{when}_{example.name}": float(rate)
            for when, rates in (("before", before), ("after", after))
            for example, rate in zip(protocol.examples, rates, strict=True)
        },
        "before_greatest": float(before.max()),
        "before_spread": float(np.ptp(before)),
        "taught_yes": float(moved[targets == 1].mean()),
        "taught_no": float(moved[targets == 0].mean()),
        "hidden1_follows": contrast("hidden1"),
        "hidden2_opposes": contrast("hidden2"),
        "hidden1_both": change("hidden1"),
        "hidden2_both": change("hidden2"),
        "cost_first": float(costs[0]),
        **{f"cost_{epoch}": cost_of(epoch) for epoch in (50, 100, 200)},
        "cost_last": float(np.mean(costs[-5:])),
        "frozen": float(np.max(np.abs(untaught))),
        **{f"weight_{name}": float(it.weights[-1, k]) for k, name in enumerate(it.projections)},
    }


def _draw_output(axes: Axes, all_followed: Sequence[Followed]) -> None:
    draw_before_and_after(axes, all_followed, "output")
    axes.axhline(MIDDLE, color=GUIDE, linewidth=0.8)
    axes.set_ylim(0, 11)


def _draw_hidden(axes: Axes, all_followed: Sequence[Followed], name: str) -> None:
    draw_before_and_after(axes, all_followed, name)
    axes.set_ylim(0, 11)


def _draw_inputs(axes: Axes, all_followed: Sequence[Followed]) -> None:
    of = ("before", 0)
    for name, colour in (("input1", POPULATIONS[0]), ("input2", POPULATIONS[1])):
        found = [over_round(it, "events", name, of) for it in all_followed]
        draw_spread(axes, found[0][0], [rates for _, rates in found], colour, name.replace("input", "input "))
    examples_apart(axes, all_followed[0], of)
    axes.set_ylim(0, 11)
    axes.set_ylabel("events (Hz)")
    axes.legend(loc="upper left")


def _draw_bursts(axes: Axes, all_followed: Sequence[Followed]) -> None:
    of = ("training", 0)
    colours = (BURST, *POPULATIONS[:2])
    for (name, label), colour in zip(POPULATION_NAMES.items(), colours, strict=True):
        found = [probability_over_round(it, name, of) for it in all_followed]
        draw_spread(axes, found[0][0], [values for _, values in found], colour, label)
    examples_apart(axes, all_followed[0], of)
    axes.set_ylim(0, 90)
    axes.set_ylabel("bursts an event (%)")
    axes.legend(loc="upper left", ncols=3)


def _draw_costs(axes: Axes, all_followed: Sequence[Followed]) -> None:
    theirs = published().cost
    shown = len(all_followed[0].costs("training"))
    axes.plot(
        np.arange(1, len(theirs) + 1)[:shown],
        theirs[:shown],
        color=BURST,
        linestyle=":",
        linewidth=1.5,
        zorder=3,
        label="the authors' seed 1",
    )
    draw_costs(axes, all_followed, "training", AFTER, "here")
    axes.set_xlabel("epoch")
    axes.legend(loc="upper right")


def draw(all_followed: Sequence[Followed]) -> Drawing:
    """The panels of figure 4."""
    found = [measure(it) for it in all_followed]
    mean = {name: float(np.mean([it[name] for it in found])) for name in found[0]}
    names = [example.name for example in all_followed[0].plan.protocol.examples]
    after = ", ".join(f"{name} {mean[f'after_{name}']:.1f} Hz" for name in names)
    panels = {
        "cost": (
            "Cost over epochs",
            "Thin: seeds. Dotted: the authors' seed 1.",
            f"From {mean['cost_first']:.2f} to {mean['cost_last']:.2f}.",
            _draw_costs,
        ),
        "output": (
            "Output before and after",
            "Bands: two standard deviations over seeds. The line is between yes and no.",
            f"After learning {after}.",
            _draw_output,
        ),
        "bursts": (
            "Bursts in the first epoch",
            "Shaded where the teacher acts.",
            f"Where the answer is yes the output bursts {mean['taught_yes']:.0f} points more, else "
            f"{-mean['taught_no']:.0f} less; hidden 1 follows, hidden 2 opposes.",
            _draw_bursts,
        ),
        "inputs": ("Inputs", "Events of the two inputs.", "8 Hz for 1 and 2 Hz for 0.", _draw_inputs),
        "hidden1": (
            "Hidden 1 before and after",
            "Bands: two standard deviations over seeds.",
            f"For both inputs its rate changes by {mean['hidden1_both']:+.1f} Hz.",
            lambda axes, it: _draw_hidden(axes, it, "hidden1"),
        ),
        "hidden2": (
            "Hidden 2 before and after",
            "Bands: two standard deviations over seeds.",
            f"For both inputs its rate changes by {mean['hidden2_both']:+.1f} Hz.",
            lambda axes, it: _draw_hidden(axes, it, "hidden2"),
        ),
        "weights": (
            "Mean weights",
            "Means over synapses and seeds, as multiples of the leak.",
            "Of the output's synapses those from hidden 1 grow and those from hidden 2 shrink.",
            lambda axes, it: draw_mean_weights(axes, it, "training"),
        ),
    }
    pictures = []
    whole = new_figure(2 * WIDTH, 11.2)
    spots = whole.subplots(4, 2).flat
    for name, (title, caption, seen, drawn) in panels.items():
        figure = new_figure(WIDTH, 3.0)
        axes = next(spots)
        for each in (figure.subplots(), axes):
            drawn(each, all_followed)
        axes.set_title(title, pad=16)
        pictures.append(picture(figure, name, title, caption, seen))
    next(spots).set_axis_off()
    return Drawing(tuple(pictures), png(whole))
