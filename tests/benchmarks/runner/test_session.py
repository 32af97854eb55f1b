"""Small sessions: what is measured, what fails alone, what is not done twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.runner.devices import Device, device_targets
from benchmarks.runner.inference import learned_program
from benchmarks.runner.learning import answers_in_test, plastic, weights_of
from benchmarks.runner.plasticity import LearningCount
from benchmarks.runner.power import Program, power
from benchmarks.runner.programs import permuted, program_of, samples_of
from benchmarks.runner.session import Session
from benchmarks.runner.target import LocalTarget, Target
from benchmarks.runner.workload import Case, cases
from burstchip.tasks.presentation import Presentation
from burstchip.tasks.showing import show
from compiler.ir.chip_program import ChipProgram

SMALL = """title: small
kind: run
network: {file: net.yaml}
same: 30
steps: 60
"""
NETWORK = """burstchip: 1
name: small
step: 1 ms
seed: 3
populations:
  senses: {model: poisson_source, size: 5, rate: 100 Hz}
  cells: {model: lif, size: 4, bias: 80 pA}
projections:
  - {from: senses, to: cells, weight: {uniform: [0 mV, 3 mV]}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Case:
    (tmp_path / "net.yaml").write_text(NETWORK)
    (tmp_path / "small.yaml").write_text(SMALL)
    return next(cases(str(tmp_path / "small.yaml")))


@dataclass
class Broken(LocalTarget):
    """A target of which one part fails."""

    def open(self, code: ChipProgram, **more: Any) -> Any:
        raise RuntimeError("no power")


@dataclass
class Wrong(LocalTarget):
    """A target that computes another thing: with another seed."""

    def open(self, code: ChipProgram, **more: Any) -> Any:
        return super().open(replace(code, seed=code.seed + 1), **more)


def named(target: LocalTarget, name: str) -> Target:
    """A target that runs on sim under another name."""

    class Other(type(target)):  # type: ignore[misc]
        def about(self) -> dict[str, str]:
            return {"kind": "test"}

        def missing(self) -> str:
            return ""

        def open(self, code: ChipProgram, **more: Any) -> Any:
            self.name, kept = "sim", self.name
            try:
                return super().open(code, **more)
            finally:
                self.name = kept

    return Other(name)


def run(case: Case, folder: Path, targets: Sequence[Target], **more: Any) -> Any:
    session = Session(folder, [case], targets, "burstchip bench run", seeds=1, modes=("accuracy",))
    return session.run(**more)


def test_every_target_is_measured_and_what_fails_fails_alone(small: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    targets = [
        LocalTarget("sim"), LocalTarget("plain"), LocalTarget("reference"), LocalTarget("loihi2"),
        named(Broken("broken"), "broken"), named(Wrong("wrong"), "wrong"),
    ]  # fmt: skip
    found = {it.target: it for it in run(small, out, targets).entries}
    assert {name: it.status for name, it in found.items()} == {
        "sim": "done", "plain": "done", "reference": "done", "loihi2": "skipped", "broken": "failed",
        "wrong": "done",
    }  # fmt: skip
    assert found["plain"].exactness.startswith("bit-exact with sim: ")
    assert found["reference"].exactness == "real numbers"
    assert found["wrong"].exactness.startswith("parts from sim in step ")
    assert "RuntimeError: no power" in found["broken"].reason
    # Sources of 100 Hz, over 60 steps of 5 neurons.
    assert found["sim"].numbers["rate_of_senses"].value == pytest.approx(100, abs=60)
    assert found["sim"].state_sha256 and not found["plain"].state_sha256
    for name in ("results.json", "results.md", "page.html", "log.txt"):
        assert (out / name).stat().st_size > 100
    assert "no power" in (out / "page.html").read_text()


def test_a_session_goes_on_with_what_is_missing(small: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(small, out, [LocalTarget("sim"), named(Broken("broken"), "other")])
    opened: list[str] = []

    class Watched(LocalTarget):
        def open(self, code: ChipProgram, **more: Any) -> Any:
            opened.append(self.name)
            return super().open(code, **more)

    second = run(small, out, [Watched("sim"), named(LocalTarget("sim"), "other")], resume=True)
    assert opened == []
    assert [it.status for it in second.entries] == ["done", "done"]
    assert second.entries[0].same == first.entries[0].same
    json.loads((out / "results.json").read_text())


def test_a_device_is_measured_beyond_the_protocol(small: Case, tmp_path: Path) -> None:
    command = f"child:{sys.executable} -m burstchip target --backend sim --listen stdio"
    devices = device_targets({"board": Device(connect=command), "gone": Device(connect="child:false")})
    found = {it.target: it for it in run(small, tmp_path, [LocalTarget("sim"), *devices.values()]).entries}
    assert found["board"].exactness.startswith("bit-exact with sim: ")
    assert found["board"].state_sha256 == found["sim"].state_sha256 != ""
    assert found["gone"].status == "failed" and "BC871" in found["gone"].reason


@pytest.fixture(scope="module")
def digits() -> tuple[Case, ChipProgram]:
    case = next(cases("digits_frozen"))
    small_one = replace(case, parameters={"hidden_size": 20})
    code = program_of(small_one, 0)
    assert code.task is not None
    return small_one, replace(code, task=replace(code.task, epochs=1))


@pytest.mark.once
def test_a_frozen_network_answers_as_the_one_that_learned(digits: tuple[Case, ChipProgram]) -> None:
    """Weights become even, which changes few answers; what was learned stays: chance is 90 % wrong."""
    case, code = digits
    train, test = samples_of(case, code, None, download=False)
    frozen = learned_program(code, train, test, lambda text, share: None)
    assert plastic(frozen) == [] and frozen.learned is not None
    shown = Presentation(frozen, test)
    target = LocalTarget("sim")
    answers = show(target.open(frozen, streams=shown.streams), shown, np.arange(100))
    run_ = target.open(code, streams=Presentation(code, train).streams)
    untrained = answers_in_test(target, code, weights_of(run_), test)[:100]
    assert np.mean(answers != test.labels[:100]) < 0.6 < np.mean(untrained != test.labels[:100])


def test_a_permutation_leaves_no_class_in_its_place(digits: tuple[Case, ChipProgram]) -> None:
    case, code = digits
    train, _ = samples_of(case, code, None, download=False)
    other = permuted(train, 10, 3)
    pairs = set(zip(train.labels.tolist(), other.labels.tolist(), strict=True))
    assert len(pairs) == 10 and all(one != two for one, two in pairs)
    assert {two for _, two in pairs} == set(range(10))


def test_learning_is_counted_from_the_values_of_each_step(digits: tuple[Case, ChipProgram]) -> None:
    _, code = digits
    counts = LearningCount(code, 96)
    size = code.projection("image_to_hidden").weights.size
    weights = np.zeros((16, size), dtype=np.int64)
    weights[8:, :3] = 2
    weights[12:, 0] = 4
    factors = np.zeros((16, 20), dtype=np.int64)
    # Third factors are read at the end of each learning epoch of 8 steps, and not between.
    factors[7, :5], factors[9] = 1, 1
    counts.add({("image_to_hidden", "w"): weights[:10], ("hidden", "y1"): factors[:10]})
    counts.add({("image_to_hidden", "w"): weights[10:], ("hidden", "y1"): factors[10:]})
    assert counts.counts["weights changed"] == 4
    assert counts.numbers("sample")["weights_changed"].value == 4 * 96 / 16
    assert counts.counts["synapses visited"] == 2 * sum(
        code.projection(it).weights.size for it in plastic(code)
    )


def test_power_is_that_of_rest_and_work(tmp_path: Path) -> None:
    script = "import time\nwhile True:\n print('{\"watts\": 2.5}', flush=True); time.sleep(0.01)"
    monitor = Program([sys.executable, "-c", script])
    trace = tmp_path / "trace.csv"

    def work() -> int:
        import time

        time.sleep(0.5)
        return 10

    found = power(monitor, work, "sample", trace, rest=0.5)
    assert found["power_idle"].value == found["power_active"].value == 2.5
    assert found["power_dynamic"].value == 0
    assert found["energy_a_sample"].value == pytest.approx(2.5 * 0.05, rel=0.2)
    assert trace.read_text().startswith("phase,seconds,watts\nidle,")
