"""Inputs by number: made, given to commands, judged; a finding made as small as it gets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fuzzing import oracle
from fuzzing.altering import alter
from fuzzing.corpus import command
from fuzzing.formats import NETWORKS, Format
from fuzzing.guard import MEMORY, Ended, begin_command, guarded, resident

#: More changes than this are seldom more than the first that is noticed.
MOST_CHANGES = 4


@dataclass(frozen=True)
class Finding:
    """What is wrong: `kind` is the same for all that have one cause; the rest says how to see it again."""

    kind: str
    format: str
    seed: int
    number: int
    file: str
    changes: tuple[str, ...]
    kept: tuple[int, ...]
    line: str
    detail: str


@dataclass(frozen=True)
class Input:
    """An input by its number; of its changes only those in `kept` are made, all if it is empty."""

    format: Format
    seed: int
    number: int
    kept: tuple[int, ...] = ()

    def draw(self, what: str) -> Random:
        """The draws of one part, whatever the others draw."""
        # A text seeds by its hash of SHA-512: the same on every Python.
        return Random(f"{self.seed} {self.format.name} {self.number} {what}")

    def changes(self) -> Sequence[int]:
        """The numbers of the changes."""
        draw, count = self.draw("count"), 1
        while count < MOST_CHANGES and draw.random() < 0.25:
            count += 1
        return self.kept or range(count)

    def file(self, folder: Path) -> str:
        """What is altered."""
        pattern = self.draw("pattern").choice(self.format.files)
        found = sorted(str(it.relative_to(folder)) for it in folder.glob(pattern) if it.is_file())
        return self.draw("file").choice(found)

    def lay_out(self, whole: Path, folder: Path) -> tuple[str, list[str]]:
        """Copy what the input needs into `folder` and alter it; (the file, what was done)."""
        name = self.file(whole)
        for pattern in {name, *self.format.beside}:
            for it in sorted(whole.glob(pattern)):
                to = folder / it.relative_to(whole)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(it, to, dirs_exist_ok=True) if it.is_dir() else shutil.copy(it, to)
        if self.format.name == "checkpoint" and self.draw("ended").random() < 0.5:
            (folder / "trained" / "trained.burst").unlink()
            (folder / "trained" / "summary.json").unlink()
        others = [whole / it for it in NETWORKS] if name in NETWORKS else []
        said = [alter(folder / name, self.draw(f"change {it}"), others) for it in self.changes()]
        return name, said

    def lines(self, name: str) -> list[str]:
        """The commands."""
        return list(self.format.lines(self.draw("lines"), name))


@dataclass
class Tally:
    """How many inputs of a format there were, how many commands ended with which code, and what was found."""

    inputs: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def attempt(it: Input, whole: Path) -> tuple[list[Finding], dict[str, int]]:
    """What one input shows, and the commands' exit codes."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz", dir=whole.parent))
    try:
        begun = resident()
        ended = guarded(lambda trace: _work(it, whole, folder, trace))
        return _judged(it, ended, begun)
    finally:
        # What a killed command left may not be readable.
        shutil.rmtree(folder, ignore_errors=True)


def _work(it: Input, whole: Path, folder: Path, trace: int) -> str:
    begin_command(trace)
    told: dict[str, object] = {"file": it.file(whole), "changes": [], "line": "", "problems": [], "codes": []}
    notes = os.fdopen(os.dup(trace), "w")

    def note() -> None:
        # What is known so far outlives this process.
        notes.write(f"\nNOTE {json.dumps(told)}\n")
        notes.flush()

    note()
    name, told["changes"] = it.lay_out(whole, folder)
    os.chdir(folder)
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1"}
    earlier = it.draw("earlier").random() < 0.5
    for line in it.lines(name):
        may_fail, line = line.startswith("-"), line.removeprefix("-")
        for output in oracle.outputs_of(line):
            if earlier and Path(output).suffix and not Path(output).exists():
                Path(output).write_text("earlier")
        told["line"] = line
        note()
        before = oracle.files_of(folder)
        begin_command(trace)
        code, out, err = _said(line)
        told["codes"].append(code)  # type: ignore[attr-defined]
        found = list(oracle.problems(line, code, out, err, folder, before))
        if found:
            told["problems"], told["detail"] = found, err[-1500:]
            break
        if code and not may_fail:
            break
    return json.dumps(told)


def _said(line: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command in this process; what C code prints is there too."""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as out,
        tempfile.TemporaryFile("w+", errors="replace") as err,
    ):
        sys.stdout.flush()
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogateescape")
        sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
        code = command(line.split())
        sys.stdout.flush()
        sys.stderr.flush()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
        return code, texts[0], texts[1]


def _judged(it: Input, ended: Ended, begun: int) -> tuple[list[Finding], dict[str, int]]:
    notes = [line[5:] for line in ended.trace.splitlines() if line.startswith("NOTE ")]
    told = json.loads(ended.said or (notes[-1] if notes else "{}") or "{}")
    name = str(told.get("line", "")).split(" ")[0] or "altering"
    trace = "\n".join(line for line in ended.trace.splitlines() if not line.startswith("NOTE "))
    kinds = list(told.get("problems", ()))
    if ended.status:
        if ended.was_hanging:
            kinds = [f"hang: {name} in {oracle.place_of(trace)}"]
        elif os.WIFSIGNALED(ended.status):
            kinds = [f"crash: {signal.Signals(os.WTERMSIG(ended.status)).name} in {oracle.place_of(trace)}"]
        else:
            last = [line for line in trace.splitlines() if line.strip()][-1:] or ["nothing"]
            kinds = [f"traceback: {last[0].split(':')[0][:60]} in {oracle.place_of(trace)}"]
    if ended.peak - begun > MEMORY:
        kinds.append(f"memory: {name} took more than 2 GiB")
    detail = (trace if ended.status else str(told.get("detail", ""))).strip()[-2500:]
    codes: dict[str, int] = {}
    for code in told.get("codes", ()):
        codes[str(code)] = codes.get(str(code), 0) + 1
    kept = tuple(it.changes())
    common = (it.format.name, it.seed, it.number, told.get("file", ""), tuple(told.get("changes", ())), kept)
    return [Finding(kind, *common, told.get("line", ""), detail) for kind in kinds], codes


def minimised(finding: Finding, format: Format, whole: Path) -> Finding:
    """The finding with as few of its changes as show it."""
    kept = list(finding.kept)
    for change in finding.kept:
        fewer = tuple(it for it in kept if it != change)
        if not fewer:
            break
        found, _ = attempt(Input(format, finding.seed, finding.number, fewer), whole)
        same = [it for it in found if it.kind == finding.kind]
        if same:
            kept, finding = list(fewer), same[0]
    return finding
