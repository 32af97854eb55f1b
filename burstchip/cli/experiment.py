"""`burstchip experiment`: the published experiments, each with one command."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import (
    Backend,
    Dask,
    Data,
    Jobs,
    Json,
    Overwrite,
    Quiet,
    Resume,
    Seeds,
    Settings,
    Threads,
    out_folder,
)
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.experiments.running import Outcome

#: What a command that missed a check ends with.
MISSED = 1
#: The backend of networks unless another is named.
REFERENCE = "reference"


def experiment(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One of those that --list names.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name the experiments, one a line.")] = False,
    backend: Backend = REFERENCE,
    threads: Threads = 1,
    seeds: Seeds = None,
    step: Annotated[
        str | None, typer.Option(metavar="TIME", help="The time step, such as 0.5ms, in place of its own.")
    ] = None,
    errors: Annotated[
        bool,
        typer.Option(
            "--errors",
            help="In integers: tell apart what step, rounded parameters, weights and states change, by "
            "further runs in real numbers.",
        ),
    ] = False,
    variant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of an experiment with a protocol: one of its variants, in place of it."
        ),
    ] = None,
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
    set_: Settings = None,
    data: Data = None,
    out_dir: Annotated[Path | None, out_folder()] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run a published experiment and compare it with what its authors found.

    Exit code 0 where every check passes, 1 where one does not.
    """
    folder = Path(name or "") if out_dir is None else out_dir

    def left() -> str:
        from burstchip.experiments.protocols import checkpoints_of

        kept = checkpoints_of(folder)
        return f"checkpoints are in '{kept}', --resume continues" if kept.exists() else "nothing was written"

    with output(json=json, quiet=quiet, interrupted=left) as out:
        from burstchip.backends.available import REAL
        from burstchip.cli.checks import exclude, exclude_each_other
        from burstchip.experiments.experiment import ProtocolDescription, describe, has_network
        from burstchip.experiments.options import refuse_unread

        exclude(
            list_them == (name is not None),
            "--list cannot be combined with NAME" if list_them else "the name of an experiment is missing",
            "NAME, or --list",
            "both" if list_them else "neither",
        )
        if name is None:
            _list(out)
            return
        given = {
            f"--backend {backend}": backend != REFERENCE,
            f"--threads {threads}": threads != 1,
            f"--step {step}": step is not None,
            "--errors": errors,
            f"--data {data}": data is not None,
            f"--variant {variant}": variant is not None,
            f"--jobs {jobs}": jobs != 1,
            f"--dask {dask}": dask is not None,
            "--resume": resume,
        }
        refuse_unread(name, [option for option, is_given in given.items() if is_given])
        if not has_network(name):
            outcome = _run_own_model(name, seeds, set_, data, folder, overwrite, out)
            if not outcome.passes:
                raise typer.Exit(MISSED)
            return
        exclude(
            errors and backend in REAL,
            "--errors cannot be combined with a backend of real numbers",
            "a backend of integers, such as sim",
            backend,
        )
        if isinstance(describe(name), ProtocolDescription):
            exclude_each_other(jobs=jobs > 1, dask=dask is not None)
            how = _Followed(backend, threads, seeds, step, errors, variant, jobs, dask, resume)
            outcome = _run_protocol(name, how, set_, folder, overwrite, out)
            if not outcome.passes:
                raise typer.Exit(MISSED)
            return
        outcome = _run(name, backend, threads, seeds, step, set_, folder, overwrite, out, errors=errors)
        if not outcome.passes:
            raise typer.Exit(MISSED)


def _list(out: Output) -> None:
    from burstchip.experiments.experiment import describe, names

    known = {name: describe(name).title for name in names()}
    width = max(len(name) for name in known)
    for name, title in known.items():
        out.text(f"{name:<{width}}  {title}")
    out.result({"ok": True, "experiments": known})


def _run(
    name: str,
    backend: str,
    threads: int,
    seeds: int | None,
    step: str | None,
    set_: list[str] | None,
    folder: Path,
    overwrite: bool,
    out: Output,
    *,
    errors: bool,
) -> Outcome:
    from burstchip.backends.available import require_backend
    from burstchip.cli.checks import settings, time_of
    from burstchip.experiments.experiment import experiment as find
    from burstchip.experiments.page import refuse_taken, results, write_outcome
    from burstchip.experiments.running import run_experiment, step_of
    from burstchip.experiments.shares import errors_of

    found = find(name)
    require_backend(backend)
    step_ms = step_of(found, backend, None if step is None else time_of(step, "--step"))
    refuse_taken(folder, overwrite=overwrite)
    given = settings(set_)
    with progress(name, "compiling", quiet=out.quiet) as advance:

        def watch(what: str, done: int, total: int) -> None:
            advance(done, total, what)

        outcome = run_experiment(
            found,
            backend=backend,
            seeds=None if seeds is None else range(1, seeds + 1),
            step_ms=step_ms,
            overrides=given,
            watch=watch,
            threads=threads,
        )
        if errors:
            found_errors = errors_of(outcome, overrides=given, watch=watch, threads=threads)
            outcome = replace(outcome, errors=found_errors)
    command = shlex.join(["burstchip", *sys.argv[1:]])
    page = write_outcome(outcome, folder, command, overwrite=overwrite)
    _show_checks(outcome, out)
    _show_errors(outcome, out)
    _conclude(outcome, f"{backend}, {outcome.step_ms:g} ms a step", page, out)
    out.result({**results(outcome), "page": str(page)})
    return outcome


