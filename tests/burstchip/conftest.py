"""A small training that several folders of tests look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import burstchip
from burstchip.tasks import training
from burstchip.tasks.datasets import task_dataset
from burstchip.tasks.train_options import TrainOptions

DIGITS = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"

#: `small_training(out, seed=1)` trains the digits template, 20 hidden neurons, with 150 samples an epoch.
SmallTraining = Callable[..., dict[str, Any]]


def _few(*arguments: Any, **options: Any) -> Any:
    found = task_dataset(*arguments, **options)
    return replace(
        found,
        train_images=found.train_images[:150],
        train_labels=found.train_labels[:150],
        test_images=found.test_images[:50],
        test_labels=found.test_labels[:50],
    )


def _train(out: Path, watch: Any = None, form: str = "chip", **more: Any) -> dict[str, Any]:
    overrides = {"weight_form": form, "hidden_size": "20", **more.pop("overrides", {})}
    options = TrainOptions(DIGITS, out, **{"epochs": 2, "workers": 1, "overrides": overrides, **more})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "task_dataset", _few)
        return training.train(options, watch)


@pytest.fixture(scope="session")
def small_training() -> SmallTraining:
    """Trains the small network."""
    return _train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small finished training in the chip form, to be looked at only."""
    out = tmp_path_factory.mktemp("trained") / "run"
    _train(out)
    return out
