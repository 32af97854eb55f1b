"""certify: what every variable can be in any step, whatever arrives. ChipProgram in, Certificate out.

All sources send the worst that they can, at every synapse in every step. A population's states are followed
by intervals from their start until they grow no more; where they grow slowly the end is guessed and then
proved: a set of intervals that one more step does not leave holds for ever. Where no end is found a variable
has its declared width, which the chip's saturation or wrap keeps it in, and is reported.

A state depends on itself in several places (v + (e - v) g), which intervals alone do not see. So its own
interval is taken in pieces, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.ir.certificate import Bound, Certificate, Invariant, Kind, Weights
from compiler.ir.chip_program import ChipProgram, PopulationCode
from compiler.ir.signals import Constant
from compiler.passes.arriving import Arriving, arriving, signal_ends
from hw_models.program.intervals import Evaluation, Interval, interval
from hw_models.program.rewrite import needed
from hw_models.program.trace import Program
from hw_models.program.widths import Width

#: Into how many pieces a state's own interval is taken apart: of one length, and ever shorter to both ends.
EVEN, _OCTAVES = 32, 26
_PIECES = EVEN + 2 * _OCTAVES
#: Neurons whose parameters differ are followed apart up to so many kinds, beyond that together.
KINDS = 64
#: Steps until a variable that still grows gets its declared width.
GROWING = 60
#: Steps that then make bounds tighter: so many nodes, and these at the least and at the most.
TIGHTENING, NODES = (12, 200), 6000
#: Steps between two guesses of where growth ends.
BETWEEN_GUESSES = 4

Integers = NDArray[np.int64]
#: Called with how much is done, how much there is, and what comes next.
Watch = Callable[[int, int, str], None]


# --- what follows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Followed:
    """A population's program, its leaves but for states, [kind], and its states at the start."""

    program: Program
    leaves: Mapping[tuple[str, str], Interval]
    start: Mapping[str, Interval]
    kinds: int
    #: By state: the intervals that it was computed from last, and what came out.
    known: dict[str, tuple[tuple[bytes, ...], Interval]] = field(default_factory=dict)

    @cached_property
    def read(self) -> Mapping[str, tuple[str, ...]]:
        """The states that each state's next value depends on, itself among them."""
        nodes, found = self.program.nodes, {}
        for name, number in self.program.next_state.items():
            cone = (nodes[it] for it in needed(nodes, [number]))
            found[name] = tuple(sorted({name, *(it.name for it in cone if it.operation == "state")}))
        return found

    def changing(self) -> list[str]:
        """States that the program changes."""
        nodes = self.program.nodes
        return [
            name
            for name, number in self.program.next_state.items()
            if (nodes[number].operation, nodes[number].name) != ("state", name)
        ]

    def evaluated(self, states: Mapping[str, Interval], results: list[int], own: str = "") -> Evaluation:
        """All nodes that the results depend on, [kind, piece of the interval of state `own`]."""
        leaves = {**self.leaves, **{("state", name): it for name, it in states.items()}}
        apart = {key: Interval(it.low[:, np.newaxis], it.high[:, np.newaxis]) for key, it in leaves.items()}
        pieces = 1
        if own:
            apart["state", own] = _in_pieces(states[own])
            pieces = _PIECES
        return Evaluation(self.program, apart, results, (self.kinds, pieces))

    def after(self, states: Mapping[str, Interval]) -> dict[str, Interval]:
        """The states one step later, within their declared widths."""
        found = dict(states)
        for name in self.changing():
            ends = tuple(end.tobytes() for it in self.read[name] for end in (states[it].low, states[it].high))
            if self.known.get(name, ((), None))[0] != ends:
                self.known[name] = ends, self._after(name, states)
            found[name] = self.known[name][1]
        return found

    def _after(self, name: str, states: Mapping[str, Interval]) -> Interval:
        number, declared = self.program.next_state[name], self.program.states[name]
        evaluation = self.evaluated(states, [number], name)
        it = _together(evaluation[number])
        if not states[name].holds(it):
            it = _together(evaluation.apart(number))
        return it.within(declared.low, declared.high)


def _in_pieces(it: Interval) -> Interval:
    """[kind, piece]: the same integers in parts, as short as one integer towards both ends.

    What a value loses by a share of itself must not take it beyond 0 because the piece was long.
    """
    length = it.high - it.low + 1
    powers = np.int64(1) << np.arange(_OCTAVES, dtype=np.int64)
    near = np.minimum(powers[np.newaxis], length[:, np.newaxis])
    even = np.rint(length[:, np.newaxis] * np.linspace(0, 1, EVEN + 1)).astype(np.int64)
    places = np.sort(np.hstack([even, near, length[:, np.newaxis] - near]), axis=1)
    edges = it.low[:, np.newaxis] + places
    return Interval(edges[:, :-1], edges[:, 1:] - 1)


