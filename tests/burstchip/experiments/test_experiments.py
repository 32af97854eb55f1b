"""The experiments: what they say of themselves, and what they measure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_file, record
from burstchip.compilation import check_file
from burstchip.experiments.checked import Checked
from burstchip.experiments.ed5_gain_control import measure as ed5_gain_control
from burstchip.experiments.experiment import (
    PUBLISHED,
    Check,
    Description,
    Experiment,
    Runs,
    describe,
    experiment,
    names,
)
from burstchip.experiments.fig2_dendritic_steering import measure as fig2_dendritic_steering
from burstchip.experiments.fig2_pairing import measure as fig2_pairing
from burstchip.experiments.page import measured, render
from burstchip.experiments.rates import Rates, count_rates
from burstchip.experiments.running import Outcome, step_of
from burstchip.report.style import figure_style
from hw_models.diagnostics import BurstchipError
from hw_models.program.random import key

#: So few neurons that a test may run it; nothing can be expected of them.
SMALL = {
    "fig3_multiplexing": {"size": "40", "interneurons": "10"},
    "ed5_gain_control": {"size": "40", "interneurons": "10", "sources": "250"},
    "fig2_pairing": {},
    "fig2_dendritic_steering": {"pool": "500"},
    "s10_normalization": {"size": "40", "pool": "250"},
}


def drawn_rates(seed: int = 0) -> Rates:
    """Rates of a few Hz with noise, of figure 3's populations."""
    draw = np.random.default_rng(seed)
    times = (np.arange(60) + 0.5) * 0.05
    events = {name: 5 + draw.uniform(-1, 1, 60) for name in ("lower", "higher", "pv", "som")}
    return Rates(times, events, {name: 1 + draw.uniform(-0.5, 0.5, 60) for name in ("lower", "higher")})


@pytest.fixture(params=[name for name in names() if isinstance(describe(name), Description)])
def one(request: pytest.FixtureRequest) -> Experiment:
    return experiment(request.param)


def drawn_runs(one: Experiment) -> Runs:
    """Rates for every variant; of populations that no experiment measures, too."""
    found = {}
    for seed, name in enumerate(one.description.variants):
        draw = np.random.default_rng(seed)
        times = (np.arange(480) + 0.5) * 0.025
        rising = np.repeat(np.linspace(0.01, 1, 12), 40)
        names = ("lower", "higher", "pv", "som", "pyramids", "before", "after")
        events = {it: 5 + draw.uniform(-1, 1, 480) for it in names}
        means = {"learned.w": 0.08 + draw.uniform(-0.01, 0.01, 480), "after.P": rising}
        ends = {"learned.w": draw.uniform(-1, 1, 400 if name == "periodic" else 200)}
        found[name] = Rates(times, events, {it: rising * rate for it, rate in events.items()}, means, ends)
    return found


def test_each_network_compiles_at_its_steps(one: Experiment, tmp_path: Path) -> None:
    small = SMALL[one.name]
    for step, target in (
        (one.description.step, "none"),
        (one.description.integer_step, "loihi2"),
        (1.0, "loihi2"),
    ):
        given = {"step": f"{step} ms", "target": target, **one.settings(step), **small}
        files = one.inputs(next(iter(one.description.variants)), step, 1, tmp_path)
        found = check_file(one.network, {**given, **files}, 1)
        assert found.code is not None, "\n".join(map(str, found.diagnostics))
        if target == "none":
            assert not found.diagnostics, "\n".join(map(str, found.diagnostics))


def test_what_is_checked_is_measured(one: Experiment) -> None:
    found = one.measure(drawn_runs(one))
    checks = one.description.checks
    assert {it.quantity for it in checks} <= set(found)
    assert all(it.at_least is not None or it.at_most is not None for it in checks)
    # What was published is accepted.
    assert all(it.published is None or it.passes(it.published) for it in checks)


def test_the_authors_own_series_pass(authors_series: Path) -> None:
    """Five seeds of their simulation at the published settings, measured as ours are."""
    one = experiment("fig3_multiplexing")
    with np.load(authors_series / "fig3_propagation.npz") as series:
        found = []
        for seed in range(5):
            events = {"lower": "ER1", "higher": "ER2", "pv": "PV", "som": "SOM"}
            rates = Rates(
                series["t"],
                {name: series[f"pub_{key}"][seed] for name, key in events.items()},
                {name: series[f"pub_{key}"][seed] for name, key in {"lower": "BR1", "higher": "BR2"}.items()},
            )
            found.append(one.measure({PUBLISHED: rates}))
    for check in one.description.checks:
        assert check.passes(float(np.mean([it[check.quantity] for it in found]))), check.quantity


