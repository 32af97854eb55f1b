"""What the compiler makes of a model's real numbers, alike for all models, and what it objects to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.ir.network import Population
from compiler.passes.quantize_neurons import quantize_neurons, rounded
from compiler.passes.quantize_report import Report
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.lif import LIF
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Represented
from hw_models.neurons.registry import models
from hw_models.program.trace import program
from hw_models.program.widths import FLAG, Width, unsigned


@program(
    states={},
    parameters={"a": unsigned(4), "b": Width(-1, 6), "mantissa": Width(-8, 7), "exponent": unsigned(2)},
    inputs={"soma": FLAG},
    outputs={"events": FLAG},
)
def passes_on(s, p, x):  # type: ignore[no-untyped-def]
    return {}, {"events": x.soma}


def model(
    parameters: dict[str, ChipParameter], represents: dict[str, Represented] | None = None
) -> NeuronModel:
    """A model with the physical parameter `size`, which becomes the chip's `a` unless told otherwise."""
    used = {
        "a": ChipParameter(0.0),
        "b": ChipParameter(0.0),
        "mantissa": ChipParameter(0.0, exponent="exponent"),
        **parameters,
    }
    if represents is None:
        represents = {"size": Represented(("a",), lambda chip: chip["a"])}
    numbers = ChipNumbers(used, represents, {})
    physical = (Parameter("size", "number", 1.0, "a size"),)
    return NeuronModel("sized", "neuron", "passes on", physical, (), lambda v, dt, steps: numbers, passes_on)


def found(**parameters: ChipParameter) -> tuple[dict[str, Any], dict[str, Any]]:
    """(integers, real numbers) as lists."""
    it = rounded(model(parameters), {"size": 1.0}, 1.0)
    return tuple({n: np.asarray(v).tolist() for n, v in d.items()} for d in (it.integers, it.real))  # type: ignore[return-value]


def test_halves_go_to_the_even_neighbour_before_the_offset() -> None:
    integers, real = found(a=ChipParameter(2.5), b=ChipParameter(np.array([2.5, 3.5]), offset=-1))
    assert (integers["a"], integers["b"]) == (2, [1, 3])
    assert (real["a"], real["b"]) == (2.5, [1.5, 2.5])


def test_what_clips_is_real_beyond_the_width() -> None:
    integers, real = found(a=ChipParameter(15.7, clip=True), b=ChipParameter(9.0, clip=True, offset=-1))
    assert (integers["a"], integers["b"]) == (15, 6)
    assert (real["a"], real["b"]) == (15.7, 8.0)


def test_one_integer_for_all_neurons_is_the_greatest_and_the_real_numbers_stay_their_own() -> None:
    integers, real = found(a=ChipParameter(np.array([1.2, 3.7]), shared=True))
    assert (integers["a"], real["a"]) == (4, [1.2, 3.7])


@pytest.mark.parametrize(
    ("value", "mantissa", "exponent", "real"),
    [
        (6.4, 6, 0, 6.4),
        (-29.4, -7, 2, -29.4 / 4),
        (1e9, 7, 3, 1e9 / 8),
        ([3.0, 13.0], [2, 6], 1, [1.5, 6.5]),
    ],
)
def test_the_least_exponent_at_which_the_mantissa_fits(
    value: Any, mantissa: Any, exponent: int, real: Any
) -> None:
    integers, reals = found(mantissa=ChipParameter(np.asarray(value), exponent="exponent"))
    assert (integers["mantissa"], integers["exponent"]) == (mantissa, exponent)
    assert reals["mantissa"] == real and "exponent" not in reals


def test_a_parameter_that_follows_another_s_integer() -> None:
    integers, real = found(
        a=ChipParameter(1.4),
        b=ChipParameter(lambda a: 2.5 * a, follows="a"),  # type: ignore[operator]
    )
    # 2.5 of the integer 1 is 2.5, of 1.4 it is 3.5.
    assert (integers["b"], real["b"]) == (2, 3.5)


@pytest.mark.parametrize(
    ("represents", "given"),
    [({}, "none"), ({"size": Represented(("c",), lambda chip: 1.0)}, "c")],
)
def test_a_physical_parameter_without_a_line(represents: dict[str, Represented], given: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        quantize_neurons(Population("n", "sized", 2, {}), model({}, represents), 1.0, False, Report())
    assert str(caught.value) == (
        "error[BC316]: neuron model 'sized' does not map its parameter 'size' to the chip\n"
        f"  required: an entry in `represents` that names parameters of the chip    given: {given}"
        "    hint: fix `in_chip_units` in the package of the model"
    )


def test_a_parameter_of_the_program_without_a_value() -> None:
    def without_du(*given: Any) -> ChipNumbers:
        numbers = LIF.in_chip_units(*given)
        chip = {name: value for name, value in numbers.parameters.items() if name != "vth"}
        lines = {
            **numbers.represents,
            "threshold": numbers.represents["bias"],
            "rest": numbers.represents["bias"],
        }
        return replace(numbers, parameters=chip, represents=lines)

    with pytest.raises(BurstchipError) as caught:
        quantize_neurons(
            Population("n", "lif", 2, {}), replace(LIF, in_chip_units=without_du), 1.0, False, Report()
        )
    assert str(caught.value) == (
        "error[BC316]: neuron model 'lif' does not set the parameter 'vth' of its program\n"
        "  required: an entry in `parameters` or `constants`    given: none"
        "    hint: fix `in_chip_units` in the package of the model"
    )


@pytest.mark.parametrize("name", sorted(models()))
def test_each_parameter_of_each_model_has_a_line(name: str) -> None:
    report = Report()
    quantize_neurons(Population("n", name, 2, {}), models()[name], 1.0, False, report)
    assert [line.parameter for line in report.lines] == [p.name for p in models()[name].parameters]


@pytest.mark.parametrize(
    ("model_name", "given", "expected"),
    [
        ("pyramidal", {"tau_exc": 0.4}, "at least 0.5 ms, or 0 ms for what is gone after a step"),
        ("pyramidal", {"tau_dendrite": 0.1}, "at least 0.5 ms"),
        ("pyramidal", {"burst_trace": (16.0, 0.2)}, "at least 0.5 ms, or 0 ms for what is gone after a step"),
        ("burst_detector", {"tau_average": 0.3}, "at least 0.5 ms"),
        ("pyramidal", {"tau_exc": 0.5, "tau_inh": 0.0, "back_propagation_time": 0.2}, None),
        ("lif", {"tau_membrane": 0.0, "tau_current": 0.5 * (1 - 1e-12)}, None),
    ],
)
def test_time_constants_below_the_step(model_name: str, given: dict[str, Any], expected: str | None) -> None:
    """A warning that names the parameter; 0 means that nothing is kept, and other times are not meant."""
    population = Population("cells", model_name, 2, given)
    report = Report(True)
    quantize_neurons(population, models()[model_name].with_options(given), 0.5, False, report)
    warned = [it for it in report.diagnostics if it.id == "BC322"]
    if expected is None:
        assert not warned
        return
    (warning,) = warned
    (name,) = given
    assert f"'{name}' of population 'cells'" in warning.message
    assert (warning.severity, warning.required) == ("warning", expected)
