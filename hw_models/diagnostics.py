"""What is reported when something in the input is wrong, clipped, ignored or assumed.

Every message a user can cause has an id from `CODES`, a place where one exists, what was required,
what was given and, where there is one, the likely fix. A `BurstchipError` carries all of them and is
shown without a traceback; anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

#: The ids and what each stands for.
#: BC0xx text and structure of a YAML file · BC1xx values, units, names · BC2xx plasticity rules ·
#: BC3xx compilation and chip limits · BC4xx artifact files · BC5xx running, data, backends · BC6xx options.
CODES: dict[str, str] = {}


def register_codes(codes: dict[str, str]) -> None:
    """Add message ids to `CODES`; an id that is taken is a bug."""
    for code, meaning in codes.items():
        assert code not in CODES or CODES[code] == meaning, f"message id {code} is taken"
        CODES[code] = meaning


@dataclass(frozen=True)
class Place:
    """A position in a text file: 1-based line and column, the marked length and the line itself."""

    file: str
    line: int
    column: int
    length: int = 1
    text: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Subject:
    """What of a network a message is about, where its place is not known: who has the file can find it.

    `name` is that of a population or projection, or of the projection that learns by a plasticity; a signal's
    is `population.variable`, a task has none. Of `keys`, entries of the subject, the first that is written is
    meant.
    """

    kind: Literal["population", "projection", "plasticity", "signal", "task"]
    name: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnostic:
    """One message: `id` from `CODES`, what is wrong, and what would be right.

    `about` is what it is about, where `place` was not known to who wrote it.
    """

    id: str
    message: str
    place: Place | None = None
    severity: Literal["error", "warning"] = "error"
    required: str | None = None
    given: str | None = None
    hint: str | None = None
    about: Subject | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        assert self.id in CODES, f"message id {self.id} is not registered"

    def __str__(self) -> str:
        """The text a terminal shows: place, id, message, the source line with a caret, the remedy."""
        head = f"{self.place}: " if self.place else ""
        lines = [f"{head}{self.severity}[{self.id}]: {self.message}"]
        if self.place is not None and self.place.text is not None:
            number = f"{self.place.line:>4}"
            # Tabs are kept in the padding so that the caret stands under the marked text.
            before = self.place.text[: self.place.column - 1]
            padding = "".join("\t" if character == "\t" else " " for character in before)
            lines.append(f"{number} | {self.place.text}")
            lines.append(f"     | {padding}{'^' * max(1, self.place.length)}")
        remedy = [
            f"{label}: {text}"
            for label, text in (
                ("required", self.required),
                ("given", self.given),
                ("hint", self.hint),
            )
            if text is not None
        ]
        if remedy:
            lines.append("  " + "    ".join(remedy))
        return "\n".join(lines)


class BurstchipError(Exception):
    """Input that cannot be used. `diagnostics` holds every message, at least one of them an error."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        assert self.diagnostics, "an error without a message"
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


def nearest(name: str, valid: Sequence[str]) -> str | None:
    """A hint that names the valid name closest to `name`, or None when none is close."""
    matches = get_close_matches(name, valid, n=1, cutoff=0.6)
    return f"did you mean: {matches[0]}" if matches else None
