"""Signals that ask a command to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import typer

from burstchip.cli.console import output
from burstchip.cli.main import main
from burstchip.interruption import Ended, raise_ending_signals, uninterrupted


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_told_in_one_line(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    after: list[str] = []

    def command() -> None:
        raise_ending_signals()
        with output(interrupted="nothing was written"), uninterrupted():
            os.kill(os.getpid(), number)
            after.append("held back")

    with pytest.raises(typer.Exit) as ended:
        command()
    assert after
    assert ended.value.exit_code == 128 + number
    assert capsys.readouterr().err == f"ended by {number.name}; nothing was written\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(Ended(signal.SIGTERM), 143, "ended by SIGTERM\n"), (KeyboardInterrupt(), 130, "interrupted\n")],
)
def test_a_signal_before_the_work_of_a_command(
    error: KeyboardInterrupt,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    early = typer.Typer()

    @early.command()
    def importing() -> None:
        raise error

    monkeypatch.setattr("burstchip.cli.app.app", early)
    monkeypatch.setattr("sys.argv", ["burstchip"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert capsys.readouterr().err == said


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise_ending_signals()
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGHUP)
