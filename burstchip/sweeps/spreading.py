"""Points of a sweep to those who do them: this process, others beside it, or workers of a Dask cluster.

A process that dies takes along what it did since the last checkpoint, and the point is tried again. A point
at which processes die again and again, such as one that the system kills for its memory, is given up.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import Any

import msgspec

from burstchip.sweeps.point import WORKING, OrphanedError, PointFolder, Word
from burstchip.workers import Workers, looking, open_cluster, unusable_cluster
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC898": "processes of a sweep that die before they do anything"})

#: Deaths of processes at a point before it has one to itself, and alone before it is given up.
TOGETHER, ALONE = 2, 3
#: How often processes may die at no point at all.
_NOWHERE = 5
_LOOK_SECONDS = 1.0
GIVEN_UP = "the process at this point was killed again and again, as where the memory does not suffice"

#: Called with a text, how much is done and how much there is, in points.
Tell = Callable[[str, float, int], None]


def spread(points: Sequence[PointFolder], workers: Workers, tell: Tell | None = None) -> None:
    """Have all points done, or failed. All are in one sweep's folder.

    Raises `BurstchipError` BC721, BC897, BC898; OSError where a folder cannot be written.
    """
    by_name = {it.point.name: it for it in points}
    ended: set[str] = set()
    with _word_of(points), _watched(by_name, ended, tell):
        if workers.dask is not None:
            _on_dask(workers.dask, by_name, ended)
        elif workers.jobs > 1:
            _on_processes(by_name, workers.jobs, ended)
        else:
            for name, it in by_name.items():
                it.work()
                ended.add(name)


@contextmanager
def _word_of(points: Sequence[PointFolder]) -> Iterator[None]:
    """Have the folder of words for as long as somebody works."""
    folder = points[0].out / WORKING if points else None
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    try:
        yield
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _on_processes(points: Mapping[str, PointFolder], jobs: int, ended: set[str]) -> None:
    """Have processes do it, through joblib; all of them end where one dies."""
    from joblib import Parallel, delayed

    deaths: Counter[str] = Counter()
    nowhere = 0
    while left := {name: it for name, it in points.items() if name not in ended}:
        together = [name for name in left if deaths[name] < TOGETHER]
        # Two processes for one point: joblib takes this process where one is asked for.
        batch, processes = (together, jobs) if together else ([next(iter(left))], 2)
        parallel = Parallel(processes, backend="loky", batch_size=1, return_as="generator_unordered")
        before = len(ended)
        try:
            for name in parallel(delayed(_work)(replace(left[it], parent=os.getpid())) for it in batch):
                ended.add(name)
        except BrokenProcessPool:
            ended |= {name for name in batch if left[name].done}
            suspects = [name for name in batch if name not in ended and left[name].word.exists()]
            for name in suspects:
                deaths[name] += 1
                left[name].word.unlink(missing_ok=True)
                if deaths[name] >= TOGETHER + ALONE:
                    left[name].give_up(GIVEN_UP)
                    ended.add(name)
            nowhere = 0 if suspects or len(ended) > before else nowhere + 1
            if nowhere >= _NOWHERE:
                raise _dying(nowhere) from None


def _work(it: PointFolder) -> str:
    try:
        it.work()
    except OrphanedError:
        # Nothing is left that would take the result, or end this process.
        os._exit(1)
    return it.point.name


def _dying(count: int) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC898",
            "the processes of the sweep die before they do anything",
            required="processes that stay",
            given=f"{count} that died",
            hint="fewer --jobs take less memory; --jobs 1 works in this process",
        )
    )


def _on_dask(address: str, points: Mapping[str, PointFolder], ended: set[str]) -> None:
    """Have the workers of a cluster do it; the scheduler itself gives a dead worker's points to others."""
    client = open_cluster(address)
    futures: dict[Any, str] = {}
    try:
        # Any: the library's functions have no types.
        dask: Any = import_module("distributed")
        deaths: Counter[str] = Counter()
        futures = {client.submit(_work, it, pure=False): name for name, it in points.items()}
        under_way = dask.as_completed(futures)
        for future in under_way:
            name = futures.pop(future)
            try:
                future.result()
            except dask.KilledWorker:
                # The scheduler has tried it several times.
                deaths[name] += 1
                if deaths[name] < ALONE:
                    again = client.submit(_work, points[name], pure=False)
                    futures[again] = name
                    under_way.add(again)
                    continue
                points[name].give_up(GIVEN_UP)
            except dask.CancelledError:
                hint = "points that are done are kept, --resume goes on"
                raise unusable_cluster(address, "it is gone", hint) from None
            ended.add(name)
    except BaseException:
        with suppress(Exception):
            client.cancel(list(futures), force=True)
        raise
    finally:
        client.close()


@contextmanager
def _watched(points: Mapping[str, PointFolder], ended: set[str], tell: Tell | None) -> Iterator[None]:
    """Tell now and then how far all are together."""
    if tell is None or not points:
        yield
        return
    folder = next(iter(points.values())).out / WORKING

    def look() -> None:
        there = sorted({path.stem for path in folder.glob("*.json")} & points.keys() - ended)
        words = [(points[name].point.text, _read(points[name])) for name in there]
        note = f"{len(ended)} of {len(points)} points"
        note += "".join(f"; {text}: {word.note}" for text, word in words[:1] if word.note)
        tell(note, len(ended) + sum(word.share for _, word in words), len(points))

    with looking(look, _LOOK_SECONDS):
        yield


def _read(it: PointFolder) -> Word:
    try:
        return msgspec.json.decode(it.word.read_bytes(), type=Word)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Word(0.0, "")
