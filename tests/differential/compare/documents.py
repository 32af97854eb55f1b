"""From a document to the program that runs, and to files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from generate.networks import Document
from generate.programs import models_of
from safetensors.numpy import load_file, save_file

import burstchip
from burstchip.frontend import load_network
from burstchip.tasks.presentation import Pictures, Presentation, pictures_of
from burstchip.tasks.showing import sample_order
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows


def as_text(document: Document) -> str:
    """The document as YAML, one population or projection a line."""
    return yaml.dump(document.network, sort_keys=False, default_flow_style=None, width=100_000)


def write_document(document: Document, path: Path, comment: str = "") -> None:
    """Write the network file, with the weight files that it names beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    path.write_text("\n".join([*lines, as_text(document)]), encoding="utf-8")
    for name, matrix in document.files.items():
        save_file({"w": np.array(matrix, dtype=np.float64)}, path.parent / name)


def read_document(path: Path) -> Document:
    """The document that `write_document` wrote."""
    network: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = [
        projection["connectivity"]["file"]
        for projection in network["projections"]
        if isinstance(projection.get("connectivity"), dict) and "file" in projection["connectivity"]
    ]
    return Document(network, {name: load_file(path.parent / name)["w"].tolist() for name in names})


def compiled(document: Document) -> ChipProgram:
    """The document through the frontend and the compiler. Raises `BurstchipError` as they do."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.yaml"
        write_document(document, path)
        return burstchip.compile_network(load_network(path, models=models_of(document.network)))


@lru_cache(maxsize=1)
def digits() -> Pictures:
    """The samples that a generated task presents."""
    return pictures_of(burstchip.load_dataset("digits"))[0]


def streams_of_task(code: ChipProgram, steps: int) -> Mapping[str, Rows]:
    """What a run of `steps` steps is shown: samples of the program's task, if it has one."""
    if code.task is None:
        return {}
    count = len(digits().images)
    order = np.resize(sample_order(code, count, 0), steps // code.task.present + 2)
    return Presentation(code, digits(), order).streams
