"""The design rules: each message once, with its text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compiler.ir.connectivity import FixedProbability
from compiler.ir.network import Plasticity, TraceSpec
from compiler.ir.values import Constant, Uniform
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError, Diagnostic


def found(network: Any) -> list[Diagnostic]:
    """Errors and warnings of a network, those of quantize left out."""
    try:
        diagnostics = compile_network(network).diagnostics
    except BurstchipError as error:
        diagnostics = error.diagnostics
    return [diagnostic for diagnostic in diagnostics if "BC330" <= diagnostic.id < "BC350"]


def task(make: Any, **changes: Any) -> Any:
    return replace(make.digits().task, **changes)


def test_the_template_in_the_chip_form_has_nothing_to_tell(make: Any) -> None:
    assert found(make.digits()) == []


def test_the_carry_form_is_emulation_only(make: Any) -> None:
    (warning,) = found(make.digits("carry"))
    assert str(warning) == (
        "warning[BC330]: the carry form of image.events->hidden.soma, hidden.events->readout.soma is"
        " emulation only\n  required: sums of products, for target loihi2"
        "    given: 8-bit weight, 8-bit tag and carry"
        "    hint: --set weight_form=chip where the template has it, or form: chip"
    )


@pytest.mark.parametrize(
    ("part", "changed", "id_", "message", "required", "given"),
    [
        (
            "image",
            ("rate_source", 63, {"max_rate": 100.0}),
            "BC331",
            "input 'image' does not fit data 'digits'",
            "size 64",
            "size 63",
        ),
        (
            "readout",
            ("burst_unit", 9, {}),
            "BC331",
            "readout 'readout' does not fit data 'digits'",
            "size 10",
            "size 9",
        ),
        (
            "image",
            ("spike_list", 64, {}),
            "BC331",
            "input 'image' cannot show data",
            "model rate_source or poisson_source",
            "spike_list",
        ),
        (
            "image",
            ("poisson_source", 64, {}),
            "BC331",
            "input 'image' is silent",
            "a max_rate above 0",
            "max_rate: 0 Hz",
        ),
        (
            "image",
            ("rate_source", 64, {"max_rate": 100.0, "rate": 10.0}),
            "BC336",
            "'rate' of population 'image' is not read: its rates come from the samples",
            "'max_rate' alone",
            "rate",
        ),
    ],
)
def test_a_population_that_does_not_fit_the_task(
    make: Any, part: str, changed: Any, id_: str, message: str, required: str, given: str
) -> None:
    model, size, parameters = changed
    (error,) = found(make.digits(**{part: make.population(part, model, size, **parameters)}))
    assert (error.id, error.message, error.required, error.given) == (id_, message, required, given)


def test_a_readout_that_counts_nothing(make: Any) -> None:
    network = make.network(
        make.population("image", "rate_source", 64, max_rate=195.0),
        make.population("readout", "lif", 10),
        make.projection("image.events", "readout.soma", 1.0),
        task(make),
    )
    (error,) = found(network)
    assert error.message == "readout 'readout' does not count events"
    assert (error.required, error.hint) == ("a model that counts its events", "model: burst_unit")


@pytest.mark.parametrize(
    ("changes", "message", "required", "given"),
    [
        (
            {"present": 90.0},
            "learning epochs of 'hidden' do not divide a presentation",
            "a presentation that is a multiple of 8 steps",
            "90 steps",
        ),
        (
            {"teach_after": 20.0},
            "teaching does not start with a learning epoch of 'hidden'",
            "teach_after a multiple of 8 steps",
            "20 steps",
        ),
    ],
)
def test_learning_epochs_fit_the_presentation(
    make: Any, changes: dict[str, Any], message: str, required: str, given: str
) -> None:
    errors = found(make.digits(task=task(make, **changes)))
    assert [error.id for error in errors] == ["BC332", "BC332"]
    assert (errors[0].message, errors[0].required, errors[0].given) == (message, required, given)


def test_annealing_has_an_end(make: Any) -> None:
    seven = tuple(k / 10 for k in range(1, 8))
    assert found(make.digits(task=task(make, anneal=seven))) == []
    (error,) = found(make.digits(task=task(make, anneal=(*seven, 0.9))))
    assert (error.id, error.message) == ("BC337", "the learning rates are annealed too often")
    assert (error.required, error.given) == ("at most 7 fractions in 'anneal'", "8")


def rule(make: Any, **rules: str) -> Any:
    return replace(
        make.burst_rule(), learning_rate=None, consolidation_rate=None, consolidate_every=None, rules=rules
    )


@pytest.mark.parametrize(
    ("model", "text", "message", "required"),
    [
        (
            "lif",
            "u0*2^-4*x1*y1",
            "the rule of 'a.events->n.soma' reads y1",
            "a target model that sends y1, such as burst_unit for y1 and y2",
        ),
        (
            "burst_unit",
            "u0*2^-4*x1*y3",
            "the rule of 'a.events->n.soma' reads y3",
            "a target model that sends y3, such as burst_unit for y1 and y2",
        ),
    ],
)
def test_a_third_factor_that_nobody_sends(
    make: Any, model: str, text: str, message: str, required: str
) -> None:
    errors = found(
        make.network(
            make.population("a", "poisson_source", rate=10.0),
            make.population("n", model),
            rule(make, dw=text),
            make.projection("a.events", "n.soma", 1.0, learn="rule"),
        )
    )
    assert [(error.id, error.message, error.required, error.given) for error in errors] == [
        ("BC333", message, required, model)
    ]


def test_traces_of_the_target_s_own_events_are_no_third_factor(make: Any) -> None:
    from compiler.ir.network import TraceSpec

    stdp = replace(
        rule(make, dw="u0*2^-4*x1*y1"), traces=(TraceSpec("x1", 16.0, 16.0), TraceSpec("y1", 16.0, 16.0))
    )
    network = make.network(
        make.population("a", "poisson_source", rate=10.0),
        make.population("n", "lif"),
        stdp,
        make.projection("a.events", "n.soma", 1.0, learn="rule"),
    )
    assert found(network) == []


def test_one_rhythm_of_consolidation(make: Any) -> None:
    def told(*every: int, onto: str = "readout") -> list[Diagnostic]:
        rules = [make.burst_rule(f"r{i}", consolidate_every=value) for i, value in enumerate(every)]
        learns = {
            "first": ("image.events", "hidden.soma", "r0"),
            "second": ("hidden.events", f"{onto}.soma", "r1"),
        }
        projections = {
            name: make.projection(source, target, Uniform(-1.0, 1.0), limit=20.0, learn=rule, name=name)
            for name, (source, target, rule) in learns.items()
        }
        return found(make.digits(**projections, rule=rules[0], other=rules[1]))

    assert told(2, 2) == told(0, 3) == told(1, 4) == []
    (error,) = (d for d in told(1, 4, onto="hidden") if d.severity == "error")
    assert (error.id, error.message) == (
        "BC339",
        "plastic projections onto 'hidden' consolidate after different numbers of samples",
    )
    assert error.given == "first: 1, second: 4"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"dw": "u0*2^-4*x1*y1", "dd": "x0*2^1"}, ["error: 'dd'"]),
        ({"dw": "u0*2^-4*x1*y1", "dd": "x0*2^1 - x0*d"}, ["error: 'dd'"]),
        ({"dw": "u0*2^-4*x1*y1 + x0*2^-3*d", "dd": "x0*2^1"}, []),
        ({"dw": "u0*2^-4*x1*y1", "dt": "u0*2^-4*x1*y1"}, ["warning: 'dt'"]),
        ({"dt": "u0*2^-4*x1*y1"}, ["warning: 'dt'"]),
        ({"dw": "x0*2^-3*d", "dd": "u0*t", "dt": "u0*2^-4*x1*y1"}, []),
    ],
)
def test_what_a_rule_changes_is_read(make: Any, rules: dict[str, str], told: list[str]) -> None:
    rule = Plasticity(
        "rule", "chip", "lava", 8.0, (TraceSpec("x1", 9.0, 5.0), TraceSpec("y1", 9.0, 5.0)), rules
    )
    network = make.network(
        make.population("a", "poisson_source", rate=10.0),
        make.population("n", "lif"),
        rule,
        make.projection("a.events", "n.soma", 1.0, learn="rule"),
    )
    messages = [d for d in found(network) if d.id == "BC341"]
    assert [f"{d.severity}: {d.message.split()[0]}" for d in messages] == told


def test_the_carry_form_needs_gathered_burst_errors(make: Any) -> None:
    errors = found(
        make.network(
            make.population("a", "poisson_source", rate=10.0),
            make.population("n", "lif"),
            make.burst_rule(form="carry"),
            make.projection("a.events", "n.soma", 1.0, learn="rule"),
        )
    )
    assert [error.message for error in errors if error.severity == "error"] == [
        "the burst rule of 'a.events->n.soma' needs burst errors"
    ]


def test_bits_that_the_carry_form_does_not_read(make: Any) -> None:
    first = make.projection(
        "image.events", "hidden.soma", Uniform(-3.25, 3.25), limit=20.0, learn="rule", weight_bits=5
    )
    assert found(make.digits(first=first)) == []
    error = next(d for d in found(make.digits("carry", first=first)) if d.severity == "error")
    assert (error.id, error.message) == ("BC336", "'weight_bits' of 'image.events->hidden.soma' is not read")
    assert error.given == "weight_bits: 5"


def test_sums_that_may_leave_their_port(make: Any) -> None:
    def warnings(size: int, **more: Any) -> list[str]:
        network = make.network(
            make.population("a", "poisson_source", size, rate=10.0),
            make.population("n", "lif", 1, tau_current=0.0),
            make.projection("a.events", "n.soma", Constant(128 * 20 / 128), **more),
        )
        return [f"{d.id}: {d.message} / {d.required}" for d in found(network)]

    # 128 units each; the port holds 2^17.
    assert warnings(1024) == []
    assert warnings(1025) == [
        "BC334: the input of 'n.soma' may reach 131200 / at most 131072 if all sources send at once"
    ]


def test_graded_messages_and_exponents_count_in_sums(make: Any) -> None:
    def told(level: Any, size: int = 4) -> list[Diagnostic]:
        network = make.network(
            make.population("a", "current_source", size, level=level),
            make.population("n", "lif", 1, tau_current=0.0),
            make.projection("a.current", "n.soma", Constant(2.0), limit=20.0),
        )
        return found(network)

    # 26 units of 2^-1; what counts is the level, not all that the message could hold.
    assert told(2000.0) == []
    assert told((1.0, -2.0, 3.0, -2520.0)) == []
    (warning,) = told((1.0, -2.0, 3.0, -2600.0))
    assert warning.message == f"the input of 'n.soma' may reach {4 * 26 * 2600 // 2}"
    (error,) = told(32767.0, 3000)
    assert (error.id, error.message) == ("BC338", "the input of 'n.soma' may exceed 32 bits")
    assert error.required == "at most 2147483647 if all sources send at once, before shifts to the right"
    assert int(error.given) > 2147483647


def test_a_projection_without_a_synapse(make: Any) -> None:
    network = make.network(
        make.population("a", "poisson_source", rate=10.0),
        make.population("n"),
        make.projection("a.events", "n.soma", connectivity=FixedProbability(1e-9)),
    )
    (warning,) = found(network)
    assert (warning.id, warning.message) == ("BC335", "projection 'a.events->n.soma' has no synapse")


def test_populations_that_are_alone(make: Any) -> None:
    network = make.network(make.population("a", "poisson_source", rate=10.0), make.population("n", "lif"))
    assert [str(d) for d in found(network)] == [
        f"warning[BC335]: population '{name}' has no {what}\n  required: a projection    given: none    "
        f"hint: add a projection {way} it, or remove the population"
        for name, what, way in (("a", "effect", "from"), ("n", "input", "to"))
    ]


def test_a_rate_for_pictures_without_a_task(make: Any) -> None:
    (error,) = (
        d
        for d in found(make.network(make.population("a", "rate_source", max_rate=10.0)))
        if d.severity == "error"
    )
    assert error.message == "'max_rate' of population 'a' is not read: no task presents samples to it"
    assert (error.required, error.hint) == ("'rate' alone", "remove 'max_rate'")


def test_all_errors_come_at_once(make: Any) -> None:
    network = make.digits(
        image=make.population("image", "rate_source", 63, max_rate=100.0),
        readout=make.population("readout", "burst_unit", 9),
        task=task(make, present=90.0),
    )
    assert len(found(network)) == 4
