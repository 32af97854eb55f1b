"""`burstchip bench`: run, list, show, compare, merge, schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import Data, Json, Overwrite, Quiet, Resume, out_folder
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from benchmarks.runner.result import Results
    from hw_models.diagnostics import Diagnostic

if TYPE_CHECKING:
    from benchmarks.runner.result import Results
    from hw_models.diagnostics import Diagnostic

#: What a command ends with where something failed, or a gate did.
MISSED = 1
#: Targets that are compared where none are named.
TARGETS = "sim,reference,lava"

app = typer.Typer(
    name="bench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure the same artifacts on every target, and compare.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
Session = Annotated[Path, typer.Argument(metavar="SESSION", help="A session's folder, or its results.json.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """Name the workloads and targets that there are, and what the targets lack here."""
    with output(json=json) as out:
        from benchmarks.runner.target import all_targets
        from benchmarks.runner.workload import all_workloads, cases

        found = {name: [it.name for it in cases(name)] for name in all_workloads()}
        known = {name: next(iter(cases(name))).workload for name in found}
        rows = [(name, it.kind, it.title) for name, it in known.items()]
        out.table("Workloads", ("name",), ("kind",), "what it is", rows)
        targets = {name: it.missing() for name, it in all_targets().items()}
        out.table("Targets", ("name",), (), "lacks", list(targets.items()))
        out.result({"ok": True, "workloads": found, "targets": targets})


@app.command()
def run(
    workloads: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKLOAD]...", help="Names or files; all of the suite where none is named."),
    ] = None,
    out: Annotated[Path | None, out_folder()] = None,
    target: Annotated[
        str,
        typer.Option("--target", metavar="NAME,...", help="Where to measure; see `burstchip bench list`."),
    ] = TARGETS,
    mode: Annotated[
        str,
        typer.Option("--mode", metavar="NAME,...", help="Of accuracy, performance, energy; all."),
    ] = "accuracy,performance,energy",
    devices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Devices beyond the protocol, a YAML file.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=100, help="Seeds 0 to N-1, in place of the file's.")
    ] = None,
    data: Data = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch data sets that are missing into the cache folder.")
    ] = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure workloads on targets, one after the other, and write results.json, results.md and page.html.

    A target that lacks something, hangs, dies or gives rubbish fails its own part, and the rest goes on.
    Exit code 1 where anything failed, or targets of integers did not compute the same.
    """
    ended = "what was measured is in the session's folder, --resume goes on"
    with output(json=json, quiet=quiet, interrupted=lambda: ended) as console:
        from benchmarks.runner.devices import device_targets, read_devices
        from benchmarks.runner.measured import modes_of
        from benchmarks.runner.result import FILE
        from benchmarks.runner.session import Session as Under
        from benchmarks.runner.target import chosen_targets
        from benchmarks.runner.workload import all_workloads, cases
        from burstchip.cli.checks import exclude, exclude_each_other, output_folder, writing

        exclude_each_other(resume=resume, overwrite=overwrite)
        exclude(out is None, "an output is missing", "--out DIR", "none")
        assert out is not None
        output_folder(out)
        taken = (out / FILE).exists() and not (resume or overwrite)
        exclude(taken, f"'{out}' holds another session", "--resume or --overwrite", "neither")
        found = [it for name in workloads or all_workloads() for it in cases(name)]
        if not workloads:
            found = [it for it in found if it.workload.suite]
        known = {} if devices is None else device_targets(read_devices(devices))
        modes = modes_of(mode)
        names = list(dict.fromkeys(it.strip() for it in target.split(",") if it.strip()))
        command = "burstchip " + " ".join(sys.argv[1:])
        with chosen_targets(names, known) as targets, writing(out):
            session = Under(out, found, targets, command, data, download, seeds, modes)
            with progress("measuring", "preparing", quiet=quiet) as advance:
                results = session.run(lambda text, share: advance(share, 1.0, text), resume=resume)
        _tell(results, console)
        console.text(f"{out / 'page.html'}, {out / 'results.md'} and {out / FILE}")
        bad = _bad(results)
        console.result({"ok": not bad, "out": str(out), "problems": bad})
        if bad:
            raise typer.Exit(MISSED)


def _bad(results: Results) -> list[str]:
    """What failed, and who did not compute the same."""
    found = []
    for it in results.entries:
        where = f"{it.workload} on {it.target}, seed {it.seed}"
        if it.status == "failed":
            found.append(f"{where}: {it.reason}")
        elif it.unequal:
            found.append(f"{where}: {it.exactness}")
    return found


