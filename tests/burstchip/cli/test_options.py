"""One option has one name, one short form and one meaning in every command."""

from __future__ import annotations

import re
from collections import defaultdict

import click
import pytest
import typer.main

from benchmarks.runner.command import app as bench
from burstchip.cli.app import app
from burstchip.cli.checks import steps_of
from hw_models.diagnostics import BurstchipError

_OWN = typer.main.get_command(app).commands  # type: ignore[attr-defined]
_BENCH = typer.main.get_command(bench).commands  # type: ignore[attr-defined]
COMMANDS = {
    **{name: it for name, it in _OWN.items() if name != "bench"},
    **{f"bench {name}": it for name, it in _BENCH.items()},
}
OPTIONS = [
    (name, option)
    for name, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option"
]
#: Options of one name that differ from command to command, and in how many ways.
WAYS = {
    "--out": 2,  # a file or a folder
    "--data": 2,  # a folder of data, or a file of samples
    "--list": 3,  # templates, experiments or messages
    "--rates": 2,  # a recording that weighs connections, or one to count the work of
    "--seeds": 2,  # of an experiment, from 1 on, or of benchmarks, from 0 on
    "--target": 3,  # the chip to compile for, where to run, or where benchmarks run
    "--step": 2,  # an experiment's, in place of its own, or that of an import
}


def test_an_option_has_one_form_and_one_meaning() -> None:
    forms, meanings = defaultdict(set), defaultdict(set)
    for _, option in OPTIONS:
        forms[option.opts[0]].add(tuple(option.opts))
        meanings[option.opts[0]].add(option.help)
    assert {name: found for name, found in forms.items() if len(found) > 1} == {}
    assert {name: found for name, found in meanings.items() if len(found) > WAYS.get(name, 1)} == {}


def test_a_short_form_stands_for_one_option() -> None:
    long = defaultdict(set)
    for _, option in OPTIONS:
        for short in (it for it in option.opts if re.fullmatch("-.", it)):
            long[short].add(option.opts[0])
    assert {short: found for short, found in long.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("option", "but"),
    [
        ("--json", {"schema", "bench schema"}),
        ("--quiet", {"schema", "doctor"} | {it for it in COMMANDS if it[:5] == "bench"}),
    ],
)
def test_every_command_has(option: str, but: set[str]) -> None:
    assert {name for name, it in OPTIONS if option in it.opts} >= set(COMMANDS) - but


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_narrow_terminals(command: str, burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = burstchip(*command.split(), "--help").out.splitlines()
    assert max(map(len, lines)) <= 60
    for it in COMMANDS[command].params:
        if isinstance(it, click.Option) or it.param_type_name == "option":
            assert any(it.opts[0][:6] in line for line in lines)


@pytest.mark.parametrize(
    ("steps", "duration", "expected"),
    [
        (7, None, 7),
        (None, "500ms", 1000),
        (None, "2 s", 4000),
        (None, None, "error[BC692]: the length of the run is missing"),
        (7, "2s", "error[BC692]: the length of the run is given twice"),
        (None, "0.7ms", "error[BC693]: --duration 0.7ms is not a whole number of steps"),
        (None, "500", "error[BC693]: --duration 500 is not a whole number of steps"),
        (None, "-1ms", "error[BC693]: --duration -1ms is not a whole number of steps"),
    ],
)
def test_a_run_has_steps_or_a_duration(steps: int | None, duration: str | None, expected: object) -> None:
    try:
        found: object = steps_of(steps, duration, 0.5)
    except BurstchipError as error:
        found = str(error).splitlines()[0]
    assert found == expected
