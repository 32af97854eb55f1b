"""Long lists from a file of numbers, one row each: the events of a source, the pairs of a projection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.files.rows import Unusable, load_rows
from burstchip.frontend.fields import Fields
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import unit_scale
from compiler.ir.connectivity import ExplicitPairs
from compiler.ir.network import ListedEvents
from compiler.steps import are_whole_steps
from hw_models.neurons.model import Dimension
from hw_models.neurons.quantities import nearest_steps

#: The clock has 31 bits.
_LAST_STEP = (1 << 31) - 1

Rows = NDArray[np.float64]


class _File:
    """A file under a key, and how it is found fault with."""

    def __init__(self, id: str, fields: Fields, columns: str, report: Report) -> None:
        self.id, self.fields, self.columns, self.report = id, fields, columns, report

    def wrong(self, message: str, required: str, given: str, hint: str | None = None) -> None:
        at, label = self.fields.nodes["file"], self.fields.name_of("file")
        self.report.add(self.id, at, f"{label}: {message}", required=required, given=given, hint=hint)

    def rows(self, widths: tuple[int, ...]) -> Rows | None:
        name = self.fields.get("file", str)
        if name is None:
            return None
        found = load_rows(Path(self.report.file).parent / name, self.columns)
        if isinstance(found, Unusable):
            self.wrong(found.message, found.required, found.given)
            return None
        if found.ndim != 2 or found.shape[1] not in widths:
            self.wrong("the rows have the wrong shape", self.columns, f"{list(found.shape)}")
            return None
        return found

    def are_neurons(self, rows: Rows, column: int, what: str, size: int | None) -> bool:
        """Whether a column holds numbers of neurons; of a size that is not known whole ones."""
        values = rows[:, column]
        most = (1 << 24) if size is None else size
        bad = np.flatnonzero((values != np.floor(values)) | (values < 0) | (values >= most))
        if len(bad):
            row = int(bad[0])
            self.wrong(
                f"row {row + 1} names a {what} that does not exist",
                f"a whole number from 0 to {most - 1}",
                f"{values[row]:.12g}",
            )
        return not len(bad)

    def are_different(self, keys: NDArray[np.int64], what: str, required: str) -> bool:
        """Whether no two rows, [row, key], are the same."""
        order = np.lexsort(keys.T)
        same = np.flatnonzero((keys[order[1:]] == keys[order[:-1]]).all(axis=1))
        if len(same):
            # The sort is stable: the earlier row comes first.
            first, second = (int(order[same[0] + k]) for k in (0, 1))
            self.wrong(f"row {second + 1} {what} row {first + 1}", required, str(keys[second].tolist()))
        return not len(same)


def read_event_file(
    fields: Fields, size: int, step: float | None, report: Report, *, messages: bool = False
) -> ListedEvents | None:
    """The events of a file with rows [neuron, time]; reports what cannot be used and returns None.

    Of `messages` a row has the integer that is sent behind these.
    """
    what, columns = ("message", "[neuron, time, value]") if messages else ("event", "[neuron, time]")
    file = _File("BC175", fields, f"rows {columns}", report)
    rows, unit = file.rows((2 + messages,)), fields.get("unit", str)
    if rows is None or unit is None or not file.are_neurons(rows, 0, "neuron", size):
        return None
    scale = unit_scale(unit, "time", fields.nodes["unit"], fields.name_of("unit"), report)
    if scale is None or step is None:
        return None
    times = rows[:, 1] * scale
    bad = np.flatnonzero((times < 0) | (times > _LAST_STEP * step))
    if len(bad):
        file.wrong(
            f"row {bad[0] + 1} has a time out of range",
            f"0 to {_LAST_STEP * step:.12g} ms, the end of the clock",
            f"{times[bad[0]]:.12g} ms",
        )
        return None
    neurons, steps = rows[:, 0].astype(np.int64), np.asarray(nearest_steps(times, step), dtype=np.int64)
    required = f"at most one {what} of a neuron in a step"
    if not file.are_different(np.stack([steps, neurons], axis=1), "falls into the step of", required):
        return None
    between = np.flatnonzero(~are_whole_steps(times, step))
    if len(between):
        row = between[0]
        report.add(
            "BC113",
            fields.nodes["file"],
            f"{fields.label}: {what}s between two steps are rounded to the nearest",
            required="whole numbers of steps",
            given=f"{len(between)} between steps, the first, {times[row]:.12g} ms, in row {row + 1}",
            severity="warning",
        )
    if not messages:
        return ListedEvents(neurons, times)
    values = rows[:, 2]
    bad = np.flatnonzero((values != np.floor(values)) | (values < -32768) | (values > 32767))
    if len(bad):
        given = f"{values[bad[0]]:.12g}"
        file.wrong(f"row {bad[0] + 1} has a value out of range", "a whole number from -32768 to 32767", given)
        return None
    return ListedEvents(neurons, times, values.astype(np.int64))


def read_pair_file(
    fields: Fields,
    sizes: tuple[int | None, int | None],
    dimension: Dimension | None,
    report: Report,
    *,
    autapses: bool,
) -> ExplicitPairs | None:
    """The pairs of a file with rows [source, target] or [source, target, weight]; None where not right.

    Without `autapses` none may join a neuron to itself.
    """
    columns = "rows [source, target], or [source, target, weight] with 'unit' beside 'file'"
    file = _File("BC176", fields, columns, report)
    unit = fields.get("unit", str)
    rows = file.rows((2,) if unit is None else (3,))
    if rows is None or fields.lost("unit"):
        return None
    for column, what in enumerate(("source neuron", "target neuron")):
        if not file.are_neurons(rows, column, what, sizes[column]):
            return None
    pairs = rows[:, :2].astype(np.int32)
    if not file.are_different(pairs.astype(np.int64), "repeats", "each pair once"):
        return None
    own = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if not autapses and len(own):
        file.wrong(
            f"row {own[0] + 1} connects a neuron to itself, which 'autapses: no' excludes",
            "two different neurons, or autapses: yes",
            str(pairs[own[0]].tolist()),
        )
        return None
    if unit is None:
        return ExplicitPairs(pairs)
    if dimension is None:
        return None
    scale = unit_scale(unit, dimension, fields.nodes["unit"], fields.name_of("unit"), report)
    if scale is None:
        return None
    return ExplicitPairs(pairs, rows[:, 2] * scale)
