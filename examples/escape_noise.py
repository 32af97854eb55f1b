"""A neuron of one's own that emits by chance: the nearer its potential to the threshold, the likelier.

    python escape_noise.py

    dv/dt = -v / tau + I / C;   an event in a step with probability 1 / (1 + exp((threshold - v) / softness))

The model names the sigmoid; the compiler puts a table in its place, whose error it proves, and `reference`
runs with the function itself. Five potentials stand still, so that the equation says how often each emits.

What to see: the shares of steps with an event are those of the equation, in integers and in real numbers;
the last line tells how far the table can be off.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from burstchip import compile_network, record
from compiler.ir.network import Network, Population
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Port,
    Reals,
    Represented,
)
from hw_models.neurons.quantities import bias_units, decay_tau, decay_units
from hw_models.program.trace import clip, decay, function, program, random_bits, saturate, shift_rounded
from hw_models.program.widths import FLAG, signed, unsigned

SIZE, STEPS = 200, 4000
#: Bits of fraction of (v - threshold) / softness, and of a probability.
ARGUMENT_BITS, PROBABILITY_BITS = 6, 10


@program(
    states={"v": signed(24)},
    parameters={"leak": unsigned(12), "bias": signed(16), "threshold": unsigned(16), "steep": unsigned(16)},
    inputs={"soma": signed(16)},
    outputs={"events": FLAG},
)
def escape_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step; `steep` is what a unit of voltage is worth in 2^-12 units of the sigmoid's argument."""
    v = saturate(decay(s.v, p.leak) + (x.soma << 6) + p.bias, bits=24)
    distance = clip(shift_rounded((v - p.threshold) * p.steep, 12), -(1 << 10), 1 << 10)
    chance = function("sigmoid", distance, argument_bits=ARGUMENT_BITS, result_bits=PROBABILITY_BITS)
    return {"v": v}, {"events": random_bits(v, PROBABILITY_BITS) < chance}


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The least threshold is `voltage_steps` units of voltage."""
    unit = float(np.min(values["threshold"])) / voltage_steps
    steep = unit * 2.0 ** (12 + ARGUMENT_BITS)
    return ChipNumbers(
        parameters={
            "leak": ChipParameter(decay_units(values["tau"], step_ms), clip=True),
            "bias": ChipParameter(bias_units(values["bias"], 100.0, unit, step_ms)),
            "threshold": ChipParameter(values["threshold"] / unit),
            "steep": ChipParameter(steep / values["softness"]),
        },
        represents={
            "tau": Represented(("leak",), lambda chip: decay_tau(chip["leak"], step_ms)),
            "bias": Represented(("bias",), lambda chip: chip["bias"] * unit * 100.0 / step_ms),
            "threshold": Represented(("threshold",), lambda chip: chip["threshold"] * unit),
            "softness": Represented(("steep",), lambda chip: steep / chip["steep"]),
        },
        port_units={"soma": unit * 64},
        units={"v": (unit, "mV")},
    )


ESCAPE = NeuronModel(
    name="escape",
    kind="neuron",
    doc="leaky neuron that emits by chance",
    parameters=(
        Parameter("tau", "time", 20.0, "time constant of the membrane", minimum=0.1),
        Parameter("bias", "current", 0.0, "constant current, into 100 pF"),
        Parameter("threshold", "voltage", 20.0, "an event is as likely as none", minimum=1.0),
        Parameter("softness", "voltage", 2.0, "how far below it is e times less likely", minimum=0.1),
    ),
    ports=(Port("soma", "voltage", "adds to the potential"),),
    in_chip_units=in_chip_units,
    program=escape_program,
)


def main() -> None:
    """Hold five potentials, count events, compare."""
    wanted = np.array([14.0, 18.0, 20.0, 22.0, 26.0])
    # What a step of 1 ms loses at this potential, a current of 100 pA for each mV puts back.
    currents = wanted * (1 - np.exp(-1 / 20)) * 100
    populations = [
        Population(f"at_{v:g}_mV", "escape", SIZE, {"bias": i}) for v, i in zip(wanted, currents, strict=True)
    ]
    network = Network(
        "escape", 1.0, 0, tuple(populations), (), (), (), None, "loihi2", {}, {"escape": ESCAPE}
    )
    code = compile_network(network)
    shares = {}
    for backend in ("sim", "reference"):
        run = record(code, STEPS, [(p.name, "events") for p in populations], backend=backend)
        # The potential has reached its end after 400 ms.
        shares[backend] = [run.values[p.name, "events"][400:].mean() for p in populations]
    print("potential  equation  integers  reference")
    for i, v in enumerate(wanted):
        equation = 1 / (1 + np.exp((20 - v) / 2))
        print(f"{v:6.0f} mV  {equation:8.4f}  {shares['sim'][i]:8.4f}  {shares['reference'][i]:9.4f}")
    (table,) = code.populations[0].functions
    print(f"{table.function}: {table.entries} entries, error at most {table.bound:.5f}")


if __name__ == "__main__":
    main()
