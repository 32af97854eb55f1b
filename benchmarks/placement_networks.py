"""Twenty networks to place: with and without locality, dense, random, the paper's.

Those that are drawn are made of a small compiled network whose populations and synapses are replaced, so
that a network of millions of synapses is there in seconds. All draws have fixed seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from burstchip.compilation import compile_file
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode

Indices = NDArray[np.int64]

_SEED_NETWORK = """burstchip: 1
name: parts
step: 1 ms
seed: 1
populations:
  noise: {model: poisson_source, size: 2, rate: 100 Hz}
  lif: {model: lif, size: 2}
  burst: {model: burst_unit, size: 2}
plasticity:
  burst:
    form: chip
    every: 8 ms
    traces: [{name: x1, tau: 16 ms, increment: 16}]
    dw: u0*2^-4*x1*y1
projections:
  - {name: fixed, from: lif, to: lif, weight: {uniform: [1 mV, 2 mV]}, connectivity: {in_degree: 1}}
  - {name: to_burst, from: lif, to: burst.soma, weight: {uniform: [1 mV, 2 mV]}, connectivity: {in_degree: 1}}
  - name: plastic
    from: burst.events
    to: burst.soma
    weight: {uniform: [-2 mV, 2 mV]}
    limit: 9 mV
    learn: burst
