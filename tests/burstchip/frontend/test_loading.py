"""What a file becomes, all mistakes at once, and everything about a file that is not its text."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from burstchip.frontend import LoadResult, load, load_network
from compiler.ir.connectivity import Dense, ExplicitPairs, FixedInDegree, FixedProbability, OneToOne
from compiler.ir.network import Endpoint, Network, TraceSpec
from compiler.ir.values import Constant, Normal, Uniform
from hw_models.diagnostics import BurstchipError, Place
from hw_models.neurons.model import ChipNumbers, Parameter
from hw_models.neurons.registry import models

LoadText = Callable[..., LoadResult]
VALID = Path(__file__).parent / "valid"

MANY = """\
burstchip: 1
name: many mistakes
step: 1 mV
seed: -1
parameters:
  unused: 1
populations:
  input: {model: poisson_sorce, size: 4, rate: 20 Hz}
  output: {model: lif, size: 3.5, tau_membrane: 20, threshold: -50 pA, colour: red}
  other: {size: 1}
projections:
  - {from: inputs, to: output, weight: 2 mV}
  - {from: input, to: output.dendrite, weight: {uniform: [1 mV]}, learn: stdp}
  - {to: output, weight: "${wieght}", connectivity: {in_degree: 0}}
probes: [output.w, nowhere.v]
task: {data: digits, input: input, readout: output, present: 10 ms, teach_after: 20 ms, epochs: 0}
targets: loihi2
"""


@pytest.fixture
def everything() -> Network:
    return load_network(VALID / "every_key.yaml")


def test_scalars(everything: Network) -> None:
    assert (everything.name, everything.step, everything.seed) == ("every-key", 0.5, 7)
    assert everything.target == "loihi2"
    assert everything.parameters == {"seed": 7, "weight_form": "chip", "factor": 2, "half_life": "2 ms"}


def test_populations(everything: Network) -> None:
    by_name = {population.name: population for population in everything.populations}
    assert list(by_name) == ["image", "noise", "clock", "drive", "cells", "hidden", "readout"]
    assert by_name["image"].parameters == {"max_rate": 200.0}
    assert by_name["noise"].parameters == {"rate": (1.0, 2.0, 3.0, 4.0, 2.0)}
    assert by_name["clock"].spikes == ((0, 0.5), (1, 20.0))
    assert by_name["drive"].parameters == {"level": 3.0, "start": 10.0, "stop": 1000.0}
    assert by_name["cells"].parameters == {"tau_membrane": 2.0, "bias": 100.0}
    assert by_name["hidden"].parameters == {"rest": -70.0, "target_rate": 100.0, "homeostasis_limit": 0.25}
    place = by_name["cells"].parameter_places["tau_membrane"]
    assert place.text is not None and place.text[place.column - 1 :].startswith("${half_life}")


def test_projections(everything: Network) -> None:
    found = everything.projections
    assert [projection.name for projection in found] == [
        "seen",
        "hidden.events->readout.soma",
        "readout.burst_error->hidden.dendrite",
        "noise->cells",
        "noise->hidden.soma",
        "noise->readout.soma",
        "clock->cells",
        "clock->hidden.soma",
        "drive->readout.soma",
    ]
    assert found[0].source == Endpoint("image", "events")
    assert found[0].target == Endpoint("hidden", "soma")
    assert (found[0].weight, found[0].limit, found[0].learn) == (Uniform(-3.0, 3.0), 20.0, "bursts")
    assert (found[0].delay, found[0].weight_bits) == (Constant(0.5), 8)
    assert (found[1].weight, found[1].limit) == (Normal(0.0, 1.0), 20.0)
    assert (found[2].weight, found[2].weight_bits) == (Uniform(-0.4, 0.4), 6)
    assert (found[3].connectivity, found[3].delay) == (OneToOne(), Uniform(1.0, 5.0))
    assert found[3].target == Endpoint("cells", "soma")
    assert (found[4].connectivity, found[4].delay) == (FixedProbability(0.1), Constant(1.5))
    assert (found[5].connectivity, found[5].weight) == (FixedInDegree(3), Constant(1.0))
    assert found[6].connectivity == ExplicitPairs.of(((0, 0), (1, 4)))
    assert (found[7].connectivity, found[7].weight) == (ExplicitPairs.of(((0, 0), (1, 4)), (1.0, 2.0)), None)
    assert (found[8].connectivity, found[8].weight) == (Dense(), Constant(0.1))
    assert marked(found[0].places["weight"]) == "{uniform: [-3 mV, 3 mV]}"


def test_plasticity(everything: Network) -> None:
    bursts, pairs = everything.plasticity
    assert (bursts.form, bursts.rounding, bursts.every) == ("chip", "per_synapse", 8.0)
    assert bursts.traces == (TraceSpec("x1", 16.0, 16.0),)
    rates = (bursts.learning_rate, bursts.consolidation_rate, bursts.consolidate_every)
    assert rates == (0.0625, 0.015625, 4)
    assert pairs.rules == {"dw": "u0*2^-4*x1 - u0*2^-4*x2", "dt": "x0*2^-3*x1", "dd": "y0*x2"}
    assert pairs.learning_rate is None
    # A position within the rule is a position in the file.
    place = pairs.places["dw"]
    assert place.text is not None and place.text[place.column - 1 :] == "u0*2^-4*x1 - u0*2^-4*x2"


def test_the_other_choice() -> None:
    network = load_network(VALID / "every_key.yaml", {"weight_form": "carry"})
    bursts = network.plasticity[0]
    assert (bursts.form, bursts.rounding, bursts.learning_rate) == ("carry", "lava", 0.03125)
    assert (bursts.consolidation_rate, bursts.consolidate_every) == (None, None)


def test_probes_and_task(everything: Network) -> None:
    probes = [(probe.owner, probe.variable) for probe in everything.probes]
    assert probes == [("hidden", "v"), ("readout", "events"), ("cells", "u")]
    task = everything.task
    assert task is not None
    assert (task.data, task.input, task.readout, task.by) == ("digits", "image", "readout", "event_count")
    assert (task.present, task.teach_after, task.epochs) == (96.0, 24.0, 40)
    assert (task.anneal, task.split) == ((0.55, 0.8), 3)


def test_seed_of_the_call_wins() -> None:
    assert load_network(VALID / "every_key.yaml", seed=3).seed == 3


def test_seed_of_the_call_is_checked() -> None:
    result = load(VALID / "pair.yaml", seed=-1)
    assert result.network is None
    assert result.diagnostics[0].message == "seed -1 is out of range"


def test_all_mistakes_are_told_at_once(load_text: LoadText) -> None:
    found = load_text(MANY).diagnostics
    assert [(m.id, m.place.line, marked(m.place)) for m in found if m.place is not None] == [
        ("BC109", 2, "many mistakes"),
        ("BC107", 3, "1 mV"),
        ("BC103", 4, "-1"),
        ("BC024", 6, "unused"),
        ("BC110", 8, "poisson_sorce"),
        ("BC104", 9, "3.5"),
        ("BC105", 9, "20"),
        ("BC107", 9, "-50 pA"),
        ("BC012", 9, "colour"),
        ("BC013", 10, "other"),
        ("BC120", 12, "inputs"),
        ("BC121", 13, "dendrite"),
        ("BC031", 13, "[1 mV]"),
        ("BC140", 13, "stdp"),
        ("BC013", 14, '{to: output, weight: "${wieght}", connectivity: {in_degree: 0}}'),
        ("BC022", 14, "${wieght}"),
        ("BC103", 14, "0"),
        ("BC150", 15, "w"),
        ("BC120", 15, "nowhere"),
        ("BC124", 16, "output"),
        ("BC161", 16, "20 ms"),
        ("BC103", 16, "0"),
        ("BC012", 17, "targets"),
    ]
    assert all(m.place is not None for m in found)


def marked(place: Place) -> str:
    assert place.text is not None
    return place.text[place.column - 1 :][: place.length]


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (message,) = load("none.yaml").diagnostics
    assert str(message) == (
        "error[BC001]: cannot read none.yaml\n  required: a file    given: No such file or directory"
    )
    (message,) = load(tmp_path).diagnostics
    assert message.id == "BC001"
    (message,) = load("a\0b.yaml").diagnostics
    assert message.id == "BC001"


def test_a_file_that_is_too_large(load_text: LoadText) -> None:
    (message,) = load_text(b"#" * 5_000_000).diagnostics
    assert (message.id, message.message) == ("BC008", "net.yaml is too large")


def test_more_mistakes_than_are_shown(load_text: LoadText) -> None:
    pairs = ", ".join(f"[{index}, 9]" for index in range(300))
    text = (VALID / "pair.yaml").read_text().replace("2 mV}", f"2 mV, connectivity: {{pairs: [{pairs}]}}}}")
    found = load_text(text).diagnostics
    assert len(found) == 201
    assert found[-1].message == "net.yaml: 396 more messages are not shown"


def test_defaults_are_no_messages(load_text: LoadText) -> None:
    result = load_text((VALID / "pair.yaml").read_text())
    assert result.diagnostics == ()
    assert [(default.owner, default.key, default.value) for default in result.defaults] == [
        ("population output", "tau_current", "5 ms"),
        ("population output", "capacitance", "100 pF"),
        ("population output", "rest", "-70 mV"),
        ("population output", "bias", "0 pA"),
        ("projection input->output", "connectivity", "dense"),
        ("projection input->output", "weight_bits", "8"),
        ("projection input->output", "delay", "one step"),
    ]
    assert result.defaults[0].doc == "time constant of the synaptic current"


def test_strict_takes_warnings_for_errors() -> None:
    assert load_network(VALID / "pair.yaml", strict=True).name == "pair"
    between = VALID.parent / "broken" / "delay_between_steps.yaml"
    assert load_network(between).name == "listed"
    with pytest.raises(BurstchipError) as caught:
        load_network(between, strict=True)
    assert [message.severity for message in caught.value.diagnostics] == ["error"]


def test_errors_are_raised_with_all_messages(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(MANY)
    with pytest.raises(BurstchipError) as caught:
        load_network(path)
    assert caught.value.diagnostics == load(path).diagnostics


def test_a_parameter_that_a_model_requires(load_text: LoadText) -> None:
    lif = models()["lif"]

    def with_gain(*given: Any) -> ChipNumbers:
        numbers = lif.in_chip_units(*given)
        return replace(numbers, represents={**numbers.represents, "gain": numbers.represents["bias"]})

    gain = Parameter("gain", "number", None, "a gain", 0.0, 8.0, True)
    strict = replace(lif, parameters=(*lif.parameters, gain), in_chip_units=with_gain)
    text = (VALID / "pair.yaml").read_text()
    (message,) = load_text(text, models={**models(), "lif": strict}).diagnostics
    assert (message.id, message.message) == ("BC013", "population 'output' needs 'gain'")
    written = text.replace("size: 3", "size: 3\n    gain: 2.5")
    (message,) = load_text(written, models={**models(), "lif": strict}).diagnostics
    assert (message.id, message.required) == ("BC104", "a whole number from 0 to 8")


def test_a_model_that_a_package_registers_badly(load_text: LoadText, monkeypatch: pytest.MonkeyPatch) -> None:
    from hw_models.diagnostics import Diagnostic
    from hw_models.neurons import registry

    def broken() -> object:
        raise BurstchipError(Diagnostic("BC190", "entry point 'x' cannot be used"))

    monkeypatch.setattr(registry, "models", broken)
    result = load_text((VALID / "pair.yaml").read_text())
    assert result.network is None
    assert [message.id for message in result.diagnostics] == ["BC190"]


def test_checking_is_quick() -> None:
    load(VALID / "every_key.yaml")
    start = time.perf_counter()
    load(VALID / "every_key.yaml")
    # Takes some 20 ms; the bound leaves room for a busy machine.
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("present", [None, "yes", "true", "no", "false"])
def test_a_projection_that_is_absent(load_text: LoadText, present: str | None) -> None:
    """The network is that of a file without it, without a warning that its plasticity is not used."""
    text = """burstchip: 1
name: absent
step: 1 ms
populations:
  input: {model: spike_list, size: 2, events: [[0, 1 ms]]}
  cells: {model: lif, size: 3}
plasticity:
  growth: {every: 8 ms, trace: {name: x1, tau: 16 ms, increment: 16}, dw: u0*2^-5*x1 - u0*2^-6*w}
projections:
  - {name: one, from: input, to: cells, weight: 1 mV, learn: growth{present}}
  - {name: two, from: input, to: cells, weight: 2 mV}
"""
    found = load_text(text.replace("{present}", "" if present is None else f", present: {present}"))
    assert found.network is not None and not found.diagnostics
    names = tuple(it.name for it in found.network.projections)
    assert names == (("two",) if present in ("no", "false") else ("one", "two"))
    owners = [it.owner for it in found.defaults if it.owner.startswith("projection")]
    assert "projection two" in owners
    assert ("projection one" in owners) == ("one" in names)
