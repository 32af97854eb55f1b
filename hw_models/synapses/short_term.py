"""Short-term plasticity: what a synapse releases at a spike depends on the spikes before it.

    tau_depression dx/dt = 1 - x,   tau_facilitation du/dt = baseline - u
    at a spike, of the values before it:   release u x;   x <- x - u x;   u <- u + gain (1 - u)

Resource x and utilisation u belong to a source neuron: a population of these neurons takes the spikes of one
source each, and sends what is released, between 0 and 1, as a graded message. `depressing` and `facilitating`
have the parameters that pass events, or bursts. In integers x and u have 16 bits, releases 12.

The paper names a gain of 0.1 for both. The simulations of its figures have the value of the baseline, which
is the default here: with 0.1 the two populations of its figure 3 fall into synchrony.
Source: Tsodyks, Pawelzik, Markram, Neural Comput. 10, 821 (1998), extended as in Payeur, Guerguiev, Zenke,
Richards, Naud, Nat. Neurosci. 24, 1010 (2021).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hw_models.neurons.conductances import DECAY, WHOLE, WHOLE_BITS, decays, time_constants
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Port,
    Reals,
    Represented,
)
from hw_models.program.trace import clip, program, shift_rounded, where
from hw_models.program.widths import Width, signed

#: 1 in a release, as a power of two.
RELEASE_BITS = 12
SHARE = Width(0, WHOLE)


@program(
    states={"x": SHARE, "u": SHARE},
    parameters={"d_x": DECAY, "d_u": DECAY, "baseline": SHARE, "gain": SHARE},
    inputs={"spikes": signed(16)},
    outputs={"release": Width(0, 1 << RELEASE_BITS)},
    initial={"x": WHOLE, "u": "baseline"},
)
def short_term_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step: what recovers, then a spike of it."""
    spike = x.spikes > 0
    resource = s.x + shift_rounded((WHOLE - s.x) * p.d_x, WHOLE_BITS)
    used = s.u + shift_rounded((p.baseline - s.u) * p.d_u, WHOLE_BITS)
    released = shift_rounded(clip(used, 0, WHOLE) * clip(resource, 0, WHOLE), WHOLE_BITS)
    more = shift_rounded((WHOLE - used) * p.gain, WHOLE_BITS)
    return (
        {
            "x": clip(where(spike, resource - released, resource), 0, WHOLE),
            "u": clip(where(spike, used + more, used), 0, WHOLE),
        },
        {"release": where(spike, shift_rounded(released, WHOLE_BITS - RELEASE_BITS), 0)},
    )


_DECAYS = {"d_x": "tau_depression", "d_u": "tau_facilitation"}


def _in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    def share(name: str) -> Represented:
        return Represented((name,), lambda found: found[name] / WHOLE)

    shares = ("baseline", "gain")
    return ChipNumbers(
        parameters={
            **decays(values, step_ms, _DECAYS),
            **{name: ChipParameter(np.asarray(values[name], dtype=np.float64) * WHOLE) for name in shares},
        },
        represents={**time_constants(step_ms, _DECAYS), **{name: share(name) for name in shares}},
        port_units={"spikes": 1.0},
        units={"x": (1 / WHOLE, ""), "u": (1 / WHOLE, ""), "release": (2.0**-RELEASE_BITS, "")},
        starts={"x": (1 / WHOLE, 0.0), "u": (1 / WHOLE, 0.0)},
    )


DEPRESSING: NeuronModel = NeuronModel(
    name="depressing",
    kind="neuron",
    doc="short-term plasticity of a source's synapses that passes events: depression",
    parameters=(
        Parameter("baseline", "fraction", 0.9, "utilisation at rest", 0.0, 1.0),
        Parameter("tau_depression", "time", 20.0, "time constant of the resource", minimum=0.0),
        Parameter("tau_facilitation", "time", 1000.0, "time constant of the utilisation", minimum=0.0),
        Parameter(
            "gain", "fraction", 0.9, "share of the way to 1 by which a spike raises the utilisation", 0.0, 1.0
        ),
    ),
    ports=(Port("spikes", "number", "takes spikes; what is above 0 in a step is one", events=True),),
    in_chip_units=_in_chip_units,
    program=short_term_program,
    initial=(
        Parameter("x", "fraction", None, "resource", 0.0, 1.0),
        Parameter("u", "fraction", None, "utilisation", 0.0, 1.0),
    ),
)


FACILITATING = DEPRESSING.preset(
    "facilitating",
    "short-term plasticity of a source's synapses that passes bursts: facilitation",
    baseline=0.02,
    tau_depression=100.0,
    tau_facilitation=100.0,
    gain=0.02,
)
