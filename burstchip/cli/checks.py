"""What the options of a command must be, before anything is done with them."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

register_codes(
    {
        "BC601": "a --set that is not KEY=VALUE",
        "BC602": "a parameter that is set twice",
        "BC608": "an output that cannot be written",
        "BC609": "an output that would overwrite the input",
        "BC610": "an output of the wrong kind: a file for a folder, a folder for a file",
        "BC611": "options that exclude or require each other",
        "BC612": "an unknown pass",
        "BC617": "a --stream that cannot be used",
        "BC619": "a --max-error that is not a percentage",
        "BC692": "a length of a run that is missing or given twice",
        "BC693": "a duration that is not a whole number of steps",
        "BC699": "an option that is not a time",
    }
)

_A_TIME = "a time above 0 with its unit"

#: What the file system, not the program, is at fault for.
_REFUSED = {
    getattr(errno, name)
    for name in (
        "EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EISDIR", "ENOTDIR", "ENOENT", "EEXIST",
        "ENAMETOOLONG", "ELOOP", "EIO", "EINVAL", "ETXTBSY", "EBUSY", "EXDEV",
    )
    if hasattr(errno, name)
}  # fmt: skip


def exclude(wrong: bool, message: str, required: str, given: str) -> None:
    """Raise BC611 where options do not go together."""
    if wrong:
        raise BurstchipError(Diagnostic("BC611", message, required=required, given=given))


def exclude_each_other(**given: bool) -> None:
    """Raise BC611 where two options, by their names, are both given."""
    one, other = (f"--{name}" for name in given)
    exclude(all(given.values()), f"{one} and {other} exclude each other", f"{one} or {other}", "both")


def settings(texts: Sequence[str] | None) -> Mapping[str, str]:
    """What `--set KEY=VALUE` sets. Raises `BurstchipError` (BC601, BC602) with all mistakes."""
    values: dict[str, str] = {}
    problems = []
    for text in texts or ():
        key, equals, value = text.partition("=")
        key = key.strip()
        if not (key and equals):
            problems.append(
                Diagnostic(
                    "BC601",
                    f"'{text}' is not of the form KEY=VALUE",
                    required="--set KEY=VALUE",
                    given=f"--set {text}",
                    hint=None if equals else f"--set {text.strip() or 'KEY'}=VALUE",
                )
            )
        elif key in values:
            problems.append(
                Diagnostic(
                    "BC602",
                    f"parameter '{key}' is set twice",
                    required="one value",
                    given=f"'{values[key]}' and '{value}'",
                )
            )
        else:
            values[key] = value
    if problems:
        raise BurstchipError(problems)
    return values


def share_of(percent: float | None) -> float | None:
    """What `--max-error` allows as a share. Raises `BurstchipError` (BC619)."""
    if percent is None:
        return None
    if not 0 <= percent < math.inf:
        raise BurstchipError(
            Diagnostic(
                "BC619",
                "--max-error is not a percentage",
                required="a finite number, at least 0",
                given=f"{percent:g}",
                hint="--max-error 5 allows errors of a twentieth",
            )
        )
    return percent / 100


def pass_name(name: str, passes: Sequence[str]) -> None:
    """Raise `BurstchipError` (BC612) where `name` is none of `passes`."""
    if name not in passes:
        raise BurstchipError(
            Diagnostic(
                "BC612",
                f"unknown pass '{name}'",
                required=", ".join(passes),
                given=name,
                hint=nearest(name, passes),
            )
        )


def streams(texts: Sequence[str] | None) -> dict[str, NDArray[np.float64]]:
    """The rows that `--stream NAME=FILE` names. Raises `BurstchipError` (BC617) with all mistakes."""
    from burstchip.files.rows import Unusable, load_rows

    found: dict[str, NDArray[np.float64]] = {}
    problems = []
    for text in texts or ():
        name, equals, file = (part.strip() for part in text.partition("="))
        unnamed = Unusable("it is not of the form NAME=FILE", "NAME=FILE", text)
        rows = load_rows(Path(file)) if equals else unnamed
        if name in found:
            rows = Unusable("the stream is given twice", "each stream once", name)
        if isinstance(rows, Unusable):
            message = f"--stream {text}: {rows.message}"
            problems.append(Diagnostic("BC617", message, required=rows.required, given=rows.given))
        else:
            found[name] = rows
    if problems:
        raise BurstchipError(problems)
    return found


def _milliseconds(text: str) -> float | None:
    """A time above 0 in ms; None for what is none."""
    from burstchip.frontend.units import Quantity, parse_quantity

    found = parse_quantity(text)
    if isinstance(found, Quantity) and found.dimension == "time" and found.value > 0:
        return found.value
    return None


def steps_of(steps: int | None, duration: str | None, step_ms: float) -> int:
    """The steps that `--steps N` or `--duration TIME` stand for. Raises `BurstchipError` BC692, BC693."""
    if steps is not None and duration is None:
        return steps
    if steps is not None or duration is None:
        raise BurstchipError(
            Diagnostic(
                "BC692",
                f"the length of the run is {'missing' if duration is None else 'given twice'}",
                required="--steps N or --duration TIME",
                given="neither" if duration is None else f"--steps {steps} --duration {duration}",
            )
        )
    found = _milliseconds(duration)
    if found is not None:
        exact = found / step_ms
        if abs(exact - round(exact)) <= 1e-9 * max(1.0, exact):
            return round(exact)
        required, given = f"a multiple of the step, {step_ms:g} ms", f"{exact:g} steps"
    else:
        required, given = f"{_A_TIME}, such as 500ms or 2s", duration
    raise BurstchipError(
        Diagnostic(
            "BC693", f"--duration {duration} is not a whole number of steps", required=required, given=given
        )
    )


def time_of(text: str, option: str) -> float:
    """A time above 0 in ms. Raises `BurstchipError` BC699."""
    found = _milliseconds(text)
    if found is not None:
        return found
    raise BurstchipError(
        Diagnostic(
            "BC699",
            f"{option} {text} is not a time",
            required=f"{_A_TIME}, such as 0.5ms",
            given=text,
        )
    )


def output_file(path: Path, source: Path) -> None:
    """Raise `BurstchipError` (BC608 to BC610) where `path` cannot become a file made from `source`."""
    with writing(path):
        if path.exists() and not path.is_file():
            raise _wrong_kind(path, "a file", "a folder" if path.is_dir() else "a device or the like")
        if path.exists() and source.exists() and path.samefile(source):
            raise BurstchipError(
                Diagnostic(
                    "BC609",
                    f"'{path}' would overwrite what it is made from",
                    required="another file",
                    given=str(path),
                )
            )
        _require_writable(path)


def output_folder(path: Path) -> None:
    """Raise `BurstchipError` (BC608, BC610) where `path` cannot become a folder."""
    with writing(path):
        if path.exists() and not path.is_dir():
            raise _wrong_kind(path, "a folder", "a file")
        _require_writable(path / "file")


def _wrong_kind(path: Path, required: Literal["a file", "a folder"], given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic("BC610", f"'{path}' is not {required}", required=f"{required}, or a new name", given=given)
    )


def _require_writable(path: Path) -> None:
    """Missing folders will be made; the first that is there must allow it."""
    existing = path.absolute().parent
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"'{existing}' is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"no permission to write in '{existing}'")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses while `path` is written into a `BurstchipError` (BC608)."""
    try:
        yield
    except OSError as reason:
        if reason.errno not in _REFUSED:
            raise
        raise BurstchipError(
            Diagnostic(
                "BC608",
                f"'{path}' cannot be written",
                required="a place that can be written to",
                given=reason.strerror or str(reason),
            )
        ) from None
