"""z3 agrees with what is proved of the shipped models, and finds bounds that are too narrow."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.compilation import compile_file
from compiler import second_opinion as module
from compiler.ir.certificate import Certificate
from compiler.ir.chip_program import ChipProgram
from compiler.passes.certify import certify
from compiler.second_opinion import Opinion, second_opinion, told
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.registry import models
from hw_models.program.intervals import Interval

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
NEURONS = sorted(name for name, model in models().items() if model.ports)
WEIGHTS = {"voltage": "0.5 mV", "conductance": "0.01 leak", "number": "1", "fraction": "0.1"}


def network(folder: Path, model: str) -> ChipProgram:
    """Noise onto each port of a model."""
    one = "from: noise, connectivity: one_to_one"
    ports = models()[model].ports
    lines = [f"  - {{{one}, to: cells.{it.name}, weight: {WEIGHTS[it.weight_dimension]}}}" for it in ports]
    path = folder / f"{model}.yaml"
    path.write_text(
        "burstchip: 1\nname: one\nstep: 1 ms\nseed: 1\ntarget: loihi2\npopulations:\n"
        "  noise: {model: poisson_source, size: 2, rate: 100 Hz}\n"
        f"  cells: {{model: {model}, size: 2}}\nprojections:\n" + "\n".join(lines) + "\n"
    )
    return compile_file(path)[0]


def verdicts(opinions: tuple[Opinion, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"agrees": [], "differs": [], "no answer": []}
    for it in opinions:
        found[it.verdict].append(f"{it.bound.population}.{it.bound.variable} {it.example}".strip())
    return found


@pytest.mark.parametrize("model", NEURONS)
def test_it_agrees_on_models(model: str, tmp_path: Path) -> None:
    found = verdicts(second_opinion(certify(network(tmp_path, model))))
    assert not found["differs"] and not found["no answer"], found
    assert found["agrees"]


@pytest.mark.parametrize("name", ["burst_feedback", "stdp_pair", "poisson_lif"])
def test_it_agrees_on_examples(name: str) -> None:
    opinions = second_opinion(certify(compile_file(ROOT / "examples" / f"{name}.yaml")[0]))
    found = verdicts(opinions)
    assert not found["differs"] and not found["no answer"], found
    assert list(told(opinions)) == [f"z3 agrees with {len(opinions)} of {len(opinions)} that are proved"]


def narrowed(found: Certificate, variable: str, **ends: int) -> Certificate:
    """The certificate with another invariant of a state of the population `cells`."""
    invariant = found.invariants["cells"]
    it = invariant.states[variable]
    low, high = (np.full_like(it.low, ends.get(end, int(getattr(it, end)[0]))) for end in ("low", "high"))
    states = {**invariant.states, variable: Interval(low, high)}
    return replace(found, invariants={**found.invariants, "cells": replace(invariant, states=states)})


def test_it_finds_bounds_that_are_too_narrow(tmp_path: Path) -> None:
    found = certify(network(tmp_path, "lif"))
    u, v = (found.invariants["cells"].states[name] for name in ("u", "v"))
    # 20 % below what the current comes to, and a potential that may not become negative.
    for variable, ends in (("u", {"high": int(u.high[0] * 0.8)}), ("v", {"high": int(v.high[0] * 0.5)})):
        opinions = second_opinion(narrowed(found, variable, **ends))
        (other,) = (it for it in opinions if it.bound.variable == variable)
        assert other.verdict == "differs" and f"state {variable} = " in other.example
        assert f"  it differs on cells.{variable}: " in "\n".join(told(opinions))


def test_it_sees_what_is_not_reported(tmp_path: Path) -> None:
    """A wrap in a certificate that does not name it."""
    path = tmp_path / "net.yaml"
    path.write_text(
        "burstchip: 1\nname: net\nstep: 1 ms\nseed: 1\ntarget: loihi2\npopulations:\n"
        "  noise: {model: poisson_source, size: 60, rate: 100 Hz}\n"
        "  cells: {model: lif, size: 2, tau_current: 200 ms}\n"
        "projections:\n  - {from: noise, to: cells.soma, weight: 40 mV}\n"
    )
    found = certify(compile_file(path)[0])
    assert next(it.variable for it in found.bounds if not it.proved) == "u"
    silent = replace(found, bounds=tuple(replace(it, escapes=None) for it in found.bounds))
    assert any(it.startswith("cells.u ") for it in verdicts(second_opinion(silent))["differs"])


def test_without_z3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> Any:
        if name == "z3":
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(module, "import_module", missing)
    with pytest.raises(BurstchipError, match="the package z3-solver"):
        second_opinion(certify(network(tmp_path, "lif")))
