"""What all tests share: where the data is, and where compiled kernels are kept between runs."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Both are set before any test imports the product, and reach the command lines that tests start.
_BESIDE = ROOT.parent / "shared" / "data" / "mnist"
if _BESIDE.is_dir():
    os.environ.setdefault("BURSTCHIP_DATA", str(_BESIDE))
os.environ.setdefault("BURSTCHIP_CACHE", str(ROOT / ".cache" / "burstchip"))


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder with MNIST's four IDX files; a test that asks for it is skipped where there is none."""
    folder = os.environ.get("BURSTCHIP_DATA")
    if folder is None:
        pytest.skip("needs MNIST: set BURSTCHIP_DATA to the folder with its four IDX files")
    path = Path(folder)
    # A folder that was named but does not hold the data is a mistake to hear of, not a reason to skip.
    assert any(path.glob("train-images-idx3-ubyte*")), f"BURSTCHIP_DATA={folder} has no MNIST files"
    return path


@pytest.fixture(scope="session")
def needs_lava() -> None:
    """Whatever needs Lava asks for this: skipped where Lava is not installed, and nowhere else."""
    if find_spec("lava") is None:
        pytest.skip("Lava is not installed")
