"""Networks to begin with: each is a folder of `templates/` with one file, `network.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from compiler.whole_file import write_new
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC620": "an unknown template",
        "BC621": "a template would overwrite a file",
        "BC622": "a template cannot be written",
    }
)

FILE = "network.yaml"


@dataclass(frozen=True)
class Template:
    """A template: its name, what it is for (the first line of its file) and its text."""

    name: str
    doc: str
    text: str


def all_templates() -> tuple[Template, ...]:
    """All templates, by name."""
    found = []
    for folder in files("burstchip").joinpath("templates").iterdir():
        file = folder.joinpath(FILE)
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            found.append(Template(folder.name, text.partition("\n")[0].lstrip("# ").rstrip(), text))
    return tuple(sorted(found, key=lambda template: template.name))


def write_template(name: str, folder: str | Path) -> Path:
    """Write the file of the template `name` into `folder`, which is made where it is missing.

    Returns the file's path. Raises `BurstchipError`: BC620 for an unknown name, BC621 where the file
    exists already, BC622 where it cannot be written.
    """
    known = {template.name: template for template in all_templates()}
    if name not in known:
        raise BurstchipError(
            Diagnostic(
                "BC620",
                f"unknown template '{name}'",
                required=" or ".join(known),
                given=name,
                hint=nearest(name, list(known)) or "`burstchip new --list` says what each is for",
            )
        )
    folder = Path(folder)
    path = folder / FILE
    try:
        write_new(path, known[name].text.encode())
    except FileExistsError:
        is_file = folder.exists() and not folder.is_dir()
        raise BurstchipError(
            Diagnostic(
                "BC621",
                f"'{folder}' is a file" if is_file else f"'{path}' exists already",
                required="a folder without a network.yaml, or a new one",
                given="a file" if is_file else f"one with a {FILE}",
                hint="choose another folder; nothing was changed",
            )
        ) from None
    except OSError as reason:
        raise BurstchipError(
            Diagnostic(
                "BC622",
                f"'{path}' cannot be written",
                required="a folder that can be written to",
                given=reason.strerror or str(reason),
            )
        ) from None
    return path
