"""The cache of compiled code: what is used again, what is compiled anew, and what a warm run goes without."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from burstchip.backends.sim import compiled, machine_code
from burstchip.backends.sim.kernel_source import kernel_source
from burstchip.backends.sim.layout import Layout, Variant
from burstchip.backends.sim.unit import Unit
from burstchip.compilation import compile_file
from burstchip.templates import all_templates, write_template
from compiler.artifact import save_artifact

LOOP = "burstchip.backends.sim.code.steps"


def is_package(name: str) -> bool:
    found = find_spec(name)
    return found is not None and found.submodule_search_locations is not None


def imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            package = str(node.module)
            within = [f"{package}.{it.name}" for it in node.names if is_package(package)]
            yield from within or [package]
        elif isinstance(node, ast.Import):
            yield from (it.name for it in node.names)


def of_the_project(text: str) -> set[str]:
    return {name for name in imported(text) if name.split(".")[0] in ("burstchip", "compiler", "hw_models")}


@pytest.mark.parametrize("name", [*compiled.IMPORTED, LOOP])
def test_what_compiled_modules_import_is_hashed(name: str) -> None:
    assert of_the_project(compiled._source(name).decode()) <= set(compiled.IMPORTED)


@pytest.mark.parametrize("form", ["chip", "carry"])
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("name", [template.name for template in all_templates()])
def test_what_units_import_is_hashed(name: str, real: bool, form: str, tmp_path: Path) -> None:
    code = compile_file(write_template(name, tmp_path / name), {"weight_form": form})[0]
    calls = kernel_source(Layout(code, Variant(learning=True, real=real))).calls
    assert calls and all(of_the_project(call.text) <= set(compiled.IMPORTED) for call in calls)


@pytest.mark.parametrize("name", [*compiled.IMPORTED, LOOP])
def test_another_version_of_an_import_is_compiled_anew(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, source = compiled._source(LOOP).decode(), compiled._source
    before = compiled._digest(text)
    monkeypatch.setattr(compiled, "_source", lambda it: source(it) + (b"\n# new\n" if it == name else b""))
    compiled._imported_hash.cache_clear()
    try:
        assert compiled._digest(compiled._source(LOOP).decode()) != before
    finally:
        compiled._imported_hash.cache_clear()


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: b""]
)
def test_damaged_machine_code_is_compiled_anew(
    damage: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path))
    unit = Unit()
    unit.add("pass")
    text = unit.call("source", "").text
    compiled._address.__wrapped__(text)
    (path,) = (tmp_path / "units").iterdir()
    whole = compiled._kept(path)
    assert whole is not None
    path.write_bytes(damage(path.read_bytes()))
    assert compiled._kept(path) is None
    compiled._address.__wrapped__(text)
    assert compiled._kept(path) is not None


def test_a_unit_with_memory_of_python_is_a_bug() -> None:
    unit = Unit()
    unit.add(f"{unit.array('a', 'int64')}[0] = np.arange({unit.word('n')})[2]")
    with pytest.raises(AssertionError, match="arrays come from `code.scratch`"):
        machine_code.compiled(unit.call("source", "").text, "unit")


_WARM = """
import sys
from burstchip.cli.main import main
sys.argv = ["burstchip", "run", "net.burst", "--steps", "20", "-o", "out.nc"]
try:
    main()
except SystemExit as end:
    assert not end.code
print("numba" in sys.modules)
"""


def test_a_run_whose_units_are_kept_goes_without_numba(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = compile_file(write_template("digits", tmp_path / "digits"), {"weight_form": "chip"})[0]
    save_artifact(code, tmp_path / "net.burst")
    command = [sys.executable, "-c", _WARM]
    said = [subprocess.run(command, capture_output=True, check=True, text=True).stdout for _ in range(2)]
    assert said[1].splitlines()[-1] == "False"
