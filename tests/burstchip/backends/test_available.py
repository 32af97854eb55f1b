from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from burstchip.backends.available import all_backends, require_backend
from hw_models.diagnostics import BurstchipError

LAVA = sys.version_info[:2] == (3, 10) and find_spec("lava") is not None
RUNNABLE = ["sim", "plain", "reference", "reference32", *(["lava"] if LAVA else [])]


def test_sim_and_reference_can_run_and_lava_where_it_is_installed() -> None:
    runnable = [backend.name for backend in all_backends() if not backend.missing]
    assert runnable == RUNNABLE
    for name in runnable:
        require_backend(name)


def test_looking_imports_nothing() -> None:
    before = set(sys.modules)
    all_backends()
    assert not {"lava", "numba"} & (set(sys.modules) - before)


def test_what_is_missing_is_said() -> None:
    missing = {backend.name: "; ".join(backend.missing) for backend in all_backends()}
    assert "lava-loihi" in missing["loihi2"]
    if not LAVA:
        assert "lava-nc 0.10.0" in missing["lava"]
    if sys.version_info[:2] != (3, 10):
        assert "Python 3.10" in missing["lava"]
        assert f"this is {sys.version_info[0]}.{sys.version_info[1]}" in missing["lava"]


def test_a_backend_that_cannot_run_is_refused() -> None:
    with pytest.raises(BurstchipError) as caught:
        require_backend("loihi2")
    found = caught.value.diagnostics[0]
    assert found.id == "BC551"
    assert found.hint == f"backends that can run here: {' or '.join(RUNNABLE)}"


def test_the_nearest_backend_is_offered() -> None:
    with pytest.raises(BurstchipError) as caught:
        require_backend("referense")
    assert str(caught.value) == (
        "error[BC550]: unknown backend 'referense'\n"
        f"  required: {' or '.join(RUNNABLE)}    given: referense    hint: did you mean: reference"
    )
