"""Pages, messages and docstrings: what they name exists, and the words that they do not use."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from burstchip.explanations.codes import AREAS
from burstchip.explanations.pages import pages

ROOT = Path(__file__).parent.parent
PACKAGES = ("hw_models", "compiler", "burstchip", "benchmarks")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: A path from the repository's root: a file with a known ending, or a folder.
PATH = re.compile(
    rf"(?<![\w/.-])(?:{'|'.join((*PACKAGES, 'docs', 'examples', 'tests', '.ci'))})/"
    r"(?:[\w.*/-]*(?:\.(?:py|md|yaml|txt|j2|cfg|toml)\b|/(?![\w*])|(?<=\.ci/)[\w-]+))?"
)
MODULE = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")

#: Words with the technical ones in their place.
WORDS = {
    r"\b(is|was) told\b|\btold to\b|\bare told\b": "is reported, receives",
    r"\bmend(s|ed)?\b": "fix",
    r"\b(is|are|was|were) no (?!longer)": "is not a, is missing",
    r"(?<!`)\banew\b": "again",
    r"\bbears?\b": "has, carries",
    r"\bwhoever\b": "who",
    r"\bnobody\b": "not, never",
    r"\bfor want of\b": "because ... is missing",
    r"\bweight form none\b": "no plasticity",
    r"\bno errors found\b": "no problems found",
    r"\bneeds no network\b": "self-contained",
    r"\bevery warning (is|as) an error\b": "treats warnings as errors",
    r"\bwhat should be fixed\b": "what to fix",
    r"\bnothing but (integers|signals)\b": "integers only, consists of signals",
    r"\bheld against\b": "checked against",
    r"\bis learned repeat\b": "the network learns",
    r"\bof themselves\b": "by themselves",
    r"\bin one go\b": "at once",
    r"\bgoes? in as\b": "is described in",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines()]


def missing_paths(text: str) -> list[str]:
    """The paths in `text` that do not exist in the repository."""
    found = {match.group().rstrip("/") for match in PATH.finditer(text)}
    return sorted(path for path in found if not any(ROOT.glob(path)))


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring and message of a module: of every string with a blank in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, " ".join(node.value.split())


def complaints(text: str) -> list[str]:
    return [
        f"'{match.group()}' ({better})"
        for word, better in WORDS.items()
        for match in re.finditer(word, text, re.IGNORECASE)
    ]


def test_every_path_that_a_file_names_exists() -> None:
    found = {}
    for path in tracked():
        read = path.suffix in (".py", ".md", ".cfg") or path.name == "Makefile"
        if read and path.name not in ("CHANGELOG.md", Path(__file__).name):
            found[path.name] = missing_paths(path.read_text(encoding="utf-8", errors="replace"))
    assert not {name: missing for name, missing in found.items() if missing}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    for block in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        for token in block.children or ():
            names = MODULE.findall(token.content) if token.type == "code_inline" else ()
            for name in names:
                if name not in ("burstchip.neurons", "burstchip.passes"):  # entry-point groups
                    resolve(name)


def resolve(name: str) -> None:
    """Raise where no module, and nothing that a module holds, has this dotted name."""
    module, _, attribute = name.rpartition(".")
    try:
        exists = find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module
        exists = False
    if not exists:
        try:
            getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as missing:
            # What a module of the backend lava holds is seen where Lava is installed.
            if missing.name is None or missing.name.split(".")[0] != "lava":
                raise


def test_pages_and_messages_use_technical_words() -> None:
    found = []
    for page in PAGES:
        lines = page.read_text(encoding="utf-8").splitlines()
        found += [f"{page.name}:{n}: {c}" for n, line in enumerate(lines, 1) for c in complaints(line)]
    for digit in AREAS:
        for code, it in pages(digit).items():
            found += [f"{code}: {c}" for text in (it.means, it.do) for c in complaints(text)]
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            texts = texts_of(path.read_text(encoding="utf-8"))
            place = path.relative_to(ROOT)
            found += [f"{place}:{line}: {c}" for line, text in texts for c in complaints(text)]
    assert not found, "\n".join(found)


def test_what_is_missing_is_found() -> None:
    text = "see `docs/time.md`, `docs/none.md`, `hw_models/chips/*.yaml`, tests/golden/ and compiler/none/."
    assert missing_paths(text) == ["compiler/none", "docs/none.md"]
    assert complaints("the caller is told that there are no weights") == [
        "'is told' (is reported, receives)",
        "'are no ' (is not a, is missing)",
    ]
    with pytest.raises(AttributeError):
        resolve("compiler.pipeline.nothing")
