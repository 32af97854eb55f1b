"""Messages on the links between the tiles of a mesh, each first along its row, then along its column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.estimate.layout import Indices, Layout

Counts = NDArray[np.float64]


class Traffic:
    """The messages on every link in each of some steps.

    A way through several links adds 1 where it begins and -1 behind its end: the sums along a row or column
    are then what each link carries.
    """

    def __init__(self, layout: Layout, steps: int) -> None:
        self.columns, self.rows = layout.mesh
        self.column, self.row = layout.tiles
        self.steps = steps
        shapes = ((self.rows, self.columns), (self.columns, self.rows))
        # Along each row to the right and to the left, along each column down and up.
        self.changes = [np.zeros((steps, lines, length + 1)) for lines, length in shapes for _ in range(2)]

    def add(self, step: Indices, source: Indices, target: Indices) -> Counts:
        """Messages from neurocores to others, each in its step; how many hops these are in each step."""
        x, y, to_x, to_y = self.column[source], self.row[source], self.column[target], self.row[target]
        for number, (line, begin, end) in enumerate(((y, x, to_x), (to_x, y, to_y))):
            for back in (False, True):
                moved = end < begin if back else end > begin
                low, high = (end, begin) if back else (begin, end)
                changes = self.changes[2 * number + back]
                for place, sign in ((low, 1), (high, -1)):
                    where = (step[moved] * changes.shape[1] + line[moved]) * changes.shape[2] + place[moved]
                    changes += sign * np.bincount(where, minlength=changes.size).reshape(changes.shape)
        hops = np.abs(x - to_x) + np.abs(y - to_y)
        return np.bincount(step, weights=hops, minlength=self.steps).astype(np.float64)

    def busiest(self) -> Counts:
        """The messages of the busiest link in each step."""
        most = np.zeros(self.steps)
        for changes in self.changes:
            most = np.maximum(most, np.cumsum(changes, axis=2).max(axis=(1, 2), initial=0))
        return most
