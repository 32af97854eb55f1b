"""Looks into a tensor file far enough to say whether a projection can take its weights from it."""

from __future__ import annotations

from pathlib import Path

from burstchip.frontend.report import Report
from burstchip.frontend.tree import Node
from compiler.tensor_file import TensorError, TensorFile
from hw_models.diagnostics import nearest


def check_weight_file(
    path: Path,
    tensor: str,
    at: tuple[Node, Node],
    expected: tuple[tuple[int, ...], str] | None,
    label: str,
    report: Report,
) -> None:
    """Report a file that is not there or not safetensors, an unknown tensor, a shape that does not fit.

    `at` are the places of the file's and of the tensor's name; `expected` the shape and what its dimensions
    are, None where not known. Only the file's header is read.
    """
    try:
        file = TensorFile(path)
    except TensorError as problem:
        report.add(
            "BC138",
            at[0],
            f"{label}: the weight file cannot be read",
            required="a safetensors file, named relative to this file",
            given=f"'{path}': {problem if path.exists() else 'the file is missing'}",
        )
        return
    if tensor not in file.names:
        report.add(
            "BC138",
            at[1],
            f"{label}: the weight file has no tensor '{tensor}'",
            required=f"one of {', '.join(file.names)}" if file.names else "a file with tensors",
            hint=nearest(tensor, file.names),
        )
        return
    try:
        shape = file.shape(tensor)
    except TensorError as problem:
        report.add(
            "BC138",
            at[1],
            f"{label}: tensor '{tensor}' has no real numbers",
            required="weights as floating-point numbers or integers",
            given=str(problem),
        )
        return
    if expected is not None and shape != expected[0]:
        report.add(
            "BC138",
            at[1],
            f"{label}: tensor '{tensor}' has the wrong shape",
            required=f"[{expected[1]}] = {list(expected[0])}",
            given=f"{list(shape)}",
        )
