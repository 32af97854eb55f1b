"""The passes in their order, a verifier after each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler import pipeline
from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import Network
from compiler.ir.partitioned import Partition
from compiler.ir.text import as_text
from compiler.pipeline import OWN, Pass, compile_network, ordered, partition_program, passes
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
    assert [name for name, _ in seen] == [
        "elaborate",
        "calibrate",
        "quantize",
        "lower",
        "lower_functions",
        "effects",
        "bind",
        "check",
    ]
    assert [type(ir) for _, ir in seen] == [Elaborated, Elaborated, *[ChipProgram] * 6]
    assert seen[-1][1] is code
    placed = partition_program(code, lambda name, ir: seen.append((name, ir)))
    assert seen[8:] == [("partition", placed)] and placed.code is code
    assert [known.name for known in passes()] == [name for name, _ in seen]


def test_a_pass_leaves_its_input_as_it_was(make: Any) -> None:
    seen: dict[str, Any] = {}
    compile_network(make.digits(), seen.__setitem__)
    assert seen["quantize"].population("hidden").parameters["soma_exp"] == 6
    assert seen["lower"].population("hidden").parameters["soma_exp"] == 5
    assert "consolidation" in seen["quantize"].projections[0].learning.rules
    assert seen["check"].projections == seen["bind"].projections


@pytest.mark.parametrize("name", [known.name for known in OWN])
def test_a_pass_that_breaks_its_contract_is_found_out(
    make: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each result is verified: here a pass gives a projection a neuron too many."""
    real = next(known.run for known in OWN if known.name == name)

    def broken(ir: Any) -> Any:
        result = real(ir)
        if isinstance(result, Partition):
            return replace(result, cores=result.cores[:-1])
        if isinstance(result, Elaborated):
            first, *rest = result.synapses
            return replace(result, synapses=(replace(first, delays=first.delays[:-1]), *rest))
        first, *rest = result.projections
        return replace(result, projections=(replace(first, weights=first.weights[:, :-1]), *rest))

    changed = tuple(replace(known, run=broken) if known.name == name else known for known in OWN)
    monkeypatch.setattr(pipeline, "OWN", changed)
    passes.cache_clear()
    with pytest.raises(AssertionError):
        partition_program(compile_network(make.digits()))


def renamed(ir: Any) -> Any:
    """The same with a ' behind its name."""
    return replace(ir, name=f"{ir.name}'")


#: Two beside one pass, two chains (b <- c <- d, e <- f), one before the first pass and one after the last.
ADDED = (
    Pass("b", renamed, after="lower"),
    Pass("a", renamed, after="lower"),
    Pass("d", renamed, after="c"),
    Pass("c", renamed, after="b"),
    Pass("f", renamed, after="e"),
    Pass("e", renamed, before="check"),
    Pass("g", renamed, before="elaborate"),
    Pass("h", renamed, before="partition"),
    Pass("i", lambda partition: replace(partition), after="partition"),
)
OWN_NAMES = "elaborate, calibrate, quantize, lower, lower_functions, effects, bind, check, partition"
PLACES = "g elaborate calibrate quantize lower a b c d lower_functions effects bind e f check h partition i"
ORDER = PLACES.split()


def test_passes_of_other_packages_stand_where_they_say(make: Any, entry_points: list[EntryPoint]) -> None:
    for added in ADDED:
        register(entry_points, added.name, added)
    seen: list[tuple[str, Any]] = []
    code = compile_network(make.digits(), lambda name, ir: seen.append((name, ir)))
    partition_program(code, lambda name, ir: seen.append((name, ir)))
    assert [name for name, _ in seen] == ORDER
    assert code.name == "test" + 8 * "'"
    assert isinstance(seen[0][1], Network) and as_text(seen[0][1]).startswith("network test' step=1 ms")


@given(st.permutations(ADDED))
def test_the_order_of_registration_does_not_matter(added: list[Pass]) -> None:
    assert [known.name for known in ordered(OWN, added)] == ORDER


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


def test_a_pass_after_partition_that_changes_the_program(make: Any, entry_points: list[EntryPoint]) -> None:
    def other(partition: Partition) -> Partition:
        return replace(partition, code=renamed(partition.code))

    register(entry_points, "other", Pass("other", other, after="partition"))
    code = compile_network(make.digits())
    with pytest.raises(BurstchipError, match="given: the program itself changed"):
        partition_program(code)


