"""The compiled learning engines against the specification, integer by integer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn.rules import rules
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numba import njit

from burstchip.backends.sim.code.columns import by_column
from burstchip.backends.sim.code.engine_plan import plan, scales
from burstchip.backends.sim.code.engine_source import engine_source
from hw_models.plasticity.carry import Rounding
from hw_models.plasticity.engine_numpy import (
    DELAY_RANGE,
    TAG_RANGE,
    WEIGHT_RANGES,
    EpochTraces,
    SignMode,
    SynapticVariables,
    learn,
)
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.rule import LearningRule, SumOfProducts
from hw_models.program.random import at, row

Kernel = Callable[..., int]
BY_PLACE = {"dw": "y0*2^-3*x1*(y2+7) - x0*2^-3*y1", "dt": "2^2*y0*x0*(x1-20)*(y2+7)"}
BURST_BY_EVENT = {"dw": "u0*2^-6*x1*y1 + x0*2^-4*x2*y3"}
BURST = {"dt": "u0*2^-4*x1*y1 - u0*t*y2", "dw": "u0*2^-6*t*y2"}


def compiled(rule: LearningRule, **options: Any) -> Kernel:
    names: dict[str, Any] = {}
    exec(engine_source(rule, **options), names)
    return njit(nogil=True, error_model="numpy")(names["learn"])  # type: ignore[no-any-return]


def lowest_tags(t: Any, indptr: Any | None = None) -> Any:
    """The lesser of 0 and the least tag of each row, of a matrix or of the rows that `indptr` bounds."""
    if indptr is None:
        return np.asarray(t.min(axis=1, initial=0), dtype=np.int16)
    lowest = np.zeros(len(indptr) - 1, dtype=np.int16)
    np.minimum.at(lowest, np.repeat(np.arange(len(lowest)), np.diff(indptr)), t)
    return lowest


def extreme(random: np.random.Generator, low: int, high: int, shape: tuple[int, ...]) -> Any:
    """Random integers with many at the ends of their range and at zero."""
    values = random.integers(low, high, shape, endpoint=True)
    ends = random.choice([low, low + 1, 0, min(high, 1), high], shape)
    return np.where(random.random(shape) < random.choice([0, 0.2, 0.7]), np.clip(ends, low, high), values)


def random_epoch(random: np.random.Generator, pre: int, post: int) -> EpochTraces:
    """Traces of an epoch of up to 4 steps; sometimes whole sides are silent."""
    places = int(random.integers(2, 6))
    x = extreme(random, 0, 127, (places, 2, pre)) * (random.random((1, 1, pre)) < random.choice([1, 0.5, 0]))
    most = int(random.choice([127, 40, 10**6]))
    y = extreme(random, -most - 1, most, (places, 3, post)) * random.integers(0, 2, (1, 3, 1))
    tx, ty = random.integers(0, places, pre), random.integers(0, places, post)
    return EpochTraces(x, y, tx * random.integers(0, 2), ty * random.integers(0, 2))


def at_other_rates(rule: LearningRule, random: np.random.Generator) -> LearningRule:
    """The rule with other exponents: the same code, since they are arguments."""

    def changed(change: SumOfProducts) -> SumOfProducts:
        products = (replace(p, exponent=int(random.integers(-7, 9))) for p in change.products)
        return replace(change, products=tuple(products))

    return LearningRule(**{change.target: changed(change) for change in rule.sums})


def compare(
    rule: LearningRule,
    kernel: Kernel,
    random: np.random.Generator,
    storage: str,
    rounding: Rounding,
    *,
    columns: bool = False,
) -> None:
    """A few learning epochs in a row, so that what the kernel keeps is put to the test, too."""
    pre, post = int(random.integers(1, 9)), int(random.choice([1, 5, 31, 32, 33, 64, 70]))
    sign_mode: SignMode = random.choice(["mixed", "excitatory", "inhibitory"])
    w = extreme(random, *WEIGHT_RANGES[sign_mode], (pre, post))
    t, d = extreme(random, *TAG_RANGE, (pre, post)), extreme(random, *DELAY_RANGE, (pre, post))
    present = np.ones((pre, post), bool) if storage == "dense" else random.random((pre, post)) < 0.4
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    posts = np.nonzero(present)[1].astype(np.int32)
    ours = [np.ascontiguousarray(v[present] if storage == "csr" else v, dtype=np.int16) for v in (w, t, d)]
    layout: tuple[Any, ...] = (indptr, posts) if storage == "csr" else ()
    if columns:
        layout += by_column(indptr, posts, post)
    lowest = lowest_tags(ours[1], *layout[:1])
    expected = SynapticVariables(w, t, d)
    for epoch in range(1, 5):
        traces = random_epoch(random, pre, post)
        if columns and random.random() < 0.8:
            # Of few columns anything is to be learned.
            traces.y[:] *= random.random((1, 1, post)) < 0.04
        if rounding == "lava":
            draws: Any = int(random.choice([0, 127, random.integers(128)]))
            draw: Any = draws
        else:
            draw = np.uint32(random.integers(2**32))
            draws = at(row(draw, np.arange(pre))[:, None], np.arange(post)[None, :]).astype(np.int64) >> 25
        number = epoch if random.random() < 0.3 else 512 * epoch
        expected = learn(rule, expected, traces, number, draws, sign_mode)
        x, y = traces.x.astype(np.int32), np.clip(traces.y, -(2**31), 2**31 - 1).astype(np.int32)
        holds_u = rule.holds_u(number)
        times = (traces.tx, traces.ty, holds_u, scales(rule))
        kernel(*layout, *ours, lowest, x, y, *times, draw, *WEIGHT_RANGES[sign_mode])
        for name, got in zip("wtd", ours, strict=True):
            want = getattr(expected, name)
            want = want[present] if storage == "csr" else want
            assert np.array_equal(got, want), f"{name} after epoch {epoch}"
        assert np.all(lowest <= lowest_tags(ours[1], *layout[:1]))


# Every step of shrinking would compile, so a failing rule is shown as it was found.
without_shrinking = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)


def compare_random_rule(data: st.DataObject) -> None:
    """Compiling takes seconds, running does not: many states for each rule."""
    rule = data.draw(rules())
    storage = data.draw(st.sampled_from(["dense", "csr"]))
    rounding: Rounding = data.draw(st.sampled_from(["lava", "per_synapse"]))
    kernel = compiled(rule, storage=storage, rounding=rounding)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for _ in range(60):
        compare(rule, kernel, random, storage, rounding)


@pytest.mark.once
@settings(without_shrinking, max_examples=3)
@given(data=st.data())
def test_random_rules(data: st.DataObject) -> None:
    compare_random_rule(data)


@pytest.mark.slow
@pytest.mark.once
@settings(without_shrinking, max_examples=3)
@given(data=st.data())
def test_many_random_rules(data: st.DataObject) -> None:
    compare_random_rule(data)


@pytest.mark.once
@pytest.mark.parametrize(
    ("texts", "storage", "rounding"),
    [
        (BURST, "dense", "lava"),
        (BURST, "dense", "per_synapse"),
        (BURST, "csr", "per_synapse"),
        (BY_PLACE, "dense", "per_synapse"),
        (BY_PLACE, "csr", "lava"),
    ],
)
def test_chosen_rules(texts: dict[str, str], storage: str, rounding: Rounding) -> None:
    """The burst rule, whose tags gather in 16-bit lanes, and one that reads traces at both sides' spikes."""
    rule = learning_rule(**texts)
    kernel = compiled(rule, storage=storage, rounding=rounding)
    random = np.random.default_rng(0)
    for number in range(200):
        compare(at_other_rates(rule, random) if number % 2 else rule, kernel, random, storage, rounding)


