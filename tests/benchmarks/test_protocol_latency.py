"""What the command prints; how fast anything is, no test asserts."""

from __future__ import annotations

import json

import pytest

from benchmarks import protocol_latency
from benchmarks.protocol_latency import CARRIERS, TRAINED

pytestmark = [pytest.mark.once, pytest.mark.slow]

#: As the page of benchmarks has it.
QUICK = "--quick"


def test_every_carrier_is_measured_and_every_target_learns_alike(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    protocol_latency.main([*QUICK.split(), "--json"])
    printed = capsys.readouterr()
    (line,) = printed.out.splitlines()
    found = json.loads(line)
    measured = [it["carrier"] for it in found["latencies_us"]]
    assert measured[1:] in ([*CARRIERS], [name for name in CARRIERS if "serial" not in name])
    assert all(0 < it["p50"] <= it["p99"] for it in found["latencies_us"])
    assert all(0 < it["target_p50"] < it["p50"] for it in found["latencies_us"][1:])
    assert {it["carrier"] for it in found["overheads"] if it["clock"] == "wall"} == set(TRAINED)
    assert all(it["lowest"] <= it["share"] <= it["highest"] for it in found["overheads"])
    assert "p50 of the target alone" in printed.err
