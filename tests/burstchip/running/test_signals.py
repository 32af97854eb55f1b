"""Signals on all backends: the same integers, the exact values, and a loop that the host closes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from numpy.typing import NDArray

import burstchip
from burstchip.running.run import open_run
from burstchip.running.verification import verify
from compiler.artifact import dump_artifact, load_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

HEAD = """burstchip: 1
name: signals
step: 1 ms
seed: 3
populations:
  input: {model: poisson_source, size: 6, rate: 100 Hz}
  even: {model: rate_source, size: 4}
  level: {model: current_source, size: 2, level: 3}
  cells: {model: lif, size: 5, bias: 50 pA}
  fast: {model: lif, size: 3, capacitance: [50 pF, 100 pF, 200 pF]}
  units: {model: burst_unit, size: 4, bias: 490 pA, teacher_gain: 0.125}
plasticity:
  burst:
    form: FORM
    every: 8 ms
    learning_rate: RATE
    trace: {name: x1, tau: 16 ms, increment: 16}
projections:
  - {from: input, to: units.soma, weight: {uniform: [-2 mV, 4 mV]}, limit: 20 mV, learn: burst}
  - {from: even, to: cells.soma, weight: 2 mV}
  - {from: level, to: cells.soma, weight: 1 mV}
  - {from: units.burst_error, to: units.dendrite, weight: {uniform: [-0.2, 0.2]}}
"""
CHIP = HEAD.replace("FORM", "chip").replace(
    "RATE", "2^-7\n    consolidation_rate: 2^-6\n    consolidate_every: 4"
)
CARRY = HEAD.replace("FORM", "carry").replace("RATE", "2^-3")
ALL = """signals:
  drive: {to: cells.bias, sine: {mean: 60 pA, amplitude: 130 pA, frequency: 13 Hz, phase: 0.25}, start: 10 ms,
    stop: 180 ms}
  poke: {to: cells.soma, pulses: {value: 3 mV, width: 4 ms, period: 30 ms}}
  rates: {to: input.rate, steps: [[0 ms, 50 Hz], [60 ms, 400 Hz], [120 ms, 0 Hz]]}
  climb: {to: even.rate, ramp: {from: 0 Hz, to: 500 Hz, over: 90 ms}, start: 20 ms}
  graded: {to: level.level, table: {values: [1, -2, 5], every: 7 ms, repeat: yes}}
  lesson: {to: units.teacher, streamed: {every: 10 ms, from: 0 Hz, to: 400 Hz}}
  gate: {to: units.plastic, pulses: {value: 1, width: 50 ms, period: 80 ms, base: 0}}
  kick: {to: units.dendrite, constant: 0.1, start: 100 ms, stop: 150 ms}
