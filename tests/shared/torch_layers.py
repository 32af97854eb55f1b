"""Layers of integer LIF neurons in torch, as NeuroBench's harness takes them; needs its packages."""

from __future__ import annotations

from typing import Any

import numpy as np
import snntorch
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
from neurobench.metrics.workload import ActivationSparsity, MembraneUpdates, SynapticOperations
from neurobench.models import SNNTorchModel
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.metrics.stored import stored_numbers
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.convolution import Convolution


def toward_zero(value: Tensor, shift: int) -> Tensor:
    return torch.sign(value) * torch.floor(torch.abs(value) / 2**shift)


class IntegerLif(snntorch.SpikingNeuron):
    """The equations of the model `lif` in float64, which holds its integers; messages take a step."""

    def __init__(self, size: int, parameters: dict[str, int]) -> None:
        super().__init__()
        # The harness counts buffers: these are the neuron's own, and snnTorch's are not read.
        for name in list(self._buffers):
            del self._buffers[name]
        for name, value in parameters.items():
            self.register_buffer(name, torch.tensor(float(value)))
        self.register_buffer("u", torch.zeros(1, size))
        self.register_buffer("mem", torch.zeros(1, size))
        self.arriving = torch.zeros(1, size, dtype=torch.float64)

    def forward(self, current: Tensor) -> tuple[Tensor, Tensor]:
        u = toward_zero(self.u * (4096 - (self.du + 1)), 12) + self.arriving * 2**6
        self.u = torch.remainder(u + 2**23, 2**24) - 2**23
        bias = self.bias_mant * 2**self.bias_exp
        v = toward_zero(self.mem * (4096 - self.dv), 12) + self.u + bias
        v = torch.clamp(v, -(2**23) + 1, 2**23 - 1)
        spikes = (v > self.vth * 2**6).double()
        self.mem = torch.where(spikes > 0, torch.zeros_like(v), v)
        self.arriving = current
        return spikes, self.mem


def linear(it: ProjectionCode) -> nn.Linear:
    targets, sources = it.weights.shape
    return nn.Linear(sources, targets, bias=False)


def convolution(it: Convolution) -> nn.Conv2d:
    return nn.Conv2d(
        it.source[0], it.channels, it.kernel, it.stride, it.padding, it.dilation, it.groups, bias=False
    )


class Layers(nn.Module):
    """A program's projections in their order, each to the next population."""

    def __init__(self, code: ChipProgram) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        sources: list[tuple[int, ...]] = []
        for it in code.projections:
            assert (it.dense or it.kernel is not None) and it.weight_exp >= 0
            target = code.population(it.target)
            connection = linear(it) if it.kernel is None else convolution(it.kernel.pairs.convolution)
            weights = torch.from_numpy(it.stored.astype(np.float64) * 2**it.weight_exp)
            connection.weight = nn.Parameter(weights, requires_grad=False)
            parameters = {name: int(value) for name, value in target.parameters.items()}
            layers += [connection, IntegerLif(target.size, parameters)]
            sources.append((-1,) if it.kernel is None else it.kernel.pairs.convolution.source)
        self.sources = sources
        self.layers = nn.ModuleList(layers)
        self.double()

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        memory = spikes
        for source, connection, neurons in zip(
            self.sources, self.layers[::2], self.layers[1::2], strict=True
        ):
            spikes, memory = neurons(connection(spikes.reshape(1, *source)).reshape(1, -1))
        return spikes, memory

    def reset(self) -> None:
        """As they are built."""


def numbers_in_torch(code: ChipProgram) -> int:
    """How many numbers of a program the network in torch holds: all but those of sources."""
    sources = {it.name for it in code.populations if not it.ports}
    return sum(it.count for it in stored_numbers(code) if it.name.split(".")[0] not in sources)


def harness_metrics(code: ChipProgram, events: NDArray[Any]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """(what the harness finds, events of the last population [step, neuron]), given the source's events."""
    network, seen = Layers(code), []
    data = TensorDataset(torch.from_numpy(events.astype(np.float64))[None], torch.zeros(1))
    static = [Footprint, ParameterCount, ConnectionSparsity]
    workload = [ActivationSparsity, SynapticOperations, MembraneUpdates]

    def keep(spikes: Tensor) -> Tensor:
        seen.append(spikes.detach().numpy()[0].astype(np.int64))
        return spikes

    benchmark = Benchmark(SNNTorchModel(network), DataLoader(data), [], [keep], [static, workload])
    found = benchmark.run(quiet=True)
    return dict(found), np.asarray(seen[-1])
