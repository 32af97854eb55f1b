"""Neuron models whose programs are random: operations, tables, widths and roles, a pure function of a number.

A network names one as `generated_NUMBER`; so the file of a network that fails is all
that it takes to run it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, get_args

from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Port, Represented
from hw_models.neurons.registry import models
from hw_models.neurons.roles import CONTROL_WIDTHS, PER_NEURON, Control, Roles
from hw_models.program import trace
from hw_models.program.functions import FUNCTIONS
from hw_models.program.operations import OPERATIONS
from hw_models.program.trace import Integer, Program
from hw_models.program.widths import FLAG, Width, signed, unsigned

PREFIX = "generated_"
#: How many different ones a search may draw.
NUMBERS = 100_000

_STATE_WIDTHS = (
    FLAG,
    unsigned(3),
    signed(8),
    unsigned(16),
    signed(24),
    Width(-5, 1000),
    signed(32),
)
_PARAMETER_WIDTHS = (FLAG, unsigned(3), unsigned(12), signed(13), Width(-7, 9))
#: Those that a whole population shares.
_CONTROLS = tuple(control for control in get_args(Control) if control not in PER_NEURON)
#: Room for a few more operations within 64 bits.
_MOST = Width(-(1 << 50), 1 << 50)


class _Writer:
    """Writes random expressions over a growing pool of values."""

    def __init__(self, draw: random.Random, pool: list[Integer]) -> None:
        self.draw, self.pool = draw, pool

    def _fits(self, operation: str, a: Integer, b: Integer) -> bool:
        return _MOST.holds(OPERATIONS[operation].width((a.width, b.width), 0))

    def _shift(self) -> Any:
        narrow = [value for value in self.pool if value.width.low >= 0 and value.width.high <= 16]
        return self.draw.choice(narrow) if narrow and self.draw.random() < 0.3 else self.draw.randrange(17)

    def grow(self) -> None:
        """Add one value to the pool; none where its range would be too wide."""
        draw = self.draw
        a, b, c = (draw.choice(self.pool) for _ in range(3))
        choice = draw.randrange(17)
        shift = self._shift()
        made: list[Callable[[], Integer | None]] = [
            lambda: a + b if self._fits("add", a, b) else None,
            lambda: a - b if self._fits("sub", a, b) else None,
            lambda: a * b if self._fits("mul", a, b) else None,
            lambda: a << shift if self._shifts(a, shift) else None,
            lambda: a >> shift,
            lambda: trace.shift_toward_zero(a, shift),
            lambda: trace.shift_rounded(a, shift),
            lambda: a < b,
            lambda: a.equals(b),
            lambda: trace.where(a, b, c),
            lambda: trace.minimum(a, b),
            lambda: trace.maximum(a, b + draw.randrange(-9, 9)),
            lambda: trace.saturate(a, bits=draw.choice((4, 8, 24))),
            lambda: trace.wrap(a, bits=draw.choice((6, 16, 24))),
            lambda: self._looked_up(a),
            lambda: self._function_of(a),
            lambda: (trace.random_bits if draw.random() < 0.7 else trace.dither)(a, draw.randrange(1, 20)),
        ]
        value = made[choice]()
        if value is not None and _MOST.holds(value.width):
            self.pool.append(value)

    def _shifts(self, a: Integer, shift: Any) -> bool:
        most = shift.width.high if isinstance(shift, Integer) else shift
        return _MOST.holds(OPERATIONS["shift_left"].width((a.width, Width(0, most)), 0))

    def _looked_up(self, a: Integer) -> Integer:
        size = self.draw.choice((2, 3, 16, 100))
        low = self.draw.choice((0, -300, -(1 << 33)))
        table = tuple(self.draw.randint(low, 300) for _ in range(size))
        return trace.lookup(table, trace.clip(a, 0, size - 1))

    def _function_of(self, a: Integer) -> Integer:
        """With few arguments, and with so many that its table is interpolated."""
        bits = self.draw.choice((2, 6, 10))
        argument = trace.clip(a, self.draw.choice((-5, -3000)), self.draw.choice((7, 6 << bits)))
        name = self.draw.choice(sorted(FUNCTIONS))
        return trace.function(name, argument, argument_bits=bits, result_bits=self.draw.choice((0, 7, 12)))

    def into(self, width: Width) -> Integer:
        """A value of the pool, the later the likelier, brought into a width."""
        place = max(self.draw.randrange(len(self.pool)) for _ in range(2))
        return trace.clip(self.pool[place], width.low, width.high)


def _program(draw: random.Random, inputs: Mapping[str, Width], learns: bool) -> Program:
    states = {f"s{i}": draw.choice(_STATE_WIDTHS) for i in range(draw.randrange(0, 4))}
    outputs = {"events": FLAG}
    if draw.random() < 0.5:
        outputs["bursts"] = FLAG
    if draw.random() < 0.5:
        outputs["graded"] = signed(6)
    if learns:
        states["g"] = signed(8)
        outputs |= {"y1": signed(8), "y2": unsigned(6)}
    parameters = {f"p{i}": draw.choice(_PARAMETER_WIDTHS) for i in range(draw.randrange(0, 4))}
    initial: dict[str, int | str] = {
        name: draw.randint(max(width.low, -100), min(width.high, 100)) for name, width in states.items()
    }
    operations = draw.randrange(4, 40)

    @trace.program(states=states, parameters=parameters, inputs=inputs, outputs=outputs, initial=initial)
    def generated(s: Any, p: Any, x: Any) -> Any:
        leaves = [*vars(s).values(), *vars(p).values(), *vars(x).values()]
        writer = _Writer(draw, leaves)
        for _ in range(operations):
            writer.grow()
        after = {name: writer.into(width) for name, width in states.items() if draw.random() < 0.9}
        sent = {name: writer.into(width) for name, width in outputs.items()}
        # Half of the neurons emit where a value exceeds another, and not most of the time or never.
        if draw.random() < 0.5:
            sent["events"] = draw.choice(writer.pool) > draw.choice(writer.pool)
        return after, sent

    return generated


@cache
def generated_model(name: str) -> NeuronModel:
    """The model `generated_NUMBER`."""
    draw = random.Random(name)
    ports = tuple(f"port{i}" for i in range(draw.choice((1, 1, 2))))
    controls: dict[str, Control] = {
        f"c{i}": control for i, control in enumerate(_CONTROLS) if draw.random() < 0.3
    }
    inputs = {port: draw.choice((signed(18), signed(10), Width(-40, 600))) for port in ports}
    inputs |= {name: CONTROL_WIDTHS[control] for name, control in controls.items()}
    learns = draw.random() < 0.5
    program = _program(draw, inputs, learns)

    def in_chip_units(values: Mapping[str, Any], step_ms: float, voltage_steps: float) -> ChipNumbers:
        return ChipNumbers(
            parameters={name: ChipParameter(value) for name, value in values.items()},
            represents={name: Represented((name,), itemgetter(name)) for name in values},
            port_units=dict.fromkeys(ports, 1.0),
        )

    return NeuronModel(
        name=name,
        kind="neuron",
        doc="random operations",
        parameters=tuple(
            Parameter(
                parameter,
                "number",
                float(draw.randint(width.low, width.high)),
                "an integer",
                width.low,
                width.high,
                integer=True,
            )
            for parameter, width in program.parameters.items()
        ),
        ports=tuple(Port(port, "number", "random") for port in ports),
        in_chip_units=in_chip_units,
        program=program,
        roles=Roles(controls, gathered="g" if learns else ""),
    )


def model_of(name: str) -> NeuronModel:
    """A registered or a generated model."""
    return generated_model(name) if name.startswith(PREFIX) else models()[name]


def models_of(network: Mapping[str, Any]) -> dict[str, NeuronModel]:
    """All registered models, and the generated ones that a network names."""
    named = {population.get("model", "") for population in network["populations"].values()}
    return {**models(), **{name: generated_model(name) for name in named if name.startswith(PREFIX)}}
