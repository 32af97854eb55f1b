"""Work in a forked process that has a limit of time and memory, and what became of it."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

#: Seconds of the processor that a command may take, and of the clock, for one that waits.
PROCESSOR_S, CLOCK_S = 10, 120.0
#: What a command may take beyond what the process has when it begins.
MEMORY = 2 << 30


@dataclass(frozen=True)
class Ended:
    """What a process said through its pipe, the trace of its end where it was ended, and how it ended.

    `status` is that of `os.waitpid`, `peak` its greatest memory in bytes.
    """

    said: str
    trace: str
    status: int
    peak: int

    @property
    def was_hanging(self) -> bool:
        """Whether it was ended for its time."""
        return "Timeout (" in self.trace or (
            os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) in (signal.SIGXCPU, signal.SIGKILL)
        )


def _virtual() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def begin_command(trace: int) -> None:
    """Give the command that begins now the whole time, counted from here."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + PROCESSOR_S + 1, resource.RLIM_INFINITY)
    )
    faulthandler.dump_traceback_later(CLOCK_S, exit=True, file=trace)


def guarded(work: Callable[[int], str]) -> Ended:
    """Run `work` in a process of its own; it gets the file for traces, and returns what is to be said."""
    with tempfile.TemporaryFile() as trace, tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            _child(work, said.fileno(), trace.fileno())
        _, status, usage = os.wait4(child, 0)
        texts = []
        for file in (said, trace):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
        return Ended(texts[0], texts[1], status, usage.ru_maxrss << 10)


def _child(work: Callable[[int], str], said: int, trace: int) -> NoReturn:
    # Whatever happens, the caller's code must not go on in this process.
    try:
        faulthandler.enable(file=trace)
        faulthandler.register(signal.SIGXCPU, file=trace, all_threads=False, chain=True)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (_virtual() + MEMORY, resource.RLIM_INFINITY))
        text = work(trace)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.write(said, text.encode("utf-8", "replace"))
        os._exit(0)
    except BaseException as error:
        import traceback

        os.write(trace, "".join(traceback.format_exception(error)).encode("utf-8", "replace"))
    finally:
        os._exit(99)
