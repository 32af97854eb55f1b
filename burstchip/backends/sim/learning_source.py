"""The units of the learning step of each plastic projection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from burstchip.backends.sim.code import words
from burstchip.backends.sim.code.carry_source import carry_source
from burstchip.backends.sim.code.engine_plan import scales
from burstchip.backends.sim.code.engine_source import engine_source
from burstchip.backends.sim.delivery_source import delivery
from burstchip.backends.sim.layout import X_TRACES, Layout
from burstchip.backends.sim.signal_source import signal_number
from burstchip.backends.sim.unit import Call, Kind, Unit, now
from compiler.ir.chip_program import FACTORS, LearningCode, ProjectionCode
from hw_models.plasticity.engine_numpy import WEIGHT_RANGES, SignMode
from hw_models.plasticity.rule import LearningRule

TRACES = (*X_TRACES, *FACTORS)

_LOOP = ("from burstchip.backends.sim.code.loop import loop",)
_DRAWN = (*_LOOP, "from burstchip.backends.sim.code.draws import key as key_of")
_NOTE = ("from burstchip.backends.sim.code.traces import note, note_real",)
_REPLAY = ("from burstchip.backends.sim.code.traces import replay, replay_real, take_factor",)
_PLAIN = ("from burstchip.backends.sim.code.traces import bump, bump_real, decay_plain, decay_plain_real",)


def _compiled(source: str, name: str) -> str:
    """A generated function, marked for compilation as the loop's own functions are."""
    return source.replace(f"\ndef {name}(", f"\n@loop\ndef {name}(")


def _synapses(index: int, projection: ProjectionCode, unit: Unit, *, columns: bool = False) -> str:
    """The arguments that say which neurons the stored synapses join."""
    if projection.dense:
        return ""
    lists = [unit.array(f"indptr_{index}", "int64"), unit.array(f"post_{index}", "int32")]
    if columns:
        lists += [unit.array(f"heads_{index}", "int64"), unit.array(f"places_{index}", "uint32")]
    return "".join(f"{it}, " for it in lists)


def _visited(index: int, unit: Unit) -> str:
    """Where the synapses that a learning step went through are counted."""
    return f"{unit.array('visited', 'int64')}[{unit.word(index)}]"


def _seed(learning: LearningCode, unit: Unit) -> str:
    """The seed of its draws: one of its own, or the run's."""
    return now(words.SEED) if learning.seed is None else unit.word(learning.seed)


def plain_trace(index: int, learning: LearningCode, layout: Layout) -> Call:
    """The trace of what has arrived, of the carry form; it is reset with each sample."""
    projection = layout.code.projections[index]
    source = layout.numbers[projection.source]
    trace = learning.traces[0]
    real = layout.variant.real
    name = f"{source}_{projection.output}"
    unit = Unit(_PLAIN)
    if real:
        kept, impulse = unit.real(f"kept_{index}"), unit.real(f"increment_{index}")
    else:
        kept, impulse = f"np.int32({unit.word(4096 - trace.decay)})", unit.word(trace.impulse)
    kind = "_real" if real else ""
    unit.add(
        f"x, events = {unit.array(f'x1_{index}', 'float64' if real else 'int32')}, "
        f"{unit.array(f'e_{name}', 'int32')}",
        f"if {signal_number(learning.restart, unit, layout)}:",
        "    x[:] = 0",
        f"decay_plain{kind}(x, {unit.word(f'n_{source}')}, {kept})",
        f"bump{kind}(x, events, {unit.array(f'c_{name}', 'int64')}[0], {impulse})",
    )
    return unit.call("traces", projection.name, gate=words.NEURONS)


def carry(index: int, learning: LearningCode, layout: Layout) -> Call:
    """The learning step of a projection in the carry form."""
    projection = layout.code.projections[index]
    target = layout.numbers[projection.target]
    real = layout.variant.real
    number = "float64" if real else "int32"
    gathered = layout.code.populations[target].roles.gathered
    source = carry_source(
        storage="dense" if projection.dense else "csr", rounding=learning.rounding, real=real, name="carry"
    )
    unit = Unit(_DRAWN, (_compiled(source, "carry"),))
    plastic = layout.code.populations[target].roles.bound_to("plastic")
    gate = signal_number(learning.gate, unit, layout, target, plastic)
    unit.add(f"if {gate} and not {unit.word(f'frozen_{index}')}:")
    halvings = signal_number(learning.halvings, unit, layout)
    stored = unit.array(f"w_{index}", layout.weight_type, 2 if projection.dense else 1)
    shift = unit.real(f"shift_{index}") if real else unit.word(learning.shift)
    draw = f"key_of({_seed(learning, unit)}, {unit.word(learning.stream)}, {now(words.N)})"
    bounds = f"{unit.real(f'low_{index}')}, {unit.real(f'high_{index}')}" if real else ""
    unit.add(
        f"    {_visited(index, unit)} += carry({_synapses(index, projection, unit)}{stored}, "
        f"{unit.array(f'x1_{index}', number)}, {unit.array(f's_{target}_{gathered}', layout.number_type)}, "
        f"{shift} + {halvings}, {bounds if real else draw})"
    )
    return unit.call("learning", projection.name, gate=words.NEURONS, period=learning.every, ahead=1)


