"""NeuroBench's metrics: counted again by hand, and by the harness itself on the same network in torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.metrics.activity import ActivityCounter
from benchmarks.metrics.algorithm import algorithm_metrics, measure
from benchmarks.metrics.stored import stored_numbers
from burstchip import compile_file, record
from compiler.ir.chip_program import ChipProgram

STEPS = 120
#: Two dense layers; a fifth of their weights becomes 0.
LAYERS = """burstchip: 1
name: layers
step: 1 ms
seed: 3
populations:
  noise: {model: poisson_source, size: 20, rate: 100 Hz}
  first: {model: lif, size: 15}
  second: {model: lif, size: 5, tau_current: 0 ms}
projections:
  - {from: noise, to: first.soma, weight: {uniform: [-2 mV, 6 mV]}, weight_bits: 4}
  - {from: first.events, to: second.soma, weight: {uniform: [-4 mV, 12 mV]}, weight_bits: 4}
"""

#: A convolution of two groups over a padded picture, at every second place, and a dense layer.
PICTURES = """burstchip: 1
name: pictures
step: 1 ms
seed: 5
populations:
  picture: {model: poisson_source, shape: [2, 5, 6], rate: 80 Hz}
  features: {model: lif, shape: [4, 3, 3]}
  answer: {model: lif, size: 4}
projections:
  - from: picture
    to: features
    weight: {uniform: [-4 mV, 12 mV]}
    weight_bits: 4
    connectivity: {conv2d: {kernel: 3, channels: 4, padding: 1, stride: 2, groups: 2}}
  - {from: features.events, to: answer.soma, weight: {uniform: [-2 mV, 8 mV]}, weight_bits: 4}
"""


def compiled(text: str, folder: Path) -> ChipProgram:
    path = folder / "network.yaml"
    path.write_text(text)
    return compile_file(path)[0]


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    return compiled(LAYERS, tmp_path_factory.mktemp("layers"))


def counted(code: ChipProgram) -> tuple[Any, dict[str, Any]]:
    """(metrics, recorded values)."""
    counter = ActivityCounter(code)
    values = record(code, STEPS, counter.variables, backend="plain").values
    for begin in range(0, STEPS, 7):
        counter.add(begin, {it: found[begin : begin + 7] for it, found in values.items()})
    return algorithm_metrics(code, counter.activity()), {".".join(k): v for k, v in values.items()}


def test_metrics_are_those_counted_step_by_step(layers: ChipProgram) -> None:
    found, values = counted(layers)
    one, other = (it.weights for it in layers.projections)
    acs = 0
    for step in range(STEPS):
        for weights, sent in ((one, values["noise.events"]), (other, values["first.events"])):
            acs += sum(int((weights[:, i] != 0).sum()) for i in np.flatnonzero(sent[step]))
    ops = found.synaptic_operations
    assert (ops.acs, ops.macs, ops.dense) == (acs, 0, STEPS * (20 * 15 + 15 * 5)) and acs > 1000
    zeros = int((one == 0).sum() + (other == 0).sum())
    assert found.connection_sparsity == round(zeros / 375, 4) > 0.05
    spikes = values["first.events"].sum() + values["second.events"].sum()
    assert found.activation_sparsity == pytest.approx(1 - spikes / (STEPS * 20)) and spikes > 50
    changes = 20 + sum(int((np.diff(values[f"{it}.v"], axis=0) != 0).sum()) for it in ("first", "second"))
    assert found.membrane_updates == changes
    assert found.parameter_count == 375 and found.model_execution_rate == 1000
    assert measure(layers, STEPS, backend="plain") == found


def test_footprint_is_every_stored_number(layers: ChipProgram) -> None:
    bits = {it.name: it.bits * it.count for it in stored_numbers(layers)}
    first, second = layers.population("first"), layers.population("second")
    assert bits["first.v"] == 15 * first.program.states["v"].bits
    weights = sum(it.num_weight_bits * it.weights.size for it in layers.projections)
    neurons = sum(
        it.size * sum(width.bits for width in it.program.states.values())
        + sum(width.bits for width in it.program.parameters.values())
        for it in (first, second)
    )
    # A Poisson source has no states; its rate is part of the input.
    assert counted(layers)[0].footprint == -(-(weights + neurons) // 8)


def test_graded_messages_are_multiplied_and_absent_synapses_are_zeros(tmp_path: Path) -> None:
    path = tmp_path / "graded.yaml"
    path.write_text(
        """burstchip: 1