"""


@cache
def _parts() -> ChipProgram:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "parts.yaml"
        path.write_text(_SEED_NETWORK, encoding="utf-8")
        return compile_file(path)[0]


def population(name: str, model: str, size: int) -> PopulationCode:
    """A population of `lif`, `burst` or `noise` neurons."""
    made = _parts().population(model)
    parameters = {key: np.asarray(value).reshape(-1)[0].item() for key, value in made.parameters.items()}
    return replace(made, name=name, size=size, parameters=parameters, origins={}, real={})


def sparse(
    source: PopulationCode, target: PopulationCode, pre: Indices, post: Indices, delays: int = 1
) -> ProjectionCode:
    """Synapses between these pairs, each once, of weights and delays that follow from their place."""
    pairs = np.unique(pre * target.size + post)
    made = _parts().projection("to_burst" if len(target.ports) > 1 else "fixed")
    number = np.arange(pairs.size)
    return replace(
        made,
        name=f"{source.name}->{target.name}",
        source=source.name,
        target=target.name,
        output="events" if "events" in source.program.outputs else next(iter(source.program.outputs)),
        pre=(pairs // target.size).astype(np.int32),
        post=(pairs % target.size).astype(np.int32),
        weights=((number * 37 % 100) * 2).astype(np.int16),
        delays=(number % delays).astype(np.int16),
        requested=np.zeros(0),
        sign_mode="MIXED",
        num_weight_bits=8,
    )


def dense(source: PopulationCode, target: PopulationCode, *, plastic: bool = False) -> ProjectionCode:
    """All pairs."""
    made = _parts().projection("plastic" if plastic else "fixed")
    weights = (np.arange(source.size * target.size) * 37 % 100 * 2).astype(np.int16)
    none = np.zeros(0, dtype=np.int32)
    return replace(
        made,
        name=f"{source.name}=>{target.name}",
        source=source.name,
        target=target.name,
        output="events" if "events" in source.program.outputs else next(iter(source.program.outputs)),
        port="soma",
        dense=True,
        pre=none,
        post=none,
        weights=weights.reshape(target.size, source.size),
        delays=np.zeros(weights.size, dtype=np.int16),
        requested=np.zeros(0),
        sign_mode="MIXED",
        num_weight_bits=8,
    )


def program(name: str, populations: list[PopulationCode], projections: list[ProjectionCode]) -> ChipProgram:
    """A program of these parts."""
    learning = {p.target: p.learning.every for p in projections if p.learning is not None}
    populations = [replace(p, gather_every=learning.get(p.name, 0)) for p in populations]
    return replace(
        _parts(),
        name=name,
        populations=tuple(populations),
        projections=tuple(projections),
        probes=(),
        quantisation=(),
        diagnostics=(),
    )


def recurrent(name: str, size: int, pre: Indices, post: Indices, shuffled: int | None = None) -> ChipProgram:
    """One population joined to itself; its neurons in another order where `shuffled` is a seed."""
    if shuffled is not None:
        order = np.random.default_rng(shuffled).permutation(size)
        pre, post = order[pre], order[post]
    cells = population("cells", "lif", size)
    return program(name, [cells], [sparse(cells, cells, pre, post)])


def ring(size: int, degree: int) -> tuple[Indices, Indices]:
    """Each neuron to the `degree` ones around it."""
    pre = np.repeat(np.arange(size), degree)
    step = np.tile(np.concatenate([np.arange(-(degree // 2), 0), np.arange(1, degree // 2 + 1)]), size)
    return pre, (pre + step) % size


def torus(side: int, degree: int, reach: float) -> tuple[Indices, Indices]:
    """A square sheet without edges: each neuron to some around it, at distances of a normal law."""
    draw = np.random.default_rng(2)
    pre = np.repeat(np.arange(side * side), degree)
    x, y = (np.rint(draw.normal(0, reach, pre.size)).astype(np.int64) for _ in range(2))
    return pre, (pre // side + x) % side * side + (pre % side + y) % side


def clusters(count: int, size: int, inside: int, outside: int) -> tuple[Indices, Indices]:
    """Groups whose neurons have `inside` targets in their own and `outside` in any."""
    draw = np.random.default_rng(3)
    neurons = count * size
    near = np.repeat(np.arange(neurons), inside)
    far = np.repeat(np.arange(neurons), outside)
    own = near // size * size + draw.integers(0, size, near.size)
    return np.concatenate([near, far]), np.concatenate([own, draw.integers(0, neurons, far.size)])


def uniform(sources: int, targets: int, degree: int, seed: int = 4) -> tuple[Indices, Indices]:
    """Each source to `degree` targets anywhere."""
    pre = np.repeat(np.arange(sources), degree)
    return pre, np.random.default_rng(seed).integers(0, targets, pre.size)


def small_world(size: int, degree: int) -> tuple[Indices, Indices]:
    """A ring of which every tenth connection goes anywhere."""
    pre, post = ring(size, degree)
    far = np.arange(pre.size) % 10 == 0
    return pre, np.where(far, np.random.default_rng(5).integers(0, size, pre.size), post)


def columns(count: int) -> ChipProgram:
    """Columns of 80 excitatory and 20 inhibitory neurons: populations of their own, joined to neighbours."""
    cells, joined = [], []
    for number in range(count):
        cells.append((population(f"e{number}", "lif", 80), population(f"i{number}", "lif", 20)))
    for number, (e, i) in enumerate(cells):
        joined += [
            sparse(a, b, *uniform(a.size, b.size, b.size // 2, number)) for a in (e, i) for b in (e, i)
        ]
        right = cells[(number + 1) % count][0]
        joined.append(sparse(e, right, *uniform(e.size, right.size, 20, number)))
    return program("columns", [cell for pair in cells for cell in pair], joined)


def layers(name: str, sizes: list[int], *, plastic: bool, feedback: bool = False) -> ChipProgram:
    """Dense layers of burst units behind a source."""
    made = [population("input", "noise", sizes[0])]
    made += [population(f"layer{k}", "burst", size) for k, size in enumerate(sizes[1:])]
    joined = [dense(a, b, plastic=plastic) for a, b in pairwise(made)]
    if feedback:
        joined += [dense(b, a) for a, b in pairwise(made[1:])]
    return program(name, made, joined)


def balanced(size: int, degree: int) -> ChipProgram:
    """Four fifths excitatory, one fifth inhibitory, joined at random, and a source."""
    e, i = population("e", "lif", size * 4 // 5), population("i", "lif", size // 5)
    noise = population("noise", "noise", size // 10)
    pairs = [(a, b) for a in (e, i) for b in (e, i)]
    joined = [sparse(a, b, *uniform(a.size, b.size, degree * b.size // size, 6)) for a, b in pairs]
    joined.append(sparse(noise, e, *uniform(noise.size, e.size, 40, 7)))
    return program("balanced", [e, i, noise], joined)


def _template(name: str) -> ChipProgram:
    path = files("burstchip") / "templates" / name / "network.yaml"
    return compile_file(Path(str(path)))[0]


def _reservoir() -> ChipProgram:
    cells, units = population("cells", "lif", 4000), population("units", "burst", 100)
    return program(
        "reservoir",
        [cells, units],
        [sparse(cells, cells, *clusters(20, 200, 60, 6)), dense(cells, units, plastic=True)],
    )


def _mixed() -> ChipProgram:
    """Neurons that need compartments alone beside neurons that need memory."""
    light, heavy = population("light", "lif", 60_000), population("heavy", "lif", 2_000)
    return program("mixed", [light, heavy], [sparse(heavy, heavy, *uniform(2000, 2000, 600))])


@dataclass(frozen=True)
class Case:
    """A network to place; `local`: it is recurrent and has a structure that a placement could use."""

    make: Callable[[], ChipProgram]
    local: bool = False


CASES: Mapping[str, Case] = {
    "ring": Case(lambda: recurrent("ring", 16_000, *ring(16_000, 96)), True),
    "ring, shuffled": Case(lambda: recurrent("ring", 16_000, *ring(16_000, 96), shuffled=1), True),
    "sheet": Case(lambda: recurrent("sheet", 16_384, *torus(128, 80, 3.0)), True),
    "sheet, shuffled": Case(lambda: recurrent("sheet", 16_384, *torus(128, 80, 3.0), shuffled=1), True),
    "clusters": Case(lambda: recurrent("clusters", 12_000, *clusters(60, 200, 80, 4)), True),
    "clusters, shuffled": Case(
        lambda: recurrent("clusters", 12_000, *clusters(60, 200, 80, 4), shuffled=1), True
    ),
    "small world": Case(lambda: recurrent("small world", 12_000, *small_world(12_000, 100)), True),
    "small world, shuffled": Case(
        lambda: recurrent("small world", 12_000, *small_world(12_000, 100), shuffled=1), True
    ),
    "columns": Case(lambda: columns(60), True),
    "reservoir": Case(_reservoir, True),
    "random": Case(lambda: recurrent("random", 10_000, *uniform(10_000, 10_000, 100))),
    "random, sparse": Case(lambda: recurrent("random, sparse", 30_000, *uniform(30_000, 30_000, 20))),
    "balanced": Case(lambda: balanced(10_000, 200)),
    "bipartite": Case(
        lambda: program(
            "bipartite",
            [(a := population("a", "noise", 4000)), (b := population("b", "lif", 8000))],
            [sparse(a, b, *uniform(4000, 8000, 200))],
        )
    ),
    "mixed": Case(_mixed),
    "dense, plastic": Case(lambda: layers("dense", [2000, 2000], plastic=True)),
    "layers": Case(lambda: layers("layers", [784, 1000, 1000, 10], plastic=True, feedback=True)),
    "3 x 500": Case(lambda: layers("3 x 500", [784, 500, 500, 500, 10], plastic=True, feedback=True)),
    "digits": Case(lambda: _template("digits")),
    "mnist": Case(lambda: _template("mnist")),
}
