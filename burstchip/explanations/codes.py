"""Every message id, found in the text of burstchip's own sources: none of their modules is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

#: burstchip's own packages.
PACKAGES = ("hw_models", "compiler", "burstchip", "benchmarks")
#: What ids are about, by their first digit.
AREAS = {
    "0": "text and structure of a network file",
    "1": "values, names and units",
    "2": "plasticity rules",
    "3": "compilation and the chip's limits",
    "4": "artifacts and deployments",
    "5": "running, data sets and backends",
    "6": "options, own data and learned weights",
    "7": "experiments and protocols",
    "8": "exchange with others, costs, precision and sweeps",
    "9": "lost values and calibration",
}

_REGISTER = "register_codes"


@dataclass(frozen=True)
class Code:
    """A message id, its title, and the module that registers it."""

    id: str
    title: str
    module: str

    @property
    def area(self) -> str:
        """What the id is about."""
        return AREAS[self.id[2]]


def all_codes() -> dict[str, Code]:
    """Every id by name, in order."""
    found = [code for package in PACKAGES for code in _of_package(package)]
    return {code.id: code for code in sorted(found, key=lambda code: code.id)}


def _of_package(package: str) -> Iterator[Code]:
    spec = find_spec(package)
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        for path in sorted(Path(folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if f"{_REGISTER}(" in text:
                inner = path.relative_to(folder).with_suffix("").parts
                module = ".".join((package, *(part for part in inner if part != "__init__")))
                yield from _of_module(ast.parse(text), module)


def _of_module(tree: ast.Module, module: str) -> Iterator[Code]:
    tables = dict(_tables(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _REGISTER:
            given = node.args[0]
            table = tables[given.id] if isinstance(given, ast.Name) else given
            assert isinstance(table, ast.Dict), f"{module}: ids in another form than a mapping"
            for name, title in zip(table.keys, table.values, strict=True):
                # An id that is computed is that of a message which another package made.
                if isinstance(name, ast.Constant):
                    assert isinstance(title, ast.Constant), f"{module}: a title that is computed"
                    yield Code(str(name.value), str(title.value), module)


def _tables(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """What the module's names are set to."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
