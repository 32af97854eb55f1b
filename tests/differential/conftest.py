"""What the searches share: how many networks, the folder for those that fail, and a process with Lava."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from compare.search import Findings

if TYPE_CHECKING:
    from burstchip.backends.lava.session import LavaWorker

ROOT = Path(__file__).parents[2]
REGRESSIONS = Path(__file__).parent / "regressions"


@pytest.fixture(scope="session")
def failures() -> Path:
    """Where failing networks are written."""
    return ROOT / "build" / "differential"


@pytest.fixture(scope="session")
def nightly_networks() -> int:
    """How many networks `make differential` asks for; 0 in any other run."""
    return int(os.environ.get("NETWORKS", "0"))


@pytest.fixture(scope="session")
def nightly_seed() -> int:
    """What `make differential` seeds the networks with."""
    return int(os.environ.get("SEED", "0"))


@pytest.fixture(scope="session")
def lava(needs_lava: None) -> Iterator[LavaWorker]:
    """A process that holds Lava; skipped where this Python has none."""
    from burstchip.backends.lava.session import LavaWorker

    with LavaWorker() as worker:
        yield worker


@pytest.fixture
def found_nothing(failures: Path):  # type: ignore[no-untyped-def]
    """Fails with the saved networks where a search found any."""
    from compare.search import save_failures

    def require(findings: Findings, judge) -> None:  # type: ignore[no-untyped-def]
        print(findings)
        if findings.failures:
            saved = "\n".join(save_failures(findings, judge, failures))
            pytest.fail(
                f"{findings}\n{saved}\n"
                f"To keep one: fix what is wrong, then move the file, and a weight file that it names, to "
                f"{REGRESSIONS} under a name that says what was wrong; every file there is a test.",
                pytrace=False,
            )

    return require
