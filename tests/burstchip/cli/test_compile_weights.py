"""`compile --weights`: what was learned, from a training's folder or back from a deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from burstchip.cli.app import app
from burstchip.tasks.datasets import task_dataset
from burstchip.tasks.presentation import pictures_of
from burstchip.tasks.showing import classify
from compiler.artifact import load_artifact

runner = CliRunner()


def called(*arguments: Any) -> tuple[int, str]:
    result = runner.invoke(app, [str(it) for it in arguments])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, a training of an epoch and a deployment of what it learned."""
    folder = tmp_path_factory.mktemp("digits")
    for arguments in (
        ("new", "digits", folder),
        ("train", folder / "network.yaml", "--out", folder / "run", "--epochs", 1),
        ("deploy", folder / "run", "--dry-run", "-o", folder / "sent"),
    ):
        code, said = called(*arguments)
        assert code == 0, said
    return folder


def test_trained_deployed_and_read_back(digits: Path, tmp_path: Path) -> None:
    trained, untrained = (load_artifact(digits / "run" / f"{it}.burst")[0] for it in ("trained", "net"))
    programs = [trained]
    for folder in ("run", "sent"):
        path = tmp_path / f"{folder}.burst"
        code, said = called("compile", digits / "network.yaml", "--weights", digits / folder, "-o", path)
        assert code == 0, said
        assert f"{digits / folder}: " in said and "weights of" in said
        found = load_artifact(path)[0]
        for wanted, has, before in zip(
            trained.projections, found.projections, untrained.projections, strict=True
        ):
            np.testing.assert_array_equal(has.weights, wanted.weights)
            assert np.array_equal(has.weights, before.weights) == (before.learning is None)
        programs.append(found)
    # The integers that came back classify as those that were sent.
    assert trained.task is not None
    _, pictures = pictures_of(task_dataset(trained.task))
    one, *others = (classify(program, {}, pictures).predictions for program in programs)
    assert len(np.unique(one)) > 3 and all(np.array_equal(one, other) for other in others)
    code, said = called("verify", tmp_path / "sent.burst", "--deployment", digits / "sent", "--json")
    assert code == 0 and json.loads(said.splitlines()[-1])["difference"] is None


@pytest.mark.parametrize(
    ("folder", "more", "said"),
    [
        ("sent", ["--seed", "9"], "BC415"),
        ("run", ["--set", "hidden_size=50"], "BC652"),
        ("nowhere", [], "BC650"),
        ("sent", ["--target", "none"], "BC557"),
    ],
)
def test_weights_that_do_not_fit(
    digits: Path, tmp_path: Path, folder: str, more: list[str], said: str
) -> None:
    out = tmp_path / "net.burst"
    given = ("compile", digits / "network.yaml", *more, "--weights", digits / folder, "-o", out)
    code, printed = called(*given)
    assert code == 2 and f"error[{said}]" in printed, printed
    assert not out.exists()
