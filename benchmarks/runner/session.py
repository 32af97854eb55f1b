"""A session: every case with every seed on every target, one after the other; each result is kept at once."""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.machine import machine
from benchmarks.runner.chip_energy import chip_energy
from benchmarks.runner.exactness import exactness
from benchmarks.runner.figures import counted
from benchmarks.runner.free_running import free_running
from benchmarks.runner.inference import inference, learned_program
from benchmarks.runner.learning import learning
from benchmarks.runner.measured import MODES, Desk, Measured, Mode, Tell
from benchmarks.runner.page import write_page
from benchmarks.runner.programs import program_of, samples_of
from benchmarks.runner.result import FILE, Entry, Number, Results, Status, read_results, write_results
from benchmarks.runner.target import Target
from benchmarks.runner.workload import Case
from burstchip.machine import version_of
from burstchip.tasks.presentation import Pictures
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

#: Called with what is under way, and the shares of the session and of this part that are done.
Watch = Callable[[str, float], None]
LOG, TRACES = "log.txt", "traces"


@dataclass
class Session:
    """What is to be measured, where results go, and those that there are."""

    folder: Path
    cases: Sequence[Case]
    targets: Sequence[Target]
    command: str
    data_dir: Path | None = None
    download: bool = False
    seeds: int | None = None
    modes: Collection[Mode] = MODES
    results: Results | None = None
    #: Weights at the end of trainings, by workload, seed and target, for drift.
    _weights: dict[tuple[str, int], dict[str, Measured]] = field(default_factory=dict)

    def run(self, watch: Watch | None = None, *, resume: bool = False) -> Results:
        """Measure what is not measured yet. A target that fails fails its entry, and the rest goes on."""
        results = self._begun(resume=resume)
        done = {it.key: it for it in results.entries if it.status == "done"}
        jobs = [(case, seed) for case in self.cases for seed in self._seeds(case)]
        total = len(jobs) * len(self.targets)
        entries = dict(done)
        for number, (case, seed) in enumerate(jobs):
            if all((case.name, it.name, seed) in done for it in self.targets):
                continue
            program = _Program(case, seed, self)
            for k, target in enumerate(self.targets):
                if (case.name, target.name, seed) in done:
                    continue
                share = (number * len(self.targets) + k) / total

                where = f"{case.name} on {target.name}"
                entry, measured = program.measure(target, _telling(watch, where, share, total))
                entries[entry.key] = entry
                self._drift(entries, case, seed, target, measured)
                results = msgspec.structs.replace(results, entries=exactness(list(entries.values())))
                write_results(self.folder / FILE, results)
        write_results(self.folder / FILE, results)
        write_page(results, self.folder)
        return results

    def _seeds(self, case: Case) -> range:
        return range(self.seeds or case.workload.seeds)

    def _begun(self, *, resume: bool) -> Results:
        self.folder.mkdir(parents=True, exist_ok=True)
        if resume and (self.folder / FILE).exists():
            return read_results(self.folder)
        (self.folder / LOG).unlink(missing_ok=True)
        return Results(
            begun=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
            burstchip=version_of("burstchip"),
            commit=commit(),
            command=self.command,
            machine=asdict(machine()),
            targets={it.name: dict(it.about()) for it in self.targets},
            entries=[],
        )

    def log(self, text: str) -> None:
        """Add lines to the session's log."""
        stamp = datetime.now(timezone.utc).strftime("%H:%M:%S")
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {text}\n")

    def _drift(
        self,
        entries: dict[tuple[str, str, int], Entry],
        case: Case,
        seed: int,
        target: Target,
        measured: Measured | None,
    ) -> None:
        """How far integers have drifted from real numbers: errors and weights, once both are there."""
        if measured is None or not measured.weights:
            return
        held = self._weights.setdefault((case.name, seed), {})
        held[target.name] = measured
        real = {it.name: held[it.name] for it in self.targets if it.name in held and it.real}
        whole = {it.name: held[it.name] for it in self.targets if it.name in held and not it.real}
        for name, one in whole.items():
            for other, exact in real.items():
                key = (case.name, name, seed)
                entries[key] = msgspec.structs.replace(
                    entries[key],
                    numbers={
                        **entries[key].numbers,
                        **{f"{what}_from_{other}": it for what, it in _apart(one, exact).items()},
                    },
                )