@pytest.mark.once
@pytest.mark.parametrize(
    ("texts", "rounding"),
    [
        (BURST_BY_EVENT, "lava"),
        ({"dw": "y0*2^-3*y1 + x0*2^-2*x2*y3*w", "dd": "u0*2^-2*x1*y2*d"}, "per_synapse"),
    ],
)
def test_columns(texts: dict[str, str], rounding: Rounding) -> None:
    """Rules of which most columns learn nothing in most rows."""
    rule = learning_rule(**texts)
    assert plan(rule).of_columns
    kernel = compiled(rule, storage="csr", rounding=rounding, columns=True)
    random = np.random.default_rng(0)
    for number in range(300):
        changed = at_other_rates(rule, random) if number % 2 else rule
        compare(changed, kernel, random, "csr", rounding, columns=True)


@pytest.mark.once
def test_columns_in_reals() -> None:
    """What is learned does not depend on whether columns or rows are gone through."""
    rule = learning_rule(**BURST_BY_EVENT)
    options: Any = {"storage": "csr", "rounding": "lava", "real": True}
    by_row, of_columns = (compiled(rule, **options, columns=columns) for columns in (False, True))
    random = np.random.default_rng(2)
    for _ in range(100):
        pre, post = int(random.integers(1, 30)), int(random.choice([1, 33, 70]))
        present = random.random((pre, post)) < 0.4
        indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
        posts = np.nonzero(present)[1].astype(np.int32)
        w, empty, lowest = random.random(len(posts)), np.zeros(0), np.zeros(pre, np.int16)
        traces = random_epoch(random, pre, post)
        y = traces.y * (random.random((1, 1, post)) < 0.04)
        given = (traces.x.astype(np.float64), y.astype(np.float64), traces.tx, traces.ty, True)
        rates, found = (2.0**-20, 2.0**-18), []
        for kernel, lists in ((by_row, ()), (of_columns, by_column(indptr, posts, post))):
            mine = w.copy()
            kernel(indptr, posts, *lists, mine, empty, empty, lowest, *given, rates, 0, -256.0, 255.0)
            found.append(mine)
        assert np.array_equal(*found)


