"""A child process whose standard input and output carry the messages."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import suppress

from burstchip.remote.carriers.carrier import Descriptors
from burstchip.remote.failures import Gone
from burstchip.remote.framing import decoder

#: Seconds that a child has to end once its input is closed.
END_SECONDS = 1.0
#: Characters of what the child wrote to its standard error that are kept.
_SAID = 4000


class Child(Descriptors):
    """A carrier that starts a command. Raises `Gone` where it cannot be started."""

    def __init__(self, command: str, *, lines: bool) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
        try:
            words = shlex.split(command)
            self._child = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as reason:
            self._log.close()
            raise Gone(str(reason)) from None
        assert self._child.stdin is not None and self._child.stdout is not None
        super().__init__(
            self._child.stdout.fileno(),
            self._child.stdin.fileno(),
            decoder(lines=lines, requests=False),
            lines=lines,
            said=self._ended,
        )

    def close(self) -> None:
        """Close the child's input, and end it where it does not end by itself."""
        if self._log.closed:
            return
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.close()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                _end_group(self._child.pid, number)
            try:
                self._child.wait(END_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
        self._child.stdout.close()
        self._log.close()

    def _ended(self) -> str:
        """How the child ended, and the end of what it wrote to its standard error."""
        try:
            code = self._child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            ended = "it closed its output"
        else:
            ended = f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _SAID))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f"{ended}; {lines[-1]}" if lines else ended


def _end_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
