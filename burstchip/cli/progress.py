"""Progress bars on stderr; nothing at all where that is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from burstchip.backends.compiling import watch_compiling

#: Called with how much is done, how much there is (0: unknown), and what to say beside the bar.
Advance = Callable[[float, float, str], None]


def _nowhere(done: float, total: float, note: str) -> None:
    """No terminal, no bar."""


@contextmanager
def progress(title: str, waiting: str = "", *, quiet: bool = False) -> Iterator[Advance]:
    """A bar with the time left. Until the first call it says only what is waited for."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield _nowhere
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    # Transient: what stays on the screen is the result.
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(title, total=None, note=waiting)

        def advance(done: float, total: float, note: str) -> None:
            if done == 0:
                # What came before, such as compiling, must not count in the time left.
                bars.reset(bar, total=total or None, note=note)
            bars.update(bar, completed=done, total=total or None, note=note)

        with watch_compiling(lambda: bars.update(bar, note="compiling (once)")):
            yield advance