def _undone(results: Results) -> list[Diagnostic]:
    """A warning for each workload on a target that was not measured, or not the same."""
    from benchmarks.runner.result import UNDONE
    from benchmarks.runner.summary import rows
    from hw_models.diagnostics import Diagnostic

    found = []
    for row in rows(results.entries):
        for entry in row.entries:
            if entry.status == "done" and not entry.unequal:
                continue
            what = "computed something else" if entry.unequal else f"was not measured: {entry.status}"
            message = f"{entry.workload} on {entry.target}, seed {entry.seed}, {what}"
            given = entry.exactness if entry.unequal else entry.reason.strip().replace("\n", "; ")
            found.append(Diagnostic(UNDONE, message, severity="warning", given=given))
    return found


def _tell(results: Results, out: Output) -> None:
    from benchmarks.runner.summary import MAIN, rows, text_of

    table = []
    for row in rows(results.entries):
        numbers = {key: text_of(row.numbers.get(key)) for key in MAIN if key in row.numbers}
        speed = numbers.get("samples_per_second") or numbers.get("steps_per_second", "")
        note = row.exactness if row.done else row.state
        table.append((row.workload, row.target, numbers.get("test_error", ""), speed, note))
    out.table("Results", ("workload", "target"), ("test error", "speed"), "exactness", table)
    out.messages(_undone(results))


@app.command()
def show(session: Session, json: Json = False) -> None:
    """Show a session's results, and write its page and table again."""
    with output(json=json) as out:
        import msgspec

        from benchmarks.runner.page import write_page
        from benchmarks.runner.result import read_results

        results = read_results(session)
        _tell(results, out)
        if session.is_dir():
            write_page(results, session)
        out.result({"ok": True, **msgspec.to_builtins(results)})


@app.command()
def compare(
    before: Session,
    after: Session,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="End with exit code 1 where it holds: 'samples_per_second < 0.8x', 'test_error > 12'.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show two sessions beside each other: every number that both have, and what else changed."""
    with output(json=json) as out:
        from benchmarks.runner.compare import changes, gate, pairs
        from benchmarks.runner.result import read_results
        from benchmarks.runner.summary import text_of

        one, other = read_results(before), read_results(after)
        found = pairs(one, other)
        gates = [gate(text, found) for text in fail_if or ()]
        rows = [
            (it.workload, it.target, it.name, text_of(it.before), text_of(it.after), _ratio(it.ratio))
            for it in found
            if it.before is not None or it.after is not None
        ]
        out.table("Before and after", ("workload", "target", "number"), ("before", "after"), "ratio", rows)
        other_changes = changes(one, other)
        for text in other_changes:
            out.text(text)
        broken = [(it.text, pair) for it in gates for pair in it.broken(found)]
        for text, pair in broken:
            where = f"{pair.workload} on {pair.target}"
            out.text(f"fails '{text}': {where}, {text_of(pair.before)}, then {text_of(pair.after)}")
        plain = [
            {"workload": it.workload, "target": it.target, "name": it.name, "ratio": it.ratio} for it in found
        ]
        out.result(
            {
                "ok": not broken,
                "numbers": plain,
                "changes": other_changes,
                "failed": [text for text, _ in broken],
            }
        )
        if broken:
            raise typer.Exit(MISSED)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}x"


@app.command()
def merge(
    sessions: Annotated[list[Path], typer.Argument(metavar="SESSION...", help="Folders or results.json.")],
    out: Annotated[Path | None, out_folder()] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Put several sessions, such as those of several machines, into one."""
    with output(json=json) as console:
        from benchmarks.runner.compare import merge as merged
        from benchmarks.runner.page import write_page
        from benchmarks.runner.result import FILE, read_results, write_results
        from burstchip.cli.checks import exclude, output_folder, writing

        exclude(out is None, "an output is missing", "--out DIR", "none")
        assert out is not None
        output_folder(out)
        taken = (out / FILE).exists() and not overwrite
        exclude(taken, f"'{out}' holds another session", "--overwrite", "none")
        results = merged([read_results(it) for it in sessions])
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            write_results(out / FILE, results)
            write_page(results, out)
        _tell(results, console)
        console.result({"ok": True, "out": str(out), "entries": len(results.entries)})


@app.command()
def schema() -> None:
    """Print the JSON Schema of results.json."""
    from benchmarks.runner.result import results_schema
    from compiler.strict_json import strict_json

    print(strict_json(results_schema(), 1, sort_keys=True))