name: graded
step: 1 ms
populations:
  messages:
    model: message_list
    size: 3
    messages: [[0, 2 ms, 1], [1, 2 ms, -1], [0, 5 ms, 7], [2, 5 ms, 1]]
  cell: {model: lif, size: 4}
projections:
  - from: messages.message
    to: cell.soma
    weight: 1 mV
    connectivity: {pairs: [[0, 1], [0, 2], [1, 3], [2, 0]]}
"""
    )
    found = measure(compile_file(path)[0], 10, backend="plain")
    # Step 2: neuron 0 through two synapses, neuron 1 through one. Step 5: neuron 0 and neuron 2, the same.
    ops = found.synaptic_operations
    assert (ops.acs, ops.macs, ops.dense) == (3, 3, 10 * 12)
    assert found.connection_sparsity == round(8 / 12, 4)


def test_a_task_counts_by_the_sample(tmp_path: Path) -> None:
    template = Path(sys.modules["burstchip"].__file__ or "").parent / "templates" / "digits" / "network.yaml"
    code, _ = compile_file(template, {"hidden_size": 10})
    assert code.task is not None
    found = measure(code, 2 * code.task.present, backend="plain")
    possible = 64 * 10 + 10 * 10 + 10 * 10
    assert found.synaptic_operations.dense == code.task.present * possible
    # What the readout sends back are messages of 8 bits.
    assert found.synaptic_operations.macs > 0


def test_keys_and_layout_are_the_harness_s(layers: ChipProgram) -> None:
    found = counted(layers)[0]
    said = json.loads(msgspec.json.encode(found.results))
    assert set(said) == {
        "Footprint",
        "ParameterCount",
        "ConnectionSparsity",
        "ActivationSparsity",
        "SynapticOperations",
        "MembraneUpdates",
        "ModelExecutionRate",
    }
    assert set(said["SynapticOperations"]) == {"Effective_MACs", "Effective_ACs", "Dense"}
    assert msgspec.convert(said, type(found)) == found


def test_a_kernel_is_one_parameter_for_many_operations(tmp_path: Path) -> None:
    code = compiled(PICTURES, tmp_path)
    found, values = counted(code)
    it = code.projections[0]
    assert found.parameter_count == 4 * 1 * 3 * 3 + 36 * 4
    dense, acs = STEPS * (it.weights.size + 36 * 4), 0
    for pre, weight in zip(it.pre, it.weights, strict=True):
        acs += int(values["picture.events"][:, pre].sum()) * bool(weight)
    sent = values["features.events"].sum(axis=0)
    acs += int(sent @ (code.projections[1].weights != 0).sum(axis=0))
    ops = found.synaptic_operations
    assert (ops.dense, ops.acs) == (dense, acs) and it.weights.size < 60 * 36


@pytest.mark.once
@pytest.mark.parametrize("text", [LAYERS, PICTURES], ids=["dense", "convolution"])
def test_the_harness_finds_the_same(text: str, tmp_path: Path) -> None:
    """The network in torch, integer by integer, under NeuroBench: extra `neurobench`."""
    pytest.importorskip("neurobench", reason="needs NeuroBench: pip install 'burstchip[neurobench]'")
    from torch_layers import harness_metrics, numbers_in_torch

    code = compiled(text, tmp_path)
    found, values = counted(code)
    first, last = code.populations[0].name, code.populations[-1].name
    theirs, spikes = harness_metrics(code, values[f"{first}.events"])
    np.testing.assert_array_equal(spikes, values[f"{last}.events"])
    assert spikes.sum() > 20
    ours = found.results
    # torch has one width for all numbers, 8 bytes here.
    assert theirs.pop("Footprint") == 8 * numbers_in_torch(code)
    assert {name: ours[name] for name in theirs} == theirs
    assert set(ours) - set(theirs) == {"Footprint", "ModelExecutionRate"}
