"""Run the command line as it is and report, on stderr, when its first step was done.

    python -m benchmarks.first_step run net.burst --steps 1 -o out.nc

The last line on stderr is the time at which a step was first seen done, in seconds since the epoch.
"""

from __future__ import annotations

import functools
import sys
import time
from typing import Any


def _watched() -> list[float]:
    """Have every `record` report when its first step is done; the list that receives the time."""
    from burstchip.running import recording

    seen: list[float] = []
    original = recording.record

    @functools.wraps(original)
    def record(*arguments: Any, **options: Any) -> recording.Recording:
        watch = options.get("watch")

        def note(progress: recording.RecordProgress) -> None:
            if progress.steps_done and not seen:
                seen.append(time.time())
            if watch is not None:
                watch(progress)

        return original(*arguments, **(options | {"watch": note}))

    recording.record = record
    return seen


def main() -> None:
    """The command line's own entry point, watched."""
    seen = _watched()
    from burstchip.cli.main import main as burstchip

    try:
        burstchip()
    finally:
        if seen:
            print(f"{seen[0]:.6f}", file=sys.stderr)


if __name__ == "__main__":
    main()
