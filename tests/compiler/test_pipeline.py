"""The passes in their order, a verifier after each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from compiler import pipeline
from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.pipeline import OWN, Pass, compile_network, passes
from hw_models.diagnostics import BurstchipError


@pytest.fixture(autouse=True)
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """The entry points that the pipeline finds; empty at first."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(pipeline, "entry_points", lambda group: found if group == "burstchip.passes" else [])
    passes.cache_clear()
    yield found
    passes.cache_clear()


def register(entry_points: list[EntryPoint], name: str, it: object) -> None:
    """An entry point `name` that leads to the object `it`."""
    module = ModuleType(f"module_of_{name}")
    vars(module).update({"IT": it})
    sys.modules[module.__name__] = module
    entry_points.append(EntryPoint(name, f"{module.__name__}:IT", "burstchip.passes"))


def test_every_pass_is_seen_once_in_order(make: Any) -> None:
    seen: list[tuple[str, object]] = []
    code = compile_network(make.digits(), lambda name, ir: seen.append((name, ir)))
    assert [name for name, _ in seen] == ["elaborate", "quantize", "lower", "lower_functions", "check"]
    assert [type(ir) for _, ir in seen] == [Elaborated, *[ChipProgram] * 4]
    assert seen[-1][1] is code


def test_a_pass_leaves_its_input_as_it_was(make: Any) -> None:
    seen: dict[str, Any] = {}
    compile_network(make.digits(), seen.__setitem__)
    assert seen["quantize"].population("hidden").parameters["soma_exp"] == 6
    assert seen["lower"].population("hidden").parameters["soma_exp"] == 5
    assert "consolidation" in seen["quantize"].projections[0].learning.rules
    assert seen["check"].projections == seen["lower"].projections


@pytest.mark.parametrize("name", [known.name for known in OWN])
def test_a_pass_that_breaks_its_contract_is_found_out(
    make: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each result is verified: here a pass gives a projection a neuron too many."""
    real = next(known.run for known in OWN if known.name == name)

    def broken(ir: Any) -> Any:
        result = real(ir)
        if isinstance(result, Elaborated):
            first, *rest = result.synapses
            return replace(result, synapses=(replace(first, delays=first.delays[:-1]), *rest))
        first, *rest = result.projections
        return replace(result, projections=(replace(first, weights=first.weights[:, :-1]), *rest))

    changed = tuple(replace(known, run=broken) if known.name == name else known for known in OWN)
    monkeypatch.setattr(pipeline, "OWN", changed)
    passes.cache_clear()
    with pytest.raises(AssertionError):
        compile_network(make.digits())


def test_passes_of_other_packages_stand_where_they_say(make: Any, entry_points: list[EntryPoint]) -> None:
    def renamed(code: ChipProgram) -> ChipProgram:
        return replace(code, name=f"{code.name}'")

    register(entry_points, "b", Pass("b", renamed, after="lower"))
    register(entry_points, "a", Pass("a", renamed, after="lower"))
    register(entry_points, "c", Pass("c", renamed, after="b"))
    seen: list[str] = []
    code = compile_network(make.digits(), lambda name, _: seen.append(name))
    assert seen == ["elaborate", "quantize", "lower", "a", "b", "c", "lower_functions", "check"]
    assert code.name == "test'''"


def test_a_pass_of_another_package_that_breaks_the_representation(
    make: Any, entry_points: list[EntryPoint]
) -> None:
    def twice(code: ChipProgram) -> ChipProgram:
        return replace(code, populations=code.populations * 2)

    register(entry_points, "twice", Pass("twice", twice, after="lower"))
    with pytest.raises(BurstchipError) as caught:
        compile_network(make.digits())
    assert str(caught.value) == (
        "error[BC303]: pass 'twice' breaks the representation\n"
        "  required: a result that obeys compiler/ir/verify.py    given: population names repeat"
        "    hint: fix or uninstall the package that registers it"
    )


@pytest.mark.parametrize(
    ("it", "given"),
    [
        (7, "is 7"),
        (Pass("other", len, after="lower"), "is Pass(name='other'"),
        (
            Pass("mine", len, after="nowhere"),
            "it follows 'nowhere', one of elaborate, quantize, lower, lower_functions, check",
        ),
        (Pass("mine", len), "it follows '', one of elaborate"),
    ],
)
def test_an_entry_point_that_cannot_be_used(entry_points: list[EntryPoint], it: object, given: str) -> None:
    register(entry_points, "mine", it)
    with pytest.raises(BurstchipError) as caught:
        passes()
    (message,) = caught.value.diagnostics
    assert message.id == "BC302" and str(message.given).startswith(f"module_of_mine:IT: {given}")


def test_a_taken_name(entry_points: list[EntryPoint]) -> None:
    register(entry_points, "lower", Pass("lower", len, after="quantize"))
    with pytest.raises(BurstchipError, match="the name 'lower' is taken"):
        passes()
