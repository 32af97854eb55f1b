"""What is done at a point of a sweep: its task is trained, its protocol followed, or it just runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from burstchip.compilation import compile_file
from burstchip.running.recording import CALL_SECONDS, clipped_inputs
from burstchip.running.run import open_run
from burstchip.sweeps.description import Description, Point
from burstchip.sweeps.result import Result
from burstchip.tasks.checkpoint import FILE as CHECKPOINT
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.run_folder import held_folder
from compiler.artifact import save_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC897": "a network's file that changed while its sweep was under way"})

ARTIFACT = "net.burst"

#: Called with the share of the point that is done, and a note.
Watch = Callable[[float, str], None]


class ChangedNetworkError(BurstchipError):
    """BC897: no result of a point, but the end of its sweep."""


def file_sha256(path: Path) -> str:
    """Of a file's content. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def require_network(sweep: Description) -> None:
    """Raise `ChangedNetworkError` where the network's file is not what it was when the sweep began."""
    path = Path(sweep.network)
    try:
        found = file_sha256(path)
        given = "another text"
    except OSError as reason:
        found, given = "", reason.strerror or str(reason)
    if found != sweep.network_sha256:
        raise ChangedNetworkError(
            Diagnostic(
                "BC897",
                f"'{path}' is not the file that the sweep began with",
                required="the network's file as it was",
                given=given,
                hint="put it back and go on with --resume, or start a sweep of the changed file elsewhere",
            )
        )


def do(sweep: Description, point: Point, folder: Path, watch: Watch) -> Result:
    """Do a point in its folder, or go on there from a checkpoint.

    Raises `BurstchipError`: `ChangedNetworkError`, BC571 where another process is at it, and what is wrong in
    the network. Raises OSError.
    """
    require_network(sweep)
    return {"train": _train, "follow": _follow, "run": _run}[sweep.work](sweep, point, folder, watch)


def messages(sweep: Description, found: Iterable[object]) -> list[str]:
    """Messages as texts, the network's file without its folder: the same wherever it lies."""
    return [str(it).replace(sweep.network, Path(sweep.network).name) for it in found]


def _train(sweep: Description, point: Point, folder: Path, watch: Watch) -> Result:
    from burstchip.tasks.epochs import TrainProgress
    from burstchip.tasks.train_options import TrainOptions
    from burstchip.tasks.training import train

    def told(state: TrainProgress) -> None:
        note = f"epoch {state.epoch}, error {100 * state.running_error:.1f} %"
        watch(state.samples_done / state.samples_total, note)

    options = TrainOptions(
        Path(sweep.network),
        folder,
        seed=point.seed,
        epochs=sweep.epochs,
        resume=True,
        backend=sweep.backend,
        data_dir=None if sweep.data is None else Path(sweep.data),
        overrides={**sweep.overrides, **point.parameters},
        strict=sweep.strict,
        # Points are what runs side by side, not their tests.
        workers=1,
    )
    summary = train(options, told)
    last = msgspec.json.decode((folder / "history.json").read_bytes())[-1]
    return Result(
        state="done",
        error=summary["test_error"],
        train_error=summary["train_error"],
        event_rate=last["event_rate"],
        burst_probability=last["burst_probability"],
        artifact_sha256=summary["artifact_sha256"],
        state_sha256=summary["state_sha256"],
        diagnostics=messages(sweep, summary["diagnostics"]),
    )


def _compiled(sweep: Description, point: Point, folder: Path) -> tuple[ChipProgram, list[Diagnostic], str]:
    """(program, messages, SHA-256) of a point, its artifact written."""
    settings = {**sweep.overrides, **point.parameters}
    code, found = compile_file(sweep.network, settings, point.seed, strict=sweep.strict)
    return code, list(found), save_artifact(code, folder / ARTIFACT)


def _follow(sweep: Description, point: Point, folder: Path, watch: Watch) -> Result:
    from burstchip.tasks.protocol.following import FollowProgress, follow
    from burstchip.tasks.protocol.results import answers

    def told(state: FollowProgress) -> None:
        watch(state.steps_done / state.steps_total, state.note)

    with held_folder(folder):
        code, found, sha256 = _compiled(sweep, point, folder)
        left = follow(code, sweep.backend, checkpoint=folder / CHECKPOINT, resume=True, watch=told)
    followed = left.followed
    asked = answers([followed])
    seconds = float(followed.plan.bin_lasts.sum())
    counts = zip(followed.populations, followed.sizes, followed.events.sum(axis=0).tolist(), strict=True)
    return Result(
        state="done",
        error=1 - sum(it.right for it in asked) / len(asked) if asked else None,
        event_rate={name: count / size / seconds for name, size, count in counts},
        artifact_sha256=sha256,
        state_sha256=state_sha256(left.state),
        diagnostics=messages(sweep, [*found, *clipped_inputs(code, left.clipped)]),
    )


def _run(sweep: Description, point: Point, folder: Path, watch: Watch) -> Result:
    steps = sweep.steps
    assert steps is not None, "a sweep of such a network has steps"
    with held_folder(folder):
        code, found, sha256 = _compiled(sweep, point, folder)
        run = open_run(code, sweep.backend)
        try:
            part = 1
            while run.clock < steps:
                began = time.perf_counter()
                run.advance(min(part, steps - run.clock))
                elapsed = time.perf_counter() - began
                part = max(1, int(part * min(16.0, CALL_SECONDS / max(elapsed, 1e-6))))
                watch(run.clock / steps, f"{run.clock:,} steps")
            seconds = steps * code.step_ms / 1000
            emitting = {it.name: it.size for it in code.populations if "events" in it.program.outputs}
            return Result(
                state="done",
                event_rate={name: run.events[name] / size / seconds for name, size in emitting.items()},
                burst_probability={
                    name: run.bursts[name] / run.events[name]
                    for name in emitting
                    if name in run.bursts and run.events[name]
                },
                artifact_sha256=sha256,
                state_sha256=state_sha256(run.state()),
                diagnostics=messages(sweep, [*found, *clipped_inputs(code, run.clipped)]),
            )
        finally:
            run.close()
