"""What is generated are networks that the frontend and the compiler take, members of a structure share their
loop, and a failing network becomes a small file."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare.differences import Comparison
from compare.documents import as_text, compiled, read_document, write_document
from compare.executions import loop_text
from compare.reduction import reduced
from compare.search import MAY_BE_REFUSED, STEPS, save_failures, search
from generate.networks import Document, members, structures
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

thorough = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def _loop(document: Document) -> str | None:
    try:
        return loop_text(compiled(document))
    except BurstchipError as error:
        if {d.id for d in error.diagnostics if d.severity == "error"} <= MAY_BE_REFUSED:
            return None
        raise


@pytest.mark.once
@settings(thorough, max_examples=12)
@given(data=st.data())
def test_networks_are_accepted_and_members_share_loops(data: st.DataObject) -> None:
    structure = data.draw(structures())
    loops = [_loop(data.draw(members(structure, STEPS))) for _ in range(4)]
    # A loop leaves out what needs no care: sums that cannot overflow, weights that are shifted exactly.
    assert len(set(loops) - {None}) <= 4


@settings(thorough, max_examples=10)
@given(data=st.data())
def test_a_document_survives_its_file(data: st.DataObject, tmp_path_factory: object) -> None:
    document = data.draw(structures().flatmap(lambda structure: members(structure, STEPS)))
    path = tmp_path_factory.mktemp("document") / "network.yaml"  # type: ignore[attr-defined]
    write_document(document, path, "a comment\nof two lines")
    again = read_document(path)
    assert as_text(again) == as_text(document) and again.files == document.files


def test_a_failing_network_is_made_small_and_saved(tmp_path: Path) -> None:
    """A judge that finds fault with every plastic projection that has a long delay."""

    def judge(code: ChipProgram, steps: int) -> Comparison:
        wrong = any(p.learning is not None and (p.delays > 3).any() for p in code.projections)
        if wrong:
            raise ZeroDivisionError("a made-up fault")
        return Comparison(1, None)

    findings = search(judge, 6, 3, first=8)
    assert findings.failures
    lines = save_failures(findings, judge, tmp_path)
    files = sorted(tmp_path.glob("*.yaml"))
    assert len(lines) == len(findings.failures)
    # Two may become the same small network.
    assert {str(path) for path in files} == {line.split(": ")[0] for line in lines}
    assert all("ZeroDivisionError: a made-up fault" in line for line in lines)
    for path in files:
        small = read_document(path).network
        assert len(small["projections"]) == 1 and len(small["plasticity"]) == 1
        assert len(small["populations"]) <= 2 and "task" not in small
        assert all(population["size"] <= 4 for population in small["populations"].values())


def test_a_failure_that_does_not_repeat_is_told() -> None:
    document = Document({"populations": {}, "projections": []})
    assert reduced(document, lambda it: None) == (document, "the failure does not repeat")
