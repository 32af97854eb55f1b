"""Files that nothing of ours wrote, with hashes that are right: refused with a message, or run to the end.

What the reader lets pass must not crash what comes after it: compiled code indexes memory with it. `ALTERED`
in the environment asks for more files than a run of all tests takes.
"""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from burstchip import compile_file, load_artifact, open_run, save_artifact
from burstchip.backends.loihi2.comparison import compare_deployment
from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.backends.sim.simulator import start
from compiler.artifact import KEY, _content_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

NUMBER = int(os.environ.get("ALTERED", "120"))

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
        "x'; import os #",
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
    """Change one value, drop it or double it."""
    place = draw.choice(list(places(value)))
    within = value
    for key in place[:-1]:
        within = within[key]
    how = draw.choice(("set", "set", "set", "drop", "double", "add"))
    key = place[-1]
    if how == "drop":
        del within[key]
    elif how == "double" and isinstance(within, list):
        within.append(copy.deepcopy(within[key]))
    elif how == "add" and type(within[key]) is int:
        within[key] += draw.choice((-1, 1, 1000))
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


def test_artifacts(code: ChipProgram, tmp_path: Path) -> None:
    save_artifact(code, tmp_path / "whole.burst")
    data = (tmp_path / "whole.burst").read_bytes()
    length = int.from_bytes(data[:8], "little")
    manifest = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
    tensors, path = load(data), tmp_path / "altered.burst"
    ran = 0
    for number in range(NUMBER):
        draw = random.Random(number)
        changed, arrays = copy.deepcopy(manifest), dict(tensors)
        what = alter(changed, draw) if draw.random() < 0.7 else alter_array(arrays, draw)
        changed["sha256"] = _content_sha256(changed, arrays)
        path.write_bytes(save(arrays, metadata={KEY: json.dumps(changed)}))
        try:
            run = open_run(load_artifact(path)[0])
            run.advance(3)
            run.close()
            ran += 1
        except BurstchipError:
            continue
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
    # Seeds, names, numbers within their widths: such files are as good as any.
    assert 0 < ran < NUMBER / 2


def test_states(code: ChipProgram) -> None:
    whole = start(code, learning=True)
    whole.advance(5)
    state = {name: array.copy() for name, array in whole.state().items()}
    for number in range(NUMBER):
        draw = random.Random(number)
        arrays = {name: array.copy() for name, array in state.items()}
        name = draw.choice(sorted(name for name, array in arrays.items() if array.size))
        flat = arrays[name].reshape(-1)
        flat[draw.randrange(flat.size)] = (
            draw.choice((-1, 5, np.iinfo(flat.dtype).max)) if flat.dtype.kind == "i" else 1
        )
        run = start(code, learning=True)
        with suppress(BurstchipError):
            run.restore(arrays, 5)
            run.advance(3)


def test_deployments(code: ChipProgram, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    write_deployment(code, whole)
    for number in range(NUMBER):
        draw = random.Random(number)
        folder = tmp_path / "altered"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        file = draw.choice(sorted(folder.iterdir()))
        if file.suffix == ".json":
            value = json.loads(file.read_text())
            what = alter(value, draw)
            file.write_text(json.dumps(value))
        else:
            tensors = load(file.read_bytes())
            if not tensors:
                continue
            what = alter_array(tensors, draw)
            file.write_bytes(save(tensors))
        try:
            compare_deployment(code, folder)
        except BurstchipError:
            continue
        except Exception as error:
            pytest.fail(f"{file.name} {what}: {type(error).__name__}: {error}")
