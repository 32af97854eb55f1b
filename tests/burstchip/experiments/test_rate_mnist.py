"""Extended data figure 4: the compiled loop against the equations in numpy, its draws, and what it finds."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
import xarray as xr

from burstchip.experiments.ed4_rate_mnist import measure, steps
from burstchip.experiments.ed4_rate_mnist.model import Parameters, State, initial
from burstchip.experiments.experiment import own_model
from burstchip.experiments.own_models import with_settings
from burstchip.tasks.dataset import Dataset
from hw_models.diagnostics import BurstchipError

SMALL: dict[str, Any] = {"hidden": 12, "images": 30, "traced_image": 3, "traced_pixel": 9, "traced_hidden": 4}


def small(**more: Any) -> Parameters:
    one = own_model("ed4_rate_mnist").parameters
    assert isinstance(one, Parameters)
    return msgspec.structs.replace(one, **{**SMALL, "traced_class": 2, "test_every": 7, **more})


def drawn_data(n: int = 30, inputs: int = 25) -> Dataset:
    """Images of which a good half of the pixels are 0, in ten classes."""
    draw = np.random.default_rng(3)
    images = np.where(draw.random((n, inputs)) < 0.6, 0, draw.integers(1, 256, (n, inputs))).astype(np.uint8)
    labels = draw.integers(0, 10, n)
    return Dataset("mnist", images, labels, images, labels, (5, 5), 255.0, 10)


class Equations:
    """The model one step after the other, every array written out; weights are [to, from]."""

    def __init__(self, start: State, parameters: Parameters) -> None:
        self.p = parameters
        self.weights = [start.w1.T.copy(), start.w2.T.copy()]
        self.y = start.y.T.copy()
        sizes = (parameters.hidden, 10)
        self.n, self.e, self.e_bar, self.b, self.b_bar = ([np.zeros(n) for n in sizes] for _ in range(5))
        self.prob, self.usual = ([np.full(n, 0.5) for n in sizes] for _ in range(2))

    def step(self, e0: np.ndarray, target: np.ndarray | None) -> None:
        p, e1, b2 = self.p, self.e[0], self.b[1]
        (w1, w2), (n1, n2) = self.weights, self.n
        blend, rate = p.step / p.tau_average, p.step / p.tau_weights
        z = w2 @ e1 + n2
        softmax = np.exp(z) / np.exp(z).sum()
        p2 = np.full(10, 0.5)
        if target is not None:
            p2 += 0.5 * np.tanh((target - self.e_bar[1]) / (self.e_bar[1] + 1e-8))
            g1, g2 = ((self.prob[k] - self.usual[k]) * self.e[k] for k in range(2))
            h = np.where(e1 > p.e_max, 1 - p.e_max / np.maximum(e1, 1e-300), 0)
            self.weights = [w1 + rate * np.outer(g1 - p.decay * h, e0), w2 + rate * np.outer(g2, e1)]
            self.n = [n1 + rate * g1, n2 + rate * g2]
        p1 = 1 / (1 + np.exp(-np.clip(p.beta * self.y @ b2, -20, 20)))
        self.e_bar = [bar + blend * (e - bar) for bar, e in zip(self.e_bar, self.e, strict=True)]
        self.b_bar = [bar + blend * (b - bar) for bar, b in zip(self.b_bar, self.b, strict=True)]
        pairs = zip(self.b_bar, self.e_bar, strict=True)
        self.usual = [np.divide(b, e, out=np.full(e.shape, 0.5), where=e > 0) for b, e in pairs]
        self.e = [np.exp(w1 @ e0 + n1), softmax]
        self.prob = [p1, p2]
        self.b = [p1 * self.e[0], p2 * self.e[1]]

    def row(self, e0: np.ndarray, taught: bool) -> list[float]:
        """What a trace has of this step."""
        pixel, unit, output = self.p.traced_pixel, self.p.traced_hidden, self.p.traced_class
        hidden = [e0[pixel], self.e[0][unit], self.prob[0][unit], self.usual[0][unit]]
        classes = [self.e[1][output], self.prob[1][output], self.usual[1][output]]
        return [*hidden, *classes, self.weights[0][unit, pixel], self.weights[1][output, unit], float(taught)]


def learned(parameters: Parameters, data: Dataset, start: State) -> tuple[np.ndarray, np.ndarray]:
    """What the compiled loop finds out and traces; it updates the state."""
    seen = np.zeros(len(steps.SEEN))
    trace = np.zeros((2 * (parameters.prediction_steps + parameters.teacher_steps), len(steps.TRACED)))
    p = parameters
    numbers = (p.step / p.tau_average, p.step / p.tau_weights, p.beta, p.decay, p.e_max)
    watched = (p.traced_pixel, p.traced_hidden, p.traced_class)
    lengths = (p.prediction_steps, p.teacher_steps)
    shown = (data.train_images, data.train_labels)
    steps.learn(*shown, *start.arrays, *lengths, *numbers, seen, p.traced_image, watched, trace)
    return seen, trace


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"prediction_steps": 4, "teacher_steps": 1},
        # Fast learning, strong feedback and units above e_max: every term matters.
        {"tau_weights": 2, "feedback_sd": 5.0, "e_max": 1.2, "decay": 0.3, "beta": 3.0},
    ],
)
def test_the_loop_follows_the_equations(more: dict[str, Any]) -> None:
    """Within 1e-9 over 30 images: weights, rates, averages, probabilities and every step of the trace."""
    parameters, data = small(**more), drawn_data()
    state = initial(parameters, 25, 10, 1)
    plain = Equations(state, parameters)
    before = state.w1.copy(), state.w2.copy()
    rows, heights = [], []
    for k, (image, label) in enumerate(zip(data.train_images, data.train_labels, strict=True)):
        for s in range(parameters.prediction_steps + parameters.teacher_steps):
            taught = s >= parameters.prediction_steps
            plain.step(image / 255, np.eye(10)[label] if taught else None)
            if parameters.traced_image <= k < parameters.traced_image + 2:
                rows.append(plain.row(image / 255, taught and label == parameters.traced_class))
        heights.append(plain.e[0].max())
    seen, trace = learned(parameters, data, state)
    found = [state.w1.T, state.w2.T, state.n1, state.n2, state.e1, state.e2, state.p1, state.p2]
    averages = [state.e1_average, state.e2_average, state.b1_average, state.b2_average, state.b1, state.b2]
    theirs = [*plain.weights, *plain.n, *plain.e, *plain.prob, *plain.e_bar, *plain.b_bar, *plain.b]
    for one, other in zip([*found, *averages], theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(trace, rows, rtol=1e-9, atol=1e-12)
    assert not np.allclose(before[0], state.w1, atol=1e-6) and not np.allclose(before[1], state.w2, atol=1e-6)
    assert seen[steps.TAUGHT] == 30 * parameters.teacher_steps and seen[steps.PREDICTED] == 30
    if more.get("e_max"):
        assert max(heights) > 1.2


def test_classes_of_a_forward_pass() -> None:
    parameters, data = small(), drawn_data()
    state = initial(parameters, 25, 10, 1)
    images = data.test_images / 255
    expected = np.argmax(np.exp(images @ state.w1 + state.n1) @ state.w2 + state.n2, axis=1)
    found = steps.classify(data.test_images, state.w1, state.w2, state.n1, state.n2)
    assert found.tolist() == expected.tolist() and len(set(found.tolist())) > 1


def test_draws_are_functions_of_the_seed() -> None:
    parameters = msgspec.structs.replace(small(), hidden=200)
    one, same, other = (initial(parameters, 784, 10, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.w1, same.w1) and not np.array_equal(one.w1, other.w1)
    assert one.w1.std() == pytest.approx(np.sqrt(2 / 984), rel=0.02)
    assert one.w2.std() == pytest.approx(np.sqrt(2 / 210), rel=0.05)
    assert one.y.std() == pytest.approx(0.1 * np.sqrt(2 / 210), rel=0.05)
    assert abs(np.corrcoef(one.w2.ravel(), one.y.T.ravel())[0, 1]) < 0.1


def test_a_seed_is_the_same_whatever_the_parts() -> None:
    """How often it is tested changes no number, and a trace may lie across two parts."""
    told: list[tuple[int, int]] = []
    found = [
        measure.simulate(small(test_every=each, epochs=2), drawn_data(), 1, lambda *it: told.append(it))
        for each in (4, 30)
    ]
    assert told[0] == (0, 60) and told[-1] == (60, 60)
    assert found[1]["images"].values.tolist() == [0, 30, 60]
    few = found[0].sel(images=[0, 30, 60]).drop_vars("seconds")
    xr.testing.assert_identical(few, found[1].drop_vars("seconds"))


def test_what_is_checked_is_measured() -> None:
    one = own_model("ed4_rate_mnist")
    found = measure.measure(measure.simulate(small(), drawn_data(), 1, lambda done, total: None))
    assert {it.quantity for it in one.description.checks} <= set(found)
    free = {it.quantity for it in one.description.checks if not it.bounded}
    assert free == {"error_last", "e1_greatest", "seconds"}
    assert np.isnan(found["error_10000"]) and found["moved_outside"] == 0 and found["grew"] == 0
    accepted = {it.quantity: it for it in one.description.checks}
    errors = dict(zip(measure.regression().images, measure.regression().error, strict=True))
    for n in (10000, 40000):
        check, error = accepted[f"error_{n}"], errors[n]
        assert (check.at_least, check.at_most) == (error - 3, error + 3)


def test_weights_that_move_without_a_teacher_are_seen() -> None:
    """The measure that must be 0 is not always 0."""
    before = np.zeros((3, 4))
    assert steps.greatest_change(before, before) == 0
    now = before.copy()
    now[2, 1] = -1e-13
    assert steps.greatest_change(now, before) == 1e-13


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epoch": "1"}, r"BC715.*no parameter 'epoch'\n.*did you mean: epochs"),
        ({"epochs": "many"}, r"BC716.*'epochs'.*\n.*a whole number, at least 1, at most 1,000,000"),
        ({"step": "0"}, r"BC716.*'step'.*\n.*a number, above 0, below 1,000,000,000    given: 0"),
        ({"step": "nan"}, r"BC716.*'step'"),
        ({"hidden": "50"}, r"BC716.*'hidden'.*\n.*traced_hidden below hidden.*given: hidden=50"),
        ({"images": "60"}, r"BC716.*'images'.*\n.*beyond traced_image"),
        ({"step": "9"}, r"BC716.*'step'.*\n.*at most tau_average"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], said: str) -> None:
    with pytest.raises(BurstchipError, match=said):
        with_settings(own_model("ed4_rate_mnist"), settings)


def test_settings_that_can() -> None:
    found = with_settings(own_model("ed4_rate_mnist"), {"epochs": "25", "beta": "0.5"})
    assert isinstance(found, Parameters) and (found.epochs, found.beta, found.hidden) == (25, 0.5, 200)


@pytest.mark.slow
def test_mnist(mnist_folder: object) -> None:
    """The first 10,000 images with seeds 1 to 4, as a mean within what is accepted."""
    from burstchip.tasks.datasets import load_dataset

    one = own_model("ed4_rate_mnist")
    data = load_dataset("mnist")
    parameters = with_settings(one, {"images": "10000", "test_every": "5000"})
    found = [one.measure(one.simulate(parameters, data, seed, lambda *_: None)) for seed in range(1, 5)]
    (check,) = (it for it in one.description.checks if it.quantity == "error_10000")
    assert check.passes(float(np.mean([it["error_10000"] for it in found])))