@dataclass(frozen=True)
class ChipLearning:
    """What the loop needs to know of one projection that learns by sums of products."""

    index: int
    projection: ProjectionCode
    learning: LearningCode

    @property
    def rule(self) -> LearningRule:
        """The parsed sums of products."""
        return self.learning.rule

    @property
    def third_factors(self) -> bool:
        """Whether y1 to y3 come from the neuron (else they are traces of its events)."""
        return self.learning.third_factors

    @property
    def reads_events(self) -> bool:
        """Whether the rule needs to know when the postsynaptic neuron emits."""
        return self.learning.reads_events

    @cached_property
    def places(self) -> int:
        """How many places of an epoch's history are kept: the last one where nothing reads the others."""
        by_place = any(
            product.condition in ("x0", "y0") and any(factor.variable in TRACES for factor in product.factors)
            for product in self.rule.products
        )
        return self.learning.every + 1 if by_place else 1

    @property
    def sign_mode(self) -> SignMode:
        """The sign mode in the engine's words."""
        modes: dict[str, SignMode] = {
            "MIXED": "mixed",
            "EXCITATORY": "excitatory",
            "INHIBITORY": "inhibitory",
        }
        return modes[self.projection.sign_mode]

    def calls(self, layout: Layout) -> list[Call]:
        """Note the step's events, and in an epoch's last step send ahead and learn.

        What is sent ahead are the events just emitted, with the weights from before.
        """
        calls = [self._note("x", layout)]
        if self.reads_events:
            calls.append(self._note("y", layout))
        if layout.is_active(self.projection):
            calls.append(delivery(self.index, layout, ahead=True))
        return [*calls, self._replay(layout), self._learn(layout)]

    def _note(self, side: str, layout: Layout) -> Call:
        k, real = self.index, layout.variant.real
        source, target = layout.numbers[self.projection.source], layout.numbers[self.projection.target]
        of_target = f"{target}_{self.learning.postsynaptic}"
        name = f"{source}_{self.projection.output}" if side == "x" else of_target
        unit = Unit(_NOTE)
        if side == "y" and not self.third_factors:
            draw = f"{unit.array(f'y_second_{k}', 'int64')}[{now(words.N)} - {now(words.BEGIN)}]"
        else:
            draw = unit.word(0 if side == "x" else 127)
        stored = unit.array(f"stored_{side}_{k}", "float64" if real else "int32", 2)
        unit.add(
            f"note{'_real' if real else ''}({stored}, {unit.array(f'noted_{side}_{k}', 'int32')}, "
            f"{unit.array(f'e_{name}', 'int32')}, {unit.array(f'c_{name}', 'int64')}[0], "
            f"{now(words.N)} % {unit.word(self.learning.every)} + 1, "
            f"{unit.array(f'impulses_{side}_{k}', 'float64' if real else 'int64', 2)}, {draw})"
        )
        return unit.call("traces", self.projection.name)

    @property
    def rests(self) -> bool:
        """Whether nothing is learned where all third factors are 0."""
        factors = (product.factors for product in self.rule.products)
        read = all(any(it.kind in FACTORS and it.constant == 0 for it in found) for found in factors)
        # A tag may move by chance.
        return self.third_factors and read and not self.rule.touches("t")

    def _live(self, unit: Unit) -> str:
        """Where it is said whether anything can be learned in this epoch."""
        return f"{unit.array('live', 'int64')}[{unit.word(self.index)}]"

    def _replay(self, layout: Layout) -> Call:
        """Take over what the neuron sends, then rebuild the epoch's traces."""
        k, target = self.index, layout.numbers[self.projection.target]
        number = "float64" if layout.variant.real else "int32"
        unit = Unit(_REPLAY)
        unit.add(f"every = {unit.word(self.learning.every)}", f"draw = {self._draw()}")
        unit.add(f"live = {unit.word(int(not self.rests))}")
        if self.third_factors:
            unit.add(f"sent = {unit.array(f'stored_y_{k}', number, 2)}")
            for row, factor in enumerate(FACTORS):
                if factor in layout.programs[target].output and not layout.is_silent(target, factor):
                    factors = unit.array(f"o_{target}_{factor}", layout.number_type)
                    unit.add(f"live |= take_factor(sent, {unit.word(row)}, {factors})")
        unit.add(f"{self._live(unit)} = live")
        self._add_replay(unit, "x", 1, layout)
        unit.add("if live:")
        self._add_replay(unit, "y", int(not self.third_factors), layout)
        return self._at_the_end(unit, "traces")

    def _add_replay(self, unit: Unit, side: str, keep: int, layout: Layout) -> None:
        k, real = self.index, layout.variant.real
        number = "float64" if real else "int32"
        unit.add(
            f"{'    ' * (side == 'y')}replay{'_real' if real else ''}("
            f"{unit.array(f'stored_{side}_{k}', number, 2)}, "
            f"{unit.array(f'noted_{side}_{k}', 'int32')}, "
            f"{unit.array(f'floors_{side}_{k}', 'float64' if real else 'int64', 2)}, "
            f"{unit.array(f'thresholds_{side}_{k}', 'int64', 2)}, {unit.word(f'lowest_{side}_{k}')}, "
            f"{unit.array(f'impulses_{side}_{k}', 'float64' if real else 'int64', 2)}, every, "
            f"{unit.array(f'{side}_decay_{k}', 'int64')}[draw], "
            f"{unit.array(f'{side}_impulse_{k}', 'int64')}[draw], {unit.word(keep)}, live, "
            f"{unit.array(f'history_{side}_{k}', number, 3)})"
        )

    def _learn(self, layout: Layout) -> Call:
        k, real = self.index, layout.variant.real
        dimensions, columns = 2 if self.projection.dense else 1, layout.has_columns(self.projection)
        source = engine_source(
            self.rule,
            storage="dense" if self.projection.dense else "csr",
            rounding=self.learning.rounding,
            real=real,
            columns=columns,
            whole=self.learning.whole,
            name="learn",
        )
        unit = Unit(_DRAWN, (_compiled(source, "learn"),))
        number, stored = "float64" if real else "int32", layout.weight_type
        arrays = [unit.array(f"{name}_{k}", stored, dimensions) for name in "wtd"]
        arrays.append(unit.array(f"lowest_{k}", "int16"))
        arrays += [unit.array(f"history_{side}_{k}", number, 3) for side in "xy"]
        unit.add(
            f"every = {unit.word(self.learning.every)}",
            f"draw = {self._draw()}",
            f"epoch = ({now(words.N)} + 1 + {unit.word(layout.lead_in)}) // every",
            f"noted_x = {unit.array(f'noted_x_{k}', 'int32')}",
            f"noted_y = {unit.array(f'noted_y_{k}', 'int32')}",
        )
        if self.learning.rounding == "lava":
            draw = f"{unit.array(f'rounding_{k}', 'int64')}[draw]"
        else:
            draw = f"key_of({_seed(self.learning, unit)}, {unit.word(self.learning.stream)}, {now(words.N)})"
        period = 2 ** max(self.rule.decimations, default=0)
        if real:
            low, high = unit.real(f"low_{k}"), unit.real(f"high_{k}")
            rates = "".join(f"{unit.real(f'gain_{k}_{n}')}, " for n in range(len(self.rule.products)))
        else:
            low, high = (unit.word(bound) for bound in WEIGHT_RANGES[self.sign_mode])
            rates = "".join(f"{unit.word(scale)}, " for scale in scales(self.rule))
        lists = _synapses(k, self.projection, unit, columns=columns)
        unit.add(
            f"if {self._live(unit)} and not {unit.word(f'frozen_{k}')}:",
            f"    {_visited(k, unit)} += learn({lists}{', '.join(arrays)}, "
            f"noted_x, noted_y, epoch % {unit.word(period)} == 0, ({rates}), {draw}, {low}, {high})",
            "noted_x[:] = 0",
            *(["noted_y[:] = 0"] if self.reads_events else []),
        )
        return self._at_the_end(unit, "learning")

    @staticmethod
    def _draw() -> str:
        """Which of this call's draws belongs to the epoch."""
        return f"({now(words.N)} + 1) // every - 1 - {now(words.BEGIN)} // every"

    def _at_the_end(self, unit: Unit, work: Kind) -> Call:
        """A call in the last step of each epoch."""
        return unit.call(work, self.projection.name, period=self.learning.every, ahead=1)
