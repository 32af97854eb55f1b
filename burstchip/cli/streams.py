"""Standard output and error that may be closed, full, or a pipe whose reader has ended."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import BinaryIO, NoReturn, TextIO, cast

from hw_models.diagnostics import Diagnostic, register_codes

register_codes({"BC640": "what a command prints cannot be written"})

_REFUSED, _PIPE_CLOSED = 2, 141


class StreamRefused(OSError):
    """A standard stream that takes nothing any more. `errno` is not set, unlike that of a file."""

    def __init__(self, descriptor: int, reason: OSError) -> None:
        super().__init__(f"descriptor {descriptor}: {reason.strerror}")
        self.descriptor, self.reason = descriptor, reason


class _Raw(io.FileIO):
    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as reason:
            raise StreamRefused(self.fileno(), reason) from None


def _told(stream: io.TextIOWrapper, descriptor: int) -> TextIO:
    raw = _Raw(descriptor, "w", closefd=False)
    # Buffered as Python itself has set the stream up, PYTHONUNBUFFERED included. A terminal that lacks a
    # character must not end a run.
    return io.TextIOWrapper(
        cast(BinaryIO, raw) if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def open_streams() -> None:
    """Let the process's own streams raise `StreamRefused`; what is closed goes nowhere.

    A closed descriptor would be that of the next file that is opened, and messages would land in it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, _told(stream, descriptor))


def _say(text: object) -> None:
    """Print the last message; where that fails too, the exit code remains."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _silence(2)


def _silence(descriptor: int) -> None:
    """What is still in the buffer must not fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _end_without(refused: StreamRefused) -> NoReturn:
    _silence(refused.descriptor)
    if refused.reason.errno == errno.EPIPE:
        sys.exit(_PIPE_CLOSED)
    name = {1: "stdout", 2: "stderr"}[refused.descriptor]
    _say(
        Diagnostic(
            "BC640",
            f"what the command says cannot be written to {name}",
            required="a terminal, a pipe that is read, or a file with room",
            given=refused.reason.strerror or str(refused.reason),
        )
    )
    sys.exit(_REFUSED)


def saying(command: Callable[[], None]) -> None:
    """Run a command; end with 2, or 141 for a closed pipe, where what it says cannot be written."""
    try:
        try:
            command()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except StreamRefused as refused:
        _end_without(refused)
