"""The metrics of NeuroBench's algorithm track, of a compiled program and a run of it.

Definitions of Yik et al., "The neurobench framework for benchmarking neuromorphic computing algorithms and
systems", Nature Communications 16, 1545 (2025), as the harness of version 2 computes them. Where a program
of events differs from a network of layers:

    footprint             bytes of all that is stored, each number with its declared bits, in all rounded up
    parameters            weights that are stored; of a kernel each once
    connection sparsity   share of the possible weights that are 0; pairs without a synapse are weights of 0
    activation sparsity   share of (neuron, step) without an event, of neurons; sources are the input
    synaptic operations   a message that is not 0 times a weight that is not 0, a sample: accumulations (ACs)
                          in steps in which a population sent only -1, 0 and 1, else multiplications (MACs);
                          dense: all weights in every step, zeros included
    membrane updates      changes of a neuron's potential from one step to the next, and all in the first
    model execution rate  steps of the model in a second of its own time; the harness does not compute it

Messages count when they are sent, weights as they are in the program. A network without a task is one sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.metrics.activity import EVENTS, Activity, ActivityCounter, neurons_of
from benchmarks.metrics.stored import stored_numbers
from burstchip.running.recording import record
from compiler.ir.chip_program import ChipProgram, ProjectionCode

#: Decimals of the connection sparsity in the harness.
_DECIMALS = 4


class SynapticOperations(
    Struct,
    frozen=True,
    kw_only=True,
    rename={"macs": "Effective_MACs", "acs": "Effective_ACs", "dense": "Dense"},
):
    """Of a sample."""

    macs: float
    acs: float
    dense: float


class AlgorithmMetrics(Struct, frozen=True, kw_only=True, rename="pascal"):
    """All of them; as JSON with the keys and in the layout of the harness's results.

    Footprint in bytes, sparsities as shares, operations and updates a sample, the execution rate in Hz. The
    accuracy is a share of answers, None where nothing was answered.
    """

    footprint: int
    parameter_count: int
    connection_sparsity: float
    activation_sparsity: float
    synaptic_operations: SynapticOperations
    membrane_updates: float
    model_execution_rate: float
    classification_accuracy: float | None = None

    @property
    def results(self) -> dict[str, Any]:
        """As plain values, with the harness's keys."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in found.items() if value is not None}


def algorithm_metrics(
    code: ChipProgram, activity: Activity, *, accuracy: float | None = None
) -> AlgorithmMetrics:
    """The metrics of a program that did this."""
    stored = stored_numbers(code)
    possible = sum(_possible(code, it) for it in code.projections)
    present = sum(int(np.count_nonzero(it.forward(it.stored))) for it in code.projections)
    macs = acs = dense = 0
    for it in code.projections:
        fanout, sent = _fanout(code, it), activity.sent[it.source, it.output]
        acs += int(sent.spikes @ fanout)
        macs += int(sent.graded @ fanout)
        dense += activity.steps * _dense(code, it)
    return AlgorithmMetrics(
        footprint=-(-sum(it.count * it.bits for it in stored) // 8),
        parameter_count=sum(it.count for it in stored if it.what == "weights"),
        connection_sparsity=round(1 - present / possible, _DECIMALS) if possible else 0.0,
        activation_sparsity=_activation_sparsity(code, activity),
        synaptic_operations=SynapticOperations(
            macs=macs / activity.samples, acs=acs / activity.samples, dense=dense / activity.samples
        ),
        membrane_updates=sum(activity.membrane_updates.values()) / activity.samples,
        model_execution_rate=1000 / code.step_ms,
        classification_accuracy=accuracy,
    )


def measure(
    code: ChipProgram, steps: int, *, backend: str = "sim", streams: Mapping[str, NDArray[Any]] | None = None
) -> AlgorithmMetrics:
    """Run a program for so many steps, a task with its training samples, and find its metrics.

    Raises `BurstchipError` as `record` does.
    """
    counter = ActivityCounter(code)
    record(code, steps, counter.variables, backend=backend, streams=streams, sink=counter)
    return algorithm_metrics(code, counter.activity())


def _possible(code: ChipProgram, it: ProjectionCode) -> int:
    """Weights of a layer that could be: those of a kernel, or of all pairs."""
    return int(it.stored.size) if it.kernel is not None else _pairs(code, it)


def _dense(code: ChipProgram, it: ProjectionCode) -> int:
    """Operations of a step in which everything is sent through weights none of which is 0."""
    return int(it.weights.size) if it.kernel is not None else _pairs(code, it)


def _pairs(code: ChipProgram, it: ProjectionCode) -> int:
    return code.population(it.source).size * code.population(it.target).size


def _fanout(code: ChipProgram, it: ProjectionCode) -> NDArray[np.int64]:
    """How many weights other than 0 each source neuron has, [neuron]."""
    there = it.forward(it.weights) != 0
    if it.dense:
        return np.asarray(np.count_nonzero(there, axis=0), dtype=np.int64)
    sources = it.pre[there]
    return np.bincount(sources, minlength=code.population(it.source).size).astype(np.int64)


def _activation_sparsity(code: ChipProgram, activity: Activity) -> float:
    """0 where nothing could be active, as in the harness."""
    active = everything = 0
    for it in neurons_of(code):
        sent = activity.sent.get((it.name, EVENTS))
        if sent is not None:
            active += int(sent.spikes.sum() + sent.graded.sum())
            everything += activity.steps * it.size
    return (everything - active) / everything if everything else 0.0