def test_whole_weights_in_reals() -> None:
    """Weights of real numbers are rounded at random to the whole numbers beside them."""
    rule = learning_rule(dw="u0*x1*y1")
    kernel = compiled(rule, storage="dense", rounding="per_synapse", real=True, whole=True)
    pre, post = 40, 50
    x, y = np.full((1, 2, pre), 3.0), np.full((1, 3, post), 1.0)
    empty, times = np.zeros((0, 0)), (np.zeros(pre, np.int64), np.zeros(post, np.int64), True)
    w = np.full((100, pre, post), 7.0)
    for number, mine in enumerate(w):
        draw = np.uint32(number * 77)
        kernel(mine, empty, empty, np.zeros(pre, np.int16), x, y, *times, (0.1,), draw, -256.0, 255.0)
    assert set(np.unique(w)) == {7.0, 8.0}
    # Of an 8 with a chance of 0.3, five times the standard deviation of the mean.
    assert abs(np.mean(w) - 7.3) < 5 * np.sqrt(0.3 * 0.7 / w.size)


@pytest.mark.parametrize("texts", [BURST, {"dw": "u0*2^-3*x1"}, {"dw": "y0*2^-3*x1"}, {"dw": "x0*2^-3*y1"}])
def test_rules_that_need_all_rows(texts: dict[str, str]) -> None:
    assert not plan(learning_rule(**texts)).of_columns


def test_rates_are_no_part_of_the_text() -> None:
    rule = learning_rule(**BURST)
    other = at_other_rates(rule, np.random.default_rng(0))
    assert other != rule
    options: Any = {"storage": "dense", "rounding": "lava"}
    for real in (False, True):
        assert engine_source(other, **options, real=real) == engine_source(rule, **options, real=real)


