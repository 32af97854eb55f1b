"""The cache of compiled code: nothing that was compiled with another version of an import is used again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from burstchip.backends.sim import compiled
from burstchip.backends.sim.kernel_source import kernel_source
from burstchip.backends.sim.layout import Layout, Variant
from burstchip.compilation import compile_file
from burstchip.templates import all_templates, write_template

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
    before, source = compiled.load_loop().__module__, compiled._source
    monkeypatch.setattr(compiled, "_source", lambda it: source(it) + (b"\n# new\n" if it == name else b""))
    compiled._imported_hash.cache_clear()
    try:
        text = compiled._source(LOOP).decode()
        # Past the cache of the process, whose modules must stay.
        assert compiled._module.__wrapped__(text).__name__ != before
    finally:
        compiled._imported_hash.cache_clear()
