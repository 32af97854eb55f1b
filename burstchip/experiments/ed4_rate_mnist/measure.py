"""Extended data figure 4: what burst probabilities, weights and errors do while the rate model sees MNIST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FormatStrFormatter

from burstchip.backends.compiling import report_compiling
from burstchip.experiments.ed4_rate_mnist.model import Parameters, initial
from burstchip.experiments.experiment import Drawing, Tell, read_beside
from burstchip.experiments.rates import Reals
from burstchip.report.style import (
    AFTER,
    BURST,
    EVENT,
    GUIDE,
    INK,
    POPULATIONS,
    TEACHER,
    TEST,
    WIDTH,
    new_figure,
    picture,
    png,
)
from burstchip.tasks.dataset import Dataset

if TYPE_CHECKING:
    import xarray as xr

#: How many images are traced.
TRACED = 2
#: Digits of a power of ten.
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Regression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `regression.yaml`."""

    images: list[int]
    error: list[float]


@lru_cache(maxsize=1)
def regression() -> Regression:
    """The errors of an earlier program."""
    return read_beside(__file__, "regression.yaml", Regression)


def simulate(parameters: Parameters, data: Dataset, seed: int, tell: Tell) -> xr.Dataset:
    """Learn from the training images in their order; the test error, a trace of two images, and totals."""
    report_compiling()
    import xarray as xr

    from burstchip.experiments.ed4_rate_mnist import steps

    images, labels = (it[: parameters.images] for it in (data.train_images, data.train_labels))
    state = initial(parameters, images.shape[1], data.n_classes, seed)
    seen = np.zeros(len(steps.SEEN))
    seen[[steps.P1_LEAST, steps.P2_LEAST]] = np.inf
    each = parameters.prediction_steps + parameters.teacher_steps
    trace = np.full((TRACED * each, len(steps.TRACED)), np.nan)
    # Images of a user's own may be smaller.
    pixel = min(parameters.traced_pixel, images.shape[1] - 1)
    watched = (pixel, parameters.traced_hidden, parameters.traced_class)
    shown: list[int] = []
    errors: list[float] = []

    def learn(part: slice, first_traced: int) -> None:
        steps.learn(  # type: ignore[no-untyped-call, call-arg]
            images[part],
            labels[part],
            *state.arrays,
            parameters.prediction_steps,
            parameters.teacher_steps,
            parameters.step / parameters.tau_average,
            parameters.step / parameters.tau_weights,
            parameters.beta,
            parameters.decay,
            parameters.e_max,
            seen,
            first_traced,
            watched,
            trace,
        )

    def test(done: int) -> None:
        found = steps.classify(data.test_images, state.w1, state.w2, state.n1, state.n2)  # type: ignore[no-untyped-call]
        shown.append(done)
        errors.append(100 * float(np.mean(found != data.test_labels)))

    # Compiles what follows, which is not counted as its time.
    learn(slice(0), steps.NOWHERE)
    test(0)
    begun = perf_counter()
    total = parameters.epochs * len(images)
    tell(0, total)
    for epoch in range(parameters.epochs):
        for first in range(0, len(images), parameters.test_every):
            part = slice(first, min(first + parameters.test_every, len(images)))
            learn(part, parameters.traced_image - first if epoch == 0 else steps.NOWHERE)
            done = epoch * len(images) + part.stop
            if epoch == 0 or part.stop == len(images):
                test(done)
            tell(done, total)
    time = ("time", parameters.step * np.arange(1, len(trace) + 1), {"long_name": "arbitrary units"})
    return xr.Dataset(
        {
            "test_error": ("images", errors, {"units": "%"}),
            **{name: ("time", trace[:, i]) for i, name in enumerate(steps.TRACED)},
            **{name: ((), float(value)) for name, value in zip(steps.SEEN, seen, strict=True)},
            "seconds": ((), perf_counter() - begun, {"units": "s"}),
        },
        coords={"images": shown, "time": time},
        attrs={"hidden": parameters.hidden, "classes": data.n_classes, "window": parameters.step * each}
        | {"taught_from": parameters.step * parameters.prediction_steps},
    )


def measure(found: xr.Dataset) -> Mapping[str, float]:
    """Extremes, shares and errors of one seed; not a number after images that were not shown."""
    seen = {str(name): float(it) for name, it in found.items() if not it.dims}
    units = found.attrs["hidden"] + found.attrs["classes"]
    errors = dict(zip(found["images"].values.tolist(), found["test_error"].values.tolist(), strict=True))
    kept = ("p1_least", "p1_greatest", "p2_least", "p2_greatest", "e1_greatest", "moved_outside")
    return {
        **{name: seen[name] for name in (*kept, "moved_within", "seconds")},
        "target_above": 100 * seen["target_above"] / seen["taught"],
        "others_above": 100 * seen["others_above"] / (seen["taught"] * (found.attrs["classes"] - 1)),
        "hidden_left": 100 * seen["apart_1_last"] / seen["apart_1_first"],
        "classes_left": 100 * seen["apart_2_last"] / seen["apart_2_first"],
        "grew": 100 * seen["grew"] / (seen["predicted"] * units),
        **{f"error_{n}": errors.get(n, float("nan")) for n in regression().images},
        "error_last": float(found["test_error"].values[-1]),
    }


def _windows(axes: Axes, one: xr.Dataset) -> None:
    window, taught = one.attrs["window"], one.attrs["taught_from"]
    for nth in range(TRACED):
        axes.axvspan(nth * window + taught, (nth + 1) * window, color=TEACHER, linewidth=0)
    axes.axvline(window, color=GUIDE, linewidth=0.8)
    axes.set_xlim(0, TRACED * window)


