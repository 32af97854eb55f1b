"""A network whose synapses are drawn: pairs, weights and delays are known, still in physical units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.draws import WeightDraws
from compiler.ir.calibration import Calibration
from compiler.ir.convolution import ConvolvedPairs
from compiler.ir.network import Network, Projection
from hw_models.diagnostics import Diagnostic


@dataclass(frozen=True)
class Streams:
    """The random streams of a network, numbered from 1 in the order of use.

    populations, learning of each plastic projection, weights of each projection, order of the samples;
    then connectivity, second weight draw, delays, traces of each projection; then values of each population.
    """

    populations: int
    plastic: int
    projections: int

    def population(self, index: int) -> int:
        """Draws of population `index`'s program."""
        return 1 + index

    def learning(self, plastic_index: int) -> int:
        """Rounding draws of the plastic projection number `plastic_index` among the plastic ones."""
        return 1 + self.populations + plastic_index

    def weights(self, index: int) -> int:
        """Initial weights of projection `index`."""
        return 1 + self.populations + self.plastic + index

    @property
    def order(self) -> int:
        """The order in which an epoch shows its samples."""
        return 1 + self.populations + self.plastic + self.projections

    def connectivity(self, index: int) -> int:
        """Which pairs projection `index` connects."""
        return self.order + 1 + index

    def second_weights(self, index: int) -> int:
        """The second draw of each weight that needs two."""
        return self.order + 1 + self.projections + index

    def delays(self, index: int) -> int:
        """Delays of projection `index`."""
        return self.order + 1 + 2 * self.projections + index

    def trace(self, index: int) -> int:
        """Rounding draws of the traces of projection `index`."""
        return self.order + 1 + 3 * self.projections + index

    def values(self, index: int) -> int:
        """Parameters and initial states of population `index` that are drawn."""
        return self.order + 1 + 4 * self.projections + index


@dataclass(frozen=True)
class Synapses:
    """The synapses of one projection, sorted by source and then target neuron.

    `dense` where every pair is connected; then the arrays hold the full (pre, post) grid in that order.
    `quantiles` are 16 random bits a synapse for a uniform distribution, whose values are drawn on the
    chip's own grid; `weights` are physical weights for every other one. `draws` is what gave either; None
    where the connectivity gives the weights. Where weights are `shared`, `quantiles` or `weights` are those
    that are stored once, in the order of the kernel.
    """

    projection: Projection
    dense: bool
    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    draws: WeightDraws | None
    quantiles: NDArray[np.int32] | None
    weights: NDArray[np.float64] | None
    delays: NDArray[np.int32]
    shared: ConvolvedPairs | None = None

    def listed(self, values: NDArray[Any]) -> NDArray[Any]:
        """What the weights have one of each, such as `weights`, for each synapse."""
        return values if self.shared is None else values[self.shared.entry]


@dataclass(frozen=True)
class Elaborated:
    """The network and its drawn synapses.

    `calibration` is what it reaches, where that is known, `diagnostics` what this gave rise to.
    """

    network: Network
    streams: Streams
    synapses: tuple[Synapses, ...]
    calibration: Calibration | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
