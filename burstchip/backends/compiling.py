"""Says when a loop is being compiled, which happens once for each and takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[], None]] = []


@contextmanager
def watch_compiling(listener: Callable[[], None]) -> Iterator[None]:
    """Call `listener` before each compilation within the context, from whatever thread compiles."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def report_compiling() -> None:
    """What a backend calls before it compiles."""
    for listener in tuple(_listeners):
        listener()
