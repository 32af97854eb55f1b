"""A calibration from worst-case bounds: what ports and states can reach, whatever arrives and is learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from compiler.ir.calibration import Calibration, Reach
from compiler.ir.certificate import Bound
from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import NO_CHIP, Network
from compiler.passes.calibrate import fingerprint
from compiler.passes.certify import Watch, certify
from compiler.pipeline import compile_network
from compiler.port_units import port_units


def without_chip(network: Network) -> tuple[ChipProgram, Elaborated]:
    """The network compiled for the target `none`, and with its synapses drawn."""
    seen: list[Elaborated] = []

    def after(_: str, ir: object) -> None:
        if isinstance(ir, Elaborated):
            seen.append(ir)

    code = compile_network(replace(network, target=NO_CHIP), after)
    return code, seen[-1]


def calibration_bounds(network: Network, watch: Watch | None = None) -> Calibration:
    """What interval analysis proves of a network's ports and, where it is proved, of its states.

    Plastic weights are at their limits. Raises `BurstchipError` where the network does not compile.
    """
    code, elaborated = without_chip(network)
    units = {(name, port): (unit, base) for name, port, unit, base in port_units(elaborated, code)}
    reaches: list[Reach] = []
    for it in certify(code, watch=watch).bounds:
        if it.kind == "port":
            reaches += _port(it, *units[it.population, it.variable])
        elif it.kind == "state" and it.proved:
            # Of what may leave its width only the width is known.
            reaches += _state(it, code)
    sizes = {population.name: population.size for population in network.populations}
    return Calibration(
        "bounds", network.name, fingerprint(elaborated), network.step, 0, sizes, tuple(reaches)
    )


def _port(it: Bound, unit: object, base: str) -> Iterator[Reach]:
    low, high = (it.low, it.high) if it.escapes is None else (it.escapes.low, it.escapes.high)
    greatest = float(np.max(np.asarray(unit, dtype=np.float64)))
    yield Reach(it.population, "port", it.variable, base, low * greatest, high * greatest)


def _state(it: Bound, code: ChipProgram) -> Iterator[Reach]:
    units = code.population(it.population).units
    if it.variable in units:
        unit, name = units[it.variable]
        yield Reach(it.population, "state", it.variable, name, it.low * unit, it.high * unit)
