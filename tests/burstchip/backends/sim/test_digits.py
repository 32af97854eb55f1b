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
from burstchip.backends.plain.run import PlainRun
from burstchip.backends.shown import Shown
from burstchip.backends.sim.simulator import (
    TEST_SEED,
    Pictures,
    Simulation,
    classify,
    sample_order,
    show,
    start,
)
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.datasets import load_dataset
from burstchip.tasks.run_folder import recorded_variables
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network

TEMPLATE = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"


#: The homeostasis of the published checksums; the template's own is slower and weaker.
PUBLISHED = {"homeostasis_limit": "0.5", "homeostasis_window": "1024 ms"}


def program(form: str) -> ChipProgram:
    return compile_network(burstchip.load_network(TEMPLATE, {"weight_form": form, **PUBLISHED}))


def began(code: ChipProgram, frozen: tuple[str, ...] = ()) -> Simulation:
    """A simulation at its start, with the loop that training uses too."""
    return start(code, learning=True, record=recorded_variables(code), frozen=frozen)


@pytest.fixture(scope="module")
def carry() -> ChipProgram:
    return program("carry")


@pytest.fixture(scope="module")
def train() -> Pictures:
    data = load_dataset("digits", split=0)
    return Pictures(data.train_images.reshape(-1, 64), data.maximum, data.train_labels.astype(np.int64))


@pytest.fixture(scope="module")
def test() -> Pictures:
    data = load_dataset("digits", split=0)
    return Pictures(data.test_images.reshape(-1, 64), data.maximum, data.test_labels.astype(np.int64))


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
    simulation = began(carry)
    order = sample_order(carry, 1437, 0)
    predictions, _ = show(simulation, train, order, int(sample_order(carry, 1437, 1)[0]), 0)
    assert np.count_nonzero(predictions != train.labels[order]) == 475
    assert crc(simulation.arrays["w_0"]) == "4ed13b38"
    assert crc(simulation.arrays["w_1"]) == "c9cd765d"
    assert not simulation.arrays["clipped_inputs"].any()


@pytest.mark.parametrize("anneal", [0, 2])
@pytest.mark.parametrize("form", ["carry", "chip"])
def test_training_is_as_plainly_written(form: str, anneal: int, train: Pictures) -> None:
    code = program(form)
    shown = sample_order(code, 1437, 0)[:4]
    simulation = began(code)
    predictions, _ = show(simulation, train, shown, -1, anneal)
    slow = PlainRun(code, Shown(train.images[shown], train.maximum, train.labels[shown]), anneal=anneal)
    slow.advance(len(shown) * 96)
    assert predictions.tolist() == slow.readout
    for number, population in enumerate(code.populations):
        for name, values in slow.neurons[population.name].state.items():
            if population.name != "image":
                np.testing.assert_array_equal(simulation.arrays[f"s_{number}_{name}"], values, err_msg=name)
    for index, it in enumerate(slow.synapses):
        np.testing.assert_array_equal(simulation.arrays[f"w_{index}"], it.w)
        if it.learning is not None and form == "chip":
            np.testing.assert_array_equal(simulation.arrays[f"t_{index}"], it.t)
            assert it.t.any()
    assert np.any(slow.synapses[0].w != code.projections[0].weights.T)


@pytest.mark.parametrize("form", ["carry", "chip"])
def test_inference_is_as_plainly_written(form: str, test: Pictures) -> None:
    code = program(form)
    some = Pictures(test.images[:5], test.maximum, test.labels[:5])
    predictions, totals = classify(code, began(code), some)
    shown = Shown(some.images, some.maximum, some.labels)
    slow = PlainRun(code, shown, learning=False, seed=code.seed + TEST_SEED)
    events = slow.advance(5 * 96, tuple((population.name, "events") for population in code.populations))
    assert predictions.tolist() == slow.readout
    for number, population in enumerate(code.populations):
        if population.name != "image":
            assert totals[number, 0] == events[population.name, "events"].sum()


@pytest.fixture
def trained(carry: ChipProgram, train: Pictures) -> Callable[..., tuple[Simulation, Any]]:
    """A simulation that was shown 60 pictures in pieces of these lengths, and its predictions."""

    def after(*pieces: int, frozen: tuple[str, ...] = (), between: Callable[..., Any] | None = None) -> Any:
        simulation = began(carry, frozen)
        order = sample_order(carry, 1437, 0)
        predictions, done = [], 0
        for piece in pieces:
            shown = order[done : done + piece]
            done += piece
            following = int(order[done]) if done < 60 else -1
            predictions += show(simulation, train, shown, following, 0)[0].tolist()
            if between is not None:
                between(simulation)
        assert done == 60
        return simulation, predictions

    return after


def test_the_size_of_the_pieces_does_not_matter(trained: Any) -> None:
    whole, predictions = trained(60)
    for pieces in ((1, 59), (30, 30), (7, 0, 13, 40), (1,) * 60):
        simulation, others = trained(*pieces)
        assert others == predictions
        assert state_sha256(simulation.arrays) == state_sha256(whole.arrays)


def test_testing_leaves_the_training_as_it_was(trained: Any, carry: ChipProgram, test: Pictures) -> None:
    whole, _ = trained(60)

    def look(simulation: Simulation) -> None:
        before = state_sha256(simulation.arrays)
        classify(carry, simulation, Pictures(test.images[:20], test.maximum, test.labels[:20]))
        assert state_sha256(simulation.arrays) == before

    simulation, _ = trained(20, 40, between=look)
    assert state_sha256(simulation.arrays) == state_sha256(whole.arrays)


def test_the_number_of_workers_does_not_matter(trained: Any, carry: ChipProgram, test: Pictures) -> None:
    simulation, _ = trained(60)
    some = Pictures(test.images[:50], test.maximum, test.labels[:50])
    predictions, totals = classify(carry, simulation, some, workers=1)
    for workers in (2, 3, 7, 50, 1000):
        others, other_totals = classify(carry, simulation, some, workers=workers)
        assert others.tolist() == predictions.tolist()
        assert other_totals.tolist() == totals.tolist()


def test_frozen_projections_keep_their_weights(trained: Any, carry: ChipProgram) -> None:
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
    trained = began(code)
    results = [classify(code, trained, some, workers) for workers in (1, 2, 12)]
    for _, totals in results:
        assert totals.tolist() == results[0][1].tolist()
