"""What the command prints; how fast anything is, no test asserts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import figure3

pytestmark = pytest.mark.once

#: As the page of benchmarks has it.
QUICK = "--quick"


@pytest.mark.slow
def test_speeds_of_all_that_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(figure3, "AUTHORS_SECONDS", 0.4)
    program = tmp_path / "sim_propagation"
    program.write_text("#!/bin/sh\necho making; echo '( 0) Running ...'; sleep 0.2; echo \"$@\" > $8/given\n")
    program.chmod(0o755)
    figure3.main([QUICK, "--json", "--authors", str(program)])
    printed = capsys.readouterr()
    results = {it["name"]: it for it in json.loads(printed.out)["results"]}
    assert list(results) == [*(name for name, *_ in figure3.OWN), "the authors' program"]
    # Half of its seconds, in a fifth of a second and little more.
    assert 1.0 < results["the authors' program"]["median"] <= 2.0
    assert results["float32"]["spikes"] == results["float32, 2 threads"]["spikes"]
    assert all(it > 0 for it in results["float64"]["spikes"].values())
    assert "Figure 3: seconds of the network in a second" in printed.err


def test_a_program_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        figure3.main(["--authors", "nothing/here"])
    assert "--authors: no file nothing/here" in capsys.readouterr().err