def _rate(axes: Axes, one: xr.Dataset, name: str, label: str) -> None:
    _windows(axes, one)
    axes.plot(one["time"], one[name], color=EVENT)
    axes.set_ylabel(label)


def _weight(axes: Axes, one: xr.Dataset, name: str, label: str) -> None:
    """The change of a weight, which is far smaller than itself."""
    change: Reals = one[name].values - one[name].values[0]
    largest = float(np.max(np.abs(change)))
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    _windows(axes, one)
    axes.plot(one["time"], change * 10.0**-power, color=AFTER)
    axes.set_ylabel(f"change of {label}\n(10{str(power).translate(_RAISED)})")


def _probability(axes: Axes, one: xr.Dataset, name: str, label: str) -> None:
    _windows(axes, one)
    axes.plot(one["time"], one[name], color=BURST, label="now")
    axes.plot(one["time"], one[f"{name}_average"], color=INK, linestyle="--", linewidth=1.2, label="average")
    axes.set_ylabel(label)


def _difference(axes: Axes, one: xr.Dataset, name: str, label: str) -> None:
    _windows(axes, one)
    axes.axhline(0, color=GUIDE, linewidth=0.8)
    axes.plot(one["time"], one[name] - one[f"{name}_average"], color=BURST)
    axes.set_ylabel(label)


def _events(column: Sequence[Axes], one: xr.Dataset) -> None:
    """b: from the class above to the pixel below."""
    _rate(column[0], one, "e2", "e₂, class")
    _weight(column[1], one, "w2", "W₂")
    _rate(column[2], one, "e1", "e₁, hidden")
    _weight(column[3], one, "w1", "W₁")
    column[-1].set_xlabel("time (arbitrary units)")


def _bursts(column: Sequence[Axes], one: xr.Dataset) -> None:
    """c: of the same units."""
    _probability(column[0], one, "p2", "p₂, class")
    column[0].legend(loc="upper right")
    _difference(column[1], one, "p2", "p₂ − p̄₂")
    _probability(column[2], one, "p1", "p₁, hidden")
    _difference(column[3], one, "p1", "p₁ − p̄₁")
    column[-1].set_xlabel("time (arbitrary units)")


def _errors(axes: Axes, all_found: Sequence[xr.Dataset]) -> None:
    images = all_found[0]["images"].values / 1000
    errors = np.asarray([one["test_error"].values for one in all_found])
    for values in errors:
        axes.plot(images, values, color=TEST, linewidth=0.8, alpha=0.3)
    axes.plot(
        images, errors.mean(axis=0), color=TEST, label="mean of the seeds" if len(errors) > 1 else "one seed"
    )
    held = regression()
    axes.plot(
        np.asarray(held.images) / 1000,
        held.error,
        linestyle="none",
        marker="o",
        color=POPULATIONS[2],
        markeredgecolor=INK,
        label="earlier program, one seed",
    )
    axes.set_ylim(0, 100)
    if images[-1] > 2 * held.images[-1] / 1000:
        # Later epochs change little.
        axes.set_xscale("log", nonpositive="mask")
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.set_xlabel("images shown (thousands)")
    axes.set_ylabel("static test error (%)")
    axes.legend(loc="upper right")


def draw(all_found: Sequence[xr.Dataset]) -> Drawing:
    """Two consecutive images of epoch 1 with the first seed, and the errors of all seeds."""
    one = all_found[0]
    mean = np.mean([it["test_error"].values for it in all_found], axis=0)
    shown = int(one["images"].values[-1])
    window = f"{one.attrs['window']:g}"
    seen = {
        "events": (
            f"Within {window} units of time rates settle at once; weights change in the shaded windows "
            f"of the teacher alone, W₂ by {_moved(one, 'w2'):.2g} in all and W₁ by {_moved(one, 'w1'):.2g}."
        ),
        "bursts": (
            "In the windows of the teacher p₂ jumps, up where the class is the right one and down where it "
            "is not, and p₁ follows a little; before and after p and its average approach each other."
        ),
        "errors": f"From {mean[0]:.0f} % the error falls to {mean[-1]:.1f} % after {shown:,} images.",
    }
    titles = {
        "events": "b  events and weights of two images",
        "bursts": "c  burst probabilities of two images",
        "errors": "test error while it learns",
    }
    captions = {
        "events": "Shaded: the teacher. One class, one hidden unit, the weights to them; first seed.",
        "bursts": "Shaded: the teacher. Dashed: the running average.",
        "errors": "Forward passes of all test images.",
    }
    pictures = []
    for name, title in titles.items():
        figure = new_figure(WIDTH, 3.4 if name == "errors" else 6.4)
        if name == "errors":
            _errors(figure.subplots(), all_found)
        else:
            column = figure.subplots(4, 1, sharex=True)
            (_events if name == "events" else _bursts)(column, one)
            figure.align_ylabels(column)
        pictures.append(picture(figure, name, title, captions[name], seen[name]))
    whole = new_figure(2 * WIDTH, 6.4)
    engine = whole.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=0.12)
    grid = whole.add_gridspec(4, 3, width_ratios=(1, 1, 1.1))
    for place, (name, title) in enumerate(titles.items()):
        if name == "errors":
            axes = whole.add_subplot(grid[:, place])
            _errors(axes, all_found)
            axes.set_title(title)
            continue
        first = whole.add_subplot(grid[0, place])
        column = [first, *(whole.add_subplot(grid[row, place], sharex=first) for row in range(1, 4))]
        for upper in column[:-1]:
            upper.tick_params(labelbottom=False)
        (_events if name == "events" else _bursts)(column, one)
        whole.align_ylabels(column)
        first.set_title(title)
    return Drawing(tuple(pictures), png(whole))


def _moved(one: xr.Dataset, name: str) -> float:
    values: Reals = one[name].values
    return float(abs(values[-1] - values[0]))
