from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.report.json_files import QuantizedValue
from burstchip.report.run_folder import read_run_folder
from burstchip.report.tables import (
    activity_rows,
    contradictions,
    operations,
    quantisation_rows,
    result,
    setting_rows,
)
from burstchip.report.wording import number, percent, plasticity

Edit = Callable[..., None]


def quantized(**changes: Any) -> QuantizedValue:
    values: dict[str, Any] = {
        "where": "hidden",
        "parameter": "bias",
        "unit": "pA",
        "requested": 1.0,
        "represented": 1.0,
        "relative_error": 0.0,
        "integers": "bias_mant = 1",
    }
    return QuantizedValue(**{**values, **changes})


@pytest.mark.parametrize(
    ("error", "text", "marked"),
    [
        (0.0, "exact", False),
        (None, "not defined", False),
        (0.0101, "1.01 %", True),
        (-0.0101, "1.01 %", True),
        (0.01, "1.00 %", False),
        (-7e-5, "0.007 %", False),
        (1e-9, "under 0.0001 %", False),
        (-1.0, "100.00 %", True),
    ],
)
def test_relative_errors(error: float | None, text: str, marked: bool) -> None:
    (row,) = quantisation_rows([quantized(relative_error=error)])
    assert row.error == text
    assert row.marked == marked


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (73.24, "73.24"),
        (31.4978, "31.4978"),
        ([0.1, 0.3, 0.2], "0.1 … 0.3 (3 values)"),
        ([2.0, 2.0], "2"),
        ([], "none"),
    ],
)
def test_values(value: float | list[float], text: str) -> None:
    (row,) = quantisation_rows([quantized(requested=value)])
    assert row.requested == text


@pytest.mark.parametrize(
    ("integers", "text"),
    [("du = 1", "du = 1"), (7, "7"), ([1, 2], "1, 2"), ({"du": 4095, "dv": 128}, "du = 4095, dv = 128")],
)
def test_integers(integers: Any, text: str) -> None:
    (row,) = quantisation_rows([quantized(integers=integers)])
    assert row.integers == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234567.0, "1,235,000"),
        (0.00012345, "1.234e-04"),
        (20.0, "20"),
        (-0.4375, "-0.4375"),
        (1e9, "1.000e+09"),
        (195.3, "195.3"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_percentages_keep_their_sign_on_the_line() -> None:
    assert percent(0.025) == "2.50\N{NO-BREAK SPACE}%"
    assert percent(0.9) == "90.0\N{NO-BREAK SPACE}%"
    assert percent(0.0) == "0\N{NO-BREAK SPACE}%"


def test_the_result_counts_and_says_how_sure_it_is(run_folder: Path) -> None:
    outcome = result(read_run_folder(run_folder).summary)
    assert outcome.counts == "9 of 360 test samples"
    assert outcome.interval.replace("\N{NO-BREAK SPACE}", " ") == "1.32 % to 4.68 %"
    assert outcome.plasticity == "weight form carry (emulation only)"
    assert plasticity("none") == "no plasticity"


def test_what_a_run_does_not_state_is_left_out(run_folder: Path, edit: Edit) -> None:
    full = dict(setting_rows(read_run_folder(run_folder)))
    assert full["Task"] == "digits, seed 0, split 0"
    assert full["Training speed"] == "2,812 samples per second"
    assert full["Time for all epochs"] == "10.2 s"
    assert "Frozen projections" not in full
    edit("summary.json", samples_per_second=None, frozen=["a->b"], weight_form="chip", split=None)
    less = dict(setting_rows(read_run_folder(run_folder)))
    assert "Training speed" not in less
    assert less["Frozen projections"] == "a->b"
    assert less["Weight form"] == "chip: a sum of products in the chip's own grammar"
    assert less["Task"] == "digits, seed 0"


def test_a_split_is_told_only_where_it_means_something(run_folder: Path, edit: Edit) -> None:
    edit("summary.json", task="mnist")
    assert dict(setting_rows(read_run_folder(run_folder)))["Task"] == "mnist, seed 0"


def test_a_fraction_rounded_in_the_summary_is_no_contradiction(run_folder: Path, edit: Edit) -> None:
    edit("summary.json", test_error=0.0251)
    assert contradictions(read_run_folder(run_folder)) == []
    edit("summary.json", test_error=0.0275)
    assert len(contradictions(read_run_folder(run_folder))) == 2


def test_a_test_without_samples_contradicts_any_error(run_folder: Path, edit: Edit) -> None:
    edit("summary.json", confusion=[[0] * 10] * 10)
    run = read_run_folder(run_folder)
    assert len(contradictions(run)) == 1
    assert result(run.summary).interval == "unknown"


def test_activity_is_that_of_the_test_and_of_each_recorded_sample(run_folder: Path) -> None:
    run = read_run_folder(run_folder)
    rows = activity_rows(run)
    assert [row.population for row in rows] == ["image", "hidden", "readout"]
    assert (rows[0].test, rows[0].bursts) == ("366.4", "–")
    assert run.recording_after is not None
    events = run.recording_after.events["hidden"].reshape(5, 96, 100).sum(axis=(1, 2))
    low, middle, high = (f"{value:,}" for value in np.sort(events)[[0, 2, 4]])
    assert rows[1].recorded == f"{low} … {middle} … {high}"


def test_a_backend_that_does_not_count_operations_says_so(run_folder: Path, edit: Edit) -> None:
    counted = {"samples": 360, "events": {}, "synaptic_operations": None}
    edit("summary.json", test_activity=counted, backend="plain")
    assert operations(read_run_folder(run_folder).summary) == (
        "Events were counted while the 360 test samples were shown, learning off; "
        "backend plain does not count synaptic operations."
    )
    edit("summary.json", test_activity=None)
    assert operations(read_run_folder(run_folder).summary) is None
