"""Models of this package and of others, and what is told of an entry point that cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from compiler.passes.quantize_neurons import rounded
from hw_models.diagnostics import BurstchipError
from hw_models.neurons import registry
from hw_models.neurons.lif import LIF
from hw_models.neurons.roles import Roles
from hw_models.neurons.verify import verify_model
from hw_models.program.trace import program
from hw_models.program.widths import FLAG, signed


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """The entry points that the registry finds; empty at first."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group == "burstchip.neurons" else [])
    registry.models.cache_clear()
    yield found
    registry.models.cache_clear()


def register(entry_points: list[EntryPoint], name: str, **contents: Any) -> None:
    """An entry point `name` that leads to the object `IT` of a module with these contents."""
    module = ModuleType(f"module_of_{name}")
    vars(module).update(contents)
    sys.modules[module.__name__] = module
    entry_points.append(EntryPoint(name, f"{module.__name__}:IT", "burstchip.neurons"))


def renamed(name: str) -> Any:
    return replace(LIF, name=name)


def test_what_is_built_in(entry_points: list[EntryPoint]) -> None:
    kinds = {name: model.kind for name, model in registry.models().items()}
    assert kinds == {
        "lif": "neuron",
        "lif_refractory": "neuron",
        "lif_reset": "neuron",
        "lif_modulated": "neuron",
        "ternary_lif": "neuron",
        "burst_unit": "neuron",
        "burst_detector": "neuron",
        "burst_trace_detector": "neuron",
        "pyramidal": "neuron",
        "burst_poisson": "neuron",
        "adex": "neuron",
        "adex_pv": "neuron",
        "adex_som": "neuron",
        "depressing": "neuron",
        "facilitating": "neuron",
        "rate_source": "source",
        "poisson_source": "source",
        "poisson_noise": "source",
        "spike_list": "source",
        "message_list": "source",
        "current_source": "source",
    }


def test_a_registered_model(entry_points: list[EntryPoint]) -> None:
    register(entry_points, "other_lif", IT=renamed("other_lif"))
    assert registry.models()["other_lif"].program is LIF.program


@pytest.mark.parametrize(
    ("contents", "given"),
    [
        ({"IT": 7}, "module_of_mine:IT, a int"),
        ({"IT": renamed("yours")}, "module_of_mine:IT, a model with the name 'yours'"),
        (
            {},
            "module_of_mine:IT, which fails with AttributeError: "
            "module 'module_of_mine' has no attribute 'IT'",
        ),
    ],
)
def test_an_entry_point_that_cannot_be_used(
    entry_points: list[EntryPoint], contents: dict[str, Any], given: str
) -> None:
    register(entry_points, "mine", **contents)
    with pytest.raises(BurstchipError) as caught:
        registry.models()
    assert str(caught.value) == (
        "error[BC190]: entry point 'mine' of group burstchip.neurons cannot be used\n"
        "  required: a NeuronModel with the name of the entry point, which no other model has"
        f"    given: {given}    hint: fix or uninstall the package that registers it"
    )


def test_a_module_that_cannot_be_imported(entry_points: list[EntryPoint]) -> None:
    entry_points.append(EntryPoint("mine", "no_such_module:IT", "burstchip.neurons"))
    with pytest.raises(
        BurstchipError, match="which fails with ModuleNotFoundError: No module named 'no_such_mo"
    ):
        registry.models()


@program(states={}, parameters={}, inputs={"soma": FLAG, "mood": FLAG}, outputs={"events": FLAG})
def moody(s, p, x):  # type: ignore[no-untyped-def]
    return {}, {"events": x.soma & x.mood}


@program(states={"v": signed(40)}, parameters={}, inputs={"soma": FLAG}, outputs={"events": FLAG})
def wide(s, p, x):  # type: ignore[no-untyped-def]
    return {"v": s.v + x.soma}, {"events": x.soma}


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({"program": moody}, "input 'mood' is neither a port nor bound to a control"),
        (
            {"program": moody, "roles": Roles({"mood": "weather"})},
            "input 'mood' is bound to the unknown control 'weather'",
        ),  # type: ignore[dict-item]
        (
            {"program": moody, "roles": Roles({"mood": "clock"})},
            "input 'mood' has the range 0..1, control 'clock' needs 0..2147483647",
        ),
        ({"roles": Roles({"mood": "reset"})}, "control 'mood' is not an input of the program"),
        ({"roles": Roles({"soma": "reset"})}, "input 'soma' is both a port and a control"),
        ({"program": wide}, "states: v in -549755813888..549755813887 exceeds 32 bits"),
        ({"roles": Roles(count="events")}, "a role names 'events', which is not a state"),
        ({"roles": Roles(factor_shift="u")}, "a role names 'u', which is not a parameter"),
        ({"roles": Roles(rate="value")}, ""),
        ({"kind": "source"}, "a source cannot have 1 ports"),
    ],
)
def test_a_model_whose_inputs_are_not_bound(
    entry_points: list[EntryPoint], changes: dict[str, Any], given: str
) -> None:
    """Found when it is registered, not as an unknown name in compiled code."""
    register(entry_points, "mine", IT=replace(LIF, name="mine", **changes))
    if not given:
        assert "mine" in registry.models()
        return
    with pytest.raises(BurstchipError) as caught:
        registry.models()
    (message,) = caught.value.diagnostics
    assert message.id == "BC190" and message.given == f"module_of_mine:IT: model 'mine': {given}"


def test_a_taken_name(entry_points: list[EntryPoint]) -> None:
    register(entry_points, "lif", IT=renamed("lif"))
    with pytest.raises(BurstchipError, match="module_of_lif:IT, a model with the name of another one"):
        registry.models()


@pytest.mark.parametrize("name", sorted(registry.models()))
def test_each_model_is_consistent(name: str) -> None:
    """Its defaults become integers that fit, and what it names exists."""
    model = registry.models()[name]
    integer_program = model.program
    defaults = {parameter.name: parameter.default for parameter in model.parameters}
    assert None not in defaults.values()
    found = rounded(model, defaults, 1.0)  # type: ignore[arg-type]
    numbers, roles = found.numbers, model.roles
    extra = set(filter(None, (roles.rate, roles.full_rate, roles.taught, roles.taught_else)))
    assert set(found.integers) == set(integer_program.parameters) | extra
    for parameter, width in integer_program.parameters.items():
        assert width.low <= found.integers[parameter] <= width.high
    ports = {port.name for port in model.ports}
    assert ports == set(numbers.port_units)
    verify_model(model)
    assert set(numbers.represents) == set(defaults)
    assert set(numbers.units) <= set(integer_program.states) | set(integer_program.outputs)
    assert all(parameter.doc for parameter in model.parameters)
    assert model.doc
