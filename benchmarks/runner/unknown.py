"""What is said of a workload, target or mode that does not exist."""

from __future__ import annotations

from collections.abc import Sequence

from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes({"BC851": "an unknown workload, target or mode"})


def unknown(
    what: str, name: str, required: str, known: Sequence[str], given: str | None = None
) -> BurstchipError:
    """BC851, with the nearest of those that there are."""
    message = f"{what} '{name}' is unknown"
    hint = nearest(name, known)
    return BurstchipError(Diagnostic("BC851", message, required=required, given=given or name, hint=hint))
