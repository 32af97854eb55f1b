"""Neurons, in a given order, onto as few neurocores as hold them: each is filled before the next begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from compiler.placement.needs import Needs
from hw_models.chips.chip import Fact
from hw_models.diagnostics import BurstchipError, Diagnostic, Subject, register_codes

register_codes({"BC350": "a neuron or a population that no neurocore holds"})

Indices = NDArray[np.int64]

#: What to change, where it is not the number of synapses.
_REMEDIES = {
    "delay_slots": "shorter delays, or a longer step",
    "learning_rules": "one plasticity for several of the projections onto this population",
    "trace_configurations": "one trace for several of the plasticities of this population",
}


def pack(needs: Needs, order: Indices, most_read: int | None = None) -> list[Indices]:
    """The neurons of each neurocore, in `order`, all of one kind; none reads more words than `most_read`.

    A neuron that alone reads more than that has a neurocore of its own. Raises `BurstchipError` BC350.
    """
    parts: list[Indices] = []
    first, guess = 0, 1
    while first < order.size:
        left = order.size - first

        def fits(count: int, first: int = first) -> bool:
            return needs.excess(np.sort(order[first : first + count]), most_read) is None

        guess = max(1, _most(fits, min(guess, left), left))
        parts.append(order[first : first + guess])
        if guess == 1:
            _check_alone(needs, parts[-1])
        first += guess
    return parts


def _most(fits: Callable[[int], bool], guess: int, left: int) -> int:
    """The greatest count up to `left` that fits, given that fewer neurons always need less; 0 for none."""
    low, high, at, step = 0, left + 1, guess, max(1, guess // 16)
    while high - low > 1:
        low, high = (at, high) if fits(at) else (low, at)
        if low == 0:
            at = max(1, at - step)
        elif high > left:
            at = min(left, at + step)
        else:
            at = (low + high) // 2
        step *= 2
    return low


def _check_alone(needs: Needs, neuron: Indices) -> None:
    fact = needs.excess(neuron)
    if fact is not None:
        raise does_not_fit(needs, int(neuron[0]), fact, needs.used(needs.pieces(neuron))[0])


def does_not_fit(needs: Needs, neuron: int, fact: Fact, used: Mapping[str, int]) -> BurstchipError:
    """BC350 for a neuron that alone exceeds a limit; `used` is all that it needs."""
    (piece,) = needs.pieces(np.array([neuron]))
    return BurstchipError(
        Diagnostic(
            "BC350",
            f"neuron {piece.neurons[0]} of '{piece.population}' exceeds the limits of a neurocore",
            required=str(fact),
            given=f"{used[fact.name]:,}{_rest(needs, fact, used)}",
            hint=_REMEDIES.get(fact.name, "fewer synapses or smaller populations"),
            about=Subject("population", piece.population),
        )
    )


def _rest(needs: Needs, fact: Fact, used: Mapping[str, int]) -> str:
    """What a neuron needs of the other limits."""
    others = [
        f"{count:,} of {needs.chip[name].value:,} {name.replace('_', ' ')}"
        for name, count in used.items()
        if name != fact.name and count
    ]
    return f"; beside it {', '.join(others)}" if others else ""


def spread_output(needs: Needs, parts: list[Indices]) -> tuple[list[Indices], list[int]]:
    """The parts, halved where they send to too many lists, and the output axons of each.

    Raises `BurstchipError` BC350 for a neuron that alone sends to too many.
    """
    limit = needs.chip["output_axons"]
    while True:
        by_population = needs.output_axons([needs.pieces(np.sort(part)) for part in parts])
        axons = np.concatenate([by_population[p.name] for p in needs.populations] or [np.zeros(0, np.int64)])
        sums = [int(axons[part].sum()) for part in parts]
        if all(total <= limit.value for total in sums):
            return parts, sums
        halved: list[Indices] = []
        for part, total in zip(parts, sums, strict=True):
            if total <= limit.value:
                halved.append(part)
                continue
            if part.size == 1:
                used = needs.used(needs.pieces(part))[0]
                raise does_not_fit(needs, int(part[0]), limit, {**used, limit.name: total})
            # More neurocores take more output axons to reach, so all are counted again.
            middle = part.size // 2
            halved += [part[:middle], part[middle:]]
        parts = halved
