"""What came of a sweep: `results.json`, which has nothing of times, `seconds.json`, a table and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import msgspec

from burstchip.sweeps.description import Description, Point
from burstchip.sweeps.point import PointFolder
from burstchip.sweeps.result import Kept
from compiler.strict_json import strict_json
from compiler.whole_file import write_all_whole

RESULTS, SECONDS, TABLE = "results.json", "seconds.json", "results.csv"
PICTURE, PICTURE_SVG = "sweep.png", "sweep.svg"
#: Everything that is written beside the points.
WRITTEN = (RESULTS, SECONDS, TABLE, PICTURE, PICTURE_SVG)


@dataclass(frozen=True)
class Group:
    """The seeds of one set of parameters: `errors` of those that are done and have one, and their rates."""

    parameters: Mapping[str, str]
    done: int
    failed: int
    errors: tuple[float, ...]
    event_rates: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class SweepResults:
    """What each point left so far, in the order of the sweep; None where a point is still open."""

    sweep: Description
    points: tuple[tuple[Point, Kept | None], ...]

    def count(self, state: str) -> int:
        """How many points are "done", "failed" or "open"."""
        return sum(("open" if kept is None else kept.result.state) == state for _, kept in self.points)

    @property
    def failed(self) -> list[tuple[Point, Kept]]:
        """The points that failed."""
        return [(it, kept) for it, kept in self.points if kept is not None and kept.result.state == "failed"]

    @property
    def groups(self) -> list[Group]:
        """The points by parameters, seeds together."""
        found = []
        seeds = len(self.sweep.seeds)
        for begin in range(0, len(self.points), seeds):
            part = self.points[begin : begin + seeds]
            results = [kept.result for _, kept in part if kept is not None]
            done = [it for it in results if it.state == "done"]
            found.append(
                Group(
                    part[0][0].parameters,
                    len(done),
                    len(results) - len(done),
                    tuple(it.error for it in done if it.error is not None),
                    {
                        name: tuple(it.event_rate[name] for it in done if name in it.event_rate)
                        for name in (done[0].event_rate if done else ())
                    },
                )
            )
        return found

    @property
    def best(self) -> Group | None:
        """The parameters with the least mean error; of several the first."""
        answered = [it for it in self.groups if it.errors]
        return min(answered, key=lambda it: fmean(it.errors)) if answered else None

    @property
    def plain(self) -> dict[str, Any]:
        """The contents of `results.json`: the same for a sweep that was disturbed and one that was not."""
        description = self.sweep.plain
        description["network"] = Path(self.sweep.network).name
        return {
            **description,
            "format": "burstchip sweep results",
            "points": [
                {
                    "parameters": point.parameters,
                    "seed": point.seed,
                    "folder": point.name,
                    **({"state": "open"} if kept is None else msgspec.to_builtins(kept.result)),
                }
                for point, kept in self.points
            ],
        }

    @property
    def table(self) -> str:
        """The contents of `results.csv`: a line a point."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [axis.name for axis in self.sweep.grid]
        rated = list(dict.fromkeys(n for _, k in self.points if k for n in k.result.event_rate))
        hashes = ["artifact_sha256", "state_sha256"]
        rates = [f"event_rate.{name}" for name in rated]
        writer.writerow([*names, "seed", "state", "error", "train_error", *rates, *hashes])
        for point, kept in self.points:
            found = {} if kept is None else msgspec.to_builtins(kept.result)
            row = [found.get(name) for name in ("error", "train_error")]
            row += [found.get("event_rate", {}).get(name) for name in rated]
            row += [found.get(name) for name in hashes]
            writer.writerow([*point.parameters.values(), point.seed, found.get("state", "open"), *row])
        return text.getvalue()


def collect(folders: Sequence[PointFolder]) -> SweepResults:
    """What the points in a sweep's folder left; at least one."""
    return SweepResults(folders[0].sweep, tuple((it.point, it.kept) for it in folders))


def spread(values: Sequence[float], unit: str, factor: float = 1.0) -> str:
    """A mean, and with several values their standard deviation."""
    if not values:
        return "\N{EN DASH}"
    scaled = [factor * value for value in values]
    if len(scaled) == 1:
        return f"{scaled[0]:.4g} {unit}"
    return f"{fmean(scaled):.4g} \N{PLUS-MINUS SIGN} {stdev(scaled):.2g} {unit}"


def write_results(out: Path, found: SweepResults, pictures: Mapping[str, bytes]) -> None:
    """Write all but the points' own folders, each file whole or not at all. Raises OSError."""
    seconds = {point.name: kept.seconds for point, kept in found.points if kept is not None}
    files = {
        RESULTS: (strict_json(found.plain, 1) + "\n").encode(),
        SECONDS: (strict_json(seconds, 1, sort_keys=True) + "\n").encode(),
        TABLE: found.table.encode(),
    }
    write_all_whole({out / name: data for name, data in {**files, **pictures}.items()})
