"""Pictures of protocols that were followed: costs, rates before and after, taught phases, mean weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from burstchip.report.style import (
    AFTER,
    BEFORE,
    BURST,
    GUIDE,
    INK,
    POPULATIONS,
    TEACHER,
    WIDTH,
    Picture,
    new_figure,
    picture,
)
from burstchip.tasks.protocol.followed import Followed

Reals = NDArray[np.float64]

#: Colours of projections.
_LINES = (*POPULATIONS[:4], BURST, AFTER, INK)

#: Colours of runs beside the one that counts.
_BESIDE = (INK, *POPULATIONS[:3])

#: A round of a part, by the part's name.
Round = tuple[str, int]


def learning_part(followed: Followed) -> str:
    """The part with the most rounds."""
    return max(followed.plan.protocol.parts, key=lambda part: (bool(part.phases), part.rounds)).name


def compared_rounds(followed: Followed) -> tuple[Round, Round]:
    """What stands for before and after: the first and the last round of all."""
    shown = [part for part in followed.plan.protocol.parts if part.phases]
    return (shown[0].name, 0), (shown[-1].name, shown[-1].rounds - 1)


def over_round(followed: Followed, what: str, population: str, of: Round) -> tuple[Reals, Reals]:
    """(ends of bins in s, rate in Hz) through a round's examples, as the file lists them."""
    times, rates, begin = [], [], 0.0
    for example in range(len(followed.plan.protocol.examples)):
        ends, found = followed.rates(what, *of, example)
        times.append(begin + ends)
        rates.append(found[population])
        begin += float(ends[-1])
    return np.concatenate(times), np.concatenate(rates)


def probability_over_round(followed: Followed, population: str, of: Round) -> tuple[Reals, Reals]:
    """(ends of bins in s, bursts an event in %), not a number where no event came."""
    times, events = over_round(followed, "events", population, of)
    with np.errstate(invalid="ignore", divide="ignore"):
        return times, 100 * over_round(followed, "bursts", population, of)[1] / events


def examples_apart(axes: Axes, followed: Followed, of: Round, *, names: bool = True) -> None:
    """Lines between examples, their names above, and the taught phases as a ground."""
    protocol = followed.plan.protocol
    phases = next(protocol.phases_of(part) for part in protocol.parts if part.name == of[0])
    begin = 0.0
    for example in protocol.examples:
        if names:
            lasts = sum(phase.lasts for phase in phases) / 1000
            axes.annotate(
                example.name.replace("_", " "),
                (begin + lasts / 2, 1.0),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                fontsize=9,
            )
        for phase in phases:
            if phase.taught:
                axes.axvspan(begin, begin + phase.lasts / 1000, color=TEACHER, zorder=0)
            begin += phase.lasts / 1000
        axes.axvline(begin, color=GUIDE, linewidth=0.8)
    axes.set_xlim(0, begin)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("time (s)")


