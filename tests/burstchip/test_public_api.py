"""`import burstchip` names everything public and costs nothing until it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import burstchip
from burstchip.shadowing import Package

SOURCE = Path(burstchip.__file__).read_text(encoding="utf-8")


def test_every_public_name_exists() -> None:
    assert [name for name in burstchip.__all__ if not hasattr(burstchip, name)] == []


def test_what_the_type_checker_sees_is_what_is_there() -> None:
    seen = {
        alias.name: node.module
        for block in ast.parse(SOURCE).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == burstchip._HOME
    assert sorted(seen) == burstchip.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'burstchip' has no attribute 'nonsense'"):
        burstchip.nonsense  # noqa: B018


def test_the_import_alone_loads_none_of_the_heavy_packages() -> None:
    heavy = "numpy numba xarray pint sklearn matplotlib rich typer pydantic yaml"
    code = f"import burstchip, sys; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_foreign_package_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = Package("compiler", Path("mine") / "compiler.py", ours=False)
    monkeypatch.setattr("burstchip.shadowing.shadowed", lambda: (foreign,))
    monkeypatch.setitem(burstchip._HOME, "hidden", "compiler.nothing")
    with pytest.raises(
        ImportError, match="`import compiler` finds mine/compiler.py, which is not burstchip's"
    ):
        burstchip.hidden  # noqa: B018
