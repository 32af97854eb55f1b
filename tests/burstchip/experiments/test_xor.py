"""Figure 4: its network, what is measured of it, its variants, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from burstchip.cli.app import app
from burstchip.compilation import compile_file
from burstchip.experiments.experiment import protocol_experiment
from burstchip.experiments.fig4_xor.measure import LEARNING_RATES, measure, published, settings
from burstchip.experiments.protocols import checkpoints_of, checks_of, variant_of
from burstchip.experiments.running import compiled
from burstchip.running.run import open_run
from burstchip.tasks.protocol.following import follow
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

pytestmark = pytest.mark.once

XOR = protocol_experiment("fig4_xor")
SMALL = {"size": "40", "connected": "100 %", "rounds": "1", "timing": "short"}


def call(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["experiment", "fig4_xor", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("name", [None, *XOR.description.options])
def test_every_variant_is_a_network(name: str | None) -> None:
    option = variant_of(XOR, name)
    wanted = {**settings(1.0, option.rate), **option.set, "step": "1 ms", "target": "loihi2", "size": "40"}
    code, messages = compile_file(XOR.network, {**wanted, "connected": "100 %"}, 1)
    assert not messages
    assert code.protocol is not None and code.protocol.gated == ("hidden1", "hidden2", "output")
    taught = code.protocol.phase("teaching")
    assert taught.plastic == (("output",) if name == "frozen" else code.protocol.gated)
    assert checks_of(XOR, option)
    balanced = option.set.get("feedback") == "balanced"
    assert len(code.projections) == (38 if balanced else 36)


def _variant(name: str | None) -> ChipProgram:
    option = variant_of(XOR, name)
    return compiled(XOR.network, 0.5, 1, {**settings(0.5, option.rate), **option.set}, "sim")[0]


def test_burstccn_holds_its_baseline_and_balances_events() -> None:
    published, ccn = _variant(None), _variant("burstccn")
    for name in ("hidden1", "hidden2", "output"):
        kept, held = published.population(name), ccn.population(name)
        assert (kept.parameters["usual_held"], held.parameters["usual_held"]) == (0, 1)
        assert held.starts(real=False)["P"] == round(0.401 * 2**15)
    before = {it.name for it in published.projections}
    assert {it.name for it in ccn.projections} - before == {
        "output.events->hidden1.dendrite_inh",
        "output.events->hidden2.dendrite_exc",
    }


@pytest.mark.parametrize("name", ["burstccn_one_phase", "burstprop_one_phase"])
def test_a_single_phase_is_taught_and_plastic_all_the_time(name: str) -> None:
    code = _variant(name)
    assert code.protocol is not None
    training = code.protocol.parts[2]
    (phase,) = code.protocol.phases_of(training)
    assert phase.lasts == 8000.0 and phase.taught and phase.plastic == code.protocol.gated
    assert code.protocol.teachers[0].every == 800.0
    # Learning rates are a tenth of those published, as near as a whole increment comes.
    published = _variant(None)
    for learned in ("input1_hidden1", "hidden1_output"):
        slow, fast = code.projection(learned).learning, published.projection(learned).learning
        assert slow is not None and fast is not None
        assert slow.traces[0].real_increment == pytest.approx(fast.traces[0].real_increment / 10)
        assert (slow.traces[0].impulse, fast.traces[0].impulse) == (3, 31)


def test_balanced_feedback_moves_hidden_bursts_by_the_error_alone() -> None:
    """Usual bursts of the output change nothing at any of its rates, more of them do, with both signs."""
    code = _variant("burstccn")
    assert code.protocol is not None
    inputs, (teacher,), gated = code.protocol.inputs, code.protocol.teachers, code.protocol.gated
    run = open_run(code)
    for name in gated:
        run.write(f"protocol.plastic.{name}", 0)

    def shares(first: float, second: float, dendrite: float) -> dict[str, float]:
        """Bursts an event over 4 s."""
        for it, current in zip(inputs, (first, second), strict=True):
            run.write(it.signal, current)
        run.write(teacher.signal, dendrite)
        run.advance(1000)
        events, bursts = dict(run.events), dict(run.bursts)
        run.advance(8000)
        return {it: (run.bursts[it] - bursts[it]) / (run.events[it] - events[it]) for it in gated}

    usual = [shares(*currents, 400.0) for currents in ((-350.0, -350.0), (150.0, 150.0))]
    for found in usual:
        assert all(share == pytest.approx(0.416, abs=0.02) for share in found.values())
    yes, no = shares(150.0, -350.0, 700.0), shares(150.0, -350.0, 100.0)
    assert yes["output"] - no["output"] > 0.4
    assert yes["hidden1"] - no["hidden1"] > 0.2
    assert yes["hidden2"] - no["hidden2"] < -0.2


@pytest.mark.parametrize("step_ms", [0.1, 0.5, 1.0])
def test_burst_adds_the_published_rate(step_ms: float) -> None:
    """What a burst adds to a synapse whose trace holds one event, in leaks, at each step."""
    code, _ = compile_file(XOR.network, {**settings(step_ms), "step": f"{step_ms} ms", **SMALL}, 1)
    learned = code.projection("input1_hidden1")
    assert learned.learning is not None
    trace = learned.learning.traces[0].real_increment
    # A burst counts 64, of which 2^-6 and 2^-7, and the chip's three bits, are taken.
    assert trace * learned.event_unit / 8 == pytest.approx(LEARNING_RATES[0], rel=1e-6)
    second = code.projection("hidden1_output")
    assert second.learning is not None
    gain = second.learning.traces[0].real_increment * second.event_unit / 16
    assert gain == pytest.approx(LEARNING_RATES[1], rel=1e-6)


@pytest.mark.parametrize("phases", ["one", "two"])
def test_every_check_is_measured(phases: str) -> None:
    wanted = {**settings(1.0), **SMALL, "step": "1 ms", "target": "loihi2", "phases": phases}
    code, _ = compile_file(XOR.network, wanted, 1)
    found = measure(follow(code).followed)
    checked = {check.quantity for check in XOR.description.checks}
    for option in XOR.description.options.values():
        checked |= {check.quantity for check in checks_of(XOR, option)}
    assert checked <= set(found)
    # The teacher is felt, whether it follows a prediction or acts from an example's beginning.
    assert found["taught_yes"] > 5
    assert found["frozen"] == 0.0
    assert all(np.isfinite(value) for value in found.values())


def test_rates_before_learning_are_published_ones() -> None:
    """The circuit itself, without learning, against the authors' program: population means within 10 %."""
    code, _ = compile_file(XOR.network, {**settings(0.1), "target": "none"}, 1)
    assert code.protocol is not None
    run = open_run(code, "reference32")
    authors = {
        (-350.0, -350.0): {"input1": 2.1, "hidden1": 2.8, "hidden2": 2.8, "output": 3.8},
        (150.0, 150.0): {"input1": 8.3, "hidden1": 5.0, "hidden2": 5.0, "output": 5.0},
    }
    for currents, rates in authors.items():
        for it, current in zip(code.protocol.inputs, currents, strict=True):
            run.write(it.signal, current)
        for name in code.protocol.gated:
            run.write(f"protocol.plastic.{name}", 0)
        run.advance(10_000)
        before = dict(run.events)
        run.advance(30_000)
        for name, rate in rates.items():
            assert (run.events[name] - before[name]) / 500 / 3 == pytest.approx(rate, rel=0.12), name


