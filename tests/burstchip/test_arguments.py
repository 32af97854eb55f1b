"""Every public function takes arguments as people write them, and names the one that it cannot take."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burstchip
from burstchip.arguments import KINDS
from hw_models.diagnostics import BurstchipError

FUNCTIONS = [name for name in burstchip.__all__ if inspect.isfunction(getattr(burstchip, name))]

NET = """
burstchip: 1
name: small
step: 1 ms
parameters: {cells: 2, drive: 50 Hz}
populations:
  input: {model: poisson_source, size: 3, rate: "${drive}"}
  c: {model: lif, size: "${cells}"}
projections: [{from: input, to: c, weight: 2 mV}]
probes: [c.v]
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arguments") / "net.yaml"
    path.write_text(NET)
    return path


@pytest.fixture(scope="module")
def code(file: Path) -> burstchip.ChipProgram:
    return burstchip.compile_file(file)[0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_argument_has_a_meaning(name: str) -> None:
    function = getattr(burstchip, name)
    assert set(inspect.signature(function).parameters) <= set(KINDS)
    assert function.__doc__ and function.__name__ == name


def test_as_people_write_them(file: Path, code: burstchip.ChipProgram, tmp_path: Path) -> None:
    for cells in (5, "5", 5.0, np.int64(5)):
        overrides: Any = {"cells": cells} if cells != 5.0 or isinstance(cells, int | str) else {"cells": 5}
        assert burstchip.load_network(str(file), overrides).populations[1].size == 5
    assert burstchip.load_network(file, {"drive": "80 Hz"}, np.uint8(7)).seed == 7  # type: ignore[arg-type]
    one = burstchip.record(code, 10, ["c.v"], backend="plain")
    for steps, variables in ((10.0, "c.v"), (np.int32(10), ("c", "v")), (10, [["c", "v"]])):
        other = burstchip.record(code, steps, variables, backend="plain")  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.values["c", "v"], other.values["c", "v"])
    again = burstchip.record(code, 10, "c.v", threads=2)
    np.testing.assert_array_equal(one.values["c", "v"], again.values["c", "v"])
    path = str(tmp_path / "x.burst")
    sha256 = burstchip.save_artifact(code, path)
    assert burstchip.load_artifact(path)[1] == sha256
    found = burstchip.verify(code, 5, backends=["sim", "plain"])  # type: ignore[arg-type]
    assert found.difference is None
    burstchip.save_recording(burstchip.to_dataset(one), str(tmp_path / "x.nc"))
    assert burstchip.deploy(code, str(tmp_path / "chip"), dry_run=True).chips == 1  # type: ignore[arg-type]
    assert burstchip.TrainOptions(str(file), str(tmp_path), overrides={"cells": 3}).overrides == {
        "cells": "3"
    }  # type: ignore[arg-type, dict-item]