def test_messages_that_arrive_and_those_that_do_not() -> None:
    one, rates = experiment("fig3_multiplexing"), drawn_rates()
    found = one.measure({PUBLISHED: rates})
    assert max(abs(found[name]) for name in found if name.endswith(("current", "events", "bursts"))) < 0.5
    somatic = 5 + 2 * np.sin(2 * np.pi * rates.times / 0.5)
    follows = replace(rates, events={**rates.events, "lower": somatic, "higher": 2 * somatic})
    found = one.measure({PUBLISHED: follows})
    assert found["lower_events_current"] == pytest.approx(1)
    assert found["higher_events_lower_events"] == pytest.approx(1)


def test_the_authors_curves_of_gain_control(authors_series: Path) -> None:
    """What the experiment holds of them is theirs, and passes every check."""
    theirs = {"published": "ref", "no_feedback": "w0", "half_feedback": "w0005", "vip_50": "vip50"}
    theirs |= {"vip_100": "vip100", "release_015": "u015", "release_025": "u025"}
    theirs |= {"plateau_1300": "gd1300", "plateau_1400": "gd1400"}
    held = ed5_gain_control.published()
    with np.load(authors_series / "ed5_dendritic_transfer.npz") as series:
        assert held.current_pa == series["I_d_pA"].tolist()
        assert set(held.curves) == set(theirs)
        for name, key in theirs.items():
            assert held.curves[name] == pytest.approx(100 * series[key][:, 2], abs=0.051)
    found = ed5_gain_control.measured({name: np.asarray(it) for name, it in held.curves.items()})
    for check in experiment("ed5_gain_control").description.checks:
        assert check.passes(found[check.quantity])
        assert found[check.quantity] == pytest.approx(check.published, rel=0.02, abs=0.01)


def test_a_curve_is_made_of_second_halves() -> None:
    """The first half of each second, in which the circuit settles, does not count."""
    times = (np.arange(480) + 0.5) * 0.025
    settled = np.tile(np.repeat([0.0, 1.0], 20), 12)
    level = np.repeat(np.linspace(0, 1, 12), 40)
    rates = Rates(times, {"pyramids": np.full(480, 4.0)}, {"pyramids": 4.0 * settled * level})
    assert ed5_gain_control.curve(rates) == pytest.approx(100 * np.linspace(0, 1, 12))


def test_the_authors_pairing_protocols(authors_series: Path) -> None:
    """What the experiment holds of them is theirs, and passes every check."""
    held = fig2_pairing.published()
    theirs = {"periodic": "periodic_w", "poisson_30": "poisson_w30", "poisson_50": "poisson_w50"}
    theirs |= {"bursts_5": "bp_w5", "bursts_10": "bp_w10"}
    curves = {name: np.asarray(getattr(held, name)) for name in theirs}
    with np.load(authors_series / "pairing_protocols.npz") as series:
        for name, key in theirs.items():
            np.testing.assert_allclose(curves[name], series[key], atol=6e-5)
        np.testing.assert_allclose(fig2_pairing.FREQUENCIES, series["periodic_f"])
        np.testing.assert_allclose(fig2_pairing.RATES, series["poisson_rates"])
        np.testing.assert_allclose(fig2_pairing.PROBABILITIES, series["bp_p"])
    found = fig2_pairing.measured(curves)
    for check in experiment("fig2_pairing").description.checks:
        assert check.passes(found[check.quantity]), check.quantity
        assert found[check.quantity] == pytest.approx(check.published, rel=0.03, abs=0.05), check.quantity