def test_published_costs_are_those_of_the_authors(authors_series: Path) -> None:
    their = np.load(authors_series / "xor_seed1.npz")["cost_epoch"]
    assert published().cost == pytest.approx(their[np.isfinite(their)][: len(published().cost)], abs=0.006)


def test_unknown_variant() -> None:
    with pytest.raises(BurstchipError, match="BC717"):
        variant_of(XOR, "smal")


def test_command_writes_results_and_forgets_checkpoints(tmp_path: Path) -> None:
    out = tmp_path / "out"
    short = [f"--set={name}={value}" for name, value in SMALL.items()]
    code, stdout, stderr = call(
        "--backend",
        "sim",
        "--step",
        "1ms",
        "--seeds",
        "1",
        "--variant",
        "frozen",
        "--out",
        out,
        "--json",
        *short,
    )
    assert code in (0, 1), stderr
    results = json.loads(stdout.splitlines()[-1])
    assert results["variant"] == "frozen" and results["checks"][0]["quantity"] == "solved"
    page = (out / "report.html").read_text()
    assert "nothing learned between input and hidden layer" in page
    assert not checkpoints_of(out).exists()
    assert (out / "fig4_xor.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--variant", "smal"), "BC717"),
        (("--errors",), "BC611"),
        (("--errors", "--backend", "reference32"), "BC611"),
        (("--data", "."), "BC714"),
        (("--jobs", "2", "--dask", "tcp://127.0.0.1:1"), "BC611"),
        (("--set", "timing=slow"), "BC028"),
        (("--step", "0.3ms"), "BC113"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    code, _, stderr = call("--out", tmp_path / "out", *arguments)
    assert code == 2 and said in stderr
    assert list(tmp_path.iterdir()) == []


def test_other_experiments_do_not_read_a_variant(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["experiment", "fig2_pairing", "--variant", "x", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2 and "BC714" in result.stderr
