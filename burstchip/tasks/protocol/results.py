"""What a protocol's seeds left: answers and costs as plain values, everything in bins as netCDF."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.protocol.followed import Followed
from burstchip.tasks.protocol.following import Finished
from hw_models.diagnostics import Diagnostic

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """The mean running rate for an example in the last round, of each seed, and how many are right."""

    teacher: str
    example: str
    target: int
    rates: tuple[float, ...]
    right: int


def last_part(followed: Followed) -> str:
    """The last part that shows examples."""
    return [part for part in followed.plan.protocol.parts if part.phases][-1].name


def answers(all_followed: Sequence[Followed]) -> tuple[Answer, ...]:
    """Of each teacher and example; right is a rate on the target's side of the middle of low and high."""
    protocol, part = all_followed[0].plan.protocol, last_part(all_followed[0])
    rates = np.array([it.judged_rates(part)[-1] for it in all_followed])
    found = []
    for number, teacher in enumerate(protocol.teachers):
        for k, example in enumerate(protocol.examples):
            target, seen = example.targets[number], rates[:, k, number]
            right = (seen > (teacher.low + teacher.high) / 2) == bool(target)
            found.append(Answer(teacher.name, example.name, target, tuple(seen.tolist()), int(right.sum())))
    return tuple(found)


def summary(
    name: str, backend: str, step_ms: float, finished: Mapping[int, Finished], artifacts: Sequence[str]
) -> dict[str, Any]:
    """All of it but what is counted in bins; by seed."""
    all_followed = [it.followed for it in finished.values()]
    protocol = all_followed[0].plan.protocol
    found = answers(all_followed)
    return {
        "ok": True,
        "network": name,
        "backend": backend,
        "step_ms": step_ms,
        "seeds": list(finished),
        "artifact_sha256": list(artifacts),
        "state_sha256": [state_sha256(it.state) if it.state else None for it in finished.values()],
        "seconds": [it.seconds for it in finished.values()],
        "clipped_inputs": [sum(it.clipped.values()) for it in finished.values()],
        "right": sum(it.right for it in found),
        "asked": len(found) * len(finished),
        "answers": [
            {
                "teacher": it.teacher,
                "example": it.example,
                "target": it.target,
                "rates": list(it.rates),
                "right": it.right,
            }
            for it in found
        ],
        "costs": {
            part.name: [it.costs(part.name).tolist() for it in all_followed]
            for part in protocol.parts
            if part.phases and protocol.teachers
        },
    }


@dataclass(frozen=True)
class Done:
    """What came of all seeds."""

    name: str
    backend: str
    step_ms: float
    finished: Mapping[int, Finished]
    artifacts: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """What the teachers' neurons say in the last round."""
        return answers([it.followed for it in self.finished.values()])

    @cached_property
    def summary(self) -> dict[str, Any]:
        """All of it but what is counted in bins, as plain values."""
        return summary(self.name, self.backend, self.step_ms, self.finished, self.artifacts)


def recording(name: str, backend: str, finished: Mapping[int, Finished], artifacts: Sequence[str]) -> bytes:
    """netCDF by seed, bin, stretch and round: counts `events` and `bursts`, `reached` in Hz, `weight`."""
    import xarray as xr

    all_followed = [it.followed for it in finished.values()]
    plan = all_followed[0].plan
    protocol, first = plan.protocol, all_followed[0]

    def stacked(what: str) -> NDArray[Any]:
        return np.stack([getattr(it, what) for it in all_followed])

    counts = ("seed", "bin", "population")
    variables: dict[str, Any] = {
        "events": (counts, stacked("events").astype(np.int32), {"long_name": "events in the bin"}),
        "bursts": (counts, stacked("bursts").astype(np.int32), {"long_name": "bursts in the bin"}),
        "weight": (("seed", "round", "projection"), stacked("weights"), {"long_name": "mean weight"}),
        "bin_stretch": ("bin", plan.bin_stretch),
        "bin_lasts": ("bin", plan.bin_lasts, {"units": "s"}),
        "size": ("population", np.asarray(first.sizes)),
        "part": ("stretch", [protocol.parts[k].name for k in plan.part]),
        "example": (("seed", "stretch"), [_names(it, "example") for it in all_followed]),
        "phase": ("stretch", _names(first, "phase")),
        "first_step": ("stretch", plan.first),
    }
    if protocol.teachers:
        about = {"units": "Hz", "long_name": "mean running rate at the end"}
        variables["reached"] = (("seed", "stretch", "teacher"), stacked("reached"), about)
    dataset = xr.Dataset(
        variables,
        coords={
            "seed": list(finished),
            "bin": ("bin", plan.times, {"units": "s", "long_name": "end of the bin"}),
            "population": list(first.populations),
            "projection": list(first.projections),
            "teacher": [it.name for it in protocol.teachers],
        },
        attrs={
            "network": name,
            "backend": backend,
            "step_ms": plan.step_ms,
            "artifact_sha256": ", ".join(artifacts),
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "protocol.nc"
        dataset.to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()


def _names(followed: Followed, what: str) -> list[str]:
    """Of examples or phases by stretch, "" in a rest."""
    protocol = followed.plan.protocol
    named = [it.name for it in (protocol.examples if what == "example" else protocol.phases)]
    return ["" if k < 0 else named[k] for k in getattr(followed.plan, what)]
