"""Generated networks: numpy against numba, and the simulator against Lava."""

from __future__ import annotations

from typing import Any

import pytest
from compare.differences import bounds_against_numba, numpy_against_numba, sim_against_lava
from compare.search import Findings, search

#: The same seed in both tests: what one compiled is there for the other.
SEED = 18


def _tell(findings: Findings) -> None:
    print(findings, flush=True)


@pytest.mark.once
def test_numpy_against_numba(found_nothing: Any) -> None:
    found_nothing(search(numpy_against_numba, 12, 4, SEED), numpy_against_numba)


@pytest.mark.once
def test_bounds_against_numba(found_nothing: Any) -> None:
    found_nothing(search(bounds_against_numba, 12, 4, SEED), bounds_against_numba)


def test_sim_against_lava(found_nothing: Any, lava: Any) -> None:
    judge = sim_against_lava(lava)
    found_nothing(search(judge, 12, 4, SEED), judge)


@pytest.mark.once
@pytest.mark.slow
def test_more_numpy_against_numba(found_nothing: Any, nightly_networks: int, nightly_seed: int) -> None:
    networks, each = (nightly_networks, 25) if nightly_networks else (16, 8)
    findings = search(numpy_against_numba, networks, each, nightly_seed, _tell)
    found_nothing(findings, numpy_against_numba)


@pytest.mark.slow
def test_more_sim_against_lava(
    found_nothing: Any, lava: Any, nightly_networks: int, nightly_seed: int
) -> None:
    networks, each = (nightly_networks, 25) if nightly_networks else (16, 8)
    judge = sim_against_lava(lava)
    found_nothing(search(judge, networks, each, nightly_seed, _tell), judge)