def draw_spread(axes: Axes, times: Reals, series: Sequence[Reals], colour: str, label: str) -> None:
    """The mean over seeds, within two standard deviations."""
    values = np.array(series)
    with np.errstate(invalid="ignore"):
        mean = np.mean(values, axis=0)
    if len(values) > 1:
        spread = 2 * np.std(values, axis=0, ddof=1)
        axes.fill_between(times, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
    axes.plot(times, mean, color=colour, label=label)


def draw_costs(
    axes: Axes, all_followed: Sequence[Followed], part: str, colour: str = AFTER, label: str = ""
) -> None:
    """What each round cost: seeds thin, their mean."""
    costs = np.array([it.costs(part) for it in all_followed])
    rounds = np.arange(1, costs.shape[1] + 1)
    if len(costs) > 1:
        for one in costs:
            axes.plot(rounds, one, color=colour, linewidth=0.5, alpha=0.5)
    # A line through one round is nothing to see.
    marker = "o" if len(rounds) == 1 else None
    axes.plot(rounds, np.mean(costs, axis=0), color=colour, label=label, marker=marker)
    axes.set_xlim(0, rounds[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("round")
    axes.set_ylabel("cost")


def draw_costs_beside(axes: Axes, runs: Mapping[str, Sequence[Followed]], part: str) -> None:
    """The costs of several runs by their names, the last in front: seeds thin, their means thick."""
    for number, (name, all_followed) in enumerate(runs.items()):
        colour = AFTER if number == len(runs) - 1 else _BESIDE[number % len(_BESIDE)]
        draw_costs(axes, all_followed, part, colour, name)
    # Each left the axes as it needed them.
    axes.autoscale(axis="y")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left")


def draw_before_and_after(axes: Axes, all_followed: Sequence[Followed], population: str) -> None:
    """The event rate of a population through all examples, before and after."""
    before, after = compared_rounds(all_followed[0])
    for of, colour, label in ((before, BEFORE, "before"), (after, AFTER, "after")):
        found = [over_round(it, "events", population, of) for it in all_followed]
        draw_spread(axes, found[0][0], [rates for _, rates in found], colour, label)
    examples_apart(axes, all_followed[0], after)
    axes.set_ylabel("events (Hz)")
    axes.legend(loc="upper left")


def draw_taught(axes: Axes, all_followed: Sequence[Followed], population: str, of: Round) -> None:
    """The burst probability of a population through a round with taught phases."""
    found = [probability_over_round(it, population, of) for it in all_followed]
    draw_spread(axes, found[0][0], [values for _, values in found], BURST, "")
    examples_apart(axes, all_followed[0], of)
    axes.set_ylabel("bursts an event (%)")


def draw_mean_weights(axes: Axes, all_followed: Sequence[Followed], part: str) -> None:
    """Mean weights after each round, by projection."""
    weights = np.array([it.round_weights(part) for it in all_followed])
    rounds = np.arange(1, weights.shape[1] + 1)
    for k, name in enumerate(all_followed[0].projections):
        colour = _LINES[k % len(_LINES)]
        axes.plot(rounds, weights[:, :, k].mean(axis=0), color=colour, label=name)
    axes.set_xlim(0, rounds[-1])
    axes.set_ylim(bottom=min(0.0, float(weights.min())))
    axes.set_xlabel("round")
    axes.set_ylabel("mean weight")
    axes.legend(loc="lower left", ncols=2)


def taught_populations(followed: Followed) -> tuple[str, ...]:
    """The populations of teachers, then the others that learn."""
    protocol = followed.plan.protocol
    return tuple(dict.fromkeys([*(it.population for it in protocol.teachers), *protocol.gated]))


def protocol_pictures(all_followed: Sequence[Followed]) -> tuple[Picture, ...]:
    """All pictures of the seeds of one protocol; to be made within the style of figures."""
    first = all_followed[0]
    protocol, part = first.plan.protocol, learning_part(first)
    rounds = next(it for it in protocol.parts if it.name == part).rounds
    many = f"{len(all_followed)} seeds" if len(all_followed) > 1 else "One seed"
    spread = " Bands: two standard deviations over seeds." if len(all_followed) > 1 else ""
    found = []
    if protocol.teachers and rounds > 1:
        figure = new_figure(WIDTH, 3.2)
        draw_costs(figure.subplots(), all_followed, part)
        costs = np.array([it.costs(part) for it in all_followed])
        said = f"The mean falls from {costs[:, 0].mean():.2f} to {costs[:, -1].mean():.2f}."
        if costs[:, -1].mean() >= costs[:, 0].mean():
            said = f"The mean goes from {costs[:, 0].mean():.2f} to {costs[:, -1].mean():.2f}."
        found.append(
            picture(figure, "cost", f"Cost of a round of '{part}'", f"{many}. Thin: each of them.", said)
        )
    for name in taught_populations(first):
        figure = new_figure(WIDTH, 2.8)
        draw_before_and_after(figure.subplots(), all_followed, name)
        means = [
            [
                np.mean([it.mean_rate("events", name, of[0], k, 0.0, inf, of[1]) for it in all_followed])
                for k in range(len(protocol.examples))
            ]
            for of in compared_rounds(first)
        ]
        said = "; ".join(
            f"{example.name.replace('_', ' ')}: {a:.1f} before, {b:.1f} Hz after"
            for example, a, b in zip(protocol.examples, *means, strict=True)
        )
        title = f"Events of {name}"
        found.append(picture(figure, f"events_{name}", title, f"Before and after.{spread}", said))
    taught_part = next(
        (it.name for it in protocol.parts if any(phase.taught for phase in protocol.phases_of(it))), None
    )
    for name in taught_populations(first) if taught_part is not None else ():
        if not any(first.bursts[:, first.populations.index(name)]):
            continue
        assert taught_part is not None
        figure = new_figure(WIDTH, 2.8)
        draw_taught(figure.subplots(), all_followed, name, (taught_part, 0))
        caption = f"The first round; shaded where teachers act.{spread}"
        said = f"Burst probability of {name} through the examples."
        found.append(picture(figure, f"bursts_{name}", f"Bursts of {name} as it is taught", caption, said))
    if first.projections and rounds > 1:
        figure = new_figure(WIDTH, 3.2)
        draw_mean_weights(figure.subplots(), all_followed, part)
        ends = np.mean([it.round_weights(part)[-1] for it in all_followed], axis=0)
        said = ", ".join(
            f"{name} ends at {end:.3g}" for name, end in zip(first.projections, ends, strict=True)
        )
        found.append(picture(figure, "weights", "Mean weights", f"{many}: their mean.", said))
    return tuple(found)
