"""What is proved of a program's integers: a bound for each port, state and output of each population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hw_models.program.widths import Width

#: Plastic weights at the ends of their range, whatever is learned, or all weights as the program has them.
Weights = Literal["limits", "given"]
Kind = Literal["port", "state", "output"]


@dataclass(frozen=True)
class Bound:
    """What a variable can be in any step, whatever arrives.

    `proved`: nothing on the way to it is clipped, wrapped or saturated, nor leaves its width. Else `escapes`
    has the values before the first of these that may be, and `width` what they would have to lie in.
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


@dataclass(frozen=True)
class Certificate:
    """The bounds of a program, in the order of its populations; `weights` says for which weights.

    `arriving[population, port]` has what each projection can add to a port, by name, the most first.
    """

    weights: Weights
    bounds: tuple[Bound, ...]
    arriving: Mapping[tuple[str, str], tuple[tuple[str, Width], ...]]

    @property
    def proved(self) -> bool:
        """Whether no variable can leave its width."""
        return all(it.proved for it in self.bounds)
