"""What is measured: a YAML file a workload, its network and how much of it each target does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from benchmarks.runner.unknown import unknown
from burstchip.frontend.text import Wanted
from burstchip.frontend.typed_file import read_typed
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC850": "a workload or devices file with values that do not fit",
    }
)

Kind = Literal["learn", "adapt", "infer", "run", "follow"]
Scalar = int | float | str
_Count = Annotated[int, Meta(ge=1, le=10_000_000)]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]

_FOLDER = Path(str(files("benchmarks") / "runner" / "workloads"))
_WANTED = Wanted("a workload", "`burstchip bench list` shows those that come with burstchip", 1 << 18, "")


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the network comes from: one of these.

    `template` and `experiment` are burstchip's own by name, `file` is beside the workload's, `nir` is a file
    of the folder `BURSTCHIP_NIR` that is imported at a step of `step_ms`, with the events of `events`.
    """

    template: _Name | None = None
    experiment: _Name | None = None
    file: _Name | None = None
    nir: _Name | None = None
    step_ms: Annotated[float, Meta(gt=0)] = 1.0
    events: _Name | None = None


class Workload(Struct, frozen=True, forbid_unknown_fields=True):
    """One workload.

    `learn` trains a task and tests it; `adapt` permutes the labels after half of the epochs; `infer` shows
    test samples to a network that learned before and learns no more; `run` runs a network without a task,
    `follow` one with a protocol. `same` samples (steps where a task is missing) are done by every target,
    and those of the chip's integers must then hold the same in every step; a slow target does no more.
    `over` lists parameters whose every combination is a workload of its own. `train` and `test` bound the
    samples that are used of the data set, 0 stands for all. `freeze` names projections: the training is
    done once more in which these do not learn. Missing data are fetched only with `--download`.
    """

    title: _Name
    kind: Kind
    network: Source
    same: _Count
    set: dict[_Name, Scalar] = {}
    over: dict[_Name, Annotated[list[Scalar], Meta(min_length=1, max_length=32)]] = {}
    seeds: Annotated[int, Meta(ge=1, le=100)] = 1
    epochs: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    steps: _Count = 1000
    train: Annotated[int, Meta(ge=0)] = 0
    test: Annotated[int, Meta(ge=0)] = 0
    freeze: list[_Name] = []
    suite: bool = True


@dataclass(frozen=True)
class Case:
    """A workload with its parameters: what one row of the results is about, seeds aside."""

    name: str
    workload: Workload
    folder: Path
    parameters: Mapping[str, Scalar]

    @property
    def file_name(self) -> str:
        """The name as a part of a file's name."""
        return re.sub(r"[^\w.=-]", "_", self.name)


def all_workloads() -> dict[str, Path]:
    """The workloads that come with burstchip, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}


def cases(name: str) -> Iterator[Case]:
    """The cases of a workload, by its name or the name of a file of one's own.

    Raises `BurstchipError` BC851 for what is neither, BC850 and those of YAML files for mistakes in it.
    """
    known = all_workloads()
    path = known.get(name, Path(name))
    if name not in known and not path.exists():
        raise unknown("workload", name, f"one of {', '.join(known)}, or a workload file", list(known))
    workload = read_typed(path, Workload, _WANTED, "BC850")
    _require_one_source(workload, path)
    for chosen in product(*workload.over.values()):
        over = dict(zip(workload.over, chosen, strict=True))
        named = ",".join(f"{key}={value}" for key, value in over.items())
        yield Case(
            path.stem + (f"[{named}]" if named else ""), workload, path.parent, {**workload.set, **over}
        )


def _require_one_source(workload: Workload, path: Path) -> None:
    it = workload.network
    given = [key for key in ("template", "experiment", "file", "nir") if getattr(it, key) is not None]
    if len(given) != 1:
        raise BurstchipError(
            Diagnostic(
                "BC850",
                f"{path}: 'network' needs one source",
                required="one of template, experiment, file, nir",
                given=" and ".join(given) or "none",
            )
        )