@pytest.mark.parametrize("rounding", ["lava", "per_synapse"])
def test_tags_at_their_lower_end(rounding: Rounding) -> None:
    """Rows without any activity, tags around -257, and draws that leave them there."""
    rule = learning_rule(dt="u0*2^-4*x1*y1")
    kernel = compiled(rule, storage="dense", rounding=rounding)
    random = np.random.default_rng(1)
    for _ in range(300):
        t = random.integers(-257, -250, (3, 40))
        expected = SynapticVariables(np.zeros_like(t), t, np.zeros_like(t))
        ours = t.astype(np.int16)
        lowest = lowest_tags(ours)
        empty = np.zeros((0, 0), np.int16)
        for _ in range(4):
            x = np.zeros((1, 2, 3), np.int64)
            x[0, 0] = random.integers(0, 4, 3) * random.integers(0, 2)
            y = np.zeros((1, 3, 40), np.int64)
            y[0, 0] = random.integers(-128, 128, 40)
            traces = EpochTraces(x, y, np.zeros(3, np.int64), np.zeros(40, np.int64))
            draws: Any = int(random.choice([126, 127]))
            draw: Any = draws
            if rounding == "per_synapse":
                draw = np.uint32(random.integers(2**32))
                draws = at(row(draw, np.arange(3))[:, None], np.arange(40)[None, :]).astype(np.int64) >> 25
            expected = learn(rule, expected, traces, 1, draws)
            arrays = (x.astype(np.int32), y.astype(np.int32), traces.tx, traces.ty)
            kernel(empty, ours, empty, lowest, *arrays, True, scales(rule), draw, -256, 255)
            assert np.array_equal(ours, expected.t)


def test_rows_that_learn_nothing_are_not_visited() -> None:
    rule = learning_rule(**BURST)
    kernel = compiled(rule, storage="dense", rounding="lava")
    w, t = np.zeros((4, 10), np.int16), np.zeros((4, 10), np.int16)
    x, y = np.zeros((1, 2, 4), np.int32), np.zeros((1, 3, 10), np.int32)
    tx, ty = np.zeros(4, np.int32), np.zeros(10, np.int32)

    def visited() -> int:
        return kernel(w, t, w, lowest_tags(t), x, y, tx, ty, True, scales(rule), 0, -256, 255)

    x[0, 0, 2] = 7
    assert visited() == 0
    y[0, 0, 3] = -5
    assert visited() == 10
    y[0, 1] = 32
    assert visited() == 40


@pytest.mark.parametrize("storage", ["dense", "csr"])
def test_real(storage: str) -> None:
    """Without rounding the same products, each with the gain of the integers."""
    rule = learning_rule(dw="u0*2^-6*t*y2 + 3*x0*y1*sgn(w)", dt="u0*2^-4*x1*y1 - u0*t*y2", dd="y0*(x2-3)")
    kernel = compiled(rule, storage=storage, rounding="lava", real=True)
    gains = tuple(product.gain for product in rule.products)
    w, t, d = np.array([[10.5, -4.0]]), np.array([[64.0, 1.5]]), np.array([[3.0, 250.0]])
    x = np.array([[[5.0], [9.0]], [[6.5], [8.0]]])
    y = np.array([[[0.0, 0.0]] * 3, [[12.0, -8.0], [32.0, 16.0], [0.0, 0.0]]])
    places = (np.array([1]), np.array([0, 1]))
    arrays = [w.copy(), t.copy(), d.copy()]
    flat = [a.ravel() for a in arrays] if storage == "csr" else arrays
    layout = (np.array([0, 2]), np.array([0, 1])) if storage == "csr" else ()
    kernel(*layout, *flat, np.zeros(1, np.int16), x, y, *places, True, gains, 0, -256.0, 255.0)
    dw = w + 2.0**-11 * t * y[1, 1] + 3 * y[1, 0] * np.sign(w) / 2**5
    dt = t + 2.0**-7 * 6.5 * y[1, 0] - 2.0**-5 * t * y[1, 1]
    assert np.allclose(arrays[0], dw, rtol=1e-15)
    assert np.allclose(arrays[1], dt, rtol=1e-15)
    assert np.allclose(arrays[2], [[3.0, 255.0]], rtol=1e-15)