def _together(it: Interval) -> Interval:
    """The hull over pieces, [kind]."""
    low, high = np.broadcast_arrays(it.low, it.high)
    least = np.where(it.empty, np.iinfo(np.int64).max, low).min(axis=1)
    most = np.where(it.empty, np.iinfo(np.int64).min, high).max(axis=1)
    return Interval(least, most)


def _by_kind(values: Integers, of: Integers, kinds: int) -> Interval:
    """The hull over the neurons of each kind."""
    low, high = (
        np.full(kinds, value, dtype=np.int64) for value in (np.iinfo(np.int64).max, np.iinfo(np.int64).min)
    )
    np.minimum.at(low, of, values)
    np.maximum.at(high, of, values)
    return Interval(low, high)


def _followed(code: ChipProgram, population: PopulationCode, reaching: Arriving) -> _Followed:
    size, program = population.size, population.program
    parameters = {
        name: np.broadcast_to(np.asarray(value, dtype=np.int64), (size,))
        for name, value in population.parameters.items()
    }
    table = np.array([*parameters.values()], dtype=np.int64).reshape(len(parameters), size)
    distinct, of = np.unique(table, axis=1, return_inverse=True) if parameters else (table, np.zeros(size))
    of = np.asarray(of, dtype=np.int64).ravel()
    if distinct.shape[1] > KINDS or not parameters:
        of = np.zeros(size, dtype=np.int64)
    kinds = int(of.max()) + 1
    leaves = {("param", name): _by_kind(values, of, kinds) for name, values in parameters.items()}
    for name, width in program.inputs.items():
        if name in reaching.sums:
            low, high = (
                _by_kind(it, of, kinds) for it in (reaching.sums[name].low, reaching.sums[name].high)
            )
            leaves["input", name] = Interval(low.low, high.high).within(width.low, width.high)
    for name, signal in population.signals.items():
        if name in reaching.sums:
            continue
        ends = signal_ends(code, population, signal)
        declared = program.inputs[name] if name in program.inputs else program.parameters[name]
        key = ("input" if name in program.inputs else "param", name)
        if ends is not None:
            leaves[key] = interval(*ends, (kinds,)).within(declared.low, declared.high)
        elif isinstance(signal, Constant):
            leaves[key] = leaves["param", str(signal.value)]
        else:
            leaves[key] = interval(declared.low, declared.high, (kinds,))
    starts = population.starts(real=False)
    start = {
        name: _by_kind(np.broadcast_to(np.asarray(starts[name], dtype=np.int64), (size,)), of, kinds)
        for name in program.states
    }
    return _Followed(program, leaves, start, kinds)


def _limit(now: Integers, grown: Integers, last: Integers) -> Integers:
    """Where a value that grew by `last` and then by `grown` a step comes to, if it goes on like that."""
    ratio = np.minimum(np.abs(grown) / np.maximum(np.abs(last), 1), 0.99999)
    more = np.ceil(np.abs(grown) * ratio / (1 - ratio)) + 1
    return np.where(grown == 0, now, now + np.sign(grown) * np.minimum(more, 2.0**40).astype(np.int64))


def _never_left(it: _Followed) -> dict[str, Interval]:
    """Intervals of the states that hold the start and, within the declared widths, are never left."""
    states = dict(it.start)
    grown: dict[str, tuple[Integers, Integers]] = {}
    declared = {
        name: interval(width.low, width.high, (it.kinds,)) for name, width in it.program.states.items()
    }
    for number in range(GROWING + len(states) + 1):
        after = it.after(states)
        growing = [name for name in states if not states[name].holds(after[name])]
        if not growing:
            break
        for name in growing:
            before, now = states[name], states[name].hull(after[name])
            steps = now.low - before.low, now.high - before.high
            last = grown.get(name)
            grown[name] = steps
            if number >= GROWING:
                now = declared[name]
            elif last is not None and number % BETWEEN_GUESSES == BETWEEN_GUESSES - 1:
                guess = Interval(
                    _limit(now.low, steps[0], last[0]),
                    _limit(now.high, steps[1], last[1]),
                )
                now = guess.within(declared[name].low, declared[name].high)
            states[name] = now
    return _tightened(it, states)


