"""Files that nothing of ours wrote, with hashes that are right: refused with a message, or run to the end.

What the reader lets pass must not crash what comes after it: compiled code indexes memory with it. The files
are read in forked processes, so that a crash or an endless loop is found and named. `ALTERED` in the
environment asks for more files than a run of all tests takes; they are files of all kinds together.
"""

from __future__ import annotations

import copy
import json
import os
import random
import select
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np
import pytest
import xarray
from nir_graphs import chain, write
from safetensors.numpy import load, save

import burstchip
from burstchip import compile_file, load_artifact, open_run, save_artifact
from burstchip.backends.loihi2.comparison import compare_deployment
from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.backends.sim import compiled
from burstchip.backends.sim.simulator import start
from burstchip.files.recording import save_recording
from burstchip.nir.importing import import_nir
from burstchip.nir.neurons_in import Settings
from burstchip.report.recording_file import read_recording
from burstchip.report.weight_file import read_weights
from burstchip.tasks.checkpoint import save_checkpoint
from burstchip.tasks.datasets import load_dataset
from burstchip.tasks.epochs import Training, resume
from burstchip.tasks.presentation import Presentation, pictures_of
from burstchip.tasks.resuming import as_values, started
from burstchip.tasks.run_folder import write_weights
from burstchip.tasks.showing import show
from burstchip.tasks.train_options import TrainOptions, load_and_compile
from compiler.artifact import KEY, _content_sha256, artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

TEMPLATE = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"

#: The share of each kind.
SHARES = {
    "artifact": 0.3, "state": 0.2, "deployment": 0.15, "checkpoint": 0.1, "recording": 0.1, "weights": 0.1,
    "nir": 0.05,
}  # fmt: skip
NUMBERS = {kind: int(share * int(os.environ.get("ALTERED", "300"))) for kind, share in SHARES.items()}
#: Files that one forked process reads, and the seconds that one of them may take.
BATCH, TIMEOUT_S = 50, 60.0
#: Must be in no text that is compiled.
HOSTILE = "hostile_text"

NETWORK = """burstchip: 1
name: whole
step: 1 ms
populations:
  spikes: {model: spike_list, size: 4, events: [[0, 1 ms], [1, 2 ms], [2, 2 ms], [3, 3 ms]]}
  noise: {model: poisson_source, size: 5, rate: [100 Hz, 50 Hz, 10 Hz, 200 Hz, 300 Hz]}
  cells: {model: lif, size: 3, threshold: [-50 mV, -55 mV, -52 mV], bias: 50 pA}
  units: {model: burst_unit, size: 3, bias: 300 pA}
plasticity:
  stdp:
    form: chip
    every: 2 ms
    traces: [{name: x1, tau: 5 ms, increment: 16}, {name: y1, tau: 5 ms, increment: 16}]
    dw: y0*x1*2^-2 - x0*y1*2^-2 + u1*t*2^-3
    dt: x0*y1
  burst:
    form: chip
    every: 4 ms
    trace: {name: x1, tau: 16 ms, increment: 16}
    learning_rate: 2^-5
    consolidation_rate: 2^-5
    consolidate_every: 0
projections:
  - {name: a, from: spikes, to: cells, delay: 2 ms,
     connectivity: {pairs: [[0, 0, 3 mV], [1, 2, 5 mV], [3, 1, -2 mV]]}}
  - {name: b, from: noise, to: cells, weight: {uniform: [1 mV, 4 mV]}, learn: stdp,
     delay: {uniform: [1 ms, 4 ms]}}
  - {name: c, from: noise, to: units.soma, weight: {normal: {mean: 1 mV, sd: 0.4 mV}}, limit: 10 mV,
     learn: burst}
  - {name: d, from: units.burst_error, to: units.dendrite, weight: 0.1}
signals:
  push: {to: cells.bias, sine: {amplitude: 50 pA, frequency: 10 Hz, mean: 20 pA}}
  steps: {to: units.bias, steps: [[0 ms, 100 pA], [3 ms, 300 pA]]}
"""

VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 255, 1 << 16, 1 << 31, 1 << 63, 1 << 70, -(1 << 40), 0.5, 1e308),
    *(
        float("inf"),
        float("nan"),
        "",
        "x",
        "a b",
        "__class__",
        HOSTILE,
        f"x'; {HOSTILE} #",
        "\0",
        [],
        {},
        [[0]],
        {"a": 1},
    ),
)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("network") / "whole.yaml"
    path.write_text(NETWORK)
    return compile_file(path)[0]


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if before:
        yield before
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, it in inside:
        yield from places(it, (*before, key))


def alter(value: Any, draw: random.Random) -> str:
    """Change one value, drop it, double it, or put one of another place there."""
    known = list(places(value))
    place = draw.choice(known)
    within = value
    for key in place[:-1]:
        within = within[key]
    how = draw.choice(("set", "set", "drop", "double", "add", "other"))
    key = place[-1]
    if how == "drop":
        del within[key]
    elif how == "double" and isinstance(within, list):
        within.append(copy.deepcopy(within[key]))
    elif how == "add" and type(within[key]) is int:
        within[key] += draw.choice((-1, 1, 1000))
    elif how == "other":
        other = value
        for part in draw.choice([it for it in known if it[-1] == key]):
            other = other[part]
        within[key] = copy.deepcopy(other)
    else:
        within[key] = draw.choice(VALUES)
    return f"{place} {how}"


def alter_array(tensors: dict[str, Any], draw: random.Random) -> str:
    """Change a value, the type, the shape or the length of one array, or drop it."""
    name = draw.choice(sorted(tensors))
    array = tensors[name].copy()
    how = draw.choice(("value", "value", "type", "cut", "longer", "deeper", "drop"))
    if how == "drop":
        del tensors[name]
        return f"{name} {how}"
    flat = array.reshape(-1)
    if how == "value" and array.size:
        whole = array.dtype.kind in "iu"
        ends = (np.iinfo(array.dtype).min, np.iinfo(array.dtype).max) if whole else (np.inf, np.nan)
        flat[draw.randrange(array.size)] = draw.choice((0, 1, 7, *ends))
    elif how == "type":
        with np.errstate(all="ignore"):
            array = array.astype(draw.choice((np.float64, np.int64, np.int8, np.int32, np.int16, np.uint8)))
    elif how == "cut":
        array = flat[:-1].copy()
    elif how == "longer":
        array = np.concatenate([flat, flat])
    else:
        array = array.reshape(*array.shape, 1)
    tensors[name] = np.ascontiguousarray(array)
    return f"{name} {how}"


def in_processes(kind: str, attempt: Callable[[int], str]) -> int:
    """How many of the files numbered from 0 were used to the end; `attempt` alters, uses and describes one.

    It raises `Refused` for a file that got a message.
    """
    used = 0
    failures: list[str] = []
    for first in range(0, NUMBERS[kind], BATCH):
        numbers = range(first, min(first + BATCH, NUMBERS[kind]))
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            _child(attempt, numbers, theirs)
        os.close(theirs)
        lines = _lines(ours, child)
        _, status = os.waitpid(child, 0)
        last = lines[-1] if lines else f"{first}"
        found = [line for line in lines if " failed " in line]
        if status != 0:
            found.append(f"status {status} after {last}")
        # A long run is to be heard of before its end: `pytest -s`.
        for line in found:
            print(f"{kind} {line}", flush=True)
        failures += found
        used += sum(line.endswith(" used") for line in lines)
    assert not failures, f"{len(failures)} of {kind}:\n" + "\n".join(failures[:50])
    return used


