"""What is proved of a program's integers: a bound for each port, state and output of each population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hw_models.program.intervals import Interval
from hw_models.program.trace import Program
from hw_models.program.widths import Width

#: Plastic weights at the ends of their range, whatever is learned, or all weights as the program has them.
Weights = Literal["limits", "given"]
Kind = Literal["port", "state", "output"]


@dataclass(frozen=True)
class Bound:
    """What a variable can be in any step, whatever arrives.

    `proved`: it is never clipped, wrapped or saturated, and never leaves its width; what may happen to
    another that it is made of is reported there. Else `escapes` has the values before the first clip, wrap
    or saturation, and `width` what they would have to lie in.
    """

    population: str
    kind: Kind
    variable: str
    low: int
    high: int
    width: Width
    escapes: Width | None = None

    @property
    def proved(self) -> bool:
        """Whether it can never leave its width."""
        return self.escapes is None


@dataclass(frozen=True, eq=False)
class Invariant:
    """The proof for a population: where its `states` lie in these intervals, they do so a step later.

    `leaves` are the intervals of everything else that its program reads, by operation and name. All are
    [kind]: neurons whose parameters differ are of different kinds.
    """

    program: Program
    leaves: Mapping[tuple[str, str], Interval]
    states: Mapping[str, Interval]
    kinds: int


@dataclass(frozen=True)
class Certificate:
    """The bounds of a program, in the order of its populations; `weights` says for which weights.

    `arriving[population, port]` has what each projection can add to a port, by name, the most first;
    `invariants` are the proofs, by population.
    """

    weights: Weights
    bounds: tuple[Bound, ...]
    arriving: Mapping[tuple[str, str], tuple[tuple[str, Width], ...]]
    invariants: Mapping[str, Invariant]

    @property
    def proved(self) -> bool:
        """Whether no variable can leave its width."""
        return all(it.proved for it in self.bounds)
