"""elaborate: draw values of neurons, connectivity, weights and delays. Network in, Elaborated out.

Every draw is seeded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compiler import tensor_file
from compiler.connect import with_in_degree, with_probability, without_autapses
from compiler.cost import require_room_to_compile
from compiler.draws import Indices, WeightDraws, draw_delays, grid, quantiles
from compiler.ir.connectivity import (
    Connectivity,
    Convolved,
    Dense,
    ExplicitPairs,
    FixedInDegree,
    FixedProbability,
    OneToOne,
    TensorFile,
)
from compiler.ir.convolution import convolved_pairs
from compiler.ir.elaborated import Elaborated, Streams, Synapses
from compiler.ir.network import Network, Projection
from compiler.ir.values import Uniform
from compiler.machine_memory import available_memory
from compiler.passes.elaborate_values import draw_population
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.quantities import nearest_steps

#: Between which the greatest weight of a tensor lies, as every number of a network's own text does.
GREATEST_WEIGHT = 1e-15, 1e15

register_codes(
    {
        "BC301": "a weight tensor file cannot be used",
        "BC342": "a weight of a neuron onto itself in a projection that excludes it",
    }
)


def _read_tensor(
    projection: Projection, path: str, tensor: str, shape: tuple[int, ...], axes: str
) -> NDArray[np.float64]:
    def error(message: str, required: str, given: str) -> BurstchipError:
        place = projection.places.get("connectivity", projection.place)
        return BurstchipError(Diagnostic("BC301", message, place, required=required, given=given))

    try:
        weights = tensor_file.TensorFile(path).read(tensor).astype(np.float64)
    except tensor_file.TensorError as reason:
        raise error(
            f"tensor '{tensor}' of '{path}' cannot be used",
            "a matrix of real numbers in a safetensors file"
            if len(shape) == 2
            else "a kernel of real numbers",
            str(reason),
        ) from None
    if weights.shape != shape:
        raise error(f"tensor '{tensor}' has the wrong shape", f"({axes}) = {shape}", f"{weights.shape}")
    if not np.all(np.isfinite(weights)):
        raise error(f"tensor '{tensor}' contains NaN or infinity", "finite weights", "NaN or infinity")
    greatest = float(np.max(np.abs(weights), initial=0.0))
    least, most = GREATEST_WEIGHT
    if greatest and not least <= greatest <= most:
        beyond = "large" if greatest > most else "small"
        raise error(
            f"the greatest weight of tensor '{tensor}' is too {beyond}",
            f"{least:g} to {most:g}, or all weights 0",
            f"{greatest:g}",
        )
    return weights


def _pairs(
    projection: Projection, seed: int, stream: int, n_pre: int, n_post: int
) -> tuple[Indices, Indices, NDArray[np.float64] | None]:
    """The connected pairs sorted by source then target, and their weights where the connectivity has them."""
    rule = projection.connectivity
    assert projection.autapses or projection.source.population == projection.target.population
    if isinstance(rule, Dense):
        pairs = grid(n_pre, n_post)
        return (*(pairs if projection.autapses else without_autapses(*pairs)), None)
    if isinstance(rule, OneToOne):
        diagonal = np.arange(n_pre, dtype=np.int32)
        return diagonal, diagonal.copy(), None
    if isinstance(rule, TensorFile):
        matrix = _read_tensor(projection, rule.path, rule.tensor, (n_post, n_pre), "target, source").T
        present = np.nonzero(np.ones_like(matrix) if rule.zeros else matrix)
        if rule.zeros and not projection.autapses:
            present = np.nonzero(~np.eye(n_pre, dtype=bool) | (matrix != 0))
        if not projection.autapses and np.any(present[0] == present[1]):
            raise BurstchipError(
                Diagnostic(
                    "BC342",
                    f"tensor '{rule.tensor}' has autapses, which '{projection.name}' excludes",
                    projection.places.get("autapses", projection.place),
                    required="0 on the diagonal, or autapses: yes",
                    given=f"{int(np.count_nonzero(present[0] == present[1]))} weights on the diagonal",
                )
            )
        return present[0].astype(np.int32), present[1].astype(np.int32), matrix[present]
    if isinstance(rule, ExplicitPairs):
        pre, post = rule.pairs.T
        order = np.lexsort((post, pre))
        return pre[order], post[order], None if rule.weights is None else rule.weights[order]
    if isinstance(rule, FixedProbability):
        pairs = with_probability(rule.probability, n_pre, n_post, seed, stream)
        return (*(pairs if projection.autapses else without_autapses(*pairs)), None)
    if isinstance(rule, Convolved):
        return _convolved(projection, rule)
    assert isinstance(rule, FixedInDegree)
    degree, autapses = rule.in_degree, projection.autapses
    return (*with_in_degree(degree, n_pre, n_post, seed, stream, autapses=autapses), None)


def _convolved(
    projection: Projection, rule: Convolved
) -> tuple[Indices, Indices, NDArray[np.float64] | None]:
    """The synapses of a convolution whose weights are not shared."""
    found = convolved_pairs(rule.convolution)
    pre, post, weights = found.pre, found.post, _kernel(projection, rule)
    weights = None if weights is None else weights[found.entry]
    if projection.autapses:
        return pre, post, weights
    apart = pre != post
    return pre[apart], post[apart], None if weights is None else weights[apart]


def _kernel(projection: Projection, rule: Convolved) -> NDArray[np.float64] | None:
    """The weights that a file gives, in the order of the kernel; None without one."""
    if rule.path is None:
        return None
    assert rule.tensor is not None
    shape, axes = rule.convolution.weights_shape, "channels, channels of the source, places ..."
    return _read_tensor(projection, rule.path, rule.tensor, shape, axes).ravel()


def _delays(
    projection: Projection, network: Network, stream: int, pre: Indices, post: Indices
) -> NDArray[np.int32]:
    """The delay of each synapse in steps, at least one."""
    rule = projection.connectivity
    if not isinstance(rule, ExplicitPairs) or rule.delays is None:
        return draw_delays(projection.delay, network.step, network.seed, stream, pre, post)
    order = np.lexsort(rule.pairs.T[::-1])
    steps = np.minimum(nearest_steps(rule.delays[order], network.step), 1 << 20)
    return np.asarray(steps, dtype=np.int32)


def _is_dense(rule: Connectivity) -> bool:
    return isinstance(rule, Dense) or (isinstance(rule, TensorFile) and rule.zeros)


def elaborate(network: Network) -> Elaborated:
    """Draw every neuron and synapse of the network.

    Raises `BurstchipError`: BC301, BC342 for an unusable tensor file, BC360 for a value out of its range,
    BC680 for more synapses than the memory holds.
    """
    require_room_to_compile(network, available_memory())
    sizes = {population.name: population.size for population in network.populations}
    plastic = sum(projection.learn is not None for projection in network.projections)
    streams = Streams(len(network.populations), plastic, len(network.projections))
    seed = network.seed
    drawn = []
    for index, projection in enumerate(network.projections):
        n_pre, n_post = sizes[projection.source.population], sizes[projection.target.population]
        rule, shared = projection.connectivity, None
        if isinstance(rule, Convolved) and rule.shared:
            shared = convolved_pairs(rule.convolution)
            pre, post, weights = shared.pre, shared.post, _kernel(projection, rule)
        else:
            pre, post, weights = _pairs(projection, seed, streams.connectivity(index), n_pre, n_post)
        # What is shared is drawn once.
        drawn_at = (pre, post) if shared is None else shared.convolution.draws
        draws = places = None
        if weights is None:
            assert projection.weight is not None
            of_weights = (streams.weights(index), streams.second_weights(index))
            draws = WeightDraws(projection.weight, seed, of_weights)
            if isinstance(projection.weight, Uniform):
                places = quantiles(seed, streams.weights(index), *drawn_at)
            else:
                weights = draws(*drawn_at)
        delays = _delays(projection, network, streams.delays(index), pre, post)
        drawn.append(
            Synapses(
                projection=projection,
                dense=projection.autapses and _is_dense(projection.connectivity),
                pre=pre,
                post=post,
                draws=draws,
                quantiles=places,
                weights=weights,
                delays=np.subtract(delays, 1, out=delays),
                shared=shared,
            )
        )
    populations = tuple(
        draw_population(it, network.model_of(it.name), seed, streams.values(index))
        for index, it in enumerate(network.populations)
    )
    return Elaborated(replace(network, populations=populations), streams, tuple(drawn))
