"""The passes in their order, a verifier after each."""

from __future__ import annotations

from typing import Any

import pytest

from compiler import pipeline
from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.pipeline import PASSES, compile_network


def test_every_pass_is_seen_once_in_order(make: Any) -> None:
    seen: list[tuple[str, object]] = []
    code = compile_network(make.digits(), lambda name, ir: seen.append((name, ir)))
    assert tuple(name for name, _ in seen) == PASSES == ("elaborate", "quantize", "lower", "check")
    assert [type(ir) for _, ir in seen] == [Elaborated, ChipProgram, ChipProgram, ChipProgram]
    assert seen[-1][1] is code


def test_a_pass_leaves_its_input_as_it_was(make: Any) -> None:
    seen: dict[str, Any] = {}
    compile_network(make.digits(), seen.__setitem__)
    assert seen["quantize"].population("hidden").parameters["soma_exp"] == 6
    assert seen["lower"].population("hidden").parameters["soma_exp"] == 5
    assert "consolidation" in seen["quantize"].projections[0].learning.rules
    assert seen["check"].projections == seen["lower"].projections


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_that_breaks_its_contract_is_found_out(
    make: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each result is verified: here a pass gives a projection a neuron too many."""
    from dataclasses import replace

    real = getattr(pipeline, name)

    def broken(ir: Any) -> Any:
        result = real(ir)
        if isinstance(result, Elaborated):
            first, *rest = result.synapses
            return replace(result, synapses=(replace(first, delays=first.delays[:-1]), *rest))
        first, *rest = result.projections
        return replace(result, projections=(replace(first, weights=first.weights[:, :-1]), *rest))

    monkeypatch.setattr(pipeline, name, broken)
    with pytest.raises(AssertionError):
        compile_network(make.digits())
