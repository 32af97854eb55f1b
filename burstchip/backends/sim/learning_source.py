"""The text of the learning step of each plastic projection: its functions, and the lines that call them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from burstchip.backends.sim.delivery_source import Argument
from burstchip.backends.sim.layout import Layout
from compiler.ir.chip_program import FACTORS, LearningCode, ProjectionCode
from hw_models.plasticity.carry_numba import carry_source
from hw_models.plasticity.engine_numba import engine_source
from hw_models.plasticity.engine_numpy import WEIGHT_RANGES, SignMode
from hw_models.plasticity.rule import LearningRule

X_TRACES = ("x1", "x2")
TRACES = (*X_TRACES, *FACTORS)


def _compiled(source: str, name: str) -> str:
    """A generated function, marked for compilation as the loop's own functions are."""
    return source.replace(f"def {name}(", f"@loop\ndef {name}(")


def carry_function(index: int, projection: ProjectionCode, learning: LearningCode, layout: Layout) -> str:
    """The learning step of a projection in the carry form."""
    name = f"carry_{index}"
    source = carry_source(
        storage="dense" if projection.dense else "csr",
        rounding=learning.rounding,
        real=layout.variant.real,
        name=name,
    )
    return _compiled(source, name)


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

    def function(self, layout: Layout) -> str:
        """The text of the compiled learning step."""
        name = f"learn_{self.index}"
        source = engine_source(
            self.rule,
            storage="dense" if self.projection.dense else "csr",
            rounding=self.learning.rounding,
            real=layout.variant.real,
            name=name,
        )
        return _compiled(source, name)

    def lines(self, layout: Layout, argument: Argument, ahead: list[str]) -> list[str]:
        """Note the step's events, and in an epoch's last step send ahead and learn.

        `ahead` are the lines that deliver the events just emitted, with the weights from before.
        """
        k, every = self.index, self.learning.every
        source, target = layout.numbers[self.projection.source], layout.numbers[self.projection.target]
        real = "_real" if layout.variant.real else ""
        events = f"e_{source}_{self.projection.output}, c_{source}_{self.projection.output}[0]"
        place = f"n % {every} + 1"
        stored = {side: argument(f"stored_{side}_{k}") for side in "xy"}
        noted = {side: argument(f"noted_{side}_{k}") for side in "xy"}
        history = {side: argument(f"history_{side}_{k}") for side in "xy"}
        tables = {
            side: f"{argument(f'floors_{side}_{k}')}, {argument(f'thresholds_{side}_{k}')}" for side in "xy"
        }
        impulses = {side: argument(f"impulses_{side}_{k}") for side in "xy"}
        lowest = {side: argument(f"lowest_{side}_{k}") for side in "xy"}
        draws = f"(n + 1) // {every} - 1 - n_begin // {every}"
        lines = [f"note{real}({stored['x']}, {noted['x']}, {events}, {place}, {impulses['x']}, 0)"]
        if self.reads_events:
            flags = f"{argument(f'e_{target}_events')}, {argument(f'c_{target}_events')}[0]"
            if not self.third_factors:
                second = f"{argument(f'y_second_{k}')}[n - n_begin]"
                lines.append(
                    f"note{real}({stored['y']}, {noted['y']}, {flags}, {place}, {impulses['y']}, {second})"
                )
            else:
                lines.append(
                    f"note{real}({stored['y']}, {noted['y']}, {flags}, {place}, {impulses['y']}, 127)"
                )
        lines.append(f"if (n + 1) % {every} == 0:")
        body = [*ahead]
        if self.third_factors:
            program = layout.programs[target]
            body += [
                f"{stored['y']}[{number}] = {argument(f'o_{target}_{factor}')}"
                for number, factor in enumerate(FACTORS)
                if factor in program.output and not layout.is_silent(target, factor)
            ]
        for side in "xy":
            drawn = f"{argument(f'{side}_decay_{k}')}[{draws}], {argument(f'{side}_impulse_{k}')}[{draws}]"
            keep = "0" if side == "y" and self.third_factors else "1"
            body.append(
                f"replay{real}({stored[side]}, {noted[side]}, {tables[side]}, {lowest[side]}, "
                f"{impulses[side]}, "
                f"{every}, {drawn}, {keep}, {history[side]})"
            )
        arrays = (
            f"{argument(f'w_{k}')}, {argument(f't_{k}')}, {argument(f'd_{k}')}, {argument(f'lowest_{k}')}"
        )
        if not self.projection.dense:
            arrays = f"{argument(f'indptr_{k}')}, {argument(f'post_{k}')}, {arrays}"
        period = 2 ** max(self.rule.decimations, default=0)
        epoch = f"(n + 1 + {layout.lead_in}) // {every}"
        drawn = (
            f"{argument(f'rounding_{k}')}[{draws}]"
            if self.learning.rounding == "lava"
            else f"key_of(seed, {self.learning.stream}, n)"
        )
        low, high = WEIGHT_RANGES[self.sign_mode]
        body.append(f"if not {argument(f'frozen_{k}')}:")
        body.append(
            f"    learn_{k}({arrays}, {history['x']}, {history['y']}, {noted['x']}, {noted['y']}, "
            f"{epoch} % {period} == 0, {drawn}, {low}, {high})"
        )
        body += [f"{noted['x']}[:] = 0", f"{noted['y']}[:] = 0"]
        return [*lines, *(f"    {line}" for line in body)]