def really(rule: LearningRule, old: dict[str, Any], traces: EpochTraces, holds_u: bool) -> dict[str, Any]:
    """The products in real numbers, synapse by synapse."""
    new = {name: values.copy() for name, values in old.items()}

    def value(name: str, condition: str, j: int, i: int) -> float:
        if name in old:
            return float(old[name][j, i])
        if name in ("x0", "y0"):
            return float((traces.tx[j] if name == "x0" else traces.ty[i]) > 0)
        place = {"x0": traces.tx[j], "y0": traces.ty[i]}.get(condition, -1)
        return float(
            traces.x[place, int(name[1]) - 1, j] if name[0] == "x" else traces.y[place, int(name[1]) - 1, i]
        )

    for j, i in np.ndindex(old["w"].shape):
        for change in rule.sums:
            total = 0.0
            for product in change.products:
                held = {"x0": traces.tx[j] > 0, "y0": traces.ty[i] > 0}.get(product.condition, holds_u)
                factors = [value(f.variable, product.condition, j, i) + f.constant for f in product.factors]
                signs = [f.kind.startswith("sgn") for f in product.factors]
                values = [np.sign(v) if sign else v for v, sign in zip(factors, signs, strict=True)]
                total += product.gain * float(np.prod(values)) if held else 0.0
            name = change.target[1]
            new[name][j, i] += total
    new["w"] = np.clip(new["w"], -256.0, 255.0)
    new["d"] = np.clip(new["d"], *DELAY_RANGE)
    return new


@pytest.mark.parametrize("storage", ["dense", "csr"])
@pytest.mark.parametrize(
    "texts",
    [
        {"dw": "u1*2^-4*x1*y1 + x0*2^-2*x2*y3"},
        {"dw": "y0*2^-3*x1*y2", "dt": "x0*y1*2^-2"},
        {"dw": "u0*2^-6*t*y2 - x0*2^-3*sgn(t-3)", "dt": "u0*2^-4*x1*y1 - u0*t*y2"},
    ],
    ids=lambda it: str(it["dw"]),
)
def test_in_real_numbers_what_learns_nothing_is_left_out(texts: dict[str, str], storage: str) -> None:
    """One, some or all of 48 neurons teach, sources are silent or not: the same as with every synapse."""
    rule = learning_rule(**texts)
    kernel = compiled(rule, storage=storage, rounding="lava", real=True)
    gains = tuple(product.gain for product in rule.products)
    random = np.random.default_rng(7)
    pre, post = 5, 48
    for teaching, speaking in ((0, 5), (1, 5), (2, 0), (2, 3), (10, 5), (48, 5)):
        old = {name: random.uniform(0, 200, (pre, post)) for name in "wtd"}
        present = random.random((pre, post)) < (1.0 if storage == "dense" else 0.4)
        x = random.uniform(0, 60, (3, 2, pre)) * (np.arange(pre) < speaking)
        y = random.uniform(-60, 60, (3, 3, post)) * random.permutation(np.arange(post) < teaching)
        tx, ty = random.integers(0, 3, pre), random.integers(0, 3, post)
        traces = EpochTraces(x, y, tx, ty)
        for holds_u in (True, False):
            if storage == "csr":
                layout: tuple[Any, ...] = (
                    np.concatenate([[0], np.cumsum(present.sum(axis=1))]),
                    np.nonzero(present)[1].astype(np.int32),
                )
                arrays = [old[name][present] for name in "wtd"]
            else:
                layout, arrays = (), [old[name].copy() for name in "wtd"]
            ends = (holds_u, gains, 0, -256.0, 255.0)
            seen = kernel(*layout, *arrays, np.zeros(pre, np.int16), x, y, tx, ty, *ends)
            wanted = really(rule, old, traces, holds_u)
            for name, got in zip("wtd", arrays, strict=True):
                expected = wanted[name][present] if storage == "csr" else wanted[name]
                np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-9)
            if teaching < 3 and all(product.has_z for product in plan(rule).products):
                assert seen <= teaching * pre
