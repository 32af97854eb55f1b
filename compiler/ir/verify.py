"""The rules that each intermediate representation obeys. A broken rule is a bug, hence an assertion."""

from __future__ import annotations

import numpy as np

from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import Network
from hw_models.neurons.registry import models


def verify_network(network: Network) -> None:
    """Names are unique and resolve, sizes are positive, endpoints exist in the models."""
    names = [population.name for population in network.populations]
    assert len(set(names)) == len(names), "population names repeat"
    known = {population.name: models()[population.model] for population in network.populations}
    assert all(population.size > 0 for population in network.populations), "an empty population"
    projection_names = [projection.name for projection in network.projections]
    assert len(set(projection_names)) == len(projection_names), "projection names repeat"
    rules = {plasticity.name for plasticity in network.plasticity}
    for projection in network.projections:
        assert projection.source.port in known[projection.source.population].program.outputs
        ports = {port.name for port in known[projection.target.population].ports}
        assert projection.target.port in ports
        assert projection.learn is None or projection.learn in rules
    if network.task is not None:
        assert {network.task.input, network.task.readout} <= set(names)


def verify_elaborated(elaborated: Elaborated) -> None:
    """Synapses are sorted, within their populations, and each has exactly one weight."""
    sizes = {population.name: population.size for population in elaborated.network.populations}
    for synapses in elaborated.synapses:
        projection = synapses.projection
        n_pre, n_post = sizes[projection.source.population], sizes[projection.target.population]
        assert synapses.pre.shape == synapses.post.shape == synapses.delays.shape
        assert (synapses.weights is None) != (synapses.quantiles is None)
        place = synapses.pre.astype(np.int64) * n_post + synapses.post
        assert np.all(np.diff(place) > 0), "synapses are unsorted or repeat"
        assert place.size == 0 or (place[0] >= 0 and place[-1] < n_pre * n_post)
        assert not synapses.dense or place.size == n_pre * n_post
        assert np.all(synapses.delays >= 0), "a delay below one step"


def verify_chip_program(code: ChipProgram) -> None:
    """Parameters fit their declared widths, weights their mode, shapes their populations."""
    populations = {population.name: population for population in code.populations}
    for population in code.populations:
        program = models()[population.model].program
        for name, width in program.parameters.items():
            value = np.asarray(population.parameters[name])
            assert value.dtype.kind in "iu", f"{population.name}.{name} is not an integer"
            assert value.shape in ((), (population.size,)), (
                f"{population.name}.{name} has shape {value.shape}"
            )
            inside = np.all((value >= width.low) & (value <= width.high))
            assert inside, f"{population.name}.{name} = {value} is outside {width}"
    for projection in code.projections:
        n_pre, n_post = populations[projection.source].size, populations[projection.target].size
        if projection.dense:
            assert projection.weights.shape == (n_post, n_pre) == projection.exact.shape
            assert projection.delays.shape == (n_pre * n_post,)
        else:
            assert projection.weights.shape == projection.pre.shape == projection.post.shape
        assert projection.weights.dtype == np.int16
        if projection.learning is None:
            low, high = {"MIXED": (-256, 255), "EXCITATORY": (0, 255), "INHIBITORY": (-255, 0)}[
                projection.sign_mode
            ]
            assert projection.weights.size == 0 or (
                low <= projection.weights.min() and projection.weights.max() <= high
            )