def test_the_authors_steering(authors_series: Path) -> None:
    """What the experiment holds is theirs, and passes every check; each seed of theirs is measured alike."""
    held, ends = fig2_dendritic_steering.published(), slice(1, None)
    with np.load(authors_series / "fig2_rule.npz") as series:
        theirs = {
            name: np.asarray(series[name])[:, ends] for name in ("post_ER", "post_BR", "pre_ER", "pre_BR")
        }
        weight = np.asarray(series["w_mean"])[:, ends]
        usual = 100 * series["Bbar50"].mean(0)[ends] / series["Ebar50"].mean(0)[ends]
    mine = (held.event_rate, held.burst_rate, held.event_rate_before, held.burst_rate_before)
    for found, rates in zip(mine, theirs.values(), strict=True):
        np.testing.assert_allclose(found, rates.mean(0), rtol=1e-3)
    np.testing.assert_allclose(held.weight, weight.mean(0), rtol=1e-3)
    np.testing.assert_allclose(held.usual, usual, rtol=1e-3)
    one = experiment("fig2_dendritic_steering")
    found = fig2_dendritic_steering.measured(fig2_dendritic_steering.theirs())
    for check in one.description.checks:
        assert check.passes(found[check.quantity]), check.quantity
        assert found[check.quantity] == pytest.approx(check.published, abs=0.06), check.quantity
    times = 2.5 * (np.arange(67) + 0.5)
    seeds = []
    for seed in range(5):
        rates = Rates(
            times,
            {"after": theirs["post_ER"][seed], "before": theirs["pre_ER"][seed]},
            {"after": theirs["post_BR"][seed], "before": theirs["pre_BR"][seed]},
            {"learned.w": weight[seed], "after.P": usual / 100},
        )
        seeds.append(one.measure({PUBLISHED: rates}))
    for name in ("events_45", "weight_45", "before_probability"):
        assert np.mean([it[name] for it in seeds]) == pytest.approx(found[name], rel=0.02)


@pytest.mark.parametrize("step", [0.1, 0.5, 1.0])
def test_a_burst_adds_the_learning_rate_at_any_step(step: float, tmp_path: Path) -> None:
    """Increment, rule and the unit of weights make 0.35 % of the leak, 1 % more as all weights are."""
    one = experiment("fig2_dendritic_steering")
    given = {"step": f"{step} ms", "target": "none", **one.settings(step), **SMALL[one.name]}
    found = check_file(one.network, {**given, **one.inputs(PUBLISHED, step, 1, tmp_path)}, 1)
    assert found.code is not None
    projection = found.code.projection("learned")
    assert projection.learning is not None
    gain = projection.learning.rule.products[0].gain
    added = gain * 64 * projection.learning.traces[0].real_increment * projection.event_unit
    assert added == pytest.approx(0.0035 * 1.01, rel=1e-9)


def test_imposed_trains() -> None:
    """Their rates, dead times and burst probabilities over 2000 s; b pairs in sequences 11 s apart."""
    times = fig2_pairing.periodic(50.0)
    assert len(times) == 75
    assert times[:6] == pytest.approx([10, 30, 50, 70, 90, 10 + 100 + 11000])
    for rate in (1.0, 20.0, 50.0):
        trains = [fig2_pairing.poisson(rate, key(3, 0, i)) for i in range(20)]
        assert sum(map(len, trains)) == pytest.approx(2000 * rate, rel=4 / np.sqrt(2000 * rate))
        assert min(np.diff(train).min() for train in trains) >= 2.0
    trains = [fig2_pairing.bursting(10.0, 0.3, key(3, 1, i)) for i in range(20)]
    gaps = np.concatenate([np.diff([-1e9, *train]) for train in trains])
    events, bursts = np.sum(gaps > 16), np.sum(gaps <= 16)
    assert bursts / events == pytest.approx(0.3, abs=0.02)
    # The second spikes take their time, which the authors' trains lack too.
    assert events == pytest.approx(2000 * 10 / (1 + 10 * 0.3 * 0.007), rel=0.03)
    assert gaps[gaps <= 16].min() >= 2.0 and gaps[gaps <= 16].max() <= 12.0
    assert gaps[gaps > 16].min() >= 20.0


def test_what_is_watched(tmp_path: Path) -> None:
    """Means and ends in the units of the network's file: mV, Hz, and multiples of the leak."""
    text = """burstchip: 1
name: watched
step: 0.5 ms
populations:
  noise: {model: poisson_source, size: 7, rate: 100 Hz}
  cells: {model: pyramidal, size: 7, tau_average: 1 s, initial: {E: 5 Hz, P: 20 %}}
plasticity:
  rule: {every: 0.5 ms, trace: {name: x1, tau: 50 ms, increment: 16}, dw: u0*2^-2*x1*y1}
projections:
  - {name: learned, from: noise, to: cells.soma_exc, weight: 0.5 leak, limit: 1 leak, learn: rule}
"""
    (tmp_path / "net.yaml").write_text(text)
    code = compile_file(tmp_path / "net.yaml")[0]
    rates = count_rates(code, "sim", 3, 2, None, ("cells.v", "cells.E", "cells.P", "learned.w"))
    assert rates.ends["learned.w"].shape == (49,)
    np.testing.assert_allclose(rates.ends["learned.w"], 0.5, rtol=0.01)
    assert rates.means["cells.v"][0] == pytest.approx(-70, abs=3)
    assert rates.means["cells.E"][-1] == pytest.approx(5 * np.exp(-0.003), rel=1e-3)
    assert rates.means["cells.P"].tolist() == pytest.approx([0.2] * 3, rel=1e-3)
    with pytest.raises(BurstchipError, match="BC605"):
        count_rates(code, "sim", 1, 2, None, ("cells.mood",))


