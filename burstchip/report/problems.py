"""What can be wrong with a run folder, and how it is said."""

from __future__ import annotations

from pathlib import Path

from hw_models.diagnostics import Diagnostic, register_codes

register_codes(
    {
        "BC540": "the run folder is missing",
        "BC541": "a run folder is incomplete",
        "BC542": "a text file of a run folder is damaged",
        "BC543": "a weight file of a run folder is damaged",
        "BC544": "a recording of a run folder is damaged",
        "BC545": "the files of a run folder contradict each other",
        "BC546": "a report cannot be written",
        "BC547": "a recording that cannot be shown",
        "BC548": "a neuron that was not recorded",
        "BC635": "the answers of a run folder are damaged",
    }
)


def damaged(code: str, path: Path, required: str, given: str) -> Diagnostic:
    """`path` is there but cannot be what the trainer wrote."""
    return Diagnostic(
        id=code,
        message=f"'{path}' is damaged",
        required=required,
        given=given,
        hint="train again, or copy the run folder again",
    )


def not_a_recording(path: Path, given: str) -> Diagnostic:
    """`path` is not a recording of `burstchip run`, or is damaged."""
    return Diagnostic(
        id="BC547",
        message=f"'{path}' is not a recording, or damaged",
        required="a file that `burstchip run -o FILE.nc` wrote",
        given=given if path.exists() else "the file is missing",
    )
