"""The same inputs, led by which lines of burstchip they reach:
`python tests/fuzz/atheris_driver.py yaml -runs=1000`.

It needs atheris (`pip install atheris`; 2.3.0 has a wheel for Python 3.10), which nothing else here does.
libFuzzer chooses the file and the changes, `fuzzing.altering` makes them; what `fuzzing.oracle` finds, or any
exception, stops it. The first argument is a format; all behind it are libFuzzer's.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random

try:
    import atheris
except ModuleNotFoundError:
    sys.exit("atheris is not installed: pip install atheris")

#: What numba compiles cannot hold atheris's calls.
ROOT = Path(__file__).parents[2]
COMPILED = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "burstchip" / "backends" / "sim").rglob("*.py")
]

with atheris.instrument_imports(include=["burstchip", "compiler", "hw_models"], exclude=COMPILED):
    from fuzzing import oracle
    from fuzzing.altering import alter
    from fuzzing.corpus import command, make
    from fuzzing.formats import BY_NAME
    from fuzzing.warm import warm

    # What is imported later is not looked into.
    warm()


class Driver:
    """A file of a format, whose bytes libFuzzer keeps; `whole` is what is right, `folder` is written to."""

    def __init__(self, name: str, whole: Path, folder: Path) -> None:
        self.format, self.whole, self.folder = BY_NAME[name], whole, folder
        found = [it for pattern in self.format.files for it in sorted(whole.glob(pattern)) if it.is_file()]
        self.files = sorted({str(it.relative_to(whole)) for it in found})
        for pattern in (*self.format.files, *self.format.beside):
            for it in whole.glob(pattern):
                to = folder / it.relative_to(whole)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(it, to, dirs_exist_ok=True) if it.is_dir() else shutil.copy(it, to)
        self.before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def seeds(self) -> list[bytes]:
        """What it begins with: the number of a file, then its bytes."""
        return [bytes([number]) + (self.whole / name).read_bytes() for number, name in enumerate(self.files)]

    def mutate(self, data: bytes, most: int, seed: int) -> bytes:
        """Other bytes, changed as the campaign changes files."""
        number = data[0] % len(self.files) if data else 0
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(self.files[number]).name
            path.write_bytes(data[1:])
            alter(path, Random(seed))
            return (bytes([number]) + path.read_bytes())[:most]

    def __call__(self, data: bytes) -> None:
        """Lay the file out, run a command, and raise where something is wrong."""
        if not data:
            return
        for path in [it for it in self.folder.rglob("*") if it.is_file() and it not in self.before]:
            path.unlink()
        for path, content in self.before.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        name = self.files[data[0] % len(self.files)]
        (self.folder / name).write_bytes(data[1:])
        os.chdir(self.folder)
        line = next(iter(self.format.lines(Random(len(data)), name))).removeprefix("-")
        out, err, before = io.StringIO(), io.StringIO(), oracle.files_of(self.folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command(line.split())
        found = list(oracle.problems(line, code, out.getvalue(), err.getvalue(), self.folder, before))
        if found:
            raise AssertionError(f"{line}: {found}")


def main() -> None:
    """Read the arguments and go on until libFuzzer ends it."""
    if len(sys.argv) < 2 or sys.argv[1] not in BY_NAME:
        sys.exit(
            f"usage: atheris_driver.py FORMAT [OPTIONS OF libFuzzer]; FORMAT is one of {', '.join(BY_NAME)}"
        )
    program, name, *given = sys.argv
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        driver = Driver(name, make(Path(folder) / "whole"), Path(folder) / "input")
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        for number, data in enumerate(driver.seeds()):
            (seeds / str(number)).write_bytes(data)
        arguments = [program, *given, "-timeout=60", "-rss_limit_mb=4096", "-max_len=1000000", str(seeds)]
        atheris.Setup(arguments, driver, custom_mutator=driver.mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
