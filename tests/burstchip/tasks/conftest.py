"""Small synthetic stand-ins for the MNIST files: right in format, wrong in content."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip.tasks import mnist


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """`values` as an IDX file."""
    return struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def contents() -> dict[str, bytes]:
    """Four IDX files by name: 20 training and 10 test images of 4 x 3 pixels."""
    generator = np.random.default_rng(7)
    files = {}
    for stem, samples in (("train", 20), ("t10k", 10)):
        images = generator.integers(0, 256, (samples, 4, 3), dtype=np.uint8)
        labels = (np.arange(samples) % 10).astype(np.uint8)
        files[f"{stem}-images-idx3-ubyte"] = idx_bytes(images)
        files[f"{stem}-labels-idx1-ubyte"] = idx_bytes(labels)
    return files


@pytest.fixture
def write(contents: dict[str, bytes]) -> Callable[..., Path]:
    """Writes the four files, gzipped or plain, into a folder and returns it."""

    def write_files(folder: Path, *, zipped: bool = True) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
        return folder

    return write_files


@pytest.fixture
def synthetic_is_official(monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes]) -> None:
    """Let the checksums be those of the synthetic files."""
    files = tuple(
        replace(file, sha256=hashlib.sha256(contents[file.name]).hexdigest()) for file in mnist.FILES
    )
    monkeypatch.setattr(mnist, "FILES", files)


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the machine's data or cache folder, nor may it reach a real mirror."""
    monkeypatch.delenv("BURSTCHIP_DATA", raising=False)
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(mnist, "MIRRORS", ())
