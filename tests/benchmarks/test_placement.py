"""The table of placements has a row for each network, with what the bounds allow."""

from __future__ import annotations

import pytest

from benchmarks import placement

OPTIONS = "--only digits mnist"


def test_placements_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    placement.main(OPTIONS.split())
    head, digits, mnist = (line.split(" | ") for line in capsys.readouterr().out.splitlines())
    assert head[:4] == ["network", "neurocores", "in order", "bound"]
    assert digits[:4] == ["digits", "1", "2", "1"]
    assert mnist[0] == "mnist" and int(mnist[3]) <= int(mnist[1]) <= int(mnist[2])
