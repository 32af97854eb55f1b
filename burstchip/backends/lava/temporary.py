"""Temporary files that cannot be made, as an error that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC574": "the temporary folder cannot hold what Lava and burstchip exchange"})


@contextmanager
def with_room() -> Iterator[None]:
    """Raise `BurstchipError` BC574 where a temporary file cannot be made, or not as long as it will be."""
    try:
        yield
    except OSError as reason:
        raise BurstchipError(
            Diagnostic(
                "BC574",
                "the temporary folder cannot hold what Lava and burstchip exchange",
                required="a folder that can be written to, with room",
                given=reason.strerror or str(reason),
                hint="name another one by the environment variable TMPDIR, or record less",
            )
        ) from None
