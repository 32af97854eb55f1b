"""The command line's entry point. Exit code 0, 2 for bad input, 130 for Ctrl-C, 1 where
`verify` finds a difference; a bug has its traceback.
"""

from __future__ import annotations

import errno
import gc
import os
import sys

from burstchip.shadowing import explanation, shadowed

#: Allocations between two collections. Python's 700 make a tenth of the time that importing takes.
_COLLECT_AFTER = 100_000

#: A full disk or terminal behind stdout, or one that is gone.
_OUTPUT_LOST = (errno.ENOSPC, errno.EIO, errno.EBADF)

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
        # The reader closed the pipe.
        _silence_stdout()
        sys.exit(_PIPE_CLOSED)
    except OSError as reason:
        # Those of files are messages of the commands and have a name; the rest are of the output.
        if reason.filename is not None or reason.errno not in _OUTPUT_LOST:
            raise
        _silence_stdout()
        print(f"error: the output cannot be written: {reason.strerror}", file=sys.stderr)
        sys.exit(_BAD_INPUT)


def _silence_stdout() -> None:
    """Have nothing more flushed, at exit, into a stream that takes nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
