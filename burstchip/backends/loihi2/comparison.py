"""Whether a deployment holds the integers of an artifact: every value, or the first that differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.loihi2.deployment import (
    DeployedPopulation,
    DeployedProjection,
    Deployment,
    load_deployment,
)
from burstchip.backends.loihi2.folder import damaged
from burstchip.backends.loihi2.folder_schema import HOST
from burstchip.backends.loihi2.images import neuron_values
from burstchip.backends.loihi2.microcode import SCALARS, rule_of, terms
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode
from hw_models.program.serialise import program_sha256

Value = int | str | None
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class DeploymentDifference:
    """The first value that differs.

    `core` is the neurocore, None for the host or for what no single one holds; `place` the population or
    projection, "" for the whole; `what` the parameter or field; `index` the neuron, or (pre, post), or the
    place in a list.
    """

    core: int | None
    place: str
    what: str
    index: tuple[int, ...]
    artifact: Value
    deployed: Value

    def __str__(self) -> str:
        where = "" if self.core is None else f"core {self.core}, "
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        name = f"{self.place}.{self.what}" if self.place else self.what
        return f"{where}{name}{index}: {self.artifact} in the artifact, {self.deployed} in the deployment"


@dataclass(frozen=True)
class DeploymentComparison:
    """`values` were compared and equal, up to the `difference` where there is one.

    `same_artifact`: whether the deployment was made from this very artifact; one that differs in what is
    not deployed, such as its task or its probes, gives the same images.
    """

    values: int
    difference: DeploymentDifference | None
    same_artifact: bool


@dataclass(frozen=True)
class _Compared:
    """Arrays of the same meaning; `index(k)` and `core(k)` say where the value k belongs."""

    place: str
    what: str
    artifact: Integers | tuple[Value, ...]
    deployed: Integers | tuple[Value, ...]
    indices: Integers | None = None
    cores: Integers | None = None


def compare_deployment(code: ChipProgram, folder: Path) -> DeploymentComparison:
    """Compare a program with a folder that `burstchip deploy --dry-run` wrote.

    Compared are the neurons' parameters, models and streams, spike lists, every synapse's ends, weight, delay
    and tag, exponents, and learning rules with their traces. Raises `BurstchipError` BC410 to BC412 for what
    is not a deployment or contradicts itself, and BC411 where all values are equal but a file was altered.
    """
    deployment = load_deployment(folder)
    values = 0
    for part in _parts(code, deployment):
        equal, difference = _compare(part)
        values += equal
        if difference is not None:
            return DeploymentComparison(values, difference, _same(code, deployment))
    require_unaltered(deployment)
    return DeploymentComparison(values, None, _same(code, deployment))


def require_unaltered(deployment: Deployment) -> None:
    """Raise `BurstchipError` BC411 where a file is not what the manifest says."""
    if deployment.altered:
        given = f"{', '.join(deployment.altered)}: not the SHA-256 that the manifest names"
        raise damaged(deployment.path, given)


def first_difference(
    code: ChipProgram, deployment: Deployment, ignored: Collection[tuple[str, str]]
) -> DeploymentDifference | None:
    """The first value in which a program and a deployment differ, but for these (place, what)."""
    for part in _parts(code, deployment):
        if (part.place, part.what) not in ignored:
            difference = _compare(part)[1]
            if difference is not None:
                return difference
    return None


def _same(code: ChipProgram, deployment: Deployment) -> bool:
    return artifact_sha256(code) == deployment.artifact_sha256


def _compare(part: _Compared) -> tuple[int, DeploymentDifference | None]:
    """(values that are equal up to the first that is not, that one)."""
    ours, theirs = part.artifact, part.deployed
    length = min(len(ours), len(theirs))
    if isinstance(ours, tuple) or isinstance(theirs, tuple):
        unequal = [k for k in range(length) if ours[k] != theirs[k]]
    else:
        unequal = np.flatnonzero(ours[:length] != theirs[:length]).tolist()
    if not unequal and len(ours) == len(theirs):
        return length, None
    if not unequal:
        what = f"number of {part.what}"
        return length, DeploymentDifference(None, part.place, what, (), len(ours), len(theirs))
    k = unequal[0]
    index: tuple[int, ...] = () if len(ours) == 1 and part.indices is None else (k,)
    if part.indices is not None:
        index = tuple(int(i) for i in np.atleast_1d(part.indices[k]))
    core = HOST if part.cores is None else int(part.cores[k])
    values = [value[k] if isinstance(value, tuple) else int(value[k]) for value in (ours, theirs)]
    return k, DeploymentDifference(None if core == HOST else core, part.place, part.what, index, *values)


def _parts(code: ChipProgram, deployment: Deployment) -> Iterator[_Compared]:
    yield _Compared("", "seed", (code.seed,), (deployment.seed,))
    yield _Compared("", "target", (code.target,), (deployment.target,))
    names = tuple(population.name for population in code.populations)
    yield _Compared("", "populations", names, tuple(found.name for found in deployment.populations))
    for population, found in zip(code.populations, deployment.populations, strict=True):
        yield from _population(population, found)
    projections = {found.name: found for found in deployment.projections}
    joined = tuple(p.name for p in code.projections if p.weights.size)
    yield _Compared("", "projections", joined, tuple(projections))
    for projection in code.projections:
        if projection.weights.size:
            yield from _projection(projection, projections[projection.name])


def _population(code: PopulationCode, found: DeployedPopulation) -> Iterator[_Compared]:
    for what in ("size", "model", "stream", "gather_every"):
        yield _Compared(code.name, what, (getattr(code, what),), (getattr(found, what),))
    program = program_sha256(code.program)
    yield _Compared(code.name, "program", (program,), (found.program_sha256,))
    yield _Compared(code.name, "parameters", tuple(neuron_values(code)), tuple(sorted(found.parameters)))
    neurons = np.arange(code.size)
    for name, value in neuron_values(code).items():
        wide = np.broadcast_to(np.asarray(value, dtype=np.int64), code.size)
        yield _Compared(code.name, name, wide, found.parameters[name], neurons, found.core)
    if code.spikes is not None or found.spikes is not None:
        empty = np.zeros((0, 2), dtype=np.int64)
        ours, theirs = (empty if s is None else s for s in (code.spikes, found.spikes))
        yield _Compared(code.name, "columns of events", ours.shape[1:], theirs.shape[1:] or (1,))
        yield _Compared(code.name, "step of event", ours[:, 0], theirs[:, 0])
        yield _Compared(code.name, "neuron of event", ours[:, 1], theirs[:, 1])
        if ours.shape[1] == theirs.shape[1] == 3:
            yield _Compared(code.name, "message", ours[:, 2], theirs[:, 2])


def _projection(code: ProjectionCode, found: DeployedProjection) -> Iterator[_Compared]:
    for what in ("source", "output", "target", "port"):
        yield _Compared(code.name, what, (getattr(code, what),), (getattr(found, what),))
    for form in found.formats:
        yield _Compared(code.name, "sign_mode", (code.sign_mode,), (form.sign,))
        yield _Compared(code.name, "weight_exp", (code.weight_exp,), (form.weight_exp,))
        yield _Compared(code.name, "dense", (int(code.dense),), (_plain(form.dense),))
    if code.dense:
        n_post, n_pre = code.weights.shape
        pre, post = np.divmod(np.arange(n_pre * n_post), n_post)
        weights = code.weights.T.reshape(-1)
    else:
        pre, post, weights = code.pre.astype(np.int64), code.post.astype(np.int64), code.weights
    pairs = np.stack([pre, post], axis=1)
    synapses: dict[str, tuple[Integers, Integers]] = {
        "pre": (pre, found.pre),
        "post": (post, found.post),
        "weight": (weights.astype(np.int64), found.weights),
        "delay": (code.delays.astype(np.int64), found.delays),
        "tag": (np.zeros_like(pre), found.tags),
    }
    for what, (given, kept) in synapses.items():
        yield _Compared(code.name, what, given, kept, pairs, found.core)
    learns = [value is not None for value in (code.learning, found.learning)]
    yield _Compared(code.name, "learns", (int(learns[0]),), (int(learns[1]),))
    if code.learning is not None and found.learning is not None:
        yield from _learning(code.name, code.learning, found.learning)


def _learning(name: str, code: LearningCode, found: LearningCode) -> Iterator[_Compared]:
    for what in SCALARS:
        yield _Compared(name, what, (getattr(code, what),), (getattr(found, what),))
    yield _Compared(name, "traces", tuple(t.name for t in code.traces), tuple(t.name for t in found.traces))
    for ours, theirs in zip(code.traces, found.traces, strict=True):
        for what in ("kind", "tau", "decay", "impulse"):
            a, b = (_plain(getattr(trace, what)) for trace in (ours, theirs))
            yield _Compared(name, f"{ours.name} {what}", (a,), (b,))
    wanted, kept = (terms(rule_of(learning)) for learning in (code, found))
    for what in ("target", "condition", "factors", "mantissa", "exponent", "shift"):
        texts, found_texts = (tuple(_plain(term[what]) for term in given) for given in (wanted, kept))
        yield _Compared(name, f"term {what}", texts, found_texts)


def _plain(value: object) -> Value:
    return value if isinstance(value, int) else str(value)