"""
HOST = "  host: {to: fast.bias, written: {from: -300 pA, to: 900 pA, start: 20 pA}}\n"
LESSON = np.random.default_rng(0).uniform(0, 400, (15, 4))


def compiled(text: str, folder: Path) -> ChipProgram:
    (folder / "net.yaml").write_text(text)
    return burstchip.compile_file(folder / "net.yaml")[0]


@pytest.mark.parametrize("form", [CHIP, CARRY], ids=["chip", "carry"])
@pytest.mark.backends("plain", "lava", reason="compared with the simulator, value by value")
def test_the_same_integers_on_all_backends(form: str, backend: str, tmp_path: Path) -> None:
    code = compiled(form + ALL + HOST, tmp_path)
    found = verify(code, 200, backends=("sim", backend), streams={"lesson": LESSON})
    assert found.difference is None and found.steps == 200


def test_an_artifact_holds_its_signals(tmp_path: Path) -> None:
    code = compiled(CHIP + ALL + HOST, tmp_path)
    (tmp_path / "net.burst").write_bytes(dump_artifact(code))
    loaded, _ = load_artifact(tmp_path / "net.burst")
    assert dump_artifact(loaded) == dump_artifact(code)
    places = [("cells", "v"), ("units", "d")]
    runs = [open_run(it, record=places, streams={"lesson": LESSON}) for it in (code, loaded)]
    one, other = (run.advance(150) for run in runs)
    assert all(np.array_equal(one[place], other[place]) and one[place].any() for place in places)


COURSES = {
    "constant: 7": lambda t: np.full_like(t, 7.0),
    "sine: {mean: 3, amplitude: 40, frequency: 8 Hz, phase: 0.1}": (
        lambda t: 3 + 40 * np.sin(2 * np.pi * (0.008 * t + 0.1))
    ),
    # No whole number of steps.
    "sine: {amplitude: 1000, frequency: 7.3 Hz}": lambda t: 1000 * np.sin(2 * np.pi * 0.0073 * t),
    "ramp: {from: -5, to: 90, over: 400 ms}": lambda t: -5 + 95 * np.minimum(t, 400) / 400,
    "pulses: {value: 9, width: 6 ms, period: 20 ms}": lambda t: np.where(t % 20 < 6, 9.0, 2.0),
    "pulses: {value: 9, width: 6 ms, period: 20 ms, base: -4}": lambda t: np.where(t % 20 < 6, 9.0, -4.0),
    "steps: [[0 ms, 1], [50 ms, -6], [90 ms, 8]]": (
        lambda t: np.where(t < 50, 1.0, np.where(t < 90, -6.0, 8.0))
    ),
    "steps: [[30 ms, 5]]": lambda t: np.where(t < 30, 2.0, 5.0),
    "table: {values: [4, 1, 9], every: 11 ms}": lambda t: np.array([4.0, 1.0, 9.0])[np.minimum(t // 11, 2)],
    "table: {values: [4, 1, 9], every: 11 ms, repeat: yes}": lambda t: np.array([4.0, 1.0, 9.0])[t // 11 % 3],
}


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize(("begin", "end"), [(0, 600), (37, 600), (37, 301)])
def test_a_course_is_what_its_equation_says(
    course: str, begin: int, end: int, backend: str, tmp_path: Path
) -> None:
    """A current source sends its level, which is a plain number: what is recorded is the signal."""
    if backend == "lava":
        pytest.skip("compared with the others above")
    level = "{model: current_source, size: 2, level: 2}"
    cell = "  cell: {model: lif, size: 1}\nprojections:\n  - {from: level, to: cell.soma, weight: 1 mV}\n"
    times = f", start: {begin} ms" + (f", stop: {end} ms" if end < 600 else "")
    text = HEAD[: HEAD.index("  input:")] + f"  level: {level}\n{cell}"
    code = compiled(f"{text}signals:\n  it: {{to: level.level, {course}{times}}}\n", tmp_path)
    found = burstchip.record(code, 600, ["level.current"], backend=backend).values["level", "current"]
    n = np.arange(600)
    wanted = np.where((n >= begin) & (n < end), COURSES[course](np.maximum(n - begin, 0)), 2.0)
    if backend == "reference":
        assert np.abs(found - wanted[:, np.newaxis]).max() < 1e-9
    else:
        # A cycle that is no whole number of steps is played from 4,096 values.
        allowed = 0.5 + (1000 * 2 * np.pi / 4096 if "7.3" in course else 0.0)
        assert np.abs(found - wanted[:, np.newaxis]).max() <= allowed + 1e-9


#: A current of each course; where it does not say, it is what the neuron has without the signal. All are so
#: small that the integers have the same exponent whichever neurons share them.
CURRENTS = {
    "constant": "constant: 70 pA",
    "sine": "sine: {mean: 30 pA, amplitude: 350 pA, frequency: 8 Hz}",
    "sine of no whole cycle": "sine: {mean: 30 pA, amplitude: 350 pA, frequency: 7.3 Hz}",
    "ramp": "ramp: {from: -50 pA, to: 400 pA, over: 200 ms}",
    "pulses": "pulses: {value: 400 pA, width: 6 ms, period: 20 ms}",
    "pulses on a base": "pulses: {value: 400 pA, width: 6 ms, period: 20 ms, base: -40 pA}",
    "steps": "steps: [[0 ms, 100 pA], [50 ms, -300 pA], [90 ms, 400 pA]]",
    "later steps": "steps: [[30 ms, 400 pA]]",
    "table": "table: {values: [300 pA, 100 pA, 400 pA], every: 11 ms, repeat: yes}",
    "streamed": "streamed: {every: 10 ms, from: -450 pA, to: 450 pA}",
    "written": "written: {from: -450 pA, to: 450 pA}",
}
OWN = {
    "capacitance": ["50 pF", "100 pF", "200 pF"],
    "bias": ["20 pA", "35 pA", "-50 pA"],
    "tau_membrane": ["10 ms", "20 ms", "30 ms"],
}


@pytest.mark.parametrize("course", CURRENTS)
@pytest.mark.parametrize("own", OWN)
def test_neurons_with_parameters_of_their_own_are_each_as_if_alone(
    course: str, own: str, backend: str, tmp_path: Path
) -> None:
    if backend == "lava":
        pytest.skip("compared with the others above")
    host = course in ("streamed", "written")
    times = "" if host else ", start: 15 ms, stop: 240 ms"

    def potentials(chosen: slice) -> NDArray[Any]:
        cells = f"size: {len(OWN[own][chosen])}, {own}: [{', '.join(OWN[own][chosen])}]"
        text = f"{HEAD[: HEAD.index('  input:')]}  cells: {{model: lif, {cells}}}\n"
        code = compiled(f"{text}signals:\n  it: {{to: cells.bias, {CURRENTS[course]}{times}}}\n", tmp_path)
        streams = {"it": np.array([10.0, -30.0, 420.0])} if course == "streamed" else None
        run = open_run(code, backend, record=[("cells", "v")], streams=streams)
        parts = [run.advance(100)["cells", "v"]]
        if course == "written":
            run.write("it", 410.0)
        return np.concatenate([*parts, run.advance(200)["cells", "v"]])

    whole = potentials(slice(None))
    alone = np.concatenate([potentials(slice(k, k + 1)) for k in range(3)], axis=1)
    assert whole.any()
    if backend == "reference":
        # Neurons that differ play a sine from 4,096 values where its cycle is no whole number of steps.
        assert np.abs(whole - alone).max() <= (0.5 if "no whole" in course else 1e-9)
    else:
        assert np.array_equal(whole, alone)


def test_rows_of_files(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).uniform(-200, 300, (40, 5))
    np.save(tmp_path / "rows.npy", rows)
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",")
    found = {}
    for name in ("rows.npy", "rows.csv"):
        signal = f"  it: {{to: cells.bias, table: {{file: {name}, unit: pA, every: 5 ms}}}}\n"
        code = compiled(CHIP + "signals:\n" + signal, tmp_path)
        found[name] = {b: burstchip.record(code, 200, ["cells.v"], backend=b) for b in ("sim", "plain")}
        one, other = (it.values["cells", "v"] for it in found[name].values())
        assert np.array_equal(one, other) and np.unique(one, axis=1).shape == one.shape
    both = [it["sim"].values["cells", "v"] for it in found.values()]
    assert np.array_equal(*both)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 4)), r"BC173.*(?s:.*)required: \[row, 5\]    given: \[3, 4\]"),
        (np.array([1.0, np.nan]), "a number is not finite"),
        (np.zeros((2, 5, 2)), "does not hold rows of numbers"),
        (np.array(["a", "b"]), "does not hold rows of numbers"),
        (np.array([{}, []], dtype=object), "the file cannot be read"),
        (np.zeros((0, 5)), "does not hold rows of numbers"),
    ],
)
def test_files_that_are_none(values: Any, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", values, allow_pickle=True)
    signal = "  it: {to: cells.bias, table: {file: rows.npy, unit: pA, every: 5 ms}}\n"
    with pytest.raises(BurstchipError, match=message):
        compiled(CHIP + "signals:\n" + signal, tmp_path)


LOOP = """burstchip: 1
name: clamped
step: 1 ms
populations:
  input: {model: rate_source, size: 2, rate: 40 Hz}
  cells: {model: lif, size: 10, tau_membrane: 20 ms}
