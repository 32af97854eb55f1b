"""Signals that end a run: exceptions, so that nothing is half-done, held back where a library writes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_Handler = Callable[[int, FrameType | None], object]

#: What ends a process that does not say otherwise: of a terminal that is closed, of a scheduler.
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Ended(KeyboardInterrupt):
    """A signal that asks the process to end; like Ctrl-C, which it is caught with."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def ending(error: KeyboardInterrupt) -> str:
    """What ended the command, in words."""
    return f"ended by {signal.Signals(error.number).name}" if isinstance(error, Ended) else "interrupted"


def exit_code(error: KeyboardInterrupt) -> int:
    """128 and the signal's number, as shells have it."""
    return 128 + (error.number if isinstance(error, Ended) else int(signal.SIGINT))


def raise_ending_signals() -> None:
    """Let signals that would end this process raise `Ended`; one that is ignored, as by `nohup`, stays so."""

    def end(number: int, frame: FrameType | None) -> None:
        # Sent again, or another one, it must not interrupt what clears up.
        for other in _ENDING:
            signal.signal(other, signal.SIG_IGN)
        raise Ended(number)

    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals that raise back until the end of the block; outside of the main thread there are none.

    HDF5's callbacks may swallow what is raised in them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before: dict[int, _Handler] = {}
    try:
        for number in (signal.SIGINT, *_ENDING):
            handler = signal.getsignal(number)
            if callable(handler):
                before[number] = handler
                signal.signal(number, note)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        before[came[0]](came[0], None)