#: (function, its arguments with `CODE` and `FILE` for a program and a file, the argument that is wrong).
WRONG: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("load_network", (3,), {}, "path"),
    ("connect", (5570,), {}, "address"),
    ("connect", ("tcp://127.0.0.1:5570",), {"timeout": 0}, "timeout"),
    ("load_network", ("FILE", ["cells=5"]), {}, "overrides"),
    ("load_network", ("FILE", {"cells": [5]}), {}, "overrides"),
    ("load_network", ("FILE", {}, 1 << 40), {}, "seed"),
    ("load_network", ("FILE", {}, "7"), {}, "seed"),
    ("load", ("FILE", {}, -1), {}, "seed"),
    ("check_file", ("FILE",), {"strict": "yes"}, "strict"),
    ("compile_file", ("FILE",), {"target": 2}, "target"),
    ("compile_network", ("FILE",), {}, "network"),
    ("calibrate", ("FILE", 10), {}, "network"),
    ("record", ("FILE", 10), {}, "code"),
    ("record", ("CODE", 1.5), {}, "steps"),
    ("record", ("CODE", 0), {}, "steps"),
    ("record", ("CODE", "10"), {}, "steps"),
    ("record", ("CODE", True), {}, "steps"),
    ("record", ("CODE", 10, [3]), {}, "variables"),
    ("record", ("CODE", 10), {"every": 0}, "every"),
    ("record", ("CODE", 10), {"backend": None}, "backend"),
    ("record", ("CODE", 10), {"watch": 3}, "watch"),
    ("record", ("CODE",), {}, "steps"),
    ("record", ("CODE", 10), {"step": 3}, "step"),
    ("record", ("CODE", 10), {"streams": [1, 2]}, "streams"),
    ("open_run", (("CODE", ()),), {}, "code"),
    ("open_run", ("CODE",), {"begin": -1}, "begin"),
    ("open_run", ("CODE",), {"threads": 0}, "threads"),
    ("record", ("CODE", 10), {"threads": "two"}, "threads"),
    ("open_run", ("CODE",), {"record": [("c",)]}, "record"),
    ("follow", ("FILE",), {}, "code"),
    ("follow", ("CODE",), {"resume": 1}, "resume"),
    ("save_artifact", ("x.burst", "CODE"), {}, "code"),
    ("save_artifact", ("CODE", b"x.burst"), {}, "path"),
    ("load_artifact", (None,), {}, "path"),
    ("to_dataset", ("CODE",), {}, "recording"),
    ("save_recording", ("CODE", "x.nc"), {}, "dataset"),
    ("verify", ("CODE", -1), {}, "steps"),
    ("verify", ("CODE", 5), {"backends": 3}, "backends"),
    ("deploy", ("FILE", "chip"), {"dry_run": True}, "code"),
    ("train", ("FILE",), {}, "options"),
    ("TrainOptions", ("FILE", "run"), {"epochs": 1.5}, "epochs"),
    ("TrainOptions", ("FILE", None), {}, "out"),
    ("load_dataset", (3,), {}, "name"),
    ("load_dataset", ("digits",), {"split": 1.5}, "split"),
    ("network_schema", (["lif"],), {}, "models"),
    ("predict", (3, [[1]]), {}, "run"),
    ("predict", ("FILE", [[1]]), {"maximum": "16"}, "maximum"),
    ("trained_artifact", (3,), {}, "folder"),
    ("write_report", (3,), {}, "run_dir"),
    ("write_template", ("digits",), {}, "folder"),
    ("all_backends", (3,), {}, "*"),
]


@pytest.mark.parametrize(("function", "given", "named", "wrong"), WRONG)
def test_the_wrong_argument_is_named(
    function: str,
    given: tuple[Any, ...],
    named: dict[str, Any],
    wrong: str,
    file: Path,
    code: burstchip.ChipProgram,
) -> None:
    stands = {"CODE": code, "FILE": str(file)}
    arguments = [
        stands.get(it, it) if isinstance(it, str) else (code, "") if it == ("CODE", ()) else it
        for it in given
    ]
    with pytest.raises(
        BurstchipError, match=rf"BC690\]: argument '{wrong if wrong != '*' else '.'}'"
    ) as error:
        getattr(burstchip, function)(*arguments, **named)
    (diagnostic,) = error.value.diagnostics
    assert function in diagnostic.message and diagnostic.required and diagnostic.given


def test_every_function_with_arguments_is_tried() -> None:
    with_arguments = {name for name in FUNCTIONS if inspect.signature(getattr(burstchip, name)).parameters}
    assert with_arguments <= {function for function, *_ in WRONG}


def test_a_message_says_what_helps(file: Path) -> None:
    with pytest.raises(BurstchipError) as error:
        burstchip.record(str(file), 10)  # type: ignore[arg-type]
    assert "argument 'code' of record() is not what it takes" in str(error.value)
    assert "required: a compiled program (ChipProgram)    given: " in str(error.value)
    assert "hint: `code, warnings = compile_file(path)` compiles a network's file" in str(error.value)


def test_objects_are_shown_in_a_line(file: Path, code: burstchip.ChipProgram) -> None:
    network = burstchip.load_network(file)
    recording = burstchip.record(code, 10, backend="plain")
    run = burstchip.open_run(code, "plain")
    assert repr(code) == "<ChipProgram 'small' for loihi2: 5 neurons, 6 synapses>"
    assert repr(network) == "<Network 'small': 5 neurons, 1 projections>"
    assert repr(recording) == "<Recording of 'small' on plain, 10 steps: c.v [10, 2]>"
    assert repr(run) == "<run of 'small' on plain, 0 steps done>"
    assert repr(burstchip.load_dataset("digits")).startswith("<Dataset 'digits': 1,437 training and 360 test")
    assert len(repr(burstchip.check_file(file))) < 2000


def test_the_version() -> None:
    assert burstchip.__version__[0].isdigit()
