"""The digits template: the published checksums, and the backend `plain` on a few samples."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burstchip
from burstchip.backends.sim.simulator import Simulation
from burstchip.running.run import open_run
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.datasets import load_dataset
from burstchip.tasks.presentation import Pictures, Presentation, pictures_of
from burstchip.tasks.showing import TEST_SEED, Classified, classify, sample_order, show
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network

TEMPLATE = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"


#: The homeostasis of the published checksums; the template's own is slower and weaker.
PUBLISHED = {"homeostasis_limit": "0.5", "homeostasis_window": "1024 ms"}


def program(form: str) -> ChipProgram:
    return compile_network(burstchip.load_network(TEMPLATE, {"weight_form": form, **PUBLISHED}))


class Training:
    """A run that learns, and the pictures that it is shown."""

    def __init__(
        self, code: ChipProgram, pictures: Pictures, backend: str = "sim", frozen: tuple[str, ...] = ()
    ) -> None:
        self.presentation = Presentation(code, pictures)
        self.run: Any = open_run(code, backend, streams=self.presentation.streams, frozen=frozen)

    def show(self, shown: Any, following: int = -1) -> list[int]:
        return show(self.run, self.presentation, np.asarray(shown), following).tolist()


def classified(code: ChipProgram, trained: Any, pictures: Pictures, workers: int = 1) -> Classified:
    weights = {p.name: trained.weights(p.name) for p in code.projections if p.learning is not None}
    return classify(code, weights, pictures, workers=workers)


@pytest.fixture(scope="module")
def carry() -> ChipProgram:
    return program("carry")


@pytest.fixture(scope="module")
def train() -> Pictures:
    return pictures_of(load_dataset("digits", split=0))[0]


@pytest.fixture(scope="module")
def test() -> Pictures:
    return pictures_of(load_dataset("digits", split=0))[1]


def crc(values: Any) -> str:
    return f"{zlib.crc32(values.astype('<i4').tobytes()):08x}"


def test_the_published_start(carry: ChipProgram) -> None:
    first, second, feedback = (projection.weights.T for projection in carry.projections)
    assert first[0, :4].tolist() == [4477, 2052, 3355, -2737]
    # The fixed feedback is stored in halves of the published unit.
    assert (feedback[0, :4] * 2.0 ** carry.projections[2].weight_exp).tolist() == [-28, 15, 0, 0]
    assert np.abs(first).max() <= 5320 and np.abs(second).max() <= 1330 and np.abs(feedback).max() <= 56
    assert sample_order(carry, 1437, 0)[:8].tolist() == [1382, 1162, 88, 551, 555, 109, 1328, 1078]


def test_the_published_first_epoch(carry: ChipProgram, train: Pictures) -> None:
    training = Training(carry, train)
    order = sample_order(carry, 1437, 0)
    predictions = training.show(order, int(sample_order(carry, 1437, 1)[0]))
    assert np.count_nonzero(predictions != train.labels[order]) == 475
    assert crc(training.run.read("image_to_hidden", "w")) == "4ed13b38"
    assert crc(training.run.read("hidden_to_readout", "w")) == "c9cd765d"
    assert not any(training.run.clipped.values())


@pytest.mark.parametrize("halvings", [0, 2])
@pytest.mark.parametrize("form", ["carry", "chip"])
def test_training_is_as_plainly_written(form: str, halvings: int, train: Pictures) -> None:
    code = program(form)
    shown = sample_order(code, 1437, 0)[:4]
    fast, slow = Training(code, train), Training(code, train, "plain")
    for training in (fast, slow):
        training.run.write("halvings", halvings)
    assert fast.show(shown) == slow.show(shown)
    for population in code.populations:
        for name in population.program.states:
            found, wanted = (it.run.read(population.name, name) for it in (fast, slow))
            np.testing.assert_array_equal(found, wanted, err_msg=name)
    for projection in code.projections:
        for name in "wt" if projection.learning is not None and form == "chip" else "w":
            found, wanted = (it.run.read(projection.name, name) for it in (fast, slow))
            np.testing.assert_array_equal(found, wanted, err_msg=name)
            assert wanted.any()
    first = code.projections[0]
    assert np.any(slow.run.read(first.name, "w") != first.weights.T.ravel())
    assert (fast.run.events, fast.run.bursts) == (slow.run.events, slow.run.bursts)


@pytest.mark.parametrize("form", ["carry", "chip"])
def test_inference_is_as_plainly_written(form: str, test: Pictures) -> None:
    code = program(form)
    some = Pictures(test.images[:5], test.maximum, test.labels[:5])
    found = classified(code, open_run(code, streams=Presentation(code, some).streams), some)
    shown = Presentation(code, some, np.arange(5))
    slow = open_run(code, "plain", streams=shown.streams, learning=False, seed=code.seed + TEST_SEED)
    slow.advance(5 * 96)
    assert found.predictions.tolist() == slow.readout
    assert (found.events, found.bursts) == (slow.events, slow.bursts)


Trained = Callable[..., tuple[Simulation, Any]]


@pytest.fixture
def trained(carry: ChipProgram, train: Pictures) -> Trained:
    """A simulation that was shown 60 pictures in pieces of these lengths, and its predictions."""

    def after(*pieces: int, frozen: tuple[str, ...] = (), between: Callable[..., Any] | None = None) -> Any:
        training = Training(carry, train, frozen=frozen)
        order = sample_order(carry, 1437, 0)
        predictions, done = [], 0
        for piece in pieces:
            shown = order[done : done + piece]
            done += piece
            predictions += training.show(shown, int(order[done]) if done < 60 else -1)
            if between is not None:
                between(training.run)
        assert done == 60
        return training.run, predictions

    return after


def test_the_size_of_the_pieces_does_not_matter(trained: Trained) -> None:
    whole, predictions = trained(60)
    for pieces in ((1, 59), (30, 30), (7, 0, 13, 40), (1,) * 60):
        simulation, others = trained(*pieces)
        assert others == predictions
        assert state_sha256(simulation.state()) == state_sha256(whole.state())


def test_testing_leaves_the_training_as_it_was(trained: Trained, carry: ChipProgram, test: Pictures) -> None:
    whole, _ = trained(60)

    def look(simulation: Simulation) -> None:
        before = state_sha256(simulation.state())
        classified(carry, simulation, Pictures(test.images[:20], test.maximum, test.labels[:20]))
        assert state_sha256(simulation.state()) == before

    simulation, _ = trained(20, 40, between=look)
    assert state_sha256(simulation.state()) == state_sha256(whole.state())


def test_the_number_of_workers_does_not_matter(trained: Trained, carry: ChipProgram, test: Pictures) -> None:
    simulation, _ = trained(60)
    some = Pictures(test.images[:50], test.maximum, test.labels[:50])
    one = classified(carry, simulation, some, workers=1)
    for workers in (2, 3, 7, 50, 1000):
        others = classified(carry, simulation, some, workers=workers)
        assert others.predictions.tolist() == one.predictions.tolist()
        assert (others.events, others.bursts) == (one.events, one.bursts)


def test_frozen_projections_keep_their_weights(trained: Trained, carry: ChipProgram) -> None:
    free, _ = trained(60)
    simulation, _ = trained(60, frozen=("image_to_hidden",))
    assert np.array_equal(simulation.arrays["w_0"], carry.projections[0].weights.T)
    assert not np.array_equal(simulation.arrays["w_1"], carry.projections[1].weights.T)
    assert not np.array_equal(free.arrays["w_0"], carry.projections[0].weights.T)


def test_samples_that_touch_are_tested_one_after_the_other(carry: ChipProgram, test: Pictures) -> None:
    """With delays an event of one sample acts in the next: then threads must not share the samples."""
    slow = replace(carry.projections[1], delays=carry.projections[1].delays + np.int16(20))
    code = replace(carry, projections=(carry.projections[0], slow, carry.projections[2]))
    some = Pictures(test.images[:12], test.maximum, test.labels[:12])
    trained = open_run(code, streams=Presentation(code, some).streams)
    results = [classified(code, trained, some, workers) for workers in (1, 2, 12)]
    assert all(found.events == results[0].events for found in results)