def _telling(watch: Watch | None, where: str, share: float, total: int) -> Tell:
    def tell(text: str, part: float) -> None:
        if watch is not None:
            watch(f"{where}: {text}", share + part / total)

    return tell


def _apart(one: Measured, exact: Measured) -> dict[str, Number]:
    flat = [
        np.concatenate([np.ravel(weights).astype(np.float64) for _, weights in sorted(it.weights.items())])
        for it in (one, exact)
    ]
    alike = float(np.corrcoef(flat[0], flat[1])[0, 1])
    error = one.test_error[-1] - exact.test_error[-1]
    return {
        "weights_correlation": counted(alike, "", "correlation of all learned weights"),
        "test_error_more": counted(error, "points", "test error less that in real numbers"),
    }


@dataclass(frozen=True)
class _Made:
    """What all targets share: the program, its samples, what the chip would take."""

    code: ChipProgram
    train: Pictures | None
    test: Pictures | None
    energy: dict[str, Number]


@dataclass
class _Program:
    """One program for all targets; what all share is made once."""

    case: Case
    seed: int
    session: Session
    _made: _Made | BurstchipError | None = None

    def _make(self, tell: Tell) -> _Made:
        tell("compiling", 0.0)
        session, code = self.session, program_of(self.case, self.seed)
        train = test = None
        if code.task is not None:
            train, test = samples_of(self.case, code, session.data_dir, download=session.download)
        if self.case.workload.kind == "infer":
            assert train is not None and test is not None
            code = learned_program(code, train, test, tell)
        return _Made(code, train, test, chip_energy(code, session.data_dir))

    def measure(self, target: Target, tell: Tell) -> tuple[Entry, Measured | None]:
        """One entry, whatever happens."""
        started = time.perf_counter()
        entry, found = self._measured(target, tell)
        took = f"{entry.status} in {time.perf_counter() - started:.1f} s"
        self.session.log(f"{entry.workload} seed {entry.seed} on {entry.target}: {took} {entry.reason}")
        return entry, found

    def _measured(self, target: Target, tell: Tell) -> tuple[Entry, Measured | None]:
        if lacks := target.missing():
            return self._entry(target, "skipped", f"the target lacks {lacks}"), None
        if self._made is None:
            try:
                self._made = self._make(tell)
            except BurstchipError as error:
                self._made = error
        if isinstance(self._made, BurstchipError):
            return self._entry(target, "skipped", str(self._made)), None
        try:
            found = self._on(target, self._made, tell)
        except BurstchipError as error:
            # What was left unfinished must not meet the next run.
            target.close()
            return self._entry(target, "failed", str(error)), None
        # Whatever a plug-in or a device's driver raises is about that target alone.
        except Exception as error:
            self.session.log(traceback.format_exc())
            target.close()
            return self._entry(target, "failed", f"{type(error).__name__}: {error} (see {LOG})"), None
        entry = msgspec.structs.replace(
            self._entry(target, "done", ""),
            artifact_sha256=artifact_sha256(self._made.code),
            arithmetic="real numbers" if target.real else "integers",
            same=found.same,
            numbers={**found.numbers, **({} if target.real else self._made.energy)},
            neurobench=found.neurobench,
            test_error=found.test_error,
            state_sha256=found.state_sha256,
            answers_sha256=found.answers_sha256,
        )
        return entry, found

    def _entry(self, target: Target, status: Status, reason: str) -> Entry:
        return Entry(
            workload=self.case.name,
            kind=self.case.workload.kind,
            target=target.name,
            seed=self.seed,
            status=status,
            reason=reason,
        )

    def _on(self, target: Target, made: _Made, tell: Tell) -> Measured:
        workload, session = self.case.workload, self.session
        trace = session.folder / TRACES / f"{self.case.file_name}_{target.name}_{self.seed}.csv"
        desk = Desk(target, tell, session.modes, trace)
        if made.train is None or made.test is None:
            return free_running(desk, made.code, workload)
        if workload.kind == "infer":
            return inference(desk, made.code, workload, made.test)
        return learning(desk, made.code, workload, made.train, made.test)


def commit() -> str:
    """The commit of burstchip's source, with + where files were changed; 'unknown' outside of a checkout."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        command = ["git", *words]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