def _run_own_model(
    name: str,
    seeds: int | None,
    set_: list[str] | None,
    data: Path | None,
    folder: Path,
    overwrite: bool,
    out: Output,
) -> Outcome:
    from burstchip.cli.checks import settings
    from burstchip.experiments.experiment import own_model
    from burstchip.experiments.own_models import run_own_model
    from burstchip.experiments.page import refuse_taken, results, write_outcome

    refuse_taken(folder, overwrite=overwrite)
    given = settings(set_)
    with progress(name, "loading", quiet=out.quiet) as advance:
        outcome = run_own_model(
            own_model(name),
            seeds=None if seeds is None else range(1, seeds + 1),
            overrides=given,
            data_dir=data,
            watch=lambda what, done, total: advance(done, total, what),
        )
    page = write_outcome(outcome, folder, shlex.join(["burstchip", *sys.argv[1:]]), overwrite=overwrite)
    for warning in outcome.diagnostics:
        print(warning, file=sys.stderr, flush=True)
    _show_checks(outcome, out)
    _conclude(outcome, "a model of its own", page, out)
    out.result({**results(outcome), "page": str(page)})
    return outcome


@dataclass(frozen=True)
class _Followed:
    """How a protocol is to be followed, in the words of the options."""

    backend: str
    threads: int
    seeds: int | None
    step: str | None
    errors: bool
    variant: str | None
    jobs: int
    dask: str | None
    resume: bool


def _run_protocol(
    name: str, how: _Followed, set_: list[str] | None, folder: Path, overwrite: bool, out: Output
) -> Outcome:
    from burstchip.backends.available import require_backend
    from burstchip.cli.checks import settings, time_of
    from burstchip.experiments.experiment import protocol_experiment
    from burstchip.experiments.page import refuse_taken, results, write_outcome
    from burstchip.experiments.protocols import forget_checkpoints, run_protocol_experiment
    from burstchip.workers import Workers

    require_backend(how.backend)
    refuse_taken(folder, overwrite=overwrite)
    given = settings(set_)
    with progress(name, "compiling", quiet=out.quiet) as advance:
        outcome = run_protocol_experiment(
            protocol_experiment(name),
            folder,
            backend=how.backend,
            seeds=None if how.seeds is None else range(1, how.seeds + 1),
            step_ms=None if how.step is None else time_of(how.step, "--step"),
            variant=how.variant,
            overrides=given,
            errors=how.errors,
            resume=how.resume,
            workers=Workers(how.jobs, how.dask),
            watch=lambda what, done, total: advance(done, total, what),
            threads=how.threads,
        )
    page = write_outcome(outcome, folder, shlex.join(["burstchip", *sys.argv[1:]]), overwrite=overwrite)
    forget_checkpoints(folder)
    out.messages(outcome.diagnostics)
    _show_checks(outcome, out)
    _show_errors(outcome, out)
    _conclude(outcome, f"{how.backend}, {outcome.step_ms:g} ms a step", page, out)
    out.result({**results(outcome), "page": str(page)})
    return outcome


def _show_checks(outcome: Outcome, out: Output) -> None:
    from burstchip.experiments.page import measured

    rows = [
        (
            it.check.what,
            it.check.found,
            it.check.accepted,
            measured(it),
            "–" if not it.check.bounded else "yes" if it.passes else "NO",
        )
        for it in outcome.checks
    ]
    title = outcome.experiment.description.title
    out.table(title, ["check"], ["published", "accepted", "measured"], "passes", rows)


def _show_errors(outcome: Outcome, out: Output) -> None:
    from burstchip.experiments.page import chance, headings, parts

    if outcome.errors is not None:
        rows = [(it.check.what, *parts(it), chance(it)) for it in outcome.errors.shares]
        title = f"Where the differences come from, real numbers of {outcome.errors.backend}"
        out.table(title, ["check"], headings(outcome.errors), "chance", rows)


def _conclude(outcome: Outcome, how: str, page: Path, out: Output) -> None:
    passed, bounded = outcome.tally
    out.text(
        f"{passed} of {bounded} checks pass; {how}, "
        f"{len(outcome.seeds)} seed{'s' * (len(outcome.seeds) > 1)}; page: {page}"
    )
