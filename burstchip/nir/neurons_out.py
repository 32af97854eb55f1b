"""Populations of `lif` as NIR neurons: the inverse of `burstchip.nir.neurons_in`.

With g and g_syn what a step of the membrane and of the current loses,

    tau_syn is 0, the membrane decays        LIF       r = 1
    tau_syn is above 0, it decays            CubaLIF   r = 1, w_in = 1
    tau_syn is 0, it does not decay          IF        r = 1

and v_leak has the constant current: what it would depolarise a neuron without a threshold to. A population
may give physical parameters or the chip's integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burstchip.nir.neurons_in import MILLI
from burstchip.nir.steps import Integration, tau_ms
from compiler.ir.network import Network, Population
from compiler.passes.quantize_neurons import parameter_values
from hw_models.diagnostics import BurstchipError, Diagnostic
from hw_models.neurons.quantities import INPUT_SHIFT, VOLTAGE_STEPS

Reals = NDArray[np.float64]

#: Beyond it a step forgets all, as when a file is imported.
FORGETS = 1 - 1e-6
#: What a NIR file cannot say of a `lif`, and its value without effect.
_UNSAID = {"refractory": 0.0, "lower_bound": None}


@dataclass(frozen=True)
class NirNeurons:
    """A node: its kind, its fields [neuron], the NIR weight of what adds 1 mV to u at once [neuron].

    `bias`, [neuron], is what has to come by an Affine node: of `IF`, which has no v_leak. `port_unit` is the
    weight in mV that adds `unit` mV to u.
    """

    kind: str
    fields: Mapping[str, Reals]
    gain: Reals
    bias: Reals
    port_unit: Reals
    unit: float
    subtracts: bool
    starts: bool


def neurons_of(population: Population, network: Network, how: Integration) -> NirNeurons:
    """The node of a population. Raises `BurstchipError` BC810 with its place."""
    if population.model != "lif":
        raise _unsaid(population, f"neurons of the model '{population.model}'", "lif", population.model)
    model = network.model_of(population.name)
    values = parameter_values(population, model)
    for name, harmless in _UNSAID.items():
        if name in values and (harmless is None or np.any(np.asarray(values[name]) != harmless)):
            raise _unsaid(population, f"'{name}'", f"a lif without '{name}'", name)
    numbers = model.in_chip_units(values, network.step, float(VOLTAGE_STEPS))
    size = population.size

    def real(name: str) -> Reals:
        value = numbers.parameters[name].value if name in numbers.parameters else 0.0
        assert not callable(value), f"{name} of a lif follows no other parameter"
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (size,))

    unit = numbers.units["v"][0]
    lost, lost_current = (_forgotten(real(name) / 4096) for name in ("dv", "du"))
    rest = np.broadcast_to(np.asarray(values["rest"], dtype=np.float64), (size,))
    reset = np.broadcast_to(np.asarray(values.get("reset", rest), dtype=np.float64), (size,))
    constant = real("bias_mant") * np.exp2(real("bias_exp")) * unit
    leaks, has_current = _one_kind(population, lost, lost_current)
    subtracts = np.broadcast_to(np.asarray(values.get("subtract", 0.0)), (size,)) != 0
    if np.any(subtracts != subtracts[0]):
        raise _unsaid(population, "neurons of two ways to reset", "one value of 'subtract'", "0 and 1")
    volts = {"v_threshold": rest + real("vth") * (1 << INPUT_SHIFT) * unit, "v_reset": reset}
    fields: dict[str, Reals] = {name: it / MILLI for name, it in volts.items()}
    fields["r"] = np.ones(size)
    gain, bias = np.ones(size) / MILLI, np.zeros(size)
    if leaks:
        fields["v_leak"] = (rest + constant / lost) / MILLI
        fields["tau_mem" if has_current else "tau"] = tau_ms(lost, network.step, how) / MILLI
        gain = gain / lost
    else:
        bias = constant / MILLI
    if has_current:
        fields["tau_syn"] = tau_ms(lost_current, network.step, how) / MILLI
        fields["w_in"] = np.ones(size)
        gain = gain / lost_current
    kind = ("CubaLIF" if has_current else "LIF") if leaks else "IF"
    port_unit = np.broadcast_to(np.asarray(numbers.port_units["soma"], dtype=np.float64), (size,))
    weight_unit = unit * (1 << INPUT_SHIFT)
    started = bool(population.initial)
    return NirNeurons(kind, fields, gain, bias, port_unit, weight_unit, bool(subtracts[0]), started)


def _forgotten(lost: Reals) -> Reals:
    return np.where(lost > FORGETS, 1.0, lost)


def _one_kind(population: Population, lost: Reals, lost_current: Reals) -> tuple[bool, bool]:
    """(whether the membrane decays, whether there is a current) of all neurons."""
    has_current = bool(np.any(lost_current < 1))
    if np.any(lost_current <= 0):
        raise _unsaid(population, "a current that does not decay", "a time constant of the current", "none")
    if np.all(lost > 0):
        return True, has_current
    if np.any(lost > 0) or has_current:
        given = "both" if np.any(lost > 0) else "a current and no decay of v"
        required = "all of them decay, or none and no 'tau_current'"
        raise _unsaid(population, "neurons whose potential does not decay beside this", required, given)
    return False, False


def _unsaid(population: Population, what: str, required: str, given: str) -> BurstchipError:
    message = f"population '{population.name}': NIR cannot say {what}"
    return BurstchipError(Diagnostic("BC810", message, population.place, required=required, given=given))
