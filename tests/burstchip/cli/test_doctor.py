from __future__ import annotations

import sys

import pytest

from burstchip import doctor
from hw_models.diagnostics import Diagnostic


def test_doctor_tells_all_of_it(burstchip) -> None:
    done = burstchip("doctor")
    assert done.code == 0
    for heading in ("packages", "backends", "data sets", "cache", "top-level packages"):
        assert f"\n{heading}\n" in done.out
    assert sys.executable in done.out and "numba" in done.out
    assert "cannot run; missing:" in done.out
    assert done.out.endswith("\nno problems found\n")


def test_doctor_as_json(burstchip) -> None:
    done = burstchip("doctor", "--json")
    assert done.code == 0 and done.out.count("\n") == 1
    assert done.json["ok"] and done.json["backends"][0]["name"] == "sim"


def test_a_problem_is_exit_code_2(burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_unusable", lambda cache: [Diagnostic("BC633", "no cache")])
    done = burstchip("doctor")
    assert done.code == 2 and "error[BC633]: no cache" in done.err
    assert done.out.endswith("see the errors above\n")
