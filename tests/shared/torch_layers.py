"""Dense layers of integer LIF neurons in torch, as NeuroBench's harness takes them; needs its packages."""

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
from compiler.ir.chip_program import ChipProgram


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


class Layers(nn.Module):
    """A program's projections in their order, each to the next population."""

    def __init__(self, code: ChipProgram) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for it in code.projections:
            assert it.dense and it.weight_exp >= 0
            weights, target = it.weights.astype(np.float64), code.population(it.target)
            linear = nn.Linear(weights.shape[1], weights.shape[0], bias=False)
            linear.weight = nn.Parameter(torch.from_numpy(weights * 2**it.weight_exp), requires_grad=False)
            parameters = {name: int(value) for name, value in target.parameters.items()}
            layers += [linear, IntegerLif(target.size, parameters)]
        self.layers = nn.ModuleList(layers)
        self.double()

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        memory = spikes
        for linear, neurons in zip(self.layers[::2], self.layers[1::2], strict=True):
            spikes, memory = neurons(linear(spikes))
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