def test_the_page_says_what_keeps_integers_from_a_check() -> None:
    one = experiment("fig2_pairing")
    runs = drawn_runs(one)
    checks = tuple(Checked(it, (it.published + 50,)) for it in one.description.checks)
    with figure_style():
        drawing = one.draw([runs])
    for backend, said in (("sim", True), ("reference", False)):
        outcome = Outcome(one, backend, 0.5, (1,), ("0" * 64,), (runs,), ({},), checks, drawing, ())
        assert ("one over 200 is up to 4 % off" in render(outcome, "command")) == said


@pytest.mark.parametrize(
    ("check", "value", "passes"),
    [
        (Check("a", "a", 1.0, at_least=0.9), 0.9, True),
        (Check("a", "a", 1.0, at_least=0.9), 0.89, False),
        (Check("a", "a", 1.0, at_most=2.0), 2.1, False),
        (Check("a", "a", 1.0, at_least=0.5, at_most=2.0), 1.0, True),
        (Check("a", "a", 1.0, at_least=0.5), float("nan"), False),
        (Check("a", "a", 1.0, at_least=0.5), float("inf"), True),
    ],
)
def test_a_check(check: Check, value: float, passes: bool) -> None:
    assert check.passes(value) == passes


def test_means_and_spreads() -> None:
    of_three = Checked(Check("a", "a", 1.0, "Hz", at_least=2.0), (1.0, 2.0, 3.0))
    assert (of_three.mean, of_three.spread, of_three.passes) == (2.0, 1.0, True)
    assert measured(of_three) == "2 ± 1 Hz"
    assert (of_three.check.found, Check("a", "a", at_least=2.0).found) == ("1 Hz", "–")
    assert Checked(of_three.check, (-0.2387, -0.2387, -0.2387)).spread == 0
    assert measured(Checked(Check("a", "a", 1.0, "%", at_least=2.0), (1.25,))) == "1.25 %"


def test_rates_are_those_of_a_recording(tmp_path: Path) -> None:
    text = """burstchip: 1
name: counted
step: 0.5 ms
populations:
  noise: {model: poisson_source, size: 7, rate: 100 Hz}
  cells: {model: pyramidal, size: 7, bias: 700 pA, dendrite_bias: 250 pA}
projections:
  - {from: noise, to: cells.soma_exc, weight: 0.5 leak, connectivity: one_to_one}
"""
    (tmp_path / "net.yaml").write_text(text)
    code = compile_file(tmp_path / "net.yaml")[0]
    seen: list[int] = []
    rates = count_rates(code, "plain", 4, 100, seen.append)
    found = record(code, 400, ["cells.events", "cells.bursts", "noise.events"], backend="plain").values
    binned = {name: values.reshape(4, 100, 7).sum((1, 2)) / 7 / 0.05 for name, values in found.items()}
    assert seen == [1, 2, 3, 4]
    assert rates.times.tolist() == pytest.approx([0.025, 0.075, 0.125, 0.175])
    assert np.array_equal(rates.events["cells"], binned["cells", "events"])
    assert np.array_equal(rates.bursts["cells"], binned["cells", "bursts"])
    assert np.array_equal(rates.events["noise"], binned["noise", "events"])
    assert binned["cells", "bursts"].sum() > 0
    assert len(rates.between(0.05, 0.15).times) == 2


def test_steps_that_do_not_fit() -> None:
    one = experiment("fig3_multiplexing")
    assert (step_of(one, "reference", None), step_of(one, "sim", None)) == (0.1, 0.5)
    with pytest.raises(BurstchipError, match=r"BC711.*\n.*a step that divides 50 ms"):
        step_of(one, "sim", 0.3)


def test_an_unknown_experiment() -> None:
    with pytest.raises(BurstchipError, match=r"BC710.*\n.*did you mean: fig3_multiplexing"):
        experiment("fig3_multiplex")
