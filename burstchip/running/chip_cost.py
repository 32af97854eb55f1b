"""What a program takes of a chip, from a run of it or from a recording: work, time and energy of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from burstchip.backends.integers import require_integers
from burstchip.files.netcdf import DAMAGED, open_netcdf
from burstchip.running.recording import RecordProgress, check_steps, record
from burstchip.variables import Variable
from compiler.estimate.estimate import Estimate, Estimating
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows
from compiler.pipeline import partition_program
from hw_models.chips.chip import Chip
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    import xarray

    from burstchip.tasks.dataset import FetchProgress

register_codes(
    {
        "BC822": "a recording from which no cost can be estimated",
        "BC823": "a recording of another artifact",
    }
)

#: Values that are looked at together.
_PART = 1 << 22


class _Sink:
    """Hands what a run brings back to an estimate."""

    def __init__(self, estimating: Estimating) -> None:
        self.estimating = estimating

    def add(self, first: int, values: Mapping[Variable, NDArray[Any]]) -> None:
        self.estimating.add(values, len(next(iter(values.values()))))


def estimating(code: ChipProgram, chip: Chip | None = None) -> Estimating:
    """An estimate to come, of the program on its target or on another chip.

    Raises `BurstchipError` BC350 to BC353 where the chip cannot hold it, and BC557 for target none.
    """
    require_integers(code)
    return Estimating(partition_program(code, chip=chip))


def cost_of_run(
    code: ChipProgram,
    steps: int,
    chip: Chip | None = None,
    *,
    backend: str = "sim",
    data_dir: Path | None = None,
    streams: Mapping[str, ArrayLike | Rows] | None = None,
    watch: Callable[[RecordProgress], None] | None = None,
    fetch: FetchProgress | None = None,
) -> tuple[Estimate, tuple[Diagnostic, ...]]:
    """(the cost of the first `steps` steps, what the run gave rise to); arguments as of `record`."""
    check_steps(steps)
    found = estimating(code, chip)
    notes: tuple[Diagnostic, ...] = ()
    if found.sent:
        recording = record(
            code,
            steps,
            list(found.sent),
            backend=backend,
            data_dir=data_dir,
            streams=streams,
            sink=_Sink(found),
            watch=watch,
            fetch=fetch,
        )
        notes = recording.diagnostics
    else:
        found.add({}, steps)
    return found.result(), notes


def cost_of_recording(
    code: ChipProgram, path: Path, chip: Chip | None = None, *, artifact_sha256: str | None = None
) -> tuple[Estimate, tuple[Diagnostic, ...]]:
    """(the cost of the steps that a recording of the program kept, a warning where it is another's).

    Raises `BurstchipError` BC822 where the file is not a recording or lacks what neurons sent.
    """
    found = estimating(code, chip)
    try:
        with open_netcdf(path) as dataset:
            known = dataset.attrs.get("artifact_sha256")
            for values, count in _parts(code, found.sent, dataset, path):
                found.add(values, count)
    except DAMAGED as reason:
        given = f"{type(reason).__name__}: {reason}".splitlines()[0]
        raise _unusable(path, "a recording that `burstchip run` wrote", given) from None
    if artifact_sha256 is None or known in (None, artifact_sha256):
        return found.result(), ()
    note = Diagnostic(
        "BC823",
        f"recording '{path}' is one of another artifact",
        severity="warning",
        required=f"artifact {artifact_sha256[:12]}...",
        given=f"{str(known)[:12]}...",
    )
    return found.result(), (note,)


def _unusable(path: Path, required: str, given: str, hint: str | None = None) -> BurstchipError:
    message = f"no cost can be estimated from '{path}'"
    return BurstchipError(Diagnostic("BC822", message, required=required, given=given, hint=hint))


def _parts(
    code: ChipProgram, sent: tuple[Variable, ...], dataset: xarray.Dataset, path: Path
) -> Iterator[tuple[dict[Variable, NDArray[Any]], int]]:
    """(what was sent in some steps, how many) until all were."""
    texts = [".".join(name) for name in sent]
    missing = [it for it in texts if it not in dataset and f"{it}.time" not in dataset]
    if missing:
        hint = f"burstchip run ... --record {','.join(texts)}"
        raise _unusable(path, f"what neurons sent: {', '.join(texts)}", f"no {', '.join(missing)}", hint)
    rows = int(dataset.sizes["time"])
    if not rows:
        raise _unusable(path, "at least one step", "none")
    sizes = {name: code.population(name[0]).size for name in sent}
    for name, text in zip(sent, texts, strict=True):
        across = int(dataset[text].shape[1] if text in dataset else dataset[f"{text}.time"].attrs["neurons"])
        if across != sizes[name]:
            raise _unusable(path, f"all {sizes[name]} neurons of {text}", f"{across}")
    lists = {name: _listed(code, name, dataset, path) for name in sent if ".".join(name) not in dataset}
    most = max(1, _PART // max(1, sum(sizes.values())))
    for begin in range(0, rows, most):
        count = min(most, rows - begin)
        values: dict[Variable, NDArray[Any]] = {}
        for name, text in zip(sent, texts, strict=True):
            if name in lists:
                step, neuron = lists[name]
                inside = (step >= begin) & (step < begin + count)
                values[name] = np.zeros((count, sizes[name]), dtype=np.int8)
                values[name][step[inside] - begin, neuron[inside]] = 1
            else:
                values[name] = np.asarray(dataset[text][begin : begin + count].values)
        yield values, count


def _listed(
    code: ChipProgram, name: Variable, dataset: xarray.Dataset, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(step, neuron) of each event of a list."""
    text = ".".join(name)
    times = np.asarray(dataset["time"].values, dtype=np.float64)
    if len(times) > 1 and round((times[1] - times[0]) / code.step_ms) != 1:
        raise _unusable(path, "every step, where events are lists", "every Nth", "run without --every")
    step = np.rint(np.asarray(dataset[f"{text}.time"].values, dtype=np.float64) / code.step_ms)
    neuron = np.asarray(dataset[f"{text}.neuron"].values).astype(np.int64)
    if neuron.size and not 0 <= neuron.min() <= neuron.max() < code.population(name[0]).size:
        raise ValueError(f"neurons of {text} that do not exist")
    return step.astype(np.int64), neuron