def _tightened(it: _Followed, states: dict[str, Interval]) -> dict[str, Interval]:
    """Smaller intervals that are never left either."""

    def stepped(wide: Mapping[str, Interval]) -> dict[str, Interval]:
        # What is within this, and comes from within this, is within what one step makes of this.
        after = it.after(wide)
        return {
            name: after[name].hull(it.start[name]).within(wide[name].low, wide[name].high) for name in wide
        }

    before = states
    fewest, most = TIGHTENING
    for number in range(min(max(fewest, NODES // len(it.program.nodes)), most)):
        now = stepped(states)
        if all(_about(states[name], now[name]) for name in states):
            break
        if number % BETWEEN_GUESSES == BETWEEN_GUESSES - 1:
            guess = {name: _guessed_end(before[name], states[name], found) for name, found in now.items()}
            guess = {name: found.hull(it.start[name]) for name, found in guess.items()}
            after = it.after(guess)
            if all(found.holds(after[name]) for name, found in guess.items()):
                now = guess
        before, states = states, now
    return states


def _about(it: Interval, smaller: Interval) -> bool:
    """Whether an interval is at most a thousandth longer than a smaller one."""
    length = it.high - it.low
    return bool(np.all((length - (smaller.high - smaller.low)) * 1000 <= length))


def _guessed_end(before: Interval, last: Interval, now: Interval) -> Interval:
    """Where an interval that shrinks comes to."""
    low = _limit(now.low, now.low - last.low, last.low - before.low)
    high = _limit(now.high, now.high - last.high, last.high - before.high)
    # A guess that is a little too small holds nothing.
    return Interval(np.where(low > now.low, low - 2, low), np.where(high < now.high, high + 2, high))


# --- what is reported -------------------------------------------------------------------------------------


def _escape(program: Program, evaluation: Evaluation, numbers: list[int]) -> tuple[Width, Width] | None:
    """(values, width) of the first of these operations that has to bring its argument back."""
    for number in numbers:
        node = program.nodes[number]
        if node.operation not in ("saturate", "wrap"):
            continue
        it = _together(evaluation.apart(node.arguments[0]))
        half = 1 << (node.attribute - 1)
        room = Width(1 - half, half - 1 if node.operation == "saturate" else half)
        found = Width(int(it.low.min()), int(it.high.max()))
        if not room.holds(found):
            return found, room
    return None


def _bounds(it: _Followed, states: Mapping[str, Interval], population: PopulationCode) -> Iterator[Bound]:
    program = it.program
    told: set[int] = set()

    def bound(kind: Kind, name: str, number: int, declared: Width, own: str = "") -> Bound:
        evaluation = it.evaluated(states, [number], own)
        mine = [node for node in needed(program.nodes, [number]) if node not in told]
        escape = _escape(program, evaluation, mine)
        told.update(mine)
        found = _together(evaluation.apart(number))
        reached = Width(int(found.low.min()), int(found.high.max()))
        if escape is None and not declared.holds(reached):
            escape = reached, declared
        held = states[name] if kind == "state" else found.within(declared.low, declared.high)
        ends = int(held.low.min()), int(held.high.max())
        if escape is None:
            return Bound(population.name, kind, name, *ends, declared)
        return Bound(population.name, kind, name, *ends, escape[1], escape[0])

    # What depends on least comes first, so that each overflow is reported of the variable where it happens.
    changing = sorted(it.changing(), key=lambda name: len(needed(program.nodes, [program.next_state[name]])))
    found = {
        name: bound("state", name, program.next_state[name], program.states[name], name) for name in changing
    }
    yield from (found[name] for name in program.states if name in found)
    for name, number in program.output.items():
        yield bound("output", name, number, program.outputs[name])


def certify(code: ChipProgram, weights: Weights = "limits", watch: Watch | None = None) -> Certificate:
    """What every port, state and output can be, from weights at their limits or as they are given.

    `watch` is called with how many populations are done, how many there are, and the next one's name.
    Of noise, which goes from event to event, there is nothing to prove.
    """
    populations = [it for it in code.populations if not it.program.sends_arrivals]
    bounds: list[Bound] = []
    shares: dict[tuple[str, str], tuple[tuple[str, Width], ...]] = {}
    invariants: dict[str, Invariant] = {}
    for number, population in enumerate(populations):
        if watch is not None:
            watch(number, len(populations), population.name)
        reaching = arriving(code, population, weights)
        for port, total in reaching.sums.items():
            shares[population.name, port] = reaching.shares[port]
            width = population.program.inputs[port]
            reached = Width(int(total.low.min()), int(total.high.max()))
            clipped = total.within(width.low, width.high)
            ends = int(clipped.low.min()), int(clipped.high.max())
            escapes = None if width.holds(reached) else reached
            bounds.append(Bound(population.name, "port", port, *ends, width, escapes))
        followed = _followed(code, population, reaching)
        states = _never_left(followed)
        bounds += _bounds(followed, states, population)
        invariants[population.name] = Invariant(followed.program, followed.leaves, states, followed.kinds)
    return Certificate(weights, tuple(bounds), shares, invariants)
