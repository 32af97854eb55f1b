"""What must be true after a command, whatever it read."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import yaml

from compiler.artifact import load_artifact
from hw_models.diagnostics import BurstchipError

#: `verify` and `certify` tell with it that something differs or is not proved.
ALSO_1 = ("verify", "certify")
#: What these leave in their folder when they are refused later is theirs: checkpoints, and how they began.
KEEPS = {"train": ("trained/", "again/"), "follow": ("followed/", "again/")}
_WARNING = re.compile(r"^\S*?([\w.-]+\.py):\d+: (\w*Warning): (.*)$", re.M)
_CODE = re.compile(r"error\[\w+\]")
_FRAME = re.compile(r'File "([^"]*)", line \d+, in (\S+)')
_FAULT = re.compile(r'File "([^"]*)", line \d+ in (\S+)')
_OURS = ("/burstchip/", "/compiler/", "/hw_models/")

Files = Mapping[str, tuple[int, int, int]]


def files_of(folder: Path) -> Files:
    """Each file's size and when it was written."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            found[str(path.relative_to(folder))] = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return found


def place_of(trace: str) -> str:
    """The innermost function of ours in a traceback, and of a hang or crash the one that was called."""
    frames = [(file, name) for file, name in _FRAME.findall(trace) if any(part in file for part in _OURS)]
    if not frames:
        # A fault lists the innermost first.
        frames = [
            (file, name) for file, name in _FAULT.findall(trace) if any(part in file for part in _OURS)
        ][:1]
    if not frames:
        return "unknown"
    file, name = frames[-1]
    return f"{'/'.join(Path(file).parts[-2:])}:{name}"


def outputs_of(line: str) -> list[str]:
    """What a command names behind -o or --out."""
    words = shlex.split(line)
    return [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-o", "--out")]


def problems(line: str, code: int, out: str, err: str, folder: Path, before: Files) -> Iterator[str]:
    """What is wrong with what a command did, each in words that are the same for all of its kind."""
    name = line.split()[0]
    if found := _WARNING.search(err):
        yield f"warning: {found.group(2)} in {found.group(1)}: {found.group(3)[:60]}"
    elif "Exception ignored" in err or "Traceback (most recent" in err or "Traceback (most recent" in out:
        yield f"printed traceback: {place_of(err)}"
    if "BC683" in err:
        yield f"memory: {name} ran out of it without foreseeing it"
    if code not in (0, 2) and not (code == 1 and name in ALSO_1):
        yield f"exit code: {code} of {name}"
    if code == 2 and not _CODE.search(err):
        yield f"no message: {name}: {' '.join(err.split())[:60]}"
    yield from _left(name, code, folder, before)
    if code == 0:
        yield from _not_whole(line, folder, out)


def _left(name: str, code: int, folder: Path, before: Files) -> Iterator[str]:
    after = files_of(folder)
    if any(".part" in it for it in after.keys() - before.keys()):
        yield f"left: {name} left what was under way"
    if code in (0, 1):
        return
    kept = KEEPS.get(name, ())
    touched = sorted(
        it for it in {*after, *before} if after.get(it) != before.get(it) and not it.startswith(kept or "\0")
    )
    if touched:
        yield f"left: {name} was refused and changed {Path(touched[0]).suffix or touched[0]}"


def _not_whole(line: str, folder: Path, out: str) -> Iterator[str]:
    name = line.split()[0]
    if "--json" in line:
        try:
            json.loads(out.splitlines()[-1])
        except (ValueError, IndexError):
            yield f"half: {name} --json ends without JSON"
    for output in outputs_of(line):
        path = folder / output
        try:
            _require_whole(path)
        except (AssertionError, OSError, ValueError, yaml.YAMLError, BurstchipError) as reason:
            what = path.suffix or "a folder"
            yield f"half: {name} wrote {what}: {type(reason).__name__} {str(reason)[:80]}"


def _require_whole(path: Path) -> None:
    if path.suffix in (".nc", ".nir"):
        with h5py.File(path) as file:
            assert len(file), "no arrays"
    elif path.suffix == ".burst":
        load_artifact(path)
    elif path.suffix == ".html":
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>"), "the page does not end"
    elif path.suffix == ".yaml":
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict), "no network"
    elif path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".csv":
        assert path.read_text(encoding="utf-8").endswith("\n"), "the last line does not end"
    else:
        assert path.is_dir() and any(path.iterdir()), "nothing there"
