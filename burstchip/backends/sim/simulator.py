"""A program under way in compiled code: the chip's integers, or real numbers as the network has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.host_values import check_ahead, written_value
from burstchip.backends.integers import outside_width
from burstchip.backends.sim.code import words
from burstchip.backends.sim.code.columns import by_column
from burstchip.backends.sim.code.step_source import checked
from burstchip.backends.sim.compiled import load_loop, load_unit
from burstchip.backends.sim.kernel_source import kernel_source, shared_words
from burstchip.backends.sim.layout import Layout, Variant
from burstchip.backends.sim.link import Linked, addressed, link
from burstchip.backends.sim.memory import (
    Arrays,
    allocate,
    periodic_flags,
    placed,
    scalars,
    signal_courses,
    signal_values,
    trace_draws,
    unsound,
)
from burstchip.backends.sim.threads import Share, divide, run_side_by_side
from burstchip.backends.sim.unit import Call, Kernel
from burstchip.interruption import uninterrupted
from burstchip.variables import Place, check_place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import HALVINGS, Host
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.plasticity.carry import MOST_K

register_codes({"BC569": "a state that no run of a program has"})


def _run(begin: int, end: int, *tables: NDArray[Any]) -> None:
    words_ = np.array([begin, end, *addressed(*tables)], dtype=np.int64)
    load_loop()(tables[0].ctypes.data, words_.ctypes.data)


@dataclass
class Simulation:
    """A running program: its arrays, and `clock`, the number of steps done.

    `host` holds the streams that the program's signals are of, and what is written between two calls.
    `readout` has the class of each sample that was over. `load` compiles a call's unit and gives its address,
    `run` is the loop over steps; a profile has its own.
    """

    layout: Layout
    seed: int
    arrays: Arrays
    clock: int = 0
    host: Host = field(default_factory=Host)
    frozen: frozenset[str] = frozenset()
    readout: list[int] = field(default_factory=list)
    #: Whether the steps before the first have been done.
    led_in: bool = False
    #: How many threads share the populations; what comes out does not depend on it.
    threads: int = 1
    _one_weight: dict[int, tuple[NDArray[Any], bool]] = field(default_factory=dict)
    load: Callable[[Call], int] = load_unit
    run: Callable[..., None] = _run

    @property
    def code(self) -> ChipProgram:
        """The program that runs."""
        return self.layout.code

    @cached_property
    def kernel(self) -> Kernel:
        """The calls of a step; generating their texts takes milliseconds, as much as many a step."""
        return kernel_source(self.layout)

    @cached_property
    def _scalars(self) -> Mapping[str, Any]:
        """Sizes and parameters, the same objects in every call."""
        return scalars(self.layout)

    @cached_property
    def visited(self) -> NDArray[np.int64]:
        """How many synapses the learning steps of each projection have gone through; no state."""
        return np.zeros(len(self.layout.code.projections), dtype=np.int64)

    @cached_property
    def columns(self) -> Arrays:
        """The columns of lists of synapses that learn by column; no state."""
        found: Arrays = {}
        for index, projection in enumerate(self.code.projections):
            if self.layout.has_columns(projection):
                size = self.code.population(projection.target).size
                lists = by_column(self.arrays[f"indptr_{index}"], self.arrays[f"post_{index}"], size)
                found[f"heads_{index}"], found[f"places_{index}"] = lists
        return found

    @cached_property
    def divided(self) -> tuple[Share, ...]:
        """The calls of each thread."""
        return divide(self.kernel, self.layout, self.threads, self.load)

    @cached_property
    def linked(self) -> Linked:
        """The compiled units of these calls, in tables."""
        return link(self.kernel, self.load)

    def __repr__(self) -> str:
        variant = self.layout.variant
        name = ("single" if variant.single else "reference") if variant.real else "sim"
        return f"<run of '{self.code.name}' on {name}, {self.clock:,} steps done>"

    def advance(self, steps: int) -> dict[Place, NDArray[Any]]:
        """Take `steps` steps; what is recorded at the end of each, [step, index]."""
        check_ahead(steps)
        kept: dict[Place, NDArray[Any]] = {
            place: np.zeros((steps, self.read(*place).size), self.layout.number_type)
            for place in self.layout.variant.record
        }
        self._call(steps, kept)
        return kept

    def _call(self, steps: int, records: Mapping[Place, NDArray[Any]]) -> None:
        """Run the compiled loop once; before a task's first step come those of the lead-in."""
        begin = self.clock - (0 if self.led_in else self.layout.lead_in)
        end, task = self.clock + steps, self.code.task
        given: dict[str, Any] = {}
        if task is not None:
            given["first_sample"] = self.clock // task.present
            given["predictions"] = np.full(end // task.present - given["first_sample"], -1, dtype=np.int64)
        halvings = self.host.written.get(HALVINGS, 0)
        forms = [p.learning for p in self.code.projections if p.learning is not None]
        # A unit cannot raise.
        assert all(it.shift + halvings <= MOST_K for it in forms if it.form == "carry")
        flags = np.zeros(len(self.layout.flags), dtype=np.int64)
        values: dict[str, Any] = {
            **self._scalars,
            **trace_draws(self.layout, self.seed, begin, end - begin),
            **signal_values(self.layout, self.host),
            **signal_courses(self.layout, self.host, begin, end - begin),
            **{f"frozen_{i}": int(p.name in self.frozen) for i, p in enumerate(self.code.projections)},
            **{f"flag_{k}": flags[k : k + 1] for k in range(len(flags))},
            **self.arrays,
            **given,
            f"written_{HALVINGS}": halvings,
            **{f"one_weight_{i}": self._has_one_weight(i) for i in range(len(self.code.projections))},
            "visited": self.visited,
            **self.columns,
            "live": np.zeros(len(self.code.projections), dtype=np.int64),
            "left_widths": np.zeros(len(self.code.populations), dtype=np.int64),
            **{f"r_{name}_{variable}": array for (name, variable), array in records.items()},
        }
        now = shared_words(self.layout)
        now[words.BEGIN], now[words.FIRST], now[words.SEED] = begin, self.clock, self.seed
        periodic = periodic_flags(self.layout, begin, end - begin)
        # The clock and the arrays go on together, whatever signal comes meanwhile.
        with uninterrupted():
            if self.threads > 1 and len(self.divided) > 1:
                run_side_by_side(self.divided, begin, end, now, values, periodic)
            else:
                linked = self.linked
                frames = linked.frames.of(values)
                self.run(
                    begin,
                    end,
                    now,
                    linked.functions,
                    frames.ctypes.data + linked.starts,
                    linked.gates,
                    linked.periods,
                    linked.ahead,
                    periodic,
                    flags,
                )
            self._check_widths(values["left_widths"], begin, end)
            self.clock, self.led_in = end, True
            if task is not None:
                self.readout += given["predictions"].tolist()

    def _has_one_weight(self, index: int) -> bool:
        """Whether all synapses of a projection that does not learn have the same weight."""
        weights = self.arrays[f"w_{index}"]
        known = self._one_weight.get(index)
        # The array itself tells whether others were set since.
        if known is None or known[0] is not weights:
            fixed = weights.size > 0 and not self.layout.is_plastic(self.code.projections[index])
            known = weights, bool(fixed and np.all(weights == weights.flat[0]))
            self._one_weight[index] = known
        return known[1]

    def _check_widths(self, left: NDArray[np.int64], begin: int, end: int) -> None:
        """Raise `BurstchipError` BC568 where a program computed what its declared widths do not hold."""
        for number in np.flatnonzero(left):
            program = self.layout.programs[number]
            kind, name = next(
                variable
                for place, variable in enumerate(checked(program))
                if left[number] >> min(place, 30) & 1
            )
            width = program.states[name] if kind == "state" else program.outputs[name]
            raise outside_width(
                self.code.populations[number].name,
                f"{kind} '{name}' of program '{program.name}' outside {width}, in steps {begin}..{end - 1}",
            )

    def read(self, place: str, variable: str) -> NDArray[Any]:
        """A population's state or output, [neuron], or what a projection's synapses hold, flat: a view."""
        check_place(self.code, (place, variable))
        number = self.layout.numbers.get(place)
        if number is not None:
            kind = "s" if variable in self.code.populations[number].program.states else "o"
            name = f"{kind}_{number}_{variable}"
            if name not in self.arrays:
                # An output that nothing reads in this variant, or always 0 in it.
                return np.zeros(self.code.populations[number].size, dtype=self.layout.number_type)
            return self.arrays[name]
        index = next(k for k, p in enumerate(self.code.projections) if p.name == place)
        held = self.layout.held_by_synapses(index, variable)
        array = self.arrays[held.name]
        if variable in ("t", "d") and array.size == 0:
            # Nothing of the rule touches it.
            return np.zeros(self.arrays[f"w_{index}"].size, dtype=array.dtype)
        return array.ravel() if held.row is None else np.asarray(array[held.row])

    def write(self, name: str, value: Any) -> None:
        """Set what the host writes as `name`, from the next step on."""
        self.host.written[name] = written_value(self.code, name, value, real=self.layout.variant.real)

    def weights(self, name: str) -> NDArray[Any]:
        """The weights that events see, [source, target] where dense, in units of 2^weight_exp."""
        index = next(k for k, p in enumerate(self.code.projections) if p.name == name)
        projection, stored = self.code.projections[index], self.arrays[f"w_{index}"]
        return projection.forward(stored) if self.layout.is_plastic(projection) else stored

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take these for the weights that events see, by projection; without learning alone."""
        assert not self.layout.variant.learning
        for index, projection in enumerate(self.code.projections):
            if projection.name in weights:
                self.arrays[f"w_{index}"] = np.ascontiguousarray(weights[projection.name])

    @property
    def events(self) -> dict[str, int]:
        """How many events each population has emitted."""
        return {name: int(self.arrays["event_totals"][n, 0]) for name, n in self.layout.numbers.items()}

    @property
    def bursts(self) -> dict[str, int]:
        """How many bursts each population that has any has emitted."""
        counted = {
            n: name for name, n in self.layout.numbers.items() if "bursts" in self.layout.programs[n].outputs
        }
        return {name: int(self.arrays["event_totals"][n, 1]) for n, name in counted.items()}

    @property
    def clipped(self) -> dict[str, int]:
        """How many summed inputs of each population left their width."""
        return {name: int(self.arrays["clipped_inputs"][n]) for name, n in self.layout.numbers.items()}

    def state(self) -> Arrays:
        """Everything that the run goes on from, beside its clock and what the host wrote; no copies."""
        return self.arrays

    def restore(self, state: Mapping[str, NDArray[Any]], clock: int) -> None:
        """Go on from the state that another run of the program had after `clock` steps.

        Raises `BurstchipError` BC569 where no run of the program has such a state.
        """
        self._require_sound(state)
        self.arrays.update(placed(state))
        self.clock, self.led_in = clock, clock > 0

    def _require_sound(self, state: Mapping[str, NDArray[Any]]) -> None:
        if wrong := unsound(self.layout, state, self.arrays):
            raise BurstchipError(
                Diagnostic(
                    "BC569",
                    "a run cannot go on from this state",
                    required="the state of a run of the same program",
                    given=f"values of '{wrong}' that no run has",
                )
            )

    def adopt(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take neurons and weights from the state of another run, but no messages, traces and tags.

        Raises `BurstchipError` BC569 where no run of the program has such a state.
        """
        taken = {name: array for name, array in state.items() if name[:2] in ("w_", "s_")}
        self._require_sound(taken)
        for name, array in taken.items():
            self.arrays[name] = array.copy()

    @property
    def synaptic_events(self) -> int:
        """How many events have gone through synapses."""
        return int(np.sum(self.arrays["synaptic_events"]))

    def close(self) -> None:
        """Nothing is held beyond memory."""


def start(
    code: ChipProgram,
    *,
    learning: bool,
    real: bool = False,
    single: bool = False,
    record: Sequence[Place] = (),
    frozen: Collection[str] = (),
    host: Host | None = None,
    seed: int | None = None,
    begin: int = 0,
    threads: int = 1,
) -> Simulation:
    """A simulation at clock `begin`, on several threads. Projections named in `frozen` do not learn."""
    layout = Layout(code, Variant(learning, real, tuple(record), single))
    return Simulation(
        layout,
        code.seed if seed is None else seed,
        allocate(layout),
        begin,
        Host() if host is None else host,
        frozenset(frozen),
        threads=threads,
    )
