"""Networks on which two executions once parted, or the compiler failed: each file is a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compare.differences import numpy_against_numba, sim_against_lava
from compare.documents import read_document
from compare.search import trouble_with

SAVED = sorted((Path(__file__).parent / "regressions").glob("*.yaml"))


@pytest.mark.parametrize("path", SAVED, ids=[path.stem for path in SAVED])
def test_numpy_against_numba(path: Path) -> None:
    assert trouble_with(read_document(path), numpy_against_numba) is None


@pytest.mark.parametrize("path", SAVED, ids=[path.stem for path in SAVED])
def test_sim_against_lava(path: Path, lava: Any) -> None:
    assert trouble_with(read_document(path), sim_against_lava(lava)) is None
