"""What is wrong with a model is said when it is registered, by the model's name and that of the part."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from burstchip.frontend import load
from hw_models.diagnostics import BurstchipError
from hw_models.neurons import registry
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Port,
    Represented,
    Settable,
)
from hw_models.program.trace import Node, Program, lookup, program
from hw_models.program.widths import FLAG, Width, unsigned


@program(
    states={"v": unsigned(8)},
    parameters={"gain": unsigned(4), "shift": unsigned(2)},
    inputs={"soma": unsigned(2)},
    outputs={"events": FLAG},
)
def small(s: Any, p: Any, x: Any) -> Any:
    looked = lookup((0, 1, 4, 9), x.soma)
    return {"v": looked * p.gain}, {"events": (looked << p.shift) > s.v}


def numbers(**changes: Any) -> Callable[..., ChipNumbers]:
    whole = ChipNumbers(
        parameters={"gain": ChipParameter(3.0, exponent="shift")},
        represents={"gain": Represented(("gain", "shift"), lambda chip: chip["gain"])},
        port_units={"soma": 0.5},
        units={"v": (0.1, "mV")},
    )
    return lambda values, step_ms, voltage_steps: replace(whole, **changes)


MODEL = NeuronModel(
    "mine",
    "neuron",
    "small",
    (Parameter("gain", "number", 3.0, "a gain", 0.0, 9.0),),
    (Port("soma", "voltage", "drives it"),),
    numbers(),
    small,
)


def with_node(which: str, /, **changes: Any) -> Program:
    """The program with its first node of this operation changed."""
    at = next(i for i, node in enumerate(small.nodes) if node.operation == which)
    nodes: list[Node] = list(small.nodes)
    nodes[at] = replace(nodes[at], **changes)
    return replace(small, nodes=tuple(nodes))


def registered(monkeypatch: pytest.MonkeyPatch, model: NeuronModel) -> str:
    """What the registry objects to when a package registers this model; "" where it takes it."""
    module = ModuleType("module_of_mine")
    vars(module)["IT"] = model
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = EntryPoint("mine", "module_of_mine:IT", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    registry.models.cache_clear()
    try:
        registry.models()
    except BurstchipError as error:
        (message,) = error.diagnostics
        assert message.id == "BC190" and message.given is not None
        return message.given.removeprefix("module_of_mine:IT: model 'mine': ")
    finally:
        registry.models.cache_clear()
    return ""


def test_a_whole_model_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert registered(monkeypatch, MODEL) == ""


PROGRAMS: Mapping[str, tuple[Program, str]] = {
    "arity": (with_node("mul", arguments=(0,)), "operation 5: mul takes 2 arguments, not 1"),
    "order": (
        with_node("lookup", arguments=(5,)),
        "operation 4: lookup reads a later operation",
    ),
    "range": (with_node("mul", width=Width(0, 5)), "operation 5: mul has the range 0..135, not 0..5"),
    "table": (
        replace(small, tables=((0, 1),)),
        "operation 4: the index 0..3 exceeds the table's 2 entries",
    ),
    "no table": (with_node("lookup", attribute=1), "operation 4: table 1 is missing"),
    "operation": (with_node("mul", operation="power"), "operation 5: unknown operation 'power'"),
    "leaf": (with_node("input", name="dendrite"), "operation 3: undeclared input 'dendrite'"),
    "shift": (
        replace(small, parameters={"gain": unsigned(4), "shift": Width(-1, 3)}),
        "operation 2: param has the range -1..3, not 0..3",
    ),
    "input": (
        replace(small, inputs={**small.inputs, "mood": FLAG}),
        "input 'mood' is neither a port nor bound to a control",
    ),
    "result": (
        replace(small, outputs={"events": Width(5, 6)}),
        "events has the range 0..1, none of which is in the declared 5..6",
    ),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_that_breaks_a_rule(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    broken, message = PROGRAMS[what]
    assert registered(monkeypatch, replace(MODEL, program=broken)) == message


FLAWS: Mapping[str, tuple[Callable[..., Any], str]] = {
    "represents": (
        numbers(represents={}),
        "it does not map its parameter 'gain' to the chip "
        "(required: an entry in `represents` that names parameters of the chip; given: none)",
    ),
    "value": (
        numbers(parameters={"gain": ChipParameter(3.0)}),
        "it does not map its parameter 'gain' to the chip "
        "(required: an entry in `represents` that names parameters of the chip; given: gain, shift); "
        "it does not set the parameter 'shift' of its program "
        "(required: an entry in `parameters` or `constants`; given: none)",
    ),
    "width": (
        numbers(parameters={"gain": ChipParameter(3.0, exponent="shift"), "leak": ChipParameter(1.0)}),
        "it sets 'leak', which is not a parameter of its program "
        "(required: a parameter of the program, the role `rate`, or a `width`; given: leak)",
    ),
    "exponent": (
        numbers(parameters={"gain": ChipParameter(3.0, exponent="power"), "shift": ChipParameter(0.0)}),
        "it scales 'gain' by the unknown exponent 'power' "
        "(required: a parameter of the program; given: power)",
    ),
    "follows": (
        numbers(
            parameters={"gain": ChipParameter(lambda it: it, follows="leak"), "shift": ChipParameter(0.0)}
        ),
        "it gives 'gain' a value that follows nothing (required: a function as the value, and in `follows` a "
        "parameter that follows no other; given: leak)",
    ),
    "constant": (
        numbers(parameters={"gain": ChipParameter(3.0)}, constants={"shift": 4}),
        "it sets the parameter 'shift' of its program to a constant out of its range "
        "(required: shift in 0..3; given: 4)",
    ),
    "port": (
        numbers(port_units={}),
        "it gives the weights of its port 'soma' no unit "
        "(required: a positive number in `port_units`; given: none)",
    ),
    "unit": (
        numbers(units={"w": (1.0, "mV")}),
        "it gives a unit to 'w', which is not a variable of its program "
        "(required: a state or an output in `units`; given: w)",
    ),
    "origin": (
        numbers(origins={"w": -70.0}),
        "it says what 0 stands for in 'w', but not in which unit "
        "(required: a finite number in `origins`, and an entry in `units`; given: -70.0)",
    ),
    "nothing": (lambda *given: None, "`in_chip_units` gives a NoneType"),
    "error": (lambda *given: {}["tau"], "`in_chip_units` fails with KeyError: 'tau'"),  # type: ignore[index]
}


@pytest.mark.parametrize("what", FLAWS)
def test_numbers_that_say_too_little(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    in_chip_units, message = FLAWS[what]
    assert registered(monkeypatch, replace(MODEL, in_chip_units=in_chip_units)) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([("gain", 10.0)], "the default of 'gain' is 10.0, outside its range"),
        ([("gain", 3.0), ("gain", 3.0)], "parameter 'gain' has no name of its own"),
        ([("the gain", 3.0)], "parameter 'the gain' has no name of its own"),
        ([("gain", None)], ""),
    ],
)
def test_parameters(monkeypatch: pytest.MonkeyPatch, parameters: list[Any], message: str) -> None:
    given = tuple(Parameter(name, "number", default, "a gain", 0.0, 9.0) for name, default in parameters)
    assert registered(monkeypatch, replace(MODEL, parameters=given)) == message


def _sets_the_unit_too(values: Any, step_ms: float, voltage_steps: float) -> ChipNumbers:
    return replace(numbers()({}, 1.0, 1.0), port_units={"soma": values["gain"]})


def _sets_another_too(values: Any, step_ms: float, voltage_steps: float) -> ChipNumbers:
    whole = numbers()({}, 1.0, 1.0)
    other = ChipParameter(values["gain"] * 0.5, width=unsigned(4))
    return replace(whole, parameters={**whole.parameters, "leak": other})


def _follows_it(values: Any, step_ms: float, voltage_steps: float) -> ChipNumbers:
    whole = numbers()({}, 1.0, 1.0)
    other = ChipParameter(lambda it: it * values["gain"], follows="gain", width=unsigned(8))
    return replace(whole, parameters={**whole.parameters, "leak": other})


@pytest.mark.parametrize(
    ("in_chip_units", "where"),
    [
        (_sets_the_unit_too, "the unit of port 'soma'"),
        (_sets_another_too, "the chip parameter 'leak'"),
        (_follows_it, "the chip parameter 'leak'"),
    ],
)
def test_a_variable_decides_its_own_chip_parameter_alone(
    monkeypatch: pytest.MonkeyPatch, in_chip_units: Callable[..., ChipNumbers], where: str
) -> None:
    model = replace(MODEL, in_chip_units=in_chip_units)
    assert registered(monkeypatch, model) == ""
    variables = (Settable("gain", "gain", "gain"),)
    message = f"the variable 'gain' sets 'gain' alone, but its parameter 'gain' decides {where} too"
    assert registered(monkeypatch, replace(model, variables=variables)) == message
    assert registered(monkeypatch, replace(MODEL, variables=variables)) == ""


def test_a_model_that_is_handed_over_is_held_against_the_same_rules(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "burstchip: 1\nname: n\nstep: 1 ms\npopulations: {cells: {model: mine, size: 1}}\n"
    )
    assert load(tmp_path / "net.yaml", models={"mine": MODEL}).network is not None
    broken = replace(MODEL, in_chip_units=numbers(port_units={}))
    (message,) = load(tmp_path / "net.yaml", models={"mine": broken}).diagnostics
    assert str(message) == (
        "error[BC190]: neuron model 'mine' cannot be used\n"
        "  required: a whole program, and numbers for all of it    given: model 'mine': it gives the weights "
        "of its port 'soma' no unit (required: a positive number in `port_units`; given: none)"
    )
