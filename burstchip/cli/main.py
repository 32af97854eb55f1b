"""The command line's entry point. Exit code 0, 2 for bad input or output, 1 where `verify` finds a
difference, `experiment` misses a check or a point of a `sweep` fails, 130 for Ctrl-C, 128 and its number for
another signal, 141 for a pipe that is closed; a bug has its traceback.
"""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

from burstchip.cli.streams import open_streams, saying
from burstchip.interruption import ending, exit_code, raise_ending_signals
from burstchip.shadowing import explanation, shadowed

#: Allocations between two collections. Python's 700 make a tenth of the time that importing takes.
_COLLECT_AFTER = 100_000

_BAD_INPUT = 2


def main() -> None:
    """Run the command that `sys.argv` names, and exit."""
    gc.set_threshold(_COLLECT_AFTER)
    open_streams()
    saying(_run)


def _run() -> None:
    try:
        raise_ending_signals()
        from burstchip.cli.app import app

        app(prog_name="burstchip")
    except ImportError:
        foreign = shadowed()
        if not foreign:
            raise
        for package in foreign:
            print(f"error: {explanation(package)}", file=sys.stderr)
        sys.exit(_BAD_INPUT)
    except KeyboardInterrupt as error:
        # Before a command has begun, or after it.
        _end_interrupted(error)
    except SystemExit as ended:
        # While arguments are read or modules imported: typer makes 130 of any interruption, without a word.
        within = ended.__context__
        cause = None if within is None else within.__cause__
        if not isinstance(cause, KeyboardInterrupt):
            raise
        _end_interrupted(cause)


def _end_interrupted(error: KeyboardInterrupt) -> NoReturn:
    print(ending(error), file=sys.stderr)
    sys.exit(exit_code(error))
