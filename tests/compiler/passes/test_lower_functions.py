"""Functions become tables, and say so: in the program, its text, its artifact and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.artifact import load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network, Population
from compiler.ir.text import as_text
from compiler.ir.verify import verify_chip_program
from compiler.pipeline import compile_network
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Port, Represented
from hw_models.neurons.registry import models
from hw_models.program.numpy_interpreter import step
from hw_models.program.trace import clip, function, program
from hw_models.program.widths import FLAG, signed, unsigned


@program(
    states={"v": signed(16)},
    parameters={"push": signed(12)},
    inputs={"soma": signed(10)},
    outputs={"events": FLAG, "fine": unsigned(12), "coarse": unsigned(6)},
)
def two_functions(s: Any, p: Any, x: Any) -> Any:
    v = clip(s.v + p.push + x.soma, -8000, 8000)
    fine = function("sigmoid", v, argument_bits=10, result_bits=11)
    coarse = function("exp", clip(v >> 6, -80, 0), argument_bits=4, result_bits=5)
    return {"v": v}, {"events": fine > 2000, "fine": fine, "coarse": coarse}


def in_chip_units(values: Mapping[str, Any], step_ms: float, voltage_steps: float) -> ChipNumbers:
    return ChipNumbers(
        {"push": ChipParameter(values["push"])},
        {"push": Represented(("push",), lambda chip: chip["push"])},
        {"soma": 1.0},
    )


MODEL = NeuronModel(
    "bent",
    "neuron",
    "two functions of its state",
    (Parameter("push", "number", 0.0, "what is added in each step"),),
    (Port("soma", "number", "adds"),),
    in_chip_units,
    two_functions,
)


@pytest.fixture(scope="module")
def stages() -> dict[str, ChipProgram]:
    """The program behind each pass from quantize on."""
    populations = tuple(Population(name, model, 2, {}) for name, model in (("a", "bent"), ("b", "lif")))
    known = {**models(), "bent": MODEL}
    network = Network("bends", 1.0, 0, populations, (), (), (), None, "loihi2", {}, known)
    found: dict[str, Any] = {}
    compile_network(network, found.__setitem__)
    return found


def test_functions_stay_until_they_are_lowered(stages: dict[str, ChipProgram]) -> None:
    before, after = stages["lower"].population("a"), stages["lower_functions"].population("a")
    assert before.program is two_functions and before.exact is None and before.functions == ()
    assert after.exact is two_functions and after.program.functions == ()
    assert not any(node.operation == "function" for node in after.program.nodes)
    assert after.program_of(real=False) is after.program and after.program_of(real=True) is two_functions
    assert stages["lower_functions"].population("b") == stages["lower"].population("b")


def test_the_program_is_off_by_no_more_than_the_bounds(stages: dict[str, ChipProgram]) -> None:
    population = stages["check"].population("a")
    v = np.arange(-8000, 8001)
    given = ({"v": v}, {"push": 0}, {"soma": 0})
    _, tables = step(population.program, *given)
    assert [it.function for it in population.functions] == ["sigmoid 2^-10 -> 2^-11", "exp 2^-4 -> 2^-5"]
    fine, coarse = population.functions
    assert (fine.low, fine.high) == (-8000, 8000) and fine.spacing > 0
    assert (coarse.low, coarse.high, coarse.spacing, coarse.entries) == (-80, 0, 0, 68)
    assert np.abs(tables["fine"] / 2048 - 1 / (1 + np.exp(-v / 1024))).max() <= fine.bound < 2 / 2048
    exact = np.exp(np.clip(v >> 6, -80, 0) / 16)
    assert np.abs(tables["coarse"] / 32 - exact).max() <= coarse.bound == 1 / 64


def test_the_bound_is_printed_and_reported(stages: dict[str, ChipProgram]) -> None:
    text = as_text(stages["lower_functions"])
    assert "    exp 2^-4 -> 2^-5 of -80..0 = 68 entries, 1 apart, error at most 0.015625\n" in text
    assert "function(" in as_text(stages["lower"]) and "function(" not in text
    lines = [line for line in stages["check"].quantisation if line.where == "a"]
    assert [line.parameter.split(" at ")[0] for line in lines] == ["push", "sigmoid", "exp"]
    worst = lines[2]
    argument = float(worst.parameter.split(" at ")[1])
    assert worst.integers == "table of 68 entries, error at most 0.01562"
    assert worst.requested == pytest.approx(np.exp(argument), rel=1e-12)
    assert abs(worst.represented - worst.requested) <= 1 / 64
    assert stages["check"].quantisation.index(worst) < len(stages["check"].quantisation) - 1, "b comes last"


def test_the_artifact_holds_both_programs(stages: dict[str, ChipProgram], tmp_path: Path) -> None:
    code = stages["check"]
    save_artifact(code, tmp_path / "net.burst")
    loaded, _ = load_artifact(tmp_path / "net.burst")
    for name in ("a", "b"):
        for what in ("program", "exact", "functions"):
            assert getattr(loaded.population(name), what) == getattr(code.population(name), what)


def test_an_exact_program_of_other_states_is_refused(stages: dict[str, ChipProgram]) -> None:
    code = stages["check"]
    a, b = code.populations
    for wrong in (
        replace(a, exact=b.program),
        replace(a, exact=None),
        replace(b, functions=a.functions),
        replace(a, functions=(replace(a.functions[0], spacing="1"), a.functions[1])),
        replace(a, functions=(replace(a.functions[0], bound=-1.0), a.functions[1])),
    ):
        with pytest.raises(AssertionError):
            verify_chip_program(replace(code, populations=(wrong,)))
