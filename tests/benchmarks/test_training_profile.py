"""How the loop is taken apart; no test asserts a time."""

from __future__ import annotations

import json

import pytest

from benchmarks import training_profile
from benchmarks.contests import training_program
from benchmarks.profiling.instrument import KINDS, Part, instrument, parts_of
from benchmarks.profiling.ticks import can_tick
from benchmarks.profiling.work import Seen, work_of
from burstchip.backends.sim.simulator import Simulation, start

pytestmark = pytest.mark.once

PROJECTIONS = ("image_to_hidden", "hidden_to_readout", "feedback")
LEARNING = PROJECTIONS[:2]
#: As the page of benchmarks has it.
QUICK = "--template digits --form carry --quick"


def simulation_of(form: str) -> Simulation:
    return start(training_program("digits", form), learning=True)


@pytest.mark.parametrize("form", ["carry", "chip"])
def test_every_part_of_the_loop_is_found(form: str) -> None:
    parts = parts_of(simulation_of(form).kernel)

    assert set(parts) == {
        Part("schedule", ""),
        *(Part("delivery", name) for name in PROJECTIONS),
        *(Part(kind, name) for kind in ("traces", "learning") for name in LEARNING),
        *(Part("neurons", name) for name in ("hidden", "readout")),
        *(Part("listing", name) for name in ("image", "hidden", "readout")),
        Part("source", "image"),
    }
    assert {part.kind for part in parts} == set(KINDS) - {"recording"}


@pytest.mark.parametrize("form", ["carry", "chip"])
def test_each_call_counts_for_its_part(form: str) -> None:
    kernel = simulation_of(form).kernel
    loop = instrument(kernel)

    assert [loop.parts[number] for number in loop.of_call] == [Part(c.work, c.owner) for c in kernel.calls]


def test_work_is_counted_from_what_was_seen() -> None:
    layout = simulation_of("carry").layout
    seen = Seen(dict.fromkeys(PROJECTIONS, 10.0), dict.fromkeys(LEARNING, 1000.0), lit=30.0)

    learning = work_of(Part("learning", "image_to_hidden"), layout, seen)
    delivery = work_of(Part("delivery", "image_to_hidden"), layout, seen)
    listing = work_of(Part("listing", "image"), layout, seen)

    # 12 operations make the draw of each synapse.
    assert learning is not None and (learning.bytes, learning.operations) == (6000.0, 18000.0)
    # 10 rows of 100 targets: the weight's rounding, and the addition.
    assert delivery is not None and delivery.operations == 3000.0
    assert listing is not None and listing.operations == 2.0 * 30 * 96
    assert work_of(Part("schedule", ""), layout, seen) is None


@pytest.mark.slow
@pytest.mark.skipif(not can_tick(), reason="reads the clock of x86-64 processors")
def test_the_profile_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    training_profile.main([*QUICK.split(), "--json"])

    printed = capsys.readouterr()
    (line,) = printed.out.splitlines()
    result = json.loads(line)
    assert sum(part["share"] for part in result["parts"]) == pytest.approx(1.0)
    assert sum(part["seconds"] for part in result["parts"]) == pytest.approx(result["seconds_together"])
    assert all(value > 0 for value in result["limits"].values())
    assert result["instructions"]["carry image_to_hidden"]["other"] > 0
    assert "One training sample" in printed.err
