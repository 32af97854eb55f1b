"""Many altered inputs for the command line: `python tests/fuzz/campaign.py --inputs 10000 --seed 1`.

Findings are printed by kind with the smallest set of changes that shows each; `--show FORMAT:NUMBER` lays one
input out in a folder and prints its commands. The same seed gives the same inputs.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from fuzzing.corpus import make
from fuzzing.formats import BY_NAME, Format
from fuzzing.search import Finding, Input, attempt, minimised
from fuzzing.warm import warm

Job = tuple[str, int, int, str]
#: Of one kind so many are kept; more say nothing new.
EXAMPLES = 3


def numbers(inputs: int, formats: list[Format]) -> list[int]:
    """How many inputs each format gets."""
    total = sum(it.share for it in formats)
    ends = [round(inputs * sum(it.share for it in formats[:k]) / total) for k in range(len(formats) + 1)]
    return [end - begin for begin, end in pairwise(ends)]


def _begin() -> None:
    # Those of the command line, which made the corpus, are not for the end of a process of the pool.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    gc.freeze()


def _one(job: Job) -> tuple[Job, list[Finding], dict[str, int], float]:
    name, seed, number, whole = job
    begun = time.monotonic()
    found, codes = attempt(Input(BY_NAME[name], seed, number), Path(whole))
    return job, found, codes, time.monotonic() - begun


def _jobs(arguments: argparse.Namespace, formats: list[Format], whole: Path) -> list[Job]:
    """All inputs; the formats go on side by side, so that a run that is interrupted has seen all of them."""
    found = []
    for it, count in zip(formats, numbers(arguments.inputs, formats), strict=True):
        for number in range(count):
            job = (it.name.replace(" ", "_"), arguments.seed, arguments.first + number, str(whole))
            found.append(((number + 1) / count, job))
    return [job for _, job in sorted(found)]


def _named(arguments: argparse.Namespace, whole: Path) -> list[Job]:
    pairs = [text.split(":") for text in arguments.only_inputs.split(",")]
    return [(name, arguments.seed, int(number), str(whole)) for name, number in pairs]


def run(arguments: argparse.Namespace, whole: Path) -> int:
    """Try all inputs, or as many as there are until Ctrl-C; the number of kinds of findings."""
    formats = [BY_NAME[name] for name in arguments.only.split(",")] if arguments.only else [*BY_NAME.values()]
    inputs: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    codes: dict[str, Counter[str]] = {}
    kinds: Counter[str] = Counter()
    examples: dict[str, list[Finding]] = {}
    jobs = _named(arguments, whole) if arguments.only_inputs else _jobs(arguments, formats, whole)
    begun = time.monotonic()

    def take(done: int, job: Job, found: list[Finding], ended: dict[str, int], took: float) -> None:
        inputs[job[0]] += 1
        seconds[job[0]] += took
        codes.setdefault(job[0], Counter()).update(ended)
        for it in found:
            kinds[it.kind] += 1
            kept = examples.setdefault(it.kind, [])
            if len(kept) < EXAMPLES:
                kept.append(it)
                print(f"  {job[0]}:{it.number} {it.kind}", flush=True)
        if done % 200 == 0:
            now = time.monotonic() - begun
            print(f"{done} of {len(jobs)} inputs, {now:.0f} s, {len(kinds)} kinds", flush=True)

    with (
        suppress(KeyboardInterrupt),
        multiprocessing.get_context("fork").Pool(arguments.jobs, _begin) as pool,
    ):
        for done, result in enumerate(pool.imap(_one, jobs, chunksize=4), 1):
            take(done, *result)
    for kind, count in sorted(kinds.items()):
        tell(kind, count, examples[kind], whole, minimise=not arguments.quick)
    print(
        f"\nseed {arguments.seed}, {sum(inputs.values())} inputs, {time.monotonic() - begun:.0f} s, "
        f"{len(kinds)} kinds of findings"
    )
    for name in inputs:
        ended = ", ".join(f"{count} x exit {code}" for code, count in sorted(codes[name].items()))
        print(f"  {name:12} {inputs[name]:6} inputs, {seconds[name] / inputs[name]:.2f} s each; {ended}")
    return len(kinds)


def tell(kind: str, count: int, examples: list[Finding], whole: Path, *, minimise: bool) -> None:
    """One kind of finding, the smallest of its examples first."""
    found = [
        minimised(it, BY_NAME[it.format.replace(" ", "_")], whole) if minimise else it for it in examples[:2]
    ]
    it = min(found, key=lambda it: len(it.kept))
    others = ", ".join(str(other.number) for other in examples if other.number != it.number)
    print(
        f"\n{kind}\n  {count} inputs, such as {it.format.replace(' ', '_')}:{it.number}"
        f"{f' (also {others})' if others else ''}"
    )
    print(
        f"  {it.file}: {'; '.join(it.changes)} (changes {','.join(map(str, it.kept))})\n  burstchip {it.line}"
    )
    print("\n".join(f"    {line}" for line in it.detail.splitlines()[-14:]))


def show(text: str, seed: int, whole: Path, out: Path) -> None:
    """Lay one input out, to be tried by hand. `text` is FORMAT:NUMBER or FORMAT:NUMBER:CHANGE,CHANGE."""
    name, number, *kept = text.split(":")
    it = Input(
        BY_NAME[name], seed, int(number), tuple(int(part) for part in kept[0].split(",")) if kept else ()
    )
    out.mkdir(parents=True)
    file, said = it.lay_out(whole, out)
    print(f"{out / file}: {'; '.join(said)}")
    print("\n".join(f"burstchip {line.removeprefix('-')}" for line in it.lines(file)))


def main() -> int:
    """Read the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1000, help="how many, of all formats together")
    parser.add_argument("--first", type=int, default=0, help="the number of the first input of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help=f"some of {','.join(BY_NAME)}")
    parser.add_argument("--only-inputs", default="", metavar="FORMAT:NUMBER,...", help="these alone")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument(
        "--corpus", type=Path, help="the folder of files that are right, where they are made already"
    )
    parser.add_argument("--quick", action="store_true", help="leave findings as they are found")
    parser.add_argument(
        "--show", default="", metavar="FORMAT:NUMBER", help="lay one input out in --out, and stop"
    )
    parser.add_argument("--out", type=Path, default=Path("input"))
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        whole = arguments.corpus or make(Path(folder) / "whole")
        if arguments.show:
            show(arguments.show, arguments.seed, whole, arguments.out)
            return 0
        warm()
        return min(1, run(arguments, whole))


if __name__ == "__main__":
    sys.exit(main())
