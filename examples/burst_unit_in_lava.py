"""A population of bursting neurons among stock Lava processes, wired by hand.

    python burst_unit_in_lava.py

needs Python 3.10 with lava-nc (`pip install burstchip[lava]`). Ten LIF neurons drive ten bursting neurons
through a Dense; a ring buffer pushes their dendrites up in the second half of the run.

What to see: about half of the events are bursts before, and nearly all of them after; how many events there
are does not change.
"""

from __future__ import annotations

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF

from burstchip.backends.lava.processes.neurons import BurstUnit, integers_of
from hw_models.neurons.burst_unit import BURST_UNIT

SIZE, STEPS = 10, 2000


def main() -> None:
    """Wire, run, count."""
    drive = LIF(shape=(SIZE,), du=4095, dv=0, vth=100, bias_mant=np.arange(20, 30) * 64, bias_exp=0)
    to_soma = Dense(weights=np.eye(SIZE, dtype=int) * 120)
    neurons = BurstUnit(
        shape=(SIZE,), parameters=integers_of(BURST_UNIT, step_ms=1.0, tau_dendrite=8.0, tau_soma=20.0)
    )
    # At exponent 0 a message of 64 through a weight of 8 moves the burst probability by 8 / 64 a step.
    push = np.zeros((1, STEPS), dtype=np.int32)
    push[:, STEPS // 2 :] = 64
    lesson = Source(data=push)
    to_dendrite = Dense(weights=np.full((SIZE, 1), 4), num_message_bits=8)
    events, bursts = (Sink(shape=(SIZE,), buffer=STEPS) for _ in range(2))

    drive.s_out.connect(to_soma.s_in)
    to_soma.a_out.connect(neurons.a_in_soma)
    lesson.s_out.connect(to_dendrite.s_in)
    to_dendrite.a_out.connect(neurons.a_in_dendrite)
    neurons.s_out_events.connect(events.a_in)
    neurons.s_out_bursts.connect(bursts.a_in)

    neurons.run(condition=RunSteps(num_steps=STEPS), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    seen = {name: sink.data.get() for name, sink in (("events", events), ("bursts", bursts))}
    neurons.stop()
    for part, columns in (("before", slice(0, STEPS // 2)), ("after", slice(STEPS // 2, STEPS))):
        emitted, burst = (int(seen[name][:, columns].sum()) for name in ("events", "bursts"))
        print(f"{part:<7} {emitted} events, {100 * burst / emitted:.0f} % of them bursts")


if __name__ == "__main__":
    main()
