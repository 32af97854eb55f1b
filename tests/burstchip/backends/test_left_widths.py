"""A program that computes what its declared widths do not hold is an error on every backend of integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from burstchip import BurstchipError, open_run
from burstchip.backends.sim.simulator import start
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network, Population
from compiler.pipeline import compile_network
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.registry import models
from hw_models.neurons.roles import Roles
from hw_models.program.trace import lookup, program
from hw_models.program.widths import FLAG, INT32, unsigned

TABLE = (0, 1, 0, 1)


def _state() -> NeuronModel:
    @program(states={"at": unsigned(2)}, parameters={}, inputs={"clock": INT32}, outputs={"events": FLAG})
    def counts_too_far(s, p, x):  # type: ignore[no-untyped-def]
        return {"at": s.at + 1}, {"events": lookup(TABLE, s.at)}

    return _source(counts_too_far)


def _output() -> NeuronModel:
    @program(states={"at": unsigned(2)}, parameters={}, inputs={"clock": INT32}, outputs={"events": FLAG})
    def sends_too_much(s, p, x):  # type: ignore[no-untyped-def]
        return {"at": lookup((1, 2, 3, 3), s.at)}, {"events": s.at}

    return _source(sends_too_much)


def _word() -> NeuronModel:
    @program(states={"at": INT32}, parameters={}, inputs={"clock": INT32}, outputs={"events": FLAG})
    def leaves_the_word(s, p, x):  # type: ignore[no-untyped-def]
        return {"at": (s.at + 1) << 11}, {"events": s.at < 0}

    return _source(leaves_the_word)


def _source(written: object) -> NeuronModel:
    return replace(models()["spike_list"], name="beyond", program=written, roles=Roles({"clock": "clock"}))


def _compiled(model: NeuronModel) -> ChipProgram:
    known = {**models(), model.name: model}
    population = Population("cells", model.name, 3, {})
    return compile_network(Network("beyond", 1.0, 0, (population,), (), (), (), None, "loihi2", {}, known))


#: The model, and the first step in which it leaves its widths.
CASES = {"state": (_state, 3), "output": (_output, 2), "word": (_word, 2)}


@pytest.mark.parametrize("backend", ["sim", "plain"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_named(case: str, backend: str) -> None:
    make, step = CASES[case]
    run = open_run(_compiled(make()), backend)
    with pytest.raises(BurstchipError) as caught:
        run.advance(step + 1)
    (found,) = caught.value.diagnostics
    assert found.id == "BC568" and "'cells'" in found.message
    assert "'events'" in found.given if case == "output" else "'at'" in found.given


def test_the_last_values_within_the_width_run() -> None:
    for make, step in CASES.values():
        open_run(_compiled(make()), "sim").advance(step)


def test_what_is_stored_stays_within_the_width() -> None:
    """So that a table is never read beyond its end, however long a call is."""
    run = start(_compiled(_state()), learning=False)
    with pytest.raises(BurstchipError):
        run.advance(1000)
    assert np.all(run.read("cells", "at") == len(TABLE) - 1)
