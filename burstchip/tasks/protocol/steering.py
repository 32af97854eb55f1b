"""What a protocol writes to a run: at the beginning of each stretch, and where teachers look at the rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burstchip.running.physical import scale_of
from burstchip.running.run import Run
from burstchip.tasks.protocol.plan import Plan, steps_of
from burstchip.tasks.protocol.teaching import taught
from burstchip.variables import Place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.protocol import RATE, Teacher, gate_signal


class Steering:
    """The writes of one protocol, to any run of its program."""

    def __init__(self, code: ChipProgram, plan: Plan) -> None:
        self.code, self.plan, self.protocol = code, plan, plan.protocol

    @property
    def read(self) -> tuple[Place, ...]:
        """What it reads of a run."""
        return tuple(dict.fromkeys((it.population, RATE) for it in self.protocol.teachers))

    def rates(self, run: Run, teacher: Teacher) -> NDArray[np.float64]:
        """The running rates of a teacher's neurons in Hz."""
        variable = (teacher.population, RATE)
        scale = scale_of(self.code, variable)
        assert scale is not None, f"{teacher.population}.{RATE} has no unit"
        values = np.asarray(run.read(*variable), dtype=np.float64)
        return np.asarray(scale.origin + scale.per_unit * values)

    def begin(self, run: Run, stretch: int) -> None:
        """What holds from the beginning of a stretch."""
        example, phase = int(self.plan.example[stretch]), int(self.plan.phase[stretch])
        for k, it in enumerate(self.protocol.inputs):
            shown = example >= 0
            value = self.protocol.examples[example].inputs[k] if shown else self.code.host[it.signal].start
            run.write(it.signal, value)
        plastic = self.protocol.phases[phase].plastic if phase >= 0 else ()
        for name in self.protocol.gated:
            run.write(gate_signal(name), int(name in plastic))
        self.look(run, stretch)

    def look(self, run: Run, stretch: int) -> None:
        """Have the teachers look at the rates, and what each adds."""
        example, phase = int(self.plan.example[stretch]), int(self.plan.phase[stretch])
        acts = phase >= 0 and self.protocol.phases[phase].taught
        for k, teacher in enumerate(self.protocol.teachers):
            base = self.code.host[teacher.signal].start
            added: NDArray[np.float64] | float = 0.0
            if acts:
                target = self.protocol.examples[example].targets[k]
                added = taught(teacher, target, self.rates(run, teacher))
            run.write(teacher.signal, base + added)

    def looks(self, stretch: int) -> set[int]:
        """Steps after the beginning of a stretch at which teachers look again."""
        steps, phase = int(self.plan.steps[stretch]), int(self.plan.phase[stretch])
        found: set[int] = set()
        if phase >= 0 and self.protocol.phases[phase].taught:
            for teacher in self.protocol.teachers:
                if teacher.every is not None:
                    every = steps_of(teacher.every, self.plan.step_ms)
                    found |= set(range(every, steps, every))
        return found

    def before(self, run: Run) -> int:
        """Write what holds from the run's clock on; how many steps it holds, 0 behind the protocol's end."""
        if run.clock >= self.plan.total:
            return 0
        stretch = int(np.searchsorted(self.plan.first, run.clock, side="right")) - 1
        within = run.clock - int(self.plan.first[stretch])
        looks = self.looks(stretch)
        if within == 0:
            self.begin(run, stretch)
        elif within in looks:
            self.look(run, stretch)
        return min(it for it in (*looks, int(self.plan.steps[stretch])) if it > within) - within