projections:
  - {from: input, to: cells.soma, weight: 1 mV}
signals:
  current: {to: cells.bias, written: {from: 0 pA, to: 600 pA, start: 20 pA}}
"""


def closed_loop(code: ChipProgram, backend: str, wanted: float) -> tuple[list[float], list[float]]:
    """Every 100 ms the host reads the rate and moves the current to the wanted one; (rates, currents)."""
    run, current, seen = open_run(code, backend, record=[("cells", "v")]), 20.0, 0
    rates, currents, v = [], [], []
    for _ in range(30):
        v.append(run.advance(100)["cells", "v"])
        rates.append((run.events["cells"] - seen) / 10 / 0.1)
        seen = run.events["cells"]
        assert np.array_equal(run.read("cells", "v"), v[-1][-1])
        current = min(max(current + 0.5 * (wanted - rates[-1]), 0.0), 600.0)
        run.write("current", current)
        currents.append(current)
    run.close()
    return rates, currents


def test_the_host_closes_a_loop(backend: str, tmp_path: Path) -> None:
    code = compiled(LOOP, tmp_path)
    rates, currents = closed_loop(code, backend, 60.0)
    assert max(rates) - min(rates) > 15.0 and np.mean(rates[-5:]) == pytest.approx(60.0, abs=6.0)
    if backend != "reference":
        assert (rates, currents) == closed_loop(code, "sim", 60.0)


def test_what_the_host_gives_is_checked(tmp_path: Path) -> None:
    code = compiled(CHIP + ALL + HOST, tmp_path)
    with pytest.raises(BurstchipError, match=r"BC567.*(?s:.*)missing: lesson"):
        open_run(code)
    with pytest.raises(BurstchipError, match=r"BC558.*(?s:.*)did you mean: lesson"):
        open_run(code, streams={"lessen": LESSON})
    with pytest.raises(BurstchipError, match=r"BC559.*(?s:.*)required: \[rows\] or \[rows, 4\]"):
        open_run(code, streams={"lesson": LESSON[:, :3]})
    with pytest.raises(BurstchipError, match=r"BC559.*(?s:.*)required: 0 to 400 Hz    given: 500 Hz"):
        open_run(code, streams={"lesson": [100.0, 500.0]})
    run = open_run(code, streams={"lesson": LESSON})
    for value, message in (
        (901.0, "required: -300 to 900 pA    given: 901 pA"),
        (np.zeros(2), r"required: one number or \[3\]    given: shape \[2\]"),
        (np.nan, "given: nan pA"),
        ("much", "required: numbers"),
    ):
        with pytest.raises(BurstchipError, match=message):
            run.write("host", value)
    with pytest.raises(BurstchipError, match="BC558"):
        run.write("drive", 1.0)
    run.write("host", [-300.0, 0.0, 900.0])


def test_a_stream_is_0_after_its_last_row(tmp_path: Path) -> None:
    code = compiled(CHIP + "signals:\n" + next(it for it in ALL.splitlines(True) if "lesson" in it), tmp_path)
    place = ("units", "d")
    some, none = (open_run(code, record=[place], streams={"lesson": rows}) for rows in (LESSON[:3], [0.0]))
    one, other = some.advance(400)[place], none.advance(400)[place]
    assert np.any(one[:30] != other[:30])
    # The teacher's trace in the dendrite has decayed, and what it changed does not come back by itself.
    assert np.array_equal(some.host.streams["lesson"](2, 3)[1:], np.zeros((2, 4)))


def test_a_run_in_parts_is_the_run_in_one(tmp_path: Path) -> None:
    code = compiled(CHIP + ALL + HOST, tmp_path)
    places = [(p.name, name) for p in code.populations for name in p.program.states]
    whole = open_run(code, record=places, streams={"lesson": LESSON}).advance(150)
    run = open_run(code, record=places, streams={"lesson": LESSON})
    parts = [run.advance(steps) for steps in (1, 0, 9, 60, 80)]
    for place, values in whole.items():
        assert np.array_equal(np.concatenate([part[place] for part in parts]), values), place


def test_streams_on_the_command_line(tmp_path: Path, burstchip_command: Any) -> None:
    code = compiled(CHIP + ALL, tmp_path)
    (tmp_path / "net.burst").write_bytes(dump_artifact(code))
    np.save(tmp_path / "lesson.npy", LESSON)
    given = ["net.burst", "--steps", "90", "--record", "units.d[1:3]", "-o", "out.nc"]
    done = burstchip_command("run", *given, "--stream", "lesson=lesson.npy")
    assert done.returncode == 0, done.stderr
    wanted = burstchip.record(code, 90, ["units.d"], streams={"lesson": LESSON}).values["units", "d"]
    with xarray.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as found:
        assert np.array_equal(found["units.d"].values, wanted[:, 1:3])
        assert found["units_neuron"].values.tolist() == [1, 2]
    (tmp_path / "out.nc").unlink()
    for texts, message in (
        ((), "BC567"),
        (("--stream", "lesson"), "BC617"),
        (("--stream", "lesson=none.npy"), "the file is missing"),
        (("--stream", "lesson=lesson.npy", "--stream", "lesson=lesson.npy"), "the stream is given twice"),
        (("--stream", "lessen=lesson.npy"), "did you mean: lesson"),
    ):
        done = burstchip_command("run", *given, *texts)
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["lesson.npy", "net.burst", "net.yaml"]


@pytest.fixture
def burstchip_command(tmp_path: Path) -> Any:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "burstchip", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_a_csv_file_has_one_row_a_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("100,200,300,10,20\n")
    signal = "  it: {to: cells.bias, table: {file: rows.csv, unit: pA, every: 5 ms}}\n"
    code = compiled(CHIP + "signals:\n" + signal, tmp_path)
    wave = code.population("cells").signals["bias_mant"]
    assert wave.rows.shape == (2, 5) and len(set(wave.rows[0].tolist())) == 5  # type: ignore[union-attr]
    (tmp_path / "rows.csv").write_text("100,200\n")
    with pytest.raises(BurstchipError, match=r"required: \[row, 5\]    given: \[1, 2\]"):
        compiled(CHIP + "signals:\n" + signal, tmp_path)


@pytest.mark.parametrize("name", ["sim", "plain", "reference"])
def test_what_a_run_cannot_do_is_an_error_on_all_backends(name: str, tmp_path: Path) -> None:
    code = compiled(CHIP + ALL + HOST, tmp_path)
    streams = {"lesson": LESSON}
    for record in (["cells.v"], [("cells", "w")], [("nobody", "v")]):
        with pytest.raises(BurstchipError, match="BC605"):
            open_run(code, name, streams=streams, record=record)  # type: ignore[arg-type]
    with pytest.raises(BurstchipError, match="BC567"):
        open_run(code, name, streams=streams, begin=-1)
    run = open_run(code, name, streams=streams, record=[("cells", "v")])
    for place in (("cells", "w"), ("nobody", "v")):
        with pytest.raises(BurstchipError, match="BC605"):
            run.read(*place)
    for steps in (-1, 1.5):
        with pytest.raises(BurstchipError, match="BC603"):
            run.advance(steps)  # type: ignore[arg-type]
    assert run.advance(0)["cells", "v"].shape == (0, 5)
    with pytest.raises(BurstchipError, match=r"BC558.*is a stream"):
        run.write("lesson", 1.0)
