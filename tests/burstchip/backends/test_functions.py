"""Programs with functions: equal in all integers, exact in `reference`, refused where no table was made."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.running.recording import record
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network, Population
from compiler.passes.check import check
from compiler.passes.elaborate import elaborate
from compiler.passes.lower import lower
from compiler.passes.quantize import quantize
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))

from escape_noise import ESCAPE

STEPS = 300


def network(**parameters: Any) -> Network:
    populations = (Population("cells", "escape", 20, {"bias": 97.5, **parameters}),)
    return Network("escape", 1.0, 3, populations, (), (), (), None, "loihi2", {}, {"escape": ESCAPE})


def unlowered() -> ChipProgram:
    return check(lower(quantize(elaborate(network()))))


SEEN = [("cells", "v"), ("cells", "events")]


@pytest.mark.backends("plain", "lava", reason="each is compared with sim")
def test_tables_are_the_same_in_all_integers(backend: str) -> None:
    code = compile_network(network())
    one, other = (record(code, STEPS, SEEN, backend=name).values for name in ("sim", backend))
    for place in SEEN:
        assert np.array_equal(one[place], other[place])


def test_tables_of_sim_and_plain_are_the_same() -> None:
    code = compile_network(network())
    one, other = (record(code, STEPS, SEEN, backend=name).values for name in ("sim", "plain"))
    assert 0 < one["cells", "events"].mean() < 1
    for place in SEEN:
        assert np.array_equal(one[place], other[place])


def test_reference_decides_by_the_function_itself() -> None:
    """A probability below the table's resolution: 0 in integers, 2^-13 of the steps in reals."""
    far = network(bias=0.0, threshold=9.0, softness=1.0)
    code = compile_network(far)
    steps = 20_000
    shares = [
        float(record(code, steps, [SEEN[1]], backend=name).values[SEEN[1]].mean())
        for name in ("sim", "reference")
    ]
    assert shares[0] == 0.0
    expected = 1 / (1 + np.exp(9.0))
    # 400,000 draws.
    assert shares[1] == pytest.approx(expected, abs=4 * np.sqrt(expected / (20 * steps)))


@pytest.mark.parametrize("name", ["sim", "plain"])
def test_a_function_that_is_no_table_is_refused(name: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        record(unlowered(), 10, SEEN, backend=name)
    assert str(caught.value) == (
        "error[BC555]: the function 'sigmoid' of population 'cells' has no integers\n"
        "  required: a table in its place, as the pass lower_functions makes it"
        "    given: sigmoid 2^-6 -> 2^-10 in the program 'escape_program'"
        "    hint: compile the network with all passes, or run it with --backend reference"
    )


def test_it_is_not_deployed_nor_sent_to_lava(tmp_path: Path, needs_lava: None) -> None:
    for run in (
        lambda: write_deployment(unlowered(), tmp_path / "chip"),
        lambda: record(unlowered(), 10, SEEN, backend="lava"),
    ):
        with pytest.raises(BurstchipError, match="BC555"):
            run()


def test_reference_needs_no_table() -> None:
    lowered, as_it_is = (
        record(code, STEPS, SEEN, backend="reference").values
        for code in (compile_network(network()), unlowered())
    )
    for place in SEEN:
        assert np.array_equal(lowered[place], as_it_is[place])


def test_without_a_chip_functions_stay() -> None:
    code = compile_network(replace(network(), target="none"))
    assert code.populations[0].program.functions and code.populations[0].exact is None
    one, other = (
        record(it, STEPS, SEEN, backend="reference").values for it in (code, compile_network(network()))
    )
    for place in SEEN:
        assert np.array_equal(one[place], other[place])


def test_tables_are_deployed(tmp_path: Path) -> None:
    code = compile_network(network())
    assert write_deployment(code, tmp_path / "chip").partition.cores
    same = replace(code, populations=tuple(replace(p, exact=None, functions=()) for p in code.populations))
    assert write_deployment(same, tmp_path / "same").partition.cores
