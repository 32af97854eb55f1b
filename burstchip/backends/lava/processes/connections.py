"""Connections that stock Lava does not have, each derived from the stock model that comes nearest.

`PyLearningConnection` adds to LearningDense, where asked for: draws of its own for each synapse, through the
public override of `_init_randoms`; delays; and a mask, so that synapses that do not exist stay 0. Its traces,
its rule and its order of phases are the stock ones. (Stock LearningSparse raises in its first learning step
under a sign mode, and with rules that read w or t.) `CarryDense` is the emulation-only carry form, which no
stock process offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.models import AbstractPyDenseModelBitAcc, PyLearningDenseModelBitApproximate
from lava.proc.dense.process import Dense
from numpy.typing import NDArray

from compiler.ir.chip_program import LearningCode
from compiler.ir.signals import Host, Signal, value_at
from hw_models.plasticity.carry import carry_draws, forward_weight, learn_carry
from hw_models.plasticity.draws import DECAY_BITS
from hw_models.plasticity.traces import integer_trace
from hw_models.program.random import at, key, row


@dataclass(frozen=True)
class SynapseDraws:
    """Counter-based draws of one plastic connection; `epoch` is its learning epoch in steps."""

    seed: int
    stream: int
    trace_stream: int
    epoch: int
    lead_in: int


class CounterTraceRandom:
    """Stands in for Lava's TraceRandom: the draws of `hw_models.plasticity.draws.counter_draws`.

    Lava advances it twice a step; after the first time it serves a second postsynaptic spike of that step,
    after the second the learning phase. `first` is the index of its decay draw.
    """

    def __init__(self, draws: SynapseDraws, first: int) -> None:
        self.draws, self.first, self.advanced = draws, first, 0
        self.random_trace_decay = 0.0
        self.random_impulse_addition = 0

    def advance(self) -> None:
        """Go on to the next draws."""
        self.advanced += 1
        clock = (self.advanced + 1) // 2 - 1 - self.draws.lead_in
        step_key = key(self.draws.seed, self.draws.trace_stream, clock)
        learning = self.advanced % 2 == 0
        self.random_impulse_addition = int(at(step_key, self.first + 1 if learning else 4)) >> 25
        self.random_trace_decay = (int(at(step_key, self.first)) << (DECAY_BITS - 32)) / (1 << DECAY_BITS)


class SynapseRandom:
    """Replaces Lava's ConnVarRandom: 7 bits a synapse, [post, pre], drawn in each learning step."""

    def __init__(self, draws: SynapseDraws, shape: tuple[int, int]) -> None:
        self.draws, self.shape, self.learned = draws, shape, 0
        self.random_stochastic_round: Any = None

    def advance(self) -> None:
        """Go on to the next learning step."""
        self.learned += 1
        clock = self.learned * self.draws.epoch - 1 - self.draws.lead_in
        rows = row(key(self.draws.seed, self.draws.stream, clock), np.arange(self.shape[1]))
        numbers = at(rows[np.newaxis, :], np.arange(self.shape[0])[:, np.newaxis])
        self.random_stochastic_round = (numbers >> 25) / 128


class Ring:
    """Sums in flight, [slot, post]: slot 0 is due in the next step."""

    def __init__(self, delays: NDArray[Any], post: int) -> None:
        self.delays = delays
        self.sums = np.zeros((int(delays.max(initial=0)) + 1, post), dtype=np.int32)

    def take(self) -> NDArray[np.int32]:
        """What is due now; the others move up."""
        due: NDArray[np.int32] = self.sums[0].copy()
        self.sums[:-1] = self.sums[1:]
        self.sums[-1] = 0
        return due

    def add(self, weights: Any, messages: Any, exponent: int) -> None:
        """Send messages [pre] through weights [post, pre]; each delay's sum is shifted on its own."""
        for delay in np.unique(self.delays):
            total = np.where(self.delays == delay, weights, 0).dot(messages)
            self.sums[delay] += total << exponent if exponent > 0 else total >> -exponent


