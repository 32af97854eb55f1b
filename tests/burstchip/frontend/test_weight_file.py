"""Weights from a tensor file: what is looked at before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from burstchip.frontend import LoadResult, load
from compiler.ir.connectivity import TensorFile

LoadText = Callable[..., LoadResult]

TEXT = """\
burstchip: 1
name: net
step: 1 ms
populations:
  input: {model: poisson_source, size: 4, rate: 20 Hz}
  output: {model: lif, size: 3}
projections:
  - {from: input, to: output, connectivity: {file: weights.safetensors, tensor: w}}
"""


def error(result: LoadResult) -> tuple[str, str | None, str | None, str | None]:
    """The marked text, and what is said about it."""
    (message,) = result.diagnostics
    place = message.place
    assert message.id == "BC138" and place is not None and place.text is not None and place.line == 8
    marked = place.text[place.column - 1 :][: place.length]
    return marked, message.required, message.given, message.hint


def test_a_file_that_fits(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "net.yaml").write_text(TEXT)
    save_file({"w": np.ones((3, 4), dtype=np.float32)}, folder / "weights.safetensors")
    result = load(folder / "net.yaml")
    assert result.network is not None
    (projection,) = result.network.projections
    # Relative to the network's file, not to where the command was given.
    assert projection.connectivity == TensorFile(str(folder / "weights.safetensors"), "w")
    assert projection.weight is None


def test_wrong_shape(load_text: LoadText) -> None:
    save_file({"w": np.ones((4, 3), dtype=np.float32)}, "weights.safetensors")
    assert error(load_text(TEXT)) == ("w", "[target, source] = [3, 4]", "[4, 3]", None)


def test_unknown_tensor(load_text: LoadText) -> None:
    save_file({"w1": np.ones((3, 4), dtype=np.float32)}, "weights.safetensors")
    assert error(load_text(TEXT)) == ("w", "one of w1", "'w'", "did you mean: w1")


@pytest.mark.parametrize("content", [b"", b"not a tensor file", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0{}"])
def test_no_tensor_file(load_text: LoadText, content: bytes) -> None:
    Path("weights.safetensors").write_bytes(content)
    marked, *_ = error(load_text(TEXT))
    # The last is a tensor file without tensors.
    assert marked == ("w" if content.endswith(b"{}") else "weights.safetensors")


def test_a_folder_is_no_file(load_text: LoadText) -> None:
    Path("weights.safetensors").mkdir()
    marked, *_ = error(load_text(TEXT))
    assert marked == "weights.safetensors"
