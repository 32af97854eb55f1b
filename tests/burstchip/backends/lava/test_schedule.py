from __future__ import annotations

import numpy as np

from burstchip.backends.lava.schedule import Schedule
from burstchip.backends.shown import Shown
from compiler.ir.chip_program import TaskCode

TASK = TaskCode("digits", "image", "readout", 24, 8, 1, (), 0, 9)
SHOWN = Shown(np.array([[0, 16], [8, 4]], dtype=np.uint8), 16, np.array([1, 0]))


def test_a_free_run_starts_with_lavas_first_step() -> None:
    schedule = Schedule()
    assert schedule.clock(1) == schedule.source_clock(1) == 0
    assert schedule.controls(0, 4)["reset"] == 1 and schedule.controls(1, 4)["reset"] == 0
    assert [schedule.controls(n, 4)["gather"] for n in range(6)] == [1, 0, 0, 0, 1, 0]
    assert [schedule.controls(n, 4)["report"] for n in range(6)] == [0, 0, 0, 1, 0, 0]
    assert not schedule.controls(3, 0)["report"]


def test_sources_of_a_task_run_one_step_ahead() -> None:
    schedule = Schedule(8, TASK, SHOWN)
    assert schedule.clock(8) == -1 and schedule.source_clock(8) == 0
    assert schedule.clock(9) == 0


def test_the_parts_of_a_sample() -> None:
    schedule = Schedule(8, TASK, SHOWN, consolidate_every=2)
    flags = [schedule.controls(n, 8) for n in range(48)]
    assert [n for n in range(48) if flags[n]["reset"]] == [0, 24]
    assert [n for n in range(48) if flags[n]["last"]] == [23, 47]
    assert [n for n in range(24) if flags[n]["plastic"]] == list(range(8, 24))
    assert [n for n in range(48) if flags[n]["consolidate"]] == [47]


def test_pictures_and_labels() -> None:
    schedule = Schedule(8, TASK, SHOWN)
    assert schedule.picture(0, 200).tolist() == [0, 200 << 6]
    assert schedule.picture(24, 200).tolist() == [100 << 6, 50 << 6]
    assert schedule.picture(48, 200).tolist() == [0, 0]
    assert schedule.label(0, 3).tolist() == [0, 1, 0] and schedule.label(25, 3).tolist() == [1, 0, 0]
