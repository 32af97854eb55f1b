"""The interval interpretation: what each value of a program can be where its leaves lie in given intervals.

Intervals are tighter than the ranges of nodes (`operations`), which know the declared widths alone. A choice
is taken apart: where `where(v > vth, 0, v)` leaves v, v is at most vth. Intervals are arrays of one shape, a
row for each case, so that several cases are followed at once; a case that cannot be has low > high.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.program.numpy_interpreter import NUMPY
from hw_models.program.rewrite import needed
from hw_models.program.trace import Node, Program

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Interval:
    """The integers low..high in each case, both included; none where low > high."""

    low: Integers
    high: Integers

    def within(self, low: Any, high: Any) -> Interval:
        """What of it lies in low..high."""
        return Interval(np.maximum(self.low, low), np.minimum(self.high, high))

    def hull(self, other: Interval) -> Interval:
        """The least interval that holds both."""
        low = np.where(
            other.empty, self.low, np.where(self.empty, other.low, np.minimum(self.low, other.low))
        )
        high = np.where(
            other.empty, self.high, np.where(self.empty, other.high, np.maximum(self.high, other.high))
        )
        return Interval(low, high)

    @property
    def empty(self) -> NDArray[np.bool_]:
        """In which cases it holds none."""
        return np.asarray(self.low > self.high)

    def holds(self, other: Interval) -> bool:
        """Whether every integer of another, in every case, is one of this."""
        return bool(np.all(other.empty | ((self.low <= other.low) & (other.high <= self.high))))


def interval(low: Any, high: Any, shape: tuple[int, ...] = ()) -> Interval:
    """An interval of one pair of ends, or one a case."""
    return Interval(
        np.broadcast_to(np.asarray(low, dtype=np.int64), shape),
        np.broadcast_to(np.asarray(high, dtype=np.int64), shape),
    )


#: Of a leaf, by its operation and name.
Leaves = Mapping[tuple[str, str], Interval]


def _corners(operation: str, attribute: int, arguments: list[Interval]) -> Interval:
    """Of an operation that is monotone in each argument, whatever the others are."""
    ends: list[list[Integers]] = [[]]
    for it in arguments:
        ends = [[*before, end] for before in ends for end in (it.low, it.high)]
    found = [np.asarray(NUMPY[operation](*corner, attribute)) for corner in ends]
    return Interval(np.minimum.reduce(found), np.maximum.reduce(found))


def _of_ends(operation: str, attribute: int, arguments: list[Interval]) -> Interval:
    """Of one that rises with each argument."""
    low, high = (
        NUMPY[operation](*(getattr(it, end) for it in arguments), attribute) for end in ("low", "high")
    )
    return Interval(np.asarray(low), np.asarray(high))


def _wrapped(bits: int, it: Interval) -> Interval:
    half = 1 << (bits - 1)
    stays = (it.low > -half) & (it.high <= half)
    low = np.where(stays, it.low, np.minimum(1 - half, it.low + 2 * half))
    return Interval(low, np.where(stays, it.high, np.maximum(half, it.high - 2 * half)))


def _compared(certain: Any, impossible: Any) -> Interval:
    return Interval(np.where(certain, 1, 0), np.where(impossible, 0, 1))


@lru_cache(maxsize=256)
def _spans(table: tuple[int, ...]) -> tuple[list[Integers], list[Integers]]:
    """The least and the greatest of 2^k entries from each on, for k = 0, 1, ..."""
    low = [np.asarray(table, dtype=np.int64)]
    high = [low[0]]
    while (step := 1 << (len(low) - 1)) * 2 <= len(table):
        low.append(np.minimum(low[-1][:-step], low[-1][step:]))
        high.append(np.maximum(high[-1][:-step], high[-1][step:]))
    return low, high


def _looked_up(table: tuple[int, ...], it: Interval) -> Interval:
    last = len(table) - 1
    first, end = np.clip(it.low, 0, last), np.clip(it.high, 0, last)
    end = np.maximum(first, end)
    level = np.frompyfunc(lambda n: int(n).bit_length() - 1, 1, 1)(end - first + 1).astype(np.int64)
    lows, highs = _spans(table)
    low, high = np.zeros_like(first), np.zeros_like(first)
    for k in np.unique(level):
        at = level == k
        second = end[at] - (1 << int(k)) + 1
        low[at] = np.minimum(lows[k][first[at]], lows[k][second])
        high[at] = np.maximum(highs[k][first[at]], highs[k][second])
    return Interval(low, high)


def _where_possible(it: Interval, others: Iterable[Interval]) -> Interval:
    """Nothing in a case in which one of the others is nothing."""
    for other in others:
        it = Interval(np.where(other.empty, 1, it.low), np.where(other.empty, 0, it.high))
    return it


#: How many decisions are taken apart for a result, the last ones before it.
MOST_CHOICES = 16
_MONOTONE = ("mul", "shift_left", "shift_right", "shift_right_zero", "shift_right_round")
_RISING = ("add", "minimum", "maximum", "saturate")


def _applied(program: Program, node: Node, a: list[Interval], shape: tuple[int, ...]) -> Interval:
    """An operation other than a choice on intervals that are not empty."""
    rules: dict[str, Callable[[], Interval]] = {
        "const": lambda: interval(node.attribute, node.attribute, shape),
        "sub": lambda: Interval(a[0].low - a[1].high, a[0].high - a[1].low),
        "less": lambda: _compared(a[0].high < a[1].low, a[0].low >= a[1].high),
        "equal": lambda: _compared(
            (a[0].low == a[0].high) & (a[1].low == a[1].high) & (a[0].low == a[1].low),
            (a[0].high < a[1].low) | (a[0].low > a[1].high),
        ),
        "wrap": lambda: _wrapped(node.attribute, a[0]),
        "lookup": lambda: _looked_up(program.tables[node.attribute], a[0]),
        "arrivals": lambda: interval(0, np.minimum(node.width.high, np.maximum(a[3].high, 0)), shape),
    }
    if node.operation in _MONOTONE:
        return _corners(node.operation, node.attribute, a)
    if node.operation in _RISING:
        return _of_ends(node.operation, node.attribute, a)
    if node.operation in rules:
        return rules[node.operation]()
    # Draws, functions and leaves that nothing is known of.
    return interval(node.width.low, node.width.high, shape)


class Evaluation:
    """The intervals of all nodes that `results` depend on, in one step from `leaves`.

    Every leaf must lie in its declared width; then so does every node in its own, and 64 bits hold it.
    """

    def __init__(
        self, program: Program, leaves: Leaves, results: Collection[int], shape: tuple[int, ...]
    ) -> None:
        self.program, self.leaves, self.shape = program, leaves, shape
        self.values: dict[int, Interval] = {}
        for number in needed(program.nodes, results):
            self.values[number] = self._value(number, self.values)

    def __getitem__(self, number: int) -> Interval:
        return self.values[number]

    def _value(self, number: int, values: Mapping[int, Interval], taken: bool = True) -> Interval:
        node = self.program.nodes[number]
        if (node.operation, node.name) in self.leaves:
            found = self.leaves[node.operation, node.name]
        elif node.operation == "select":
            found = self._choice(node, values) if taken else self._either(node, values)
        else:
            arguments = [values[argument] for argument in node.arguments]
            found = _applied(self.program, node, arguments, self.shape)
            found = _where_possible(found, arguments)
        found = found.within(node.width.low, node.width.high)
        return Interval(*np.broadcast_arrays(found.low, found.high))

    @staticmethod
    def _either(node: Node, values: Mapping[int, Interval]) -> Interval:
        condition, then, otherwise = (values[it] for it in node.arguments)
        always = (condition.low > 0) | (condition.high < 0)
        never = (condition.low == 0) & (condition.high == 0)
        then = Interval(np.where(never, 1, then.low), np.where(never, 0, then.high))
        otherwise = Interval(np.where(always, 1, otherwise.low), np.where(always, 0, otherwise.high))
        return then.hull(otherwise)

    def apart(self, result: int) -> Interval:
        """A node, with each decision that it depends on taken apart: as tight as the best of them makes it.

        So `t - 10 * (t > 9)` of t in 0..19 is in 0..9.
        """
        found = self.values[result]
        for number in self._open(result)[-MOST_CHOICES:]:
            together = self._by_cases(number, (result, result), self.values)
            found = found.within(together.low, together.high)
        return found

    def _open(self, result: int) -> list[int]:
        """The comparisons and conditions that a node depends on and that can be either way."""
        cone = needed(self.program.nodes, [result])
        nodes = self.program.nodes
        conditions = {nodes[it].arguments[0] for it in cone if nodes[it].operation == "select"}
        either = []
        for number in cone:
            if number in conditions or nodes[number].operation in ("less", "equal"):
                it = self.values[number]
                if np.any((it.low <= 0) & (it.high >= 0) & (it.low < it.high)):
                    either.append(number)
        return either

    def _choice(self, node: Node, values: Mapping[int, Interval]) -> Interval:
        """Each branch under what its condition says of the values that it is made of."""
        condition, then, otherwise = node.arguments
        return self._by_cases(condition, (then, otherwise), values)

    def _by_cases(self, condition: int, results: tuple[int, int], values: Mapping[int, Interval]) -> Interval:
        """The first result where a condition holds, the second where it does not."""
        found = []
        for result, truth in zip(results, (True, False), strict=True):
            known: dict[int, Interval] = {}
            self._assume(condition, truth, values, known)
            found.append(_where_possible(self._under(result, known, values), known.values()))
        return found[0].hull(found[1])

    def _under(self, result: int, known: dict[int, Interval], values: Mapping[int, Interval]) -> Interval:
        """A node where some others are known to lie in smaller intervals."""
        if not known:
            return values[result]
        anew: dict[int, Interval] = {}
        for number in needed(self.program.nodes, [result]):
            node = self.program.nodes[number]
            if number in known:
                anew[number] = known[number]
            elif any(argument in anew for argument in node.arguments):
                given = {argument: anew.get(argument, values[argument]) for argument in node.arguments}
                old = values[number]
                anew[number] = self._value(number, given, taken=False).within(old.low, old.high)
        return anew.get(result, values[result])

    def _assume(
        self, number: int, truth: bool, values: Mapping[int, Interval], known: dict[int, Interval]
    ) -> None:
        """Narrow what is `known` by a condition that is not 0, or 0."""
        node = self.program.nodes[number]

        def narrow(which: int, low: Any, high: Any) -> None:
            known[which] = known.get(which, values[which]).within(low, high)

        flag = node.width.low == 0
        if truth and flag:
            narrow(number, 1, node.width.high)
        elif not truth:
            narrow(number, 0, 0)
        if node.operation in ("less", "equal"):
            a, b = node.arguments
            left, right = known.get(a, values[a]), known.get(b, values[b])
            if node.operation == "less" and truth:
                narrow(a, left.low, right.high - 1)
                narrow(b, left.low + 1, right.high)
            elif node.operation == "less":
                narrow(a, right.low, left.high)
                narrow(b, right.low, left.high)
            elif truth:
                narrow(a, right.low, right.high)
                narrow(b, left.low, left.high)
        flags = all(self.program.nodes[it].width.low >= 0 for it in node.arguments)
        both = {"minimum": True, "mul": True, "maximum": False, "add": False}.get(node.operation)
        if flags and both is truth:
            for argument in node.arguments:
                self._assume(argument, truth, values, known)
        elif flags and both is not None:
            # One of the two; where it cannot be the one, it is the other.
            for one, other in (node.arguments, node.arguments[::-1]):
                it = values[other]
                if np.all(it.low > 0 if both else it.high == 0):
                    self._assume(one, truth, values, known)
        elif node.operation == "sub" and self._is_one(node.arguments[0]) and self._is_flag(node.arguments[1]):
            self._assume(node.arguments[1], not truth, values, known)

    def _is_one(self, number: int) -> bool:
        node = self.program.nodes[number]
        return node.operation == "const" and node.attribute == 1

    def _is_flag(self, number: int) -> bool:
        width = self.program.nodes[number].width
        return width.low >= 0 and width.high <= 1
