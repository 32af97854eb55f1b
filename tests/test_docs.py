"""Every snippet of the README, CONTRIBUTING, docs/ and examples/ is executed, or compared with what it shows.

The snippets of a page run in order, in one empty folder, and Python snippets share their names.

| language | what must be true |
|---|---|
| `yaml` | it is a whole network, which the checker accepts |
| `python` | it runs |
| `sh` | each line exits with 0; a `make` line is only checked to name a target |
| `console` | each `$` line prints what stands below it and exits with 0; `...` stands for any text |
| `text`, `json` | has the mark `output` or `from` |
| `math`, `mermaid` | nothing: a formula, a diagram |

An HTML comment before a snippet holds its marks, separated by `;`:

| mark | effect |
|---|---|
| `file: NAME` | the snippet is also written to NAME; with it, any language may stand |
| `into: NAME` | a yaml part: NAME with its entries added is what must be accepted (and is not written) |
| `wrong` | a yaml file that must *not* be accepted |
| `exit: N` | the last command of a `sh` or `console` snippet exits with N |
| `output` | equals what the snippet before it printed |
| `from: PATH` | stands word for word in this file of the repository; it is not run |
| `installs: FOLDER` | not run: the package that the page wrote into FOLDER is laid out as if installed |
| `process` | Python that runs in a process of its own, where installed packages are found |
| `tested: PATH` | `python -m MODULE OPTIONS` is run with `--help` alone: tests in PATH run it with OPTIONS |
| `slow` | left out of `make check` |
| `needs: BACKEND` | left out where this backend cannot run |
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from burstchip.backends.available import all_backends
from burstchip.compilation import check_file

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(page for folder in ("docs", "examples") for page in sorted((ROOT / folder).rglob("*.md"))),
]
MARKS = {"file", "into", "wrong", "exit", "output", "from", "installs", "process", "slow", "needs", "tested"}
ILLUSTRATIONS = {"math", "mermaid"}


@dataclass(frozen=True)
class Snippet:
    """A fenced block: where it stands (page:line), its language, its text and its marks."""

    place: str
    language: str
    text: str
    marks: dict[str, str]


def parse(text: str, page: str) -> list[Snippet]:
    """The snippets of a page in order."""
    snippets = []
    marks: dict[str, str] = {}
    for token in MarkdownIt("commonmark").parse(text):
        place = f"{page}:{token.map[0] + 1}" if token.map else page
        assert token.type != "code_block", f"{place}: an indented snippet has no language; use a fence"
        if token.type == "html_block" and token.content.lstrip().startswith("<!--"):
            marks = dict(_marks(token))
        elif token.type == "fence":
            unknown = marks.keys() - MARKS
            assert not unknown, f"{place}: unknown marks {sorted(unknown)}"
            snippets.append(Snippet(place, token.info.strip(), token.content, marks))
            marks = {}
        else:
            marks = {}
    return snippets


def _marks(comment: Token) -> Iterator[tuple[str, str]]:
    inner = comment.content.strip().removeprefix("<!--").removesuffix("-->")
    for mark in inner.split(";"):
        name, _, value = mark.partition(":")
        yield name.strip(), value.strip()


class Reader:
    """Follows a page as a reader would, in `folder`; an AssertionError says where the page is wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def follow(self, snippet: Snippet) -> None:
        marks, place = snippet.marks, snippet.place
        if "file" in marks:
            path = self.folder / marks["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.text, encoding="utf-8")
        if "from" in marks:
            source = (ROOT / marks["from"]).read_text(encoding="utf-8")
            assert dedent(snippet.text).strip() in dedent(source), f"{place}: not in {marks['from']}"
        elif "installs" in marks:
            install(self.folder / marks["installs"], self.folder / ".site")
        elif "process" in marks:
            (self.folder / ".snippet.py").write_text(snippet.text, encoding="utf-8")
            self._run_command("python .snippet.py", 0, place)
        elif "output" in marks:
            _compare(snippet.text, self.printed, place)
        elif snippet.language == "yaml":
            self._check_network(snippet)
        elif snippet.language == "python":
            self._run_python(snippet)
        elif "tested" in marks:
            for line in snippet.text.splitlines():
                self._leave_to_test(line, ROOT / marks["tested"], place)
        elif snippet.language == "sh":
            for line, status in _with_status(snippet, snippet.text.splitlines()):
                self._run_command(line, status, place)
        elif snippet.language == "console":
            self._run_session(snippet)
        else:
            known = "file" in marks or snippet.language in ILLUSTRATIONS
            assert known, f"{place}: nothing executes or compares this snippet ({snippet.language!r})"

    def _leave_to_test(self, line: str, path: Path, place: str) -> None:
        python, _, module, *options = line.split()
        test = path.read_text(encoding="utf-8")
        imported = "from {} import {}\n".format(*module.rsplit(".", 1))
        assert imported in test, f"{place}: {path.name} does not import {module}"
        assert f'"{" ".join(options)}"' in test, f"{place}: {path.name} does not run `{line}`"
        self._run_command(f"{python} -m {module} --help", 0, place)

    def _check_network(self, snippet: Snippet) -> None:
        text = snippet.text
        if "into" in snippet.marks:
            whole = yaml.safe_load((self.folder / snippet.marks["into"]).read_text(encoding="utf-8"))
            text = yaml.safe_dump(_added(whole, yaml.safe_load(text)), sort_keys=False)
        # In the folder, so that weight files named by a snippet are found, and not left there.
        path = self.folder / "checked.yaml"
        path.write_text(text, encoding="utf-8")
        checked = check_file(path)
        path.unlink()
        messages = "\n".join(str(message) for message in checked.diagnostics)
        if "wrong" in snippet.marks:
            assert checked.errors, f"{snippet.place}: accepted, though it is marked as wrong:\n{messages}"
        else:
            assert not checked.errors, f"{snippet.place}: not accepted:\n{messages}"

    def _run_python(self, snippet: Snippet) -> None:
        page, line = snippet.place.rsplit(":", 1)
        code = compile("\n" * int(line) + snippet.text, str(ROOT / page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)
        self.printed = printed.getvalue()

    def _run_session(self, snippet: Snippet) -> None:
        lines = snippet.text.splitlines()
        assert lines and lines[0].startswith("$ "), f"{snippet.place}: begins without a `$` line"
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        commands = [lines[start].removeprefix("$ ") for start in starts]
        for (command, status), start, end in zip(
            _with_status(snippet, commands), starts, [*starts[1:], len(lines)], strict=True
        ):
            self._run_command(command, status, snippet.place)
            _compare("\n".join(lines[start + 1 : end]), self.printed, snippet.place)

    def _run_command(self, command: str, status: int, place: str) -> None:
        folder = self.folder
        if command.split()[0] == "make":
            command, folder = f"{command} --dry-run", ROOT
        environment = os.environ | {
            # The commands of the environment that runs the tests, printing as for a narrow terminal.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONPATH": str(self.folder / ".site"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=600,
        )
        self.printed = done.stdout
        assert done.returncode == status, f"{place}: `{command}` exits with {done.returncode}:\n{done.stdout}"


def install(source: Path, site: Path) -> None:
    """The modules and entry points of a package's folder in `site`, without its build system."""
    project = (source / "pyproject.toml").read_text(encoding="utf-8")
    name, version = (re.search(rf'^{key} = "(.+)"$', project, re.MULTILINE) for key in ("name", "version"))
    assert name and version, f"{source.name}/pyproject.toml needs a name and a version"
    about = site / f"{name[1]}-{version[1]}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name[1]}\nVersion: {version[1]}\n")
    points = re.sub(r'^\[project\.entry-points\."(.+)"\]$', r"[\1]", project, flags=re.MULTILINE)
    groups = points[points.index("[burstchip.") :].replace('"', "")
    (about / "entry_points.txt").write_text(groups)
    for module in source.glob("*.py"):
        shutil.copy(module, site)


def follow(snippets: list[Snippet], folder: Path) -> None:
    """Follow all snippets of one page."""
    reader = Reader(folder)
    runnable = {backend.name for backend in all_backends() if not backend.missing}
    for snippet in snippets:
        if snippet.marks.get("needs", "sim") in runnable:
            reader.follow(snippet)


def _with_status(snippet: Snippet, commands: list[str]) -> Iterator[tuple[str, int]]:
    for command in commands[:-1]:
        yield command, 0
    yield commands[-1], int(snippet.marks.get("exit", "0"))


def _added(whole: Any, part: Any) -> Any:
    if isinstance(whole, dict) and isinstance(part, dict):
        return whole | {key: _added(whole.get(key), value) for key, value in part.items()}
    return whole + part if isinstance(whole, list) and isinstance(part, list) else part


def _compare(expected: str, printed: str, place: str) -> None:
    wanted, given = _tidy(expected), _tidy(printed)
    equal = doctest.OutputChecker().check_output(wanted, given, doctest.ELLIPSIS)
    assert equal, f"{place}: shown is\n{wanted}\nbut printed was\n{given}"


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _cases() -> list[Any]:
    # Pages are read in the tests: a mistake in one page must not keep others from being tested.
    slow = [page for page in PAGES if re.search(r"<!--[^>]*\bslow\b", page.read_text(encoding="utf-8"))]
    # On a newer Python the page that newcomers begin with has to do.
    marks = {page: () if _name(page) == "README.md" else (pytest.mark.once,) for page in PAGES}
    return [
        *(pytest.param(page, False, id=_name(page), marks=marks[page]) for page in PAGES),
        *(
            pytest.param(page, True, id=f"{_name(page)}-slow", marks=[pytest.mark.slow, pytest.mark.once])
            for page in slow
        ),
    ]


@pytest.mark.parametrize(("page", "slow"), _cases())
def test_snippets_do_what_the_page_says(
    page: Path, slow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    snippets = parse(page.read_text(encoding="utf-8"), _name(page))
    follow([snippet for snippet in snippets if slow or "slow" not in snippet.marks], tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    blocks = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    for token in (child for block in blocks for child in block.children or ()):
        target = str(token.attrs.get("href") or token.attrs.get("src") or "").partition("#")[0]
        if target and "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```\nburstchip\n```", "nothing executes or compares this snippet ('')"),
        ("```yml\na: 1\n```", "nothing executes or compares this snippet ('yml')"),
        ("```text\nwhatever\n```", "nothing executes or compares this snippet ('text')"),
        ("A paragraph.\n\n    burstchip run", "an indented snippet has no language"),
        ("<!-- outptu -->\n```text\na\n```", "unknown marks ['outptu']"),
        ("```console\n$ echo one\ntwo\n```", "shown is two but printed was one"),
        ("```console\n$ echo one\none\n$ false\n```", "`false` exits with 1"),
        ("```sh\nfalse\ntrue\n```", "`false` exits with 1"),
        ("<!-- exit: 1 -->\n```sh\ntrue\n```", "`true` exits with 0"),
        ("```sh\nmake no-such-target\n```", "`make no-such-target --dry-run` exits with 2"),
        ("```python\nprint(1)\n```\n\n<!-- output -->\n```text\n2\n```", "shown is 2 but printed was 1"),
        ("```yaml\nburstchip: 1\n```", "checked.yaml:1:1: error"),
        ("<!-- tested: setup.cfg -->\n```sh\npython -m benchmarks.figure3\n```", "does not import"),
        (
            "<!-- tested: tests/benchmarks/test_figure3.py -->\n"
            "```sh\npython -m benchmarks.figure3 --fast\n```",
            "test_figure3.py does not run `python -m benchmarks.figure3 --fast`",
        ),
        ("<!-- from: setup.cfg -->\n```ini\n[nonsense]\n```", "not in setup.cfg"),
    ],
)
def test_a_page_that_is_wrong_is_found_out(page: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        follow(parse(page, "page.md"), tmp_path)
    assert complaint in " ".join(str(caught.value).split())


def test_a_page_that_is_right_passes(tmp_path: Path) -> None:
    page = """
<!-- file: names.txt -->
```ini
[a]
```

```console
$ cat names.txt
[a]
$ echo one two three
one ... three
```

<!-- exit: 3 -->
```sh
exit 3
```

```python
x = 1
```

```python
print(x + 1)
```

<!-- output -->
```text
2
```
"""
    follow(parse(page, "page.md"), tmp_path)


@pytest.mark.parametrize("index", ["README.md", "docs/README.md"])
def test_an_index_names_every_page(index: str) -> None:
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    linked = re.findall(r"\]\((?:docs/)?([\w-]+\.md)\)", (ROOT / index).read_text(encoding="utf-8"))
    assert pages <= set(linked)
