"""Two sessions beside each other, gates, merging; and results files that are damaged."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from benchmarks.runner.compare import changes, gate, merge, pairs
from benchmarks.runner.exactness import exactness
from benchmarks.runner.result import Entry, Number, Results, Same, read_results, results_schema, write_results
from hw_models.diagnostics import BurstchipError


def entry(target: str = "sim", seed: int = 0, rate: float = 100.0, **more: object) -> Entry:
    number = Number(value=rate, unit="samples/s", source="measured", method="offline")
    same = Same(steps=2, values=4, sha256="a", each_step=["1", "2"], variables=["cells.v"])
    whole: dict[str, object] = {
        "workload": "digits", "kind": "learn", "target": target, "seed": seed, "status": "done",
        "artifact_sha256": "f", "arithmetic": "integers", "same": same,
        "numbers": {"samples_per_second": number},
    }  # fmt: skip
    return msgspec.convert(msgspec.to_builtins({**whole, **more}), Entry)


def session(*entries: Entry) -> Results:
    return Results(
        begun="now", burstchip="0", commit="c", command="burstchip bench run", machine={}, targets={},
        entries=list(entries),
    )  # fmt: skip


def test_a_gate_looks_at_the_mean_over_seeds() -> None:
    found = pairs(session(entry(rate=100), entry(seed=1, rate=120)), session(entry(rate=80), entry(seed=1)))
    (pair,) = found
    assert pair.ratio == pytest.approx(90 / 110)
    assert gate("samples_per_second < 0.82x", found).broken(found) == [pair]
    assert gate("samples_per_second < 0.81x", found).broken(found) == []
    assert gate("digits: samples_per_second > 89", found).broken(found) == [pair]


@pytest.mark.parametrize(
    "text",
    ["samples_per_second", "< 3", "speed < 0.8x", "mnist: samples_per_second < 1x", "a < b", "a < 1e9"],
)
def test_a_gate_that_could_never_fail_is_refused(text: str) -> None:
    found = pairs(session(entry()), session(entry()))
    with pytest.raises(BurstchipError, match="BC854"):
        gate(text, found)


def test_what_else_changed_is_told() -> None:
    other = msgspec.structs.replace(entry(), state_sha256="z")
    assert changes(session(entry()), session(other)) == ["digits on sim, seed 0: another state at the end"]
    assert changes(session(entry()), session(entry())) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "bit-exact with sim: 4 values in 2 steps"),
        ({"artifact_sha256": "g"}, "another artifact than sim"),
        ({"arithmetic": "real numbers"}, "real numbers"),
        ({"status": "failed"}, ""),
    ],
)
def test_targets_are_compared_with_sim(more: dict[str, object], said: str) -> None:
    first, second = exactness([entry(), entry("lava", **more)])
    assert first.exactness == "the others are compared with it" and second.exactness == said


def test_the_first_step_that_differs_is_named() -> None:
    other = Same(steps=2, values=4, sha256="b", each_step=["1", "3"], variables=["cells.v"])
    assert exactness([entry(), entry("lava", same=other)])[1].exactness == "parts from sim in step 1"
    fewer = msgspec.structs.replace(other, variables=["cells.events"])
    assert "fewer variables" in exactness([entry(), entry("board", same=fewer)])[1].exactness


def test_sessions_of_several_machines_become_one() -> None:
    failed = entry("lava", status="failed")
    found = merge([session(entry(), failed), session(entry("lava"))])
    assert [(it.target, it.status) for it in found.entries] == [("sim", "done"), ("lava", "done")]
    with pytest.raises(BurstchipError, match="BC855"):
        merge([session(entry()), session(entry(rate=3))])


def test_results_are_written_as_their_schema_says(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_results(path, session(entry()))
    jsonschema.validate(json.loads(path.read_text()), results_schema())
    assert read_results(tmp_path) == session(entry())


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"format": 2}'])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(BurstchipError, match="BC852"):
        read_results(tmp_path)
