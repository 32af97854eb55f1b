"""Every id has a page, and what the pages show is true: each example is compiled, each command is called."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from burstchip.cli.main import main
from burstchip.compilation import Compilation, check_file
from burstchip.explanations.codes import AREAS, all_codes
from burstchip.explanations.pages import Page, network, page, pages
from burstchip.explanations.text import as_json, markdown
from compiler.passes.partition import partition
from compiler.places import locating
from hw_models.diagnostics import BurstchipError

Compiled = Callable[[Page, str], Compilation]

CODES = all_codes()
PAGES = {code: it for digit in AREAS for code, it in pages(digit).items()}
EXAMPLES = [code for code, it in PAGES.items() if it.broken is not None]
SHOWN = [code for code, it in PAGES.items() if it.shown]
IN_PYTHON = [code for code, it in PAGES.items() if it.python is not None]

#: Ids of a network's text, values and rules that no small network gives, and why.
WITHOUT_EXAMPLE = {
    "BC001": "a file that is not there",
    "BC008": "five million bytes",
    "BC025": "an option",
    "BC099": "more mistakes than are shown",
    "BC174": "needs a file of samples",
    "BC190": "a model of another package",
    "BC301": "a file that changes while it is used",
    "BC302": "a pass of another package",
    "BC303": "a pass of another package",
    "BC304": "a pass of another package",
    "BC313": "from a file BC113 is found before",
    "BC316": "a model of another package",
    "BC331": "from a file BC124 or BC160 is found before",
    "BC333": "from a file BC142 is found before",
    "BC342": "needs a tensor file",
    "BC344": "an option",
    "BC353": "no network is compiled to it",
    "BC380": "a package that is missing",
    "BC390": "a recording",
    "BC391": "a package that is missing",
}


def test_every_id_has_a_page_and_every_page_an_id() -> None:
    assert set(PAGES) == set(CODES)


def test_ids_of_networks_have_examples() -> None:
    of_networks = {code for code in CODES if code < "BC4"}
    assert of_networks - set(EXAMPLES) == set(WITHOUT_EXAMPLE)


def test_pages_are_complete() -> None:
    for code, it in PAGES.items():
        assert page(code) == it, f"{code} in the file of another area"
        assert it.means.strip() and it.do.strip(), code
        assert it.broken is None or it.fits is not None, code
        assert it.at is None or it.broken is not None, code
        text = markdown(CODES[code], it)
        assert text.startswith(f"# {code}: {CODES[code].title}\n")
        assert it.do.split()[-1] in text
        assert as_json(CODES[code], it)["title"] == CODES[code].title


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """What the command of a page makes of an excerpt, its files beside it; each network is compiled once."""
    seen: dict[tuple[object, ...], Compilation] = {}

    def compiled(it: Page, excerpt: str) -> Compilation:
        text = network(it, excerpt)
        key = (text, it.encoding, it.by, it.options, *it.files.items())
        if key not in seen:
            folder = tmp_path_factory.mktemp("example")
            (folder / "net.yaml").write_bytes(text.encode(it.encoding))
            for name, content in it.files.items():
                (folder / name).write_text(content)
            seen[key] = found_by(it, folder / "net.yaml")
        return seen[key]

    return compiled


def found_by(it: Page, path: Path) -> Compilation:
    """What the command of the page finds, with its options."""
    options = dict(zip(it.options[::2], it.options[1::2], strict=True))
    assert options.keys() <= {"--target"}
    found = check_file(path, target=options.get("--target"))
    if it.by == "deploy":
        assert found.code is not None
        try:
            with locating(found.network):
                partition(found.code)
        except BurstchipError as error:
            return replace(found, code=None, diagnostics=error.diagnostics)
        return replace(found, diagnostics=())
    return found


@pytest.mark.once
@pytest.mark.parametrize("code", EXAMPLES)
def test_the_broken_example_gives_just_this_message(code: str, compiled: Compiled) -> None:
    it = page(code)
    assert it.broken is not None
    found = compiled(it, it.broken)
    assert {message.id for message in found.diagnostics} == {code}, "\n".join(map(str, found.diagnostics))
    place = found.diagnostics[0].place
    assert it.at == (None if place is None else f"{place.line}:{place.column}")
    # What is marked is a part of the excerpt, which is what the page shows.
    assert place is None or place.line <= len(it.broken.splitlines())


@pytest.mark.once
@pytest.mark.parametrize("code", EXAMPLES)
def test_the_other_example_gives_no_message(code: str, compiled: Compiled) -> None:
    it = page(code)
    assert it.fits is not None
    found = compiled(it, it.fits)
    assert found.code is not None and found.diagnostics == (), "\n".join(map(str, found.diagnostics))


def called(command: str, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    """The exit code of a command line of `burstchip`."""
    words: Sequence[str] = shlex.split(command)
    assert words[0] == "burstchip"
    monkeypatch.setattr(sys, "argv", list(words))
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.once
@pytest.mark.parametrize("code", SHOWN)
def test_the_last_command_gives_the_message(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    it = page(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("net.yaml").write_text(network(it, it.fits or ""))
    for name, text in it.files.items():
        Path(name).write_text(text)
    for command in it.shown[:-1]:
        assert called(command, monkeypatch) in (0, None), capsys.readouterr().err
    capsys.readouterr()
    assert called(it.shown[-1], monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[0].removeprefix("net.yaml:1:1: ").startswith(f"error[{code}]: "), said


@pytest.mark.once
@pytest.mark.parametrize("code", IN_PYTHON)
def test_the_program_raises_the_message(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = page(code).python
    assert program is not None
    with pytest.raises(BurstchipError) as raised:
        exec(compile(program, code, "exec"), {})
    assert [message.id for message in raised.value.diagnostics] == [code]


def test_pages_of_files_name_only_files_that_are_read() -> None:
    for code, it in PAGES.items():
        used = " ".join(filter(None, (it.broken, it.fits, *it.shown)))
        assert all(name in used for name in it.files), code
        assert all(os.sep not in name for name in it.files), code