def test_a_pass_of_another_package_leads_to_no_other_representation(
    make: Any, entry_points: list[EntryPoint]
) -> None:
    register(entry_points, "early", Pass("early", lambda ir: ir.network, after="elaborate"))
    with pytest.raises(BurstchipError, match="a Network was returned where a Elaborated was given"):
        compile_network(make.digits())


@pytest.mark.parametrize(
    ("it", "given"),
    [
        (7, "is 7"),
        (Pass("other", len, after="lower"), "is Pass(name='other'"),
        (Pass("mine", len), "has after='' and before=''"),
        (Pass("mine", len, after="lower", before="check"), "has after='lower' and before='check'"),
    ],
)
def test_an_entry_point_that_cannot_be_used(entry_points: list[EntryPoint], it: object, given: str) -> None:
    register(entry_points, "mine", it)
    with pytest.raises(BurstchipError) as caught:
        passes()
    (message,) = caught.value.diagnostics
    assert message.id == "BC302" and str(message.given).startswith(f"module_of_mine:IT: {given}")


@pytest.mark.parametrize(("name", "beside"), [("lower", "quantize"), ("mine", "lower")])
def test_a_taken_name(name: str, beside: str, entry_points: list[EntryPoint]) -> None:
    register(entry_points, "mine", Pass("mine", len, after="lower"))
    register(entry_points, name, Pass(name, len, after=beside))
    with pytest.raises(BurstchipError, match=f"the name '{name}' is taken"):
        passes()


@pytest.mark.parametrize(
    ("added", "text"),
    [
        (
            [Pass("mine", len, after="quantise")],
            "error[BC304]: pass 'mine' cannot run after 'quantise': no pass 'quantise' is registered\n"
            f"  required: one of {OWN_NAMES}    "
            "given: 'mine' after 'quantise'    hint: did you mean: quantize",
        ),
        (
            [Pass("mine", len, before="theirs"), Pass("theirs", len, after="absent")],
            "error[BC304]: pass 'mine' cannot run before 'theirs': no pass 'absent' is registered\n"
            f"  required: one of {OWN_NAMES}, theirs"
            "    given: 'mine' before 'theirs', 'theirs' after 'absent'    "
            "hint: install the package that registers 'absent'\n"
            "error[BC304]: pass 'theirs' cannot run after 'absent': no pass 'absent' is registered\n"
            f"  required: one of {OWN_NAMES}, mine    "
            "given: 'theirs' after 'absent'    hint: install the package that registers 'absent'",
        ),
        (
            [Pass("a", len, after="b"), Pass("b", len, before="a")],
            "error[BC304]: pass 'a' cannot run after 'b': the order is circular\n"
            "  required: a chain of passes that ends at one of the compiler's own    "
            "given: 'a' after 'b', 'b' before 'a'    "
            "hint: fix or uninstall one of the packages that register these passes\n"
            "error[BC304]: pass 'b' cannot run before 'a': the order is circular\n"
            "  required: a chain of passes that ends at one of the compiler's own    "
            "given: 'b' before 'a', 'a' after 'b'    "
            "hint: fix or uninstall one of the packages that register these passes",
        ),
        (
            [Pass("a", len, after="a")],
            "error[BC304]: pass 'a' cannot run after 'a': the order is circular\n"
            "  required: a chain of passes that ends at one of the compiler's own    given: 'a' after 'a'    "
            "hint: fix or uninstall one of the packages that register these passes",
        ),
    ],
)
def test_a_pass_without_a_place_in_the_order(
    added: list[Pass], text: str, entry_points: list[EntryPoint]
) -> None:
    for found in added:
        register(entry_points, found.name, found)
    with pytest.raises(BurstchipError) as caught:
        passes()
    assert str(caught.value) == text


def test_a_pass_of_another_package_that_fails_is_named(make: Any, entry_points: list[EntryPoint]) -> None:
    register(entry_points, "fails", Pass("fails", lambda code: code.missing, after="lower"))
    with pytest.raises(BurstchipError, match=r"BC303.*pass 'fails'(?s:.*)fails with AttributeError"):
        compile_network(make.digits())
