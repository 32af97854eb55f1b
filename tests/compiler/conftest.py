"""Small networks in physical units, made without YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Plasticity, Population, Projection, Task, TraceSpec
from compiler.ir.values import Constant, Uniform
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError, Diagnostic
from hw_models.neurons.registry import models


def population(
    name: str, model: str = "lif", size: int = 4, spikes: Any = (), **parameters: Any
) -> Population:
    return Population(name, model, size, parameters, tuple(spikes))


def projection(source: str, target: str, weight: Any = 1.0, delay: Any = 1.0, **more: Any) -> Projection:
    """`a.events` to `b.soma`; a number stands for a constant."""
    ends = [Endpoint(*address.split(".")) for address in (source, target)]
    values = [Constant(value) if isinstance(value, float) else value for value in (weight, delay)]
    more = {"name": f"{source}->{target}", "connectivity": Dense(), **more}
    return Projection(source=ends[0], target=ends[1], weight=values[0], delay=values[1], **more)


def burst_rule(name: str = "rule", form: Any = "chip", every: float = 8.0, **more: Any) -> Plasticity:
    chip = {"learning_rate": 2.0**-4, "consolidation_rate": 2.0**-6, "consolidate_every": 1}
    values = chip if form == "chip" else {"learning_rate": 2.0**-5}
    return Plasticity(
        name=name,
        form=form,
        every=every,
        **{"rounding": "per_synapse", "traces": (TraceSpec("x1", 16.0, 16.0),), **values, **more},
    )


def network(*parts: Any, seed: int = 0, step: float = 1.0) -> Network:
    """A network of populations, projections, plasticities and perhaps a task, in any order."""

    def of(kind: type) -> tuple[Any, ...]:
        return tuple(part for part in parts if isinstance(part, kind))

    return Network(
        name="test",
        step=step,
        seed=seed,
        populations=of(Population),
        projections=of(Projection),
        plasticity=of(Plasticity),
        probes=(),
        task=next(iter(of(Task)), None),
        target="loihi2",
        parameters={},
        models=models(),
    )


def digits(form: str = "chip", **changes: Any) -> Network:
    """The network of the digits template, small in its hidden layer; `changes` replace parts by name."""
    parts: dict[str, Any] = {
        "image": population("image", "rate_source", 64, max_rate=195.3),
        "hidden": population("hidden", "burst_unit", 6, bias=73.24, target_rate=120.0, homeostasis_gain=4.25),
        "readout": population(
            "readout", "burst_unit", 10, bias=488.3, teacher_on=500.0, teacher_off=62.5, teacher_gain=0.125
        ),
        "first": projection("image.events", "hidden.soma", Uniform(-3.25, 3.25), limit=20.0, learn="rule"),
        "second": projection("hidden.events", "readout.soma", Uniform(-0.8, 0.8), limit=20.0, learn="rule"),
        "back": projection("readout.burst_error", "hidden.dendrite", Uniform(-0.44, 0.44), limit=2.0),
        "rule": burst_rule(form=form),
        "task": Task("digits", "image", "readout", 96.0, 24.0, 40, (0.55, 0.8)),
    }
    return network(*(part for part in {**parts, **changes}.values() if part is not None))


@dataclass(frozen=True)
class Make:
    """The builders above."""

    population = staticmethod(population)
    projection = staticmethod(projection)
    burst_rule = staticmethod(burst_rule)
    network = staticmethod(network)
    digits = staticmethod(digits)

    @staticmethod
    def compiled(*parts: Any, **more: Any) -> ChipProgram:
        """The program of a network of these parts."""
        return compile_network(network(*parts, **more))

    @staticmethod
    def errors(*parts: Any, **more: Any) -> list[Diagnostic]:
        """The errors that compiling them ends in."""
        with pytest.raises(BurstchipError) as caught:
            compile_network(network(*parts, **more))
        return [d for d in caught.value.diagnostics if d.severity == "error"]


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
