"""What the ports of a network that is compiled for no chip count: the least voltage scale has known units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.passes.quantize_neurons import parameter_values
from hw_models.neurons.model import BASE_UNITS, Reals
from hw_models.neurons.quantities import VOLTAGE_STEPS


def port_units(elaborated: Elaborated, code: ChipProgram) -> Iterator[tuple[str, str, Reals, str]]:
    """(population, port, what 1 at it stands for, the port's base unit), the third one or [neuron].

    `code` is the program of this network for the target `none`.
    """
    assert not code.on_chip, "a program whose voltage scale was chosen"
    network = elaborated.network
    for population in network.populations:
        model = network.model_of(population.name)
        numbers = model.in_chip_units(parameter_values(population, model), network.step, float(VOLTAGE_STEPS))
        compiled = code.population(population.name)
        for port in model.ports:
            parameter = compiled.roles.exponents.get(port.name)
            shift = 0 if parameter is None else compiled.parameters[parameter]
            assert np.ndim(shift) == 0, "a port has one exponent"
            unit = np.asarray(numbers.port_units[port.name], dtype=np.float64) * 2.0 ** int(shift)
            yield population.name, port.name, unit, BASE_UNITS[port.weight_dimension]
