"""The command line's entry point. Exit code 0, 2 for bad input, 130 for Ctrl-C, 1 where
`verify` finds a difference; a bug has its traceback.
"""

from __future__ import annotations

import gc
import os
import sys

from burstchip.shadowing import explanation, shadowed

#: Allocations between two collections. Python's 700 make a tenth of the time that importing takes.
_COLLECT_AFTER = 100_000

_BAD_INPUT, _INTERRUPTED, _PIPE_CLOSED = 2, 130, 141


def main() -> None:
    """Run the command that `sys.argv` names, and exit."""
    gc.set_threshold(_COLLECT_AFTER)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character must not end a run; None where the stream is closed.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        from burstchip.cli.app import app

        app(prog_name="burstchip")
    except ImportError:
        foreign = shadowed()
        if not foreign:
            raise
        for package in foreign:
            print(f"error: {explanation(package)}", file=sys.stderr)
        sys.exit(_BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader closed the pipe; nothing more must be flushed into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_PIPE_CLOSED)
