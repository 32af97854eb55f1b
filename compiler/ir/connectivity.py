"""Which neurons of two populations a projection joins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.ir.convolution import Convolution


@dataclass(frozen=True)
class Dense:
    """Every source neuron to every target neuron."""


@dataclass(frozen=True)
class OneToOne:
    """Neuron i to neuron i; both populations have one size."""


@dataclass(frozen=True)
class FixedProbability:
    """Each pair with this probability, drawn independently."""

    probability: float


@dataclass(frozen=True)
class FixedInDegree:
    """Each target neuron from this many distinct source neurons, drawn without replacement."""

    in_degree: int


def _reals(numbers: Iterable[float] | None) -> NDArray[np.float64] | None:
    return None if numbers is None else np.array(list(numbers), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class ExplicitPairs:
    """The listed pairs, as rows (source, target neuron); `weights` and `delays` (ms) in listed order."""

    pairs: NDArray[np.int32]
    weights: NDArray[np.float64] | None = None
    delays: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        pairs: Iterable[tuple[int, int]],
        weights: Iterable[float] | None = None,
        delays: Iterable[float] | None = None,
    ) -> ExplicitPairs:
        """The same from numbers."""
        listed = np.array(list(pairs), dtype=np.int32).reshape(-1, 2)
        return cls(listed, _reals(weights), _reals(delays))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExplicitPairs) and all(
            np.array_equal(np.atleast_1d(one), np.atleast_1d(two))
            if one is not None and two is not None
            else one is two
            for one, two in (
                (self.pairs, other.pairs),
                (self.weights, other.weights),
                (self.delays, other.delays),
            )
        )


@dataclass(frozen=True)
class TensorFile:
    """A dense weight matrix [target, source] in the port's weight unit: `tensor` of a safetensors file.

    Zero entries are absent synapses, or with `zeros` synapses of weight 0.
    """

    path: str
    tensor: str
    zeros: bool = False


@dataclass(frozen=True)
class Convolved:
    """A convolution or a pool. `shared`: all synapses of one place in the kernel have one weight.

    Where `path` is given, `tensor` of that safetensors file has the weights, in the port's weight unit and of
    the shape `weights_shape`.
    """

    convolution: Convolution
    shared: bool = True
    path: str | None = None
    tensor: str | None = None


def carries_delays(connectivity: Connectivity | None) -> bool:
    """Whether the delays come with the connectivity."""
    return isinstance(connectivity, ExplicitPairs) and connectivity.delays is not None


Connectivity = Dense | OneToOne | FixedProbability | FixedInDegree | ExplicitPairs | TensorFile | Convolved
