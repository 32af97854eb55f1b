"""Each rule of each representation finds what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, get_type_hints

import numpy as np
import pytest

from compiler.ir.connectivity import ExplicitPairs, FixedInDegree
from compiler.ir.network import Probe
from compiler.ir.partitioned import LIMITS, Piece
from compiler.ir.signals import HALVINGS, HostInput, Listed, Signal, Written
from compiler.ir.values import Uniform
from compiler.ir.verify import verify_chip_program, verify_elaborated, verify_network, verify_partition
from compiler.passes.elaborate import elaborate
from compiler.pipeline import compile_network, partition_program


@pytest.fixture
def network(make: Any) -> Any:
    sparse = make.projection(
        "hidden.events",
        "extra.soma",
        Uniform(0.0, 1.0),
        connectivity=ExplicitPairs.of(((0, 1), (1, 0), (1, 2))),
        name="sparse",
    )
    spikes = make.population("spikes", "spike_list", 2, spikes=((0, 1.0), (1, 2.0)))
    return make.digits(extra=make.population("extra", size=3), sparse=sparse, spikes=spikes)


def first(items: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    return (replace(items[0], **changes), *items[1:])


def last(items: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    return (*items[:-1], replace(items[-1], **changes))


def bound(items: tuple[Any, ...], signal: Signal) -> tuple[Any, ...]:
    """The first population, a source, has this signal for its only input."""
    return first(items, signals={**items[0].signals, "value": signal})


PUSH = HostInput("hidden", "bias", 1.0, "A", 0.0, 1.0)


def test_a_sound_network_passes(network: Any) -> None:
    verify_network(network)
    verify_elaborated(elaborate(network))
    verify_chip_program(compile_network(network))


@pytest.mark.parametrize(
    "change",
    [
        lambda n: {"populations": first(n.populations, name="hidden")},
        lambda n: {"populations": first(n.populations, size=0)},
        lambda n: {"projections": first(n.projections, name="sparse")},
        lambda n: {"projections": first(n.projections, learn="nothing")},
        lambda n: {
            "projections": first(n.projections, source=replace(n.projections[0].source, port="spikes"))
        },
        lambda n: {"projections": first(n.projections, target=replace(n.projections[0].target, port="axon"))},
        lambda n: {"task": replace(n.task, readout="nobody")},
    ],
)
def test_a_network_that_is_not_sound(network: Any, change: Any) -> None:
    with pytest.raises(AssertionError):
        verify_network(replace(network, **change(network)))


def _with_float(it: Any) -> Iterator[Any]:
    """Copies of a data class in each of which one integer is a float."""
    hints = get_type_hints(type(it))
    for field in fields(it):
        if hints[field.name] in (int, int | None) and getattr(it, field.name) is not None:
            yield replace(it, **{field.name: float(getattr(it, field.name))})


def test_no_integer_of_a_network_may_be_a_float(network: Any) -> None:
    changed = [*_with_float(network)]
    changed += [replace(network, task=it) for it in _with_float(network.task)]
    for group in ("populations", "projections", "plasticity"):
        parts = getattr(network, group)
        changed += [replace(network, **{group: (it, *parts[1:])}) for it in _with_float(parts[0])]
    degree = replace(network.projections[0], connectivity=FixedInDegree(2.0))  # type: ignore[arg-type]
    changed.append(replace(network, projections=(degree, *network.projections[1:])))
    assert len(changed) == 7
    for it in changed:
        with pytest.raises(AssertionError, match="is "):
            verify_network(it)


def test_no_integer_of_a_program_may_be_a_float(network: Any) -> None:
    code = compile_network(network)
    changed = [*_with_float(code), *(replace(code, task=it) for it in _with_float(code.task))]
    changed += [
        replace(code, populations=(it, *code.populations[1:])) for it in _with_float(code.populations[0])
    ]
    first, learning = code.projections[0], code.projections[0].learning
    assert learning is not None
    rules = [
        *_with_float(learning),
        *(replace(learning, traces=(it,)) for it in _with_float(learning.traces[0])),
    ]
    projections = [*_with_float(first), *(replace(first, learning=it) for it in rules)]
    changed += [replace(code, projections=(it, *code.projections[1:])) for it in projections]
    assert len(changed) == 18
    for it in changed:
        with pytest.raises(AssertionError):
            verify_chip_program(it)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: {"pre": s.pre[::-1].copy()},
        lambda s: {"post": np.array([1, 1, 3], dtype=np.int32)},
        lambda s: {"post": np.array([-1, 0, 2], dtype=np.int32), "pre": np.array([0, 1, 1], dtype=np.int32)},
        lambda s: {"delays": s.delays - 1},
        lambda s: {"delays": s.delays[:-1]},
        lambda s: {"weights": s.quantiles * 1.0},
        lambda s: {"quantiles": None},
        lambda s: {"dense": True},
    ],
)
def test_synapses_that_are_not_sound(network: Any, change: Any) -> None:
    elaborated = elaborate(network)
    synapses = last(elaborated.synapses, **change(elaborated.synapses[-1]))
    with pytest.raises(AssertionError):
        verify_elaborated(replace(elaborated, synapses=synapses))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: {"populations": first(c.populations, name="hidden")}, "population names repeat"),
        (lambda c: {"projections": first(c.projections, weights=c.projections[0].weights.T)}, None),
        (
            lambda c: {"projections": first(c.projections, weights=c.projections[0].weights.astype(int))},
            "int64",
        ),
        (
            lambda c: {"projections": first(c.projections, weights=c.projections[0].weights + np.int16(300))},
            "outside",
        ),
        (
            lambda c: {"projections": last(c.projections, weights=-c.projections[-1].weights)},
            "outside 0..255",
        ),
        (
            lambda c: {"projections": first(c.projections, weights=c.projections[0].weights | np.int16(1))},
            "not multiples of 2",
        ),
        (lambda c: {"projections": last(c.projections, num_weight_bits=9)}, "of 9 bits"),
        (lambda c: {"projections": last(c.projections, pre=c.projections[-1].pre[::-1])}, "unsorted"),
        (lambda c: {"projections": last(c.projections, post=c.projections[-1].post + 1)}, "not there"),
        (lambda c: {"projections": last(c.projections, post=c.projections[-1].post[:-1])}, "uneven lists"),
        (lambda c: {"projections": last(c.projections, delays=c.projections[-1].delays[:-1])}, "delays"),
        (
            lambda c: {"projections": last(c.projections, delays=c.projections[-1].delays - 1)},
            "below one step",
        ),
        (lambda c: {"projections": last(c.projections, output="sparks")}, "has no output"),
        (lambda c: {"projections": last(c.projections, port="axon")}, "has no port"),
        (lambda c: {"probes": (("hidden", "w"),)}, "no variable hidden.w"),
        (lambda c: {"task": replace(c.task, input="nobody")}, "a task without its populations"),
        (lambda c: {"populations": last(c.populations, spikes=c.populations[-1].spikes[::-1])}, "unsorted"),
        (lambda c: {"populations": last(c.populations, size=1)}, "lists a neuron it has not"),
        (lambda c: {"populations": last(c.populations, spikes=None)}, "that nothing reads, or none"),
        (lambda c: {"populations": bound(c.populations, Written("current"))}, "which no host does"),
        (lambda c: {"populations": bound(c.populations, Written(HALVINGS, 0, 1))}, "from no parameter"),
        (lambda c: {"populations": bound(c.populations, Listed())}, "has no list"),
        (lambda c: {"host": {"push": replace(PUSH, population="nobody")}}, "is of no population"),
        (lambda c: {"host": {"push": replace(PUSH, unit=0.0)}}, "has the unit 0"),
        (lambda c: {"host": {"push": replace(PUSH, start=np.zeros(7))}}, "has no start"),
        (lambda c: {"host": {"push": replace(PUSH, least=float("nan"))}}, "has no range"),
        (
            lambda c: {"host": {"push": PUSH}, "populations": bound(c.populations, Written("push"))},
            "is written as 'push' of hidden",
        ),
    ],
)
def test_a_program_that_is_not_sound(network: Any, change: Any, message: str) -> None:
    code = compile_network(network)
    with pytest.raises(AssertionError, match=message):
        verify_chip_program(replace(code, **change(code)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dv": 4096}, r"hidden\.dv = 4096 is outside 0\.\.4095"),
        ({"dv": 0.5}, r"hidden\.dv is not an integer"),
        ({"dv": np.zeros(5, dtype=int)}, r"hidden\.dv has shape \(5,\)"),
    ],
)
def test_parameters_that_are_not_sound(network: Any, parameters: Any, message: str) -> None:
    code = compile_network(network)
    hidden = replace(code.populations[1], parameters={**code.populations[1].parameters, **parameters})
    with pytest.raises(AssertionError, match=message):
        verify_chip_program(replace(code, populations=(code.populations[0], hidden, *code.populations[2:])))


def test_variables_to_record_are_checked_by_name(network: Any) -> None:
    probed = replace(network, probes=(Probe("hidden", "v"), Probe("readout", "events")))
    assert compile_network(probed).probes == (("hidden", "v"), ("readout", "events"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": 7}, "neurocore 1 is numbered 7"),
        ({"pieces": ()}, "neuron 0 of b lies on no neurocore"),
        ({"pieces": (Piece("b", np.arange(9), 0),)}, "neuron 9 of b lies on no neurocore"),
        ({"pieces": (Piece("b", np.arange(11), 0),)}, "neurocore 1 holds neuron 10 of b"),
        ({"pieces": (Piece("b", np.arange(0), 0),)}, "neuron 0 of b lies on no neurocore"),
        ({"pieces": (Piece("b", np.arange(10)[::-1], 0),)}, "the neurons of b on neurocore 1 are out of"),
        ({"pieces": (Piece("b", np.arange(10), 1),)}, "b begins at compartment 1 of neurocore 1"),
        (
            {"pieces": (Piece("b", np.arange(10), 0), Piece("a", np.arange(1), 10))},
            "neuron 0 of a lies on two neurocores",
        ),
        ({"used": {}}, "neurocore 1 has 10 compartments, not None"),
        ({"used": dict.fromkeys(LIMITS, 10**9)}, "neurocore 1 has 10 compartments, not 1000000000"),
    ],
)
def test_partition(changes: dict[str, Any], message: str, make: Any) -> None:
    code = make.compiled(make.population("a", "burst_unit", 6), make.population("b", "lif", 10))
    placed = partition_program(code)
    verify_partition(placed)
    core, last = placed.cores
    with pytest.raises(AssertionError, match=message):
        verify_partition(replace(placed, cores=(core, replace(last, **changes))))
