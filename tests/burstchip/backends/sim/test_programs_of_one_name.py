"""Two programs whose functions bear one name, as those of two packages may, each with its own table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from burstchip import record
from burstchip.backends.plain.run import PlainRun
from compiler.ir.network import Network, Population
from compiler.pipeline import compile_network
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.registry import models
from hw_models.neurons.roles import Roles
from hw_models.program.trace import lookup, program
from hw_models.program.widths import FLAG, unsigned


def model(name: str, table: tuple[int, ...]) -> NeuronModel:
    """A source that goes through its table, entry after entry."""

    @program(
        states={"at": unsigned(2)}, parameters={}, inputs={"clock": unsigned(31)}, outputs={"events": FLAG}
    )
    def walk(s, p, x):  # type: ignore[no-untyped-def]
        return {"at": lookup((1, 2, 3, 0), s.at)}, {"events": lookup(table, s.at)}

    return replace(models()["spike_list"], name=name, program=walk, roles=Roles({"clock": "clock"}))


@pytest.mark.parametrize("real", [False, True])
def test_each_has_its_own_table(real: bool) -> None:
    tables = {"one": (0, 1, 1, 0), "other": (1, 0, 1, 1)}
    known = {**models(), **{name: model(name, table) for name, table in tables.items()}}
    populations = tuple(Population(name, name, 2, {}) for name in tables)
    code = compile_network(Network("two", 1.0, 0, populations, (), (), (), None, "loihi2", {}, known))
    wanted = tuple((name, "events") for name in tables)
    found = record(code, 8, variables=list(wanted), backend="reference" if real else "sim").values
    expected = PlainRun(code, record=wanted).advance(8)
    for name, table in tables.items():
        assert found[name, "events"][:, 0].tolist() == [*table, *table]
        assert np.array_equal(found[name, "events"], expected[name, "events"])
