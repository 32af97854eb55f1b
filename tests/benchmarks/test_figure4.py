"""What the command prints; how fast anything is, no test asserts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import figure4
from benchmarks.beside import AUTHORS

pytestmark = pytest.mark.once

#: As the page of benchmarks has it.
QUICK = "--epochs 1 --repeats 1"


@pytest.mark.slow
def test_speeds_of_all_that_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(figure4, "OWN", figure4.OWN[1:])
    program = tmp_path / "sim_xor"
    program.write_text(
        "#!/bin/sh\necho making; echo '[> ] 0% t=0.0s'; sleep 0.2; echo \"$@\" > ${12}/given\n"
        "echo '**** Cost epoch 1 = 2.92'\n"
    )
    program.chmod(0o755)
    figure4.main([*QUICK.split(), "--json", "--authors", str(program)])
    printed = capsys.readouterr()
    results = {it["name"]: it for it in json.loads(printed.out)["results"]}
    assert list(results) == [*(name for name, *_ in figure4.OWN), AUTHORS]
    # 102 seconds of the network in a fifth of a second and little more.
    assert 255 < results[AUTHORS]["median"] <= 510
    assert results[AUTHORS]["cost"] == 2.92
    for it in results.values():
        assert it["minutes"] == pytest.approx(16_070 / 60 / it["median"])
    assert 2.5 < results["integers, 0.5 ms"]["cost"] < 3.2
    assert "XOR, 1 epochs: seconds of the network in a second" in printed.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--authors", "nothing/here"], "--authors: no file nothing/here"),
        (["--epochs", "0"], "--epochs: 1 or more are needed, not 0"),
        (["--repeats", "-1"], "--repeats: 1 or more are needed, not -1"),
    ],
)
def test_what_cannot_be_measured(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        figure4.main(given)
    assert said in capsys.readouterr().err
