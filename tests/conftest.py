"""What all tests share: where the data is, where compiled kernels are kept, and which backend runs.

`--backend NAME` runs the tests that take the fixture `backend` on that backend. One that cannot run on all of
them has the mark `backends`. What needs Lava asks for the fixture `needs_lava`; with `--require-lava` a test
that is skipped for want of Lava fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
def authors_series() -> Path:
    """The folder with series of the authors' simulations; a test that asks for it is skipped without."""
    folder = os.environ.get("BURSTCHIP_PAPER", str(ROOT.parent / "shared" / "data" / "paper"))
    if not Path(folder).is_dir():
        pytest.skip("needs the authors' series: set BURSTCHIP_PAPER to the folder with their .npz files")
    return Path(folder)


@pytest.fixture(scope="session")
def nir_folder() -> Path:
    """The folder with NIR's public files; a test that asks for it is skipped without."""
    folder = os.environ.get("BURSTCHIP_NIR", str(ROOT.parent / "shared" / "data" / "nir"))
    if not Path(folder).is_dir():
        pytest.skip("needs NIR's public files: set BURSTCHIP_NIR to the folder with their .nir files")
    return Path(folder)


BACKENDS = ("sim", "plain", "reference", "lava", "loihi2")
#: Set on tests that the chosen backend rules out, whatever is installed.
RULED_OUT = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("burstchip")
    backend_help = "what runs the tests that take the fixture `backend`"
    group.addoption("--backend", choices=BACKENDS, default="sim", help=backend_help)
    lava_help = "fail where a test is skipped for want of Lava"
    group.addoption("--require-lava", action="store_true", help=lava_help)


@pytest.fixture(scope="session")
def backend(pytestconfig: pytest.Config) -> str:
    """The backend of `--backend`; tests that take this run on it, or are skipped."""
    return str(pytestconfig.getoption("--backend"))


@pytest.fixture(scope="session")
def needs_lava() -> None:
    """Whatever needs Lava asks for this: skipped where Lava is not installed, and nowhere else."""
    if find_spec("lava") is None:
        pytest.skip("Lava is not installed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order files; skip the tests that take `backend` and cannot run on the chosen one, each with why."""
    # Files with slow tests first: with several processes none is left alone with the longest at the end.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    chosen = str(config.getoption("--backend"))
    lacking: str | None = None
    for item in items:
        mark = item.get_closest_marker("backends")
        takes = "backend" in getattr(item, "fixturenames", ())
        if mark is not None:
            _check_mark(item, mark, takes)
        if not takes:
            continue
        if mark is not None and chosen not in mark.args:
            item.stash[RULED_OUT] = True
            item.add_marker(pytest.mark.skip(reason=f"not for backend {chosen}: {mark.kwargs['reason']}"))
            continue
        lacking = _what_is_missing(chosen) if lacking is None else lacking
        if lacking:
            item.stash[RULED_OUT] = chosen != "lava"
            item.add_marker(pytest.mark.skip(reason=lacking))


def _check_mark(item: pytest.Item, mark: pytest.Mark, takes: bool) -> None:
    if not takes or not mark.args or not set(mark.args) < set(BACKENDS) or not mark.kwargs.get("reason"):
        raise pytest.UsageError(
            f"{item.nodeid}: the mark `backends` names some of {', '.join(BACKENDS)} and a reason, "
            "on a test that takes the fixture `backend`"
        )


def _what_is_missing(name: str) -> str:
    """Why a backend cannot run here, in the product's own words; empty where it can."""
    from burstchip.backends.available import require_backend
    from hw_models.diagnostics import BurstchipError

    try:
        require_backend(name)
    except BurstchipError as error:
        return " ".join(str(error).split())
    return ""


def _fail_for_want_of_lava(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    """Where Lava is required, turn a skip whose reason speaks of Lava into a failure."""
    if not config.getoption("--require-lava") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if re.search(r"\blava\b", reason, re.IGNORECASE):
        report.outcome = "failed"
        report.longrepr = f"Lava is required, but this was skipped. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    report: pytest.TestReport = yield
    if not item.stash.get(RULED_OUT, False):
        _fail_for_want_of_lava(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, pytest.CollectReport]:
    report: pytest.CollectReport = yield
    _fail_for_want_of_lava(collector.config, report)
    return report
