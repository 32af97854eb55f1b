"""That the simulator and `plain` do the same integers is checked by each contest as it is made ready."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import networks
from benchmarks.contests import UnequalError, lif_updates, synaptic_events, training_samples
from burstchip.backends.plain.run import PlainRun
from compiler.ir.network import Network

pytestmark = pytest.mark.once


def test_neurons_with_a_bias_are_equal_and_every_update_counts() -> None:
    contest = lif_updates(seconds=0.001, size=50)

    assert contest.simulated() % 50 == 0
    assert contest.plain() % 50 == 0


@pytest.mark.parametrize(
    "network",
    [
        networks.dense_events(),
        networks.sparse_events(),
        networks.large_events(size=300),
        networks.delayed_events(size=300),
    ],
)
def test_synaptic_events_are_equal_and_counted(network: Network) -> None:
    contest = synaptic_events("name", network, seconds=0.001)

    assert contest.simulated() > 0
    assert contest.plain() > 0


@pytest.mark.parametrize("form", ["carry", pytest.param("chip", marks=pytest.mark.slow)])
def test_the_training_of_digits_is_equal(form: str) -> None:
    contest = training_samples("digits", form, seconds=0.01, checked=4)

    assert contest.simulated() >= 1
    assert contest.plain() >= 1


@pytest.mark.slow
@pytest.mark.parametrize("form", ["carry", "chip"])
def test_the_training_of_mnist_is_equal(form: str, mnist_folder: Path) -> None:
    training_samples("mnist", form, seconds=0.01, checked=2, data_dir=mnist_folder)


def test_unequal_integers_are_not_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    original = PlainRun.read

    def wrong(run: PlainRun, place: str, variable: str) -> NDArray[np.int64]:
        values = original(run, place, variable)
        return values + np.eye(1, len(values), 7, dtype=np.int64)[0]

    monkeypatch.setattr(PlainRun, "read", wrong)

    with pytest.raises(UnequalError, match="'lif': the simulator and plain differ"):
        lif_updates(seconds=0.001, size=50)