def _child(attempt: Callable[[int], str], numbers: range, pipe: int) -> NoReturn:
    # Whatever happens, the tests must not go on in this process.
    try:
        for number in numbers:
            os.write(pipe, f"{number} begun\n".encode())
            try:
                attempt(number)
                found = "used"
            except BurstchipError:
                found = "refused"
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__}: {error}"[:300]
                found = (
                    f"failed {what!r} in {place.filename}:{place.lineno}, {getattr(error, '__notes__', '')}"
                )
            os.write(pipe, f"{number} {found}\n".encode())
        os._exit(0)
    finally:
        os._exit(1)


def _lines(pipe: int, child: int) -> list[str]:
    """What a child says until it ends; one that says nothing for too long is ended."""
    said = b""
    with os.fdopen(pipe, "rb", buffering=0) as stream:
        while select.select([stream], [], [], TIMEOUT_S)[0]:
            if not (more := stream.read(1 << 16)):
                return said.decode().splitlines()
            said += more
    os.kill(child, signal.SIGKILL)
    return said.decode().splitlines()


@pytest.fixture(autouse=True)
def watched_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text that is compiled, looked through for what the files say."""
    address = compiled._address

    def watched(text: str) -> Any:
        assert HOSTILE not in text and "__class__" not in text
        return address(text)

    monkeypatch.setattr(compiled, "_address", watched)


@pytest.mark.once
def test_artifacts(code: ChipProgram, tmp_path: Path) -> None:
    save_artifact(code, tmp_path / "whole.burst")
    data = (tmp_path / "whole.burst").read_bytes()
    length = int.from_bytes(data[:8], "little")
    manifest = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
    tensors, path = load(data), tmp_path / "altered.burst"
    # What all of them share is compiled before the time of the first one begins.
    open_run(load_artifact(tmp_path / "whole.burst")[0]).advance(3)

    def attempt(number: int) -> None:
        draw = random.Random(number)
        changed, arrays = copy.deepcopy(manifest), dict(tensors)
        if draw.random() < 0.7:
            alter(changed, draw)
        else:
            alter_array(arrays, draw)
        changed["sha256"] = _content_sha256(changed, arrays)
        path.write_bytes(save(arrays, metadata={KEY: json.dumps(changed)}))
        run = open_run(load_artifact(path)[0])
        run.advance(3)
        run.close()

    # Seeds, names, numbers within their widths: such files are as good as any.
    assert 0 < in_processes("artifact", attempt) < NUMBERS["artifact"] / 2


def test_states(code: ChipProgram) -> None:
    whole = start(code, learning=True)
    whole.advance(5)
    state = {name: array.copy() for name, array in whole.state().items()}

    def attempt(number: int) -> None:
        draw = random.Random(number)
        run = start(code, learning=True)
        run.restore(with_one_altered(state, draw), 5)
        run.advance(3)

    assert in_processes("state", attempt) > 0


def with_one_altered(state: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    """Arrays of the same shapes, one number changed."""
    arrays = {name: array.copy() for name, array in state.items()}
    name = draw.choice(sorted(name for name, array in arrays.items() if array.size))
    flat = arrays[name].reshape(-1)
    flat[draw.randrange(flat.size)] = (
        draw.choice((-1, 5, np.iinfo(flat.dtype).max)) if flat.dtype.kind == "i" else 1
    )
    return arrays


def test_deployments(code: ChipProgram, tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "altered"
    write_deployment(code, whole)

    def attempt(number: int) -> None:
        draw = random.Random(number)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        file = draw.choice(sorted(folder.iterdir()))
        if file.suffix == ".json":
            value = json.loads(file.read_text())
            alter(value, draw)
            file.write_text(json.dumps(value))
        elif tensors := load(file.read_bytes()):
            alter_array(tensors, draw)
            file.write_bytes(save(tensors))
        manifest = json.loads((folder / "manifest.json").read_text())
        with suppress(TypeError, KeyError, AttributeError):
            manifest["files"][file.name] = sha256(file.read_bytes()).hexdigest()
            (folder / "manifest.json").write_text(json.dumps(manifest))
        compare_deployment(code, folder)

    assert in_processes("deployment", attempt) > 0


def test_checkpoints(tmp_path: Path) -> None:
    network, code, *_ = load_and_compile(TrainOptions(TEMPLATE, tmp_path, epochs=1))
    assert network.task is not None and code.task is not None
    pictures, _ = pictures_of(load_dataset("digits", split=0))

    def opened() -> Training:
        shown = Presentation(code, pictures)
        return Training(open_run(code, "sim", streams=shown.streams), shown)

    it, path = opened(), tmp_path / "altered.safetensors"
    show(it.run, it.presentation, np.array([0, 1]), 2)
    it.shown, it.totals, it.history = 2, [[0, 0]] * len(code.populations), [LINE]
    begun = started(code, TEMPLATE, TEMPLATE.read_bytes(), {}, backend="sim", frozen=())
    identity = {
        "backend": "sim",
        "frozen": [],
        "artifact_sha256": artifact_sha256(code),
        "started": as_values(begun),
    }
    state, progress = dict(it.run.state()), {**identity, **it.progress()}

    def attempt(number: int) -> None:
        draw = random.Random(number)
        arrays, told = dict(state), copy.deepcopy(progress)
        how = draw.random()
        if how < 0.4:
            alter(told, draw)
        elif how < 0.7:
            alter_array(arrays, draw)
        else:
            arrays = with_one_altered(state, draw)
        save_checkpoint(path, arrays, told)
        if draw.random() < 0.1:
            path.write_bytes(altered_bytes(path.read_bytes(), draw))
        again = opened()
        resume(again, path, begun)
        show(again.run, again.presentation, np.array([2]))

    # Seconds, rates, errors of earlier epochs: such progress is as good as any.
    assert 0 < in_processes("checkpoint", attempt) < NUMBERS["checkpoint"]


LINE = {
    "epoch": 0,
    "train_error": None,
    "test_error": 0.5,
    "seconds": 1.0,
    "event_rate": {"hidden": 3.0},
    "burst_probability": {"hidden": 0.5},
}


def altered_bytes(data: bytes, draw: random.Random) -> bytes:
    """Some bytes changed, a part cut out or put in, or the end lost."""
    at = draw.randrange(len(data))
    how = draw.choice(("change", "change", "change", "cut", "insert", "end", "zero"))
    if how == "change":
        changed = bytearray(data)
        for _ in range(draw.choice((1, 2, 10))):
            changed[draw.randrange(len(data))] = draw.choice((0, 1, 255, draw.randrange(256)))
        return bytes(changed)
    if how == "cut":
        return data[:at] + data[at + draw.choice((1, 8, 100)) :]
    if how == "insert":
        return data[:at] + draw.randbytes(draw.choice((1, 8, 100))) + data[at:]
    return data[:at] if how == "end" else data[:at] + bytes(8) + data[at + 8 :]


def test_recordings(tmp_path: Path) -> None:
    steps, neurons = 40, 5
    draws = np.random.default_rng(1)
    flags = (("time", "hidden_neuron"), draws.integers(0, 2, (steps, neurons)).astype(np.int8))
    coordinates = {"time": np.arange(float(steps)), "sample_start": ("sample", np.array([0.0, 20.0]))}
    dataset = xarray.Dataset(
        {"hidden.events": flags, "hidden.bursts": flags},
        {**coordinates, "sample_label": ("sample", np.array([3, 4]))},
        {"present_ms": 20.0, "teach_after_ms": 10.0, "network": "whole", "populations": ["hidden"]},
    )
    save_recording(dataset, tmp_path / "whole.nc")
    data, path = (tmp_path / "whole.nc").read_bytes(), tmp_path / "altered.nc"
    read_recording(tmp_path / "whole.nc")

    def attempt(number: int) -> None:
        path.write_bytes(altered_bytes(data, random.Random(number)))
        read_recording(path)

    assert in_processes("recording", attempt) > 0


def test_weights(code: ChipProgram, tmp_path: Path) -> None:
    run = start(code, learning=True)
    write_weights(tmp_path / "whole.safetensors", code, run)
    data = (tmp_path / "whole.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    tensors, path = load(data), tmp_path / "altered.safetensors"
    (tmp_path / "net.yaml").write_text(
        "burstchip: 1\nname: n\nstep: 1 ms\npopulations:\n  a: {model: poisson_source, size: 5, rate: 9 Hz}\n"
        "  b: {model: lif, size: 3}\nprojections:\n"
        "  - {from: a, to: b.soma, weight: {file: altered.safetensors, tensor: b, unit: mV}}\n"
        "target: loihi2\n"
    )

    def attempt(number: int) -> None:
        draw = random.Random(number)
        arrays, told = dict(tensors), dict(metadata)
        how = draw.random()
        if how < 0.4:
            alter(told, draw)
            told = {name: str(value) for name, value in told.items()}
        elif how < 0.8:
            alter_array(arrays, draw)
        # As a network's weights: a matrix that a file may have.
        arrays.setdefault("matrix", np.ones((3, 5)))
        path.write_bytes(save(arrays, metadata=told))
        if how > 0.8:
            path.write_bytes(altered_bytes(path.read_bytes(), draw))
        with suppress(BurstchipError):
            compile_file(tmp_path / "net.yaml")
        weights = read_weights(path)
        for name in weights.by_projection:
            weights.onto(name, 2)

    assert in_processes("weights", attempt) > 0


def test_nir_files(tmp_path: Path) -> None:
    """Other bytes, or arrays with other values, shapes and types; what is imported is compiled."""
    ones = np.ones((2, 4, 4))
    nodes = {
        "input": {"type": "Input", "shape": np.array([1, 4, 4])},
        "conv": {
            "type": "Conv2d",
            "weight": np.ones((2, 1, 3, 3)),
            "bias": np.array([0.5, -0.5]),
            "input_shape": np.array([4, 4]),
            "stride": np.array([1, 1]),
            "padding": np.array([1, 1]),
            "dilation": np.array([1, 1]),
            "groups": np.array(1),
        },
        "first": {"type": "IF", "r": ones, "v_threshold": ones},
        "pool": {
            "type": "AvgPool2d",
            "kernel_size": np.array([2, 2]),
            "stride": np.array([2, 2]),
            "padding": np.array([0, 0]),
        },
        "flat": {"type": "Flatten", "start_dim": np.array(0), "end_dim": np.array(-1)},
        "later": {"type": "Delay", "delay": np.linspace(0, 0.003, 8)},
        "fc": {"type": "Affine", "weight": np.ones((3, 8)), "bias": np.ones(3)},
        "cells": {
            "type": "CubaLIF",
            **{name: np.full(3, 0.02) for name in ("tau_syn", "tau_mem", "r")},
            "v_leak": np.zeros(3),
            "v_threshold": np.ones(3),
            "w_in": np.ones(3),
        },
        "output": {"type": "Output", "shape": np.array([3])},
    }
    path, altered = write(tmp_path / "whole.nir", nodes, chain(*nodes)), tmp_path / "altered.nir"
    data = path.read_bytes()
    network = tmp_path / "net.yaml"
    import_nir(path, network, Settings(1.0))
    compile_file(network)

    def attempt(number: int) -> None:
        draw = random.Random(number)
        if draw.random() < 0.4:
            altered.write_bytes(altered_bytes(data, draw))
        else:
            shutil.copy(path, altered)
            with h5py.File(altered, "a") as file:
                node = file["node/nodes"][draw.choice(sorted(nodes))]
                arrays = {name: it[()] for name, it in node.items() if name != "type"}
                with np.errstate(all="ignore"):
                    alter_array(arrays, draw)
                for name in [it for it in node if it != "type"]:
                    del node[name]
                for name, values in arrays.items():
                    node[name] = values
        import_nir(altered, network, Settings(1.0))
        # Numbers that no chip holds are a message of the compiler's.
        compile_file(network)

    assert in_processes("nir", attempt) > 0
