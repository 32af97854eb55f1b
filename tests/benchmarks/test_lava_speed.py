"""What the command prints; how fast anything is, no test asserts."""

from __future__ import annotations

import json

import pytest

from benchmarks import lava_speed
from hw_models.diagnostics import BurstchipError

#: As the page of benchmarks has it.
QUICK = "--quick --only static-100 learning-100"


@pytest.mark.slow
def test_one_json_object_with_the_ratio(capsys: pytest.CaptureFixture[str], needs_lava: None) -> None:
    lava_speed.main([*QUICK.split(), "--json"])
    printed = capsys.readouterr()
    results = json.loads(printed.out)["results"]
    assert [result["name"] for result in results] == ["static-100", "learning-100"]
    for result in results:
        assert result["neurons"] == 200 and result["synapses"] == 12_000 and result["values"] > 0
        assert result["ratio"] == pytest.approx(result["sim"]["median"] / result["lava"]["median"])
        assert result["sim_start"] > 0 and result["lava_start"] > 0
    assert "The simulator and Lava, medians" in printed.err


def test_without_lava_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.backends.available._lava", lambda: ("the package lava-nc",))
    with pytest.raises(BurstchipError, match=r"backend 'lava' cannot run here"):
        lava_speed.main(["--quick"])
