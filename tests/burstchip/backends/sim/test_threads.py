"""Threads share the populations of a run; what comes out does not depend on how many there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip.backends.sim.layout import Layout, Variant
from burstchip.backends.sim.threads import shares
from burstchip.compilation import compile_file
from burstchip.experiments.experiment import experiment
from burstchip.running.run import open_run
from burstchip.templates import all_templates, write_template
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

LOOP = """\
burstchip: 1
name: shared
step: 1 ms
seed: 5
target: loihi2
populations:
  noise: {model: poisson_noise, size: 60, rate: 600 Hz}
  first: {model: pyramidal, size: 60, bias: 800 pA, dendrite_bias: 400 pA, tau_average: 1 s}
  second: {model: burst_poisson, size: 40, bias: 1 nA, dendrite_bias: 500 pA, tau_average: 1 s}
  third: {model: adex_pv, size: 30, bias: 300 pA}
  released: {model: facilitating, size: 60}
plasticity:
  rule: {every: 1 ms, traces: [{name: x1, tau: 20 ms, increment: 30}], dw: u0*2^-7*x1*y1}
projections:
  - {from: noise, to: first.soma_exc, weight: 0.3 leak, connectivity: one_to_one}
  - {from: first.spikes, to: released, weight: 1, connectivity: one_to_one}
  - {from: released, to: second.dendrite_exc, weight: 0.4 leak, learn: rule}
  - {from: first.events, to: second.soma_exc, weight: 0.06 leak, learn: rule}
  - {from: second.events, to: first.dendrite_exc, weight: 0.05 leak, delay: 3 ms}
  - {from: second.events, to: third.exc, weight: 0.3 leak, connectivity: {probability: 50 %}}
  - {from: third, to: second.soma_inh, weight: 0.02 leak}
"""


def shared(folder: Path) -> ChipProgram:
    path = folder / "net.yaml"
    path.write_text(LOOP)
    return compile_file(path)[0]


@pytest.mark.parametrize("backend", ["sim", "reference32"])
def test_threads_change_nothing(backend: str, tmp_path: Path) -> None:
    code = shared(tmp_path)
    learned = [(k, it.name) for k, it in enumerate(code.projections) if it.learning is not None]
    seen = [("first", "v"), ("second", "events"), ("third", "events")]
    kept = []
    for threads in (1, 2, 3, 16):
        run = open_run(code, backend, record=seen, threads=threads)
        values = [run.advance(400), run.advance(1), run.advance(199)]
        kept.append((values, {name: array.copy() for name, array in run.state().items()}, run.events))
    values, state, events = kept[0]
    assert all(events[name] > 50 for name in ("first", "second", "third"))
    start = open_run(code, backend)
    assert all(np.any(start.read(name, "w") != state[f"w_{k}"].ravel()) for k, name in learned)
    for other_values, other, other_events in kept[1:]:
        assert other_events == events
        assert all(np.array_equal(other[name], state[name]) for name in state)
        for one, same in zip(values, other_values, strict=True):
            assert all(np.array_equal(one[place], same[place]) for place in seen)


@pytest.mark.parametrize("form", ["chip", "carry"])
@pytest.mark.parametrize("name", [template.name for template in all_templates()])
def test_every_call_belongs_to_one_thread(name: str, form: str, tmp_path: Path) -> None:
    """What writes to a population's or a projection's memory runs on the thread that has the population."""
    code = compile_file(write_template(name, tmp_path / name), {"weight_form": form})[0]
    found = shares(Layout(code, Variant(learning=True, real=False)), 3)
    names = [population.name for population in code.populations]
    assert sorted(name for share in found for name in share) == sorted(names)
    assert len(found) == min(3, len(names))


def test_large_populations_are_apart(tmp_path: Path) -> None:
    one, _ = shares(Layout(shared(tmp_path), Variant(learning=True, real=False)), 2)
    assert ("first" in one) != ("second" in one)


def test_how_many_there_may_be(tmp_path: Path) -> None:
    code = shared(tmp_path)
    for threads in (0, 65, True, 1.5):
        with pytest.raises(BurstchipError, match=r"BC567.*(?s:.*)1\.\.64 threads"):
            open_run(code, "sim", threads=threads)  # type: ignore[arg-type]
    with pytest.raises(BurstchipError, match="backend 'plain' runs on one thread"):
        open_run(code, "plain", threads=2)


def test_noise_stays_with_the_neurons_that_it_reaches() -> None:
    """Of two equal halves of a network each thread has one, with all of its noise."""
    settings = {"target": "none", "size": "400", "interneurons": "100"}
    code, _ = compile_file(experiment("fig3_multiplexing").network, settings, 1)
    halves = shares(Layout(code, Variant(learning=True, real=True, record=(), single=True)), 2)
    assert len(halves) == 2
    assert halves[0] | halves[1] == {it.name for it in code.populations}
    for cells in ("lower", "higher"):
        noise = {f"{cells}_{part}_{kind}" for part in ("soma", "dendrite") for kind in ("exc", "inh")}
        (having,) = (names for names in halves if cells in names)
        assert noise <= having
    assert {"lower", "higher"} - halves[0] and {"lower", "higher"} - halves[1]