class PyLearningConnection(PyLearningDenseModelBitApproximate):  # type: ignore[misc]
    """LearningDense, and what `proc_params` asks for beyond it: `draws`, `delays`, `connected`."""

    def _init_randoms(self) -> None:
        draws: SynapseDraws | None = self.proc_params.get("draws")
        if draws is None:
            super()._init_randoms()
            return
        self._x_random = CounterTraceRandom(draws, 0)
        self._y_random = CounterTraceRandom(draws, 2)
        self._conn_var_random = SynapseRandom(draws, self._shape)

    def run_spk(self) -> None:
        """The stock phase; with delays it sends what is due instead of what was summed last."""
        if self.proc_params.get("delays") is not None:
            if not hasattr(self, "ring"):
                self.ring = Ring(self.proc_params["delays"], self._shape[0])
            self.a_buff = self.ring.take()
        super().run_spk()

    def recv_traces(self, s_in: Any) -> None:
        """The stock phase, which receives the presynaptic messages here."""
        if hasattr(self, "ring"):
            self.ring.add(self.weights, s_in, self.weight_exp)
        super().recv_traces(s_in)

    def _apply_learning_rules(self, x_traces_history: Any, y_traces_history: Any) -> None:
        super()._apply_learning_rules(x_traces_history, y_traces_history)
        connected = self.proc_params.get("connected")
        if connected is not None:
            for name in ("weights", "tag_1", "tag_2"):
                setattr(self, name, np.where(connected, getattr(self, name), 0))


class CarryDense(Dense):  # type: ignore[misc]
    """Weights of 8 bits with an 8-bit tag below, that learn from what has arrived: emulation only.

    `weights` are the stored 16-bit numbers, [post, pre]; `s_in_y1` takes the gathered burst error.
    """

    def __init__(
        self,
        *,
        weights: NDArray[Any],
        delays: NDArray[Any],
        connected: NDArray[np.bool_],
        learning: LearningCode,
        host: Host,
        behind: int,
        seed: int,
        weight_exp: int,
        num_message_bits: int,
        recorder: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            weights=weights,
            delays=delays,
            connected=connected,
            learning=learning,
            host=host,
            behind=behind,
            seed=seed,
            weight_exp=weight_exp,
            num_message_bits=num_message_bits,
            recorder=recorder,
            name=name,
        )
        self.s_in_y1 = InPort(shape=(weights.shape[0],))
        self.x1 = Var(shape=(weights.shape[1],), init=0)


@implements(proc=CarryDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyCarryDense(AbstractPyDenseModelBitAcc):  # type: ignore[misc]
    """Sends the events of the step before with the weights of this step, and learns by carrying."""

    s_in_y1: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    weights: NDArray[Any] = LavaPyType(np.ndarray, np.int32, precision=16)
    x1: NDArray[Any] = LavaPyType(np.ndarray, np.int32, precision=7)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.ring = Ring(proc_params["delays"], proc_params["delays"].shape[0])
        self.arriving: Any = np.zeros(proc_params["delays"].shape[1], dtype=np.int64)
        self.gathered: Any = None

    def run_spk(self) -> None:
        """Send what is due of the messages before, take up the trace of what arrived, receive the next."""
        learning: LearningCode = self.proc_params["learning"]
        connected = self.proc_params["connected"]
        weights = np.where(connected, forward_weight(self.weights.astype(np.int64)), 0)
        binary = self.num_message_bits.item() == 0
        messages = (self.arriving != 0).astype(np.int64) if binary else self.arriving
        self.ring.add(weights, messages, self.weight_exp)
        self.a_out.send(self.ring.take())
        if self.now(learning.restart):
            self.x1[:] = 0
        trace = learning.traces[0]
        self.x1[:] = integer_trace(self.x1, self.arriving != 0, trace.decay, trace.impulse)
        self.arriving = self.s_in.recv().astype(np.int64)
        self.gathered = self.s_in_y1.recv().astype(np.int64)
        self.record()

    @property
    def clock(self) -> int:
        """The neurons' clock."""
        return int(self.time_step - self.proc_params["behind"])

    def now(self, signal: Signal) -> int:
        """A signal that is one number for all."""
        return int(value_at(signal, self.clock, self.proc_params["host"], {}, None, 1))

    def lrn_guard(self) -> bool:
        """A learning epoch ends here, in a part of the sample in which is learned."""
        learning: LearningCode = self.proc_params["learning"]
        ends = self.clock >= 0 and (self.clock + 1) % learning.every == 0
        return bool(ends and self.now(learning.gate))

    def run_lrn(self) -> None:
        """Add x1 y1 2^-shift to each stored weight."""
        learning: LearningCode = self.proc_params["learning"]
        shift, stored = learning.shift + self.now(learning.halvings), self.weights.T.astype(np.int64)
        draw = int(key(self.proc_params["seed"], learning.stream, self.clock))
        draws = carry_draws(draw, learning.rounding, (stored.shape[0], stored.shape[1]), shift)
        learned = learn_carry(stored, self.x1.astype(np.int64), self.gathered, shift, draws)
        self.weights[:] = np.where(self.proc_params["connected"], learned.T, 0)
        self.record()

    def record(self) -> None:
        """Write down the state after this phase."""
        recorder = self.proc_params["recorder"]
        if recorder is not None:
            recorder.write(self.time_step, {"x1": self.x1, "w": recorder.synapses(self.weights)})
