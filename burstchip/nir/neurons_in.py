"""NIR neurons as populations of `lif`: parameters, and what a NIR weight is in mV.

    LIF      tau dv/dt = (v_leak - v) + R I
    CubaLIF  tau_syn dI/dt = -I + w_in S,  tau_mem dv/dt = (v_leak - v) + R I
    IF       dv/dt = R I
    LI, CubaLI, I   the same without a threshold

With g, g_syn what a step of the membrane and of the current loses (`burstchip.nir.steps`), an event of weight
w adds to the potential, or to the current u in mV a step,

    LIF, LI  g R w        CubaLIF, CubaLI  g R g_syn w_in w        IF, I  R w

v counts from the reset; v_leak and constant input are the bias. What is constant begins in step 1, the first
in which an event of an input can arrive: the initial values cancel step 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from burstchip.nir.compose import SILENT, Signal
from burstchip.nir.errors import wrong
from burstchip.nir.kinds import Node
from burstchip.nir.steps import Integration, decay_ms, share_lost
from hw_models.neurons.quantities import peak_response

Reals = NDArray[np.float64]
Reset = Literal["zero", "subtract"]

#: NIR's volts and seconds in the language's mV and ms.
MILLI = 1000.0
CAPACITANCE_PF = 100.0
#: Steps of the strongest input after which an integrator without a threshold would emit.
_INTEGRATED_STEPS = 1024
_TAUS = {"LIF": ("tau", None), "LI": ("tau", None), "IF": (None, None), "I": (None, None)}
_NOTHING = 1e-9
#: A shorter time constant is none of a neuron, and a step divided by it may be infinite.
_SHORTEST_MS = 1e-12


@dataclass(frozen=True)
class Settings:
    """How a file is read: the step in ms, how equations become steps, what an event does to v."""

    step_ms: float
    integration: Integration = "euler"
    reset: Reset = "zero"


@dataclass(frozen=True)
class Neurons:
    """A population: quantities by key, each [neuron], with their units; `initial` the same; `gain` [neuron].

    `gain` is the weight in mV, a neuron's peak response, that a NIR weight of 1 stands for.
    """

    quantities: Mapping[str, tuple[Reals, str]]
    initial: Mapping[str, tuple[Reals, str]]
    flags: Mapping[str, int]
    gain: Reals
    notes: tuple[str, ...]


def neurons_of(node: Node, arriving: Signal, settings: Settings, file: str) -> Neurons:
    """The population of a node. Raises `BurstchipError` BC806 where no neuron has its numbers."""
    return _Reading(node, settings, file).neurons(arriving)


class _Reading:
    def __init__(self, node: Node, settings: Settings, file: str) -> None:
        self.node, self.settings, self.file = node, settings, file
        self.notes: list[str] = []
        self.size = next(iter(node.reals.values())).size

    def get(self, field: str, default: float = 0.0) -> Reals:
        value = self.node.reals.get(field)
        return np.full(self.size, default) if value is None else np.asarray(value.reshape(-1))

    def neurons(self, arriving: Signal) -> Neurons:
        node, step = self.node, self.settings.step_ms
        tau, tau_current = _TAUS.get(node.kind, ("tau_mem", "tau_syn"))
        lost, tau_membrane_ms = self._decay(tau)
        lost_current, tau_current_ms = self._decay(tau_current)
        leaks, has_current = tau is not None, tau_current is not None
        rest = self._rest()
        # What a NIR weight of 1 adds to u in the step in which it arrives, in mV.
        jump = MILLI * self.get("r") * (lost if leaks else 1.0)
        if has_current:
            jump = jump * lost_current * self.get("w_in", 1.0)
        peak = peak_response(tau_current_ms, tau_membrane_ms if leaks else np.inf, step)
        leak = lost * (MILLI * self.get("v_leak") - rest) if leaks else np.zeros(self.size)
        entering = jump * arriving.bias
        constant = leak + (entering / lost_current if has_current else entering)
        initial: dict[str, tuple[Reals, str]] = {}
        at_once = leak if has_current else leak + entering
        if np.any(at_once != 0) and np.all(lost < 1 - _NOTHING):
            initial["v"] = (rest - at_once / (1 - lost), "mV")
        if has_current and np.any(entering != 0) and np.all(lost_current < 1 - _NOTHING):
            start = -entering / (lost_current * (1 - lost_current))
            initial["u"] = (start * CAPACITANCE_PF / step, "pA")
        quantities = {"tau_membrane": (tau_membrane_ms, "ms")} if leaks else {}
        quantities |= {"tau_current": (tau_current_ms, "ms"), "rest": (rest, "mV")}
        strongest = jump * _greatest(arriving)
        if has_current:
            strongest = strongest / lost_current
        quantities["threshold"] = (self._threshold(rest, np.abs(strongest) + np.abs(constant), lost), "mV")
        if np.any(constant != 0):
            quantities["capacitance"] = (np.full(self.size, CAPACITANCE_PF), "pF")
            quantities["bias"] = (constant * CAPACITANCE_PF / step, "pA")
            self.notes.append("v_leak and biases on the way are a constant current from step 1 on")
        flags = {} if leaks else {"dv": 0}
        if self.settings.reset == "subtract" and node.kind not in SILENT:
            flags["subtract"] = 1
        if not leaks:
            self.notes.append("what arrives in a step adds R times itself to v, whatever the step")
        return Neurons(quantities, initial, flags, jump * np.asarray(peak), tuple(self.notes))

    def _decay(self, field: str | None) -> tuple[Reals, Reals]:
        """(what a step loses, the time constant in ms that loses it) of a field in seconds."""
        if field is None:
            return np.zeros(self.size), np.zeros(self.size)
        tau_ms, step, how = MILLI * self.get(field), self.settings.step_ms, self.settings.integration
        if np.any(tau_ms <= 0):
            at = int(np.argmax(tau_ms <= 0))
            raise self._wrong(
                f"'{field}' is not above 0", "a time above 0 s", f"{tau_ms[at] / MILLI:g} s", at
            )
        if np.any(tau_ms < _SHORTEST_MS):
            at = int(np.argmin(tau_ms))
            least = f"at least {_SHORTEST_MS / MILLI:g} s"
            raise self._wrong(f"'{field}' is too short", least, f"{tau_ms[at] / MILLI:g} s", at)
        # A step as long as the time constant, but for the rounding of float32, forgets all.
        lost = share_lost(tau_ms, step, how)
        if np.any(lost > 1 + 1e-6):
            at = int(np.argmax(lost))
            raise self._wrong(
                f"'{field}' is shorter than a step, which Euler's method cannot take",
                f"a step of at most {tau_ms[at]:g} ms, or --integration exponential",
                f"{step:g} ms",
                at,
            )
        forgets = lost > 1 - 1e-6
        return np.where(forgets, 1.0, lost), np.where(forgets, 0.0, decay_ms(tau_ms, step, how))

    def _rest(self) -> Reals:
        reset = MILLI * self.get("v_reset")
        if self.settings.reset == "subtract" and np.any(reset != 0):
            self.notes.append("v_reset is not read: an event takes v_threshold off v")
            return np.zeros(self.size)
        return reset

    def _threshold(self, rest: Reals, strongest: Reals, lost: Reals) -> Reals:
        if self.node.kind not in SILENT:
            threshold = MILLI * self.get("v_threshold")
            if np.any(threshold <= rest):
                at = int(np.argmax(threshold <= rest))
                given = f"{threshold[at] / MILLI:g} and {rest[at] / MILLI:g}"
                raise self._wrong("v_threshold is not above the reset", "a threshold above it", given, at)
            return threshold
        if self.node.kind == "I":
            reached = _INTEGRATED_STEPS * float(np.max(strongest)) or 1.0
            self.notes.append(f"v is kept below {reached:g} mV, beyond which it would emit an event")
        else:
            reached = float(np.max(1.01 * strongest / lost)) or 1.0
            self.notes.append(f"v cannot reach the threshold of {reached:g} mV: it emits no events")
        return np.asarray(rest + reached)

    def _wrong(self, message: str, required: str, given: str, at: int) -> Exception:
        told = f" (neuron {at})" if self.size > 1 else ""
        return wrong("BC806", self.file, self.node.name, f"{message}{told}", required, given)


def _greatest(arriving: Signal) -> Reals:
    """The greatest sum of weights that may arrive at each neuron in a step."""
    total = np.zeros(arriving.bias.size)
    for matrix in arriving.parts.values():
        total = total + np.asarray(abs(matrix).sum(axis=1)).reshape(-1)
    return total
