"""Several seeds of a protocol, one after the other, side by side through joblib, or on a Dask cluster.

Each has a folder: the artifact that it runs, its checkpoint, and how far it is. A worker needs nothing else,
so any process that sees the folder may go on with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from burstchip.files.json_file import write_json
from burstchip.tasks.checkpoint import FILE
from burstchip.tasks.protocol.following import LAVA, Finished, FollowProgress, follow
from burstchip.workers import Workers, looking, open_cluster
from compiler.artifact import artifact_sha256, load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC722": "a folder of seeds that is of another program"})

ARTIFACT, PROGRESS = "network.burst", "progress.json"
#: Seconds between two looks at how far the workers are.
_LOOK_SECONDS = 0.5

#: Called with a text, how much is done and how much there is.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SeedFolder:
    """The folder of one seed, and how to run it."""

    path: Path
    backend: str
    threads: int = 1

    def prepare(self, code: ChipProgram, *, resume: bool) -> None:
        """Write the artifact, and with `resume` leave a checkpoint of it; raises `BurstchipError` BC722."""
        artifact = self.path / ARTIFACT
        if resume and artifact.exists():
            before = load_artifact(artifact)[1]
            if before != artifact_sha256(code):
                raise BurstchipError(
                    Diagnostic(
                        "BC722",
                        f"'{self.path}' is of another program",
                        required="the network, seed and options of the start",
                        given=f"another artifact than {before[:16]}...",
                        hint="go on with what it was started with, or choose another folder",
                    )
                )
            return
        (self.path / FILE).unlink(missing_ok=True)
        save_artifact(code, artifact)

    def go(self, watch: Callable[[FollowProgress], None] | None = None) -> Finished:
        """Follow the protocol, or go on, until its end."""
        code = load_artifact(self.path / ARTIFACT)[0]
        return follow(
            code,
            self.backend,
            threads=self.threads,
            checkpoint=self.path / FILE,
            resume=True,
            watch=watch,
        )

    def work(self) -> None:
        """The same in a worker, which leaves word of how far it is; what came of it is in the checkpoint."""
        told = 0.0

        def watch(state: FollowProgress) -> None:
            nonlocal told
            if perf_counter() - told > _LOOK_SECONDS or state.steps_done == state.steps_total:
                told = perf_counter()
                write_json(
                    self.path / PROGRESS,
                    {"done": state.steps_done, "total": state.steps_total, "note": state.note},
                )

        try:
            self.go(watch)
        finally:
            with suppress(OSError):
                (self.path / PROGRESS).unlink()

    def progress(self) -> tuple[int, str] | None:
        """(steps done, note) of a worker under way; None where none is."""
        try:
            found = json.loads((self.path / PROGRESS).read_bytes())
            return int(found["done"]), str(found["note"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def follow_seeds(
    folders: Mapping[str, SeedFolder], steps: Mapping[str, int], workers: Workers, tell: Tell | None = None
) -> dict[str, Finished]:
    """What came of each, by name, as `steps` are, all of each.

    Raises `BurstchipError`: what `follow` does, BC721, and BC567 for several in Lava, which keeps no state.
    """
    beside = workers.jobs > 1 or workers.dask is not None
    if beside and any(it.backend == LAVA for it in folders.values()):
        raise BurstchipError(
            Diagnostic(
                "BC567",
                "backend 'lava' follows one seed after the other",
                required="backend sim, plain or reference, or neither --jobs nor --dask",
                given="lava",
            )
        )
    if not beside:
        return _one_by_one(folders, steps, tell)
    with _watched(folders, sum(steps.values()), tell):
        if workers.dask is not None:
            _on_dask(workers.dask, list(folders.values()))
        else:
            from joblib import Parallel, delayed

            Parallel(n_jobs=workers.jobs)(delayed(it.work)() for it in folders.values())
    return {name: it.go() for name, it in folders.items()}


def _one_by_one(
    folders: Mapping[str, SeedFolder], steps: Mapping[str, int], tell: Tell | None
) -> dict[str, Finished]:
    found: dict[str, Finished] = {}
    before, total = 0, sum(steps.values())
    for name, it in folders.items():

        def watch(state: FollowProgress, name: str = name, before: int = before) -> None:
            if tell is not None:
                tell(f"{name}, {state.note}", before + state.steps_done, total)

        found[name] = it.go(watch)
        before += steps[name]
    return found


@contextmanager
def _watched(folders: Mapping[str, SeedFolder], total: int, tell: Tell | None) -> Iterator[None]:
    """Tell how far all workers are together, now and then."""
    if tell is None:
        yield
        return
    known: dict[str, int] = dict.fromkeys(folders, 0)

    def look() -> None:
        notes = []
        for name, it in folders.items():
            if (state := it.progress()) is not None:
                known[name] = state[0]
                notes.append(f"{name}: {state[1]}")
        tell("; ".join(notes), sum(known.values()), total)

    with looking(look, _LOOK_SECONDS):
        yield


def _on_dask(address: str, folders: Sequence[SeedFolder]) -> None:
    """Have the workers of a cluster do it; one that dies is replaced, and goes on from the checkpoint."""
    client = open_cluster(address)
    try:
        resolved = [SeedFolder(it.path.resolve(), it.backend, it.threads) for it in folders]
        # A worker that is lost costs what it did since its last checkpoint.
        futures = [client.submit(it.work, pure=False, retries=1000) for it in resolved]
        try:
            client.gather(futures)
        except BaseException:
            client.cancel(futures, force=True)
            raise
    finally:
        client.close()
