"""What a sweep is: a network, a grid of parameters, seeds. The first file of its folder, `sweep.json`."""

from __future__ import annotations

import hashlib
import re
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from burstchip.arguments import LARGEST_SEED
from burstchip.sweeps.axis import Axis
from burstchip.sweeps.drawing import drawn
from compiler.strict_json import strict_json
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC894": "a folder of another sweep",
        "BC895": "a folder that a sweep must not use",
    }
)

#: What marks a folder as a sweep's, written before anything else.
FILE = "sweep.json"
#: Points that a sweep may have.
MOST_POINTS = 10_000
#: Characters of a point's name that say what it is.
_NAME_CHARACTERS = 80

_Seed = Annotated[int, Meta(ge=0, le=LARGEST_SEED)]


class Point(Struct, frozen=True):
    """One network of a sweep: values of the grid's parameters, and a seed."""

    parameters: dict[str, str]
    seed: int

    @property
    def text(self) -> str:
        """In words."""
        return ", ".join(f"{name}={value}" for name, value in (*self.parameters.items(), ("seed", self.seed)))

    @property
    def name(self) -> str:
        """The name of its folder: the same for the same point, and another for each other."""
        exact = strict_json([self.parameters, self.seed], sort_keys=True)
        said = re.sub(r"[^A-Za-z0-9=.+-]+", "_", self.text)[:_NAME_CHARACTERS]
        return f"{said}.{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


class Description(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the numbers of a sweep depend on, but for the files that its network names.

    `work` says what is done at a point: a task is trained for `epochs`, None: the file's; a protocol is
    followed; any other network runs for `steps`. `network` is the absolute path of its file. Of the grid all
    points are taken, or so many as `draw` says, at random.
    """

    format: Literal["burstchip sweep"] = "burstchip sweep"
    version: Literal[1] = 1
    burstchip: str
    network: str
    network_sha256: str
    work: Literal["train", "follow", "run"]
    grid: list[Axis]
    draw: Annotated[int, Meta(ge=1)] | None = None
    seeds: Annotated[list[_Seed], Meta(min_length=1)]
    overrides: dict[str, str]
    epochs: Annotated[int, Meta(ge=1)] | None = None
    steps: Annotated[int, Meta(ge=1)] | None = None
    backend: str = "sim"
    data: str | None = None
    strict: bool = False

    @property
    def count(self) -> int:
        """How many points there are; of those that are drawn, how many were wanted."""
        found = len(self.seeds)
        if self.draw is not None:
            return found * self.draw
        for axis in self.grid:
            found *= len(axis.values)
        return found

    @property
    def points(self) -> list[Point]:
        """The product of the grid, the last parameter fastest, or what is drawn, each with every seed.

        Raises ValueError for a range that cannot be.
        """
        names = [axis.name for axis in self.grid]
        if self.draw is not None:
            found = drawn(self.grid, self.draw)
        else:
            values = product(*(axis.values for axis in self.grid))
            found = [dict(zip(names, them, strict=True)) for them in values]
        return [Point(parameters, seed) for parameters in found for seed in self.seeds]

    @property
    def plain(self) -> dict[str, Any]:
        """As plain values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def read_description(folder: Path) -> Description:
    """What the sweep in a folder is. Raises `BurstchipError` BC895 where there is none."""
    path = folder / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Description)
        if found.count > MOST_POINTS:
            raise ValueError(f"{found.count} points")
        if len({axis.name for axis in found.grid}) < len(found.grid):
            raise ValueError("a parameter that stands twice")
        if found.work == "run" and found.steps is None:
            raise ValueError("a run without steps")
        # Ranges that cannot be raise too.
        found.points  # noqa: B018
        return found
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as reason:
        given = f"'{path}': {reason.strerror if isinstance(reason, OSError) else reason}"
        raise BurstchipError(
            Diagnostic(
                "BC895",
                f"'{folder}' does not hold a sweep that can go on",
                required=f"the folder of a sweep, with its {FILE}",
                given=given,
                hint="start it again in another folder",
            )
        ) from None


def require_same_sweep(folder: Path, before: Description, now: Description) -> None:
    """Raise `BurstchipError` BC894, with all that differs, where `now` is another sweep than the folder's."""
    first, second = before.plain, now.plain
    different = [name for name in second if first[name] != second[name]]
    if different:
        raise BurstchipError(
            Diagnostic(
                "BC894",
                f"'{folder}' is of another sweep",
                required=", ".join(f"{name} = {_said(first[name])}" for name in different),
                given=", ".join(f"{name} = {_said(second[name])}" for name in different),
                hint="--resume goes on with the options of its start alone; choose another folder for others",
            )
        )


def _said(value: object) -> str:
    """A value of a description in words."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return " ".join(f"{axis['name']}={','.join(axis['values'])}" for axis in value)
    return str(value)
