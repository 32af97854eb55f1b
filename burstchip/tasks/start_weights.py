"""A training that starts with the weights of another: which program may take them, and what it takes.

Weights are integers whose unit follows from the network, so that a program takes them only where populations,
synapses and units are the same. Rules, rates, seeds and the data of the task may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from burstchip.tasks.trained import UNTRAINED, load_program, none_learned
from compiler.artifact import load_artifact
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.learned_weights import with_weights
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

#: What is taken of a projection that learns, and of one with fixed weights.
_LEARNED: tuple[str, ...] = ("weights", "requested", "num_weight_bits")
_FIXED = (*_LEARNED, "weight_exp", "unit", "sign_mode", "kernel")

register_codes(
    {
        "BC652": "learned weights that do not fit the network",
        "BC653": "weights that do not learn are not those of the network's file",
    }
)


def starting_program(
    code: ChipProgram, start: Path | None, out: Path, *, resume: bool
) -> tuple[ChipProgram, tuple[Diagnostic, ...]]:
    """(the program of a training that starts with the weights of `start`, warnings); without one, `code`.

    A training that is resumed takes them from the artifact in its folder `out`, where `start` is not named
    again. Raises `BurstchipError` as `load_program` does, and BC652 where the weights do not fit.
    """
    if start is not None:
        return with_weights_of(code, load_program(start).code, str(start))
    if resume and (out / UNTRAINED).exists():
        before, _ = load_artifact(out / UNTRAINED)
        if before.learned is not None:
            return with_weights_of(code, before, str(out / UNTRAINED))
    return code, ()


def with_weights_of(
    code: ChipProgram, source: ChipProgram, name: str
) -> tuple[ChipProgram, tuple[Diagnostic, ...]]:
    """(`code` with all weights of `source`, which messages call `name`; warnings).

    Raises `BurstchipError` BC652 with everything in which the two differ, BC650 where nothing was learned.
    """
    if source.learned is None:
        raise none_learned(name, "weights that were not learned")
    problems = [
        Diagnostic(
            "BC652",
            f"the weights of '{name}' do not fit this network: {what}",
            required=f"{required} ('{name}')",
            given=f"{given} (here)",
            hint=hint,
        )
        for what, required, given, hint in _differences(code, source)
    ]
    if problems:
        raise BurstchipError(problems)
    taken, fixed = {}, []
    for projection in code.projections:
        other = source.projection(projection.name)
        if projection.learning is not None:
            names = _LEARNED
        elif _same_weights(projection, other):
            continue
        else:
            fixed.append(projection.name)
            names = _FIXED
        values: dict[str, Any] = {it: getattr(other, it) for it in names}
        taken[projection.name] = replace(projection, **values)
    return with_weights(code, taken, source.learned), tuple(_not_of_the_file(fixed, name))


def _not_of_the_file(fixed: list[str], name: str) -> Iterator[Diagnostic]:
    if fixed:
        listed = ", ".join(f"'{it}'" for it in fixed)
        yield Diagnostic(
            "BC653",
            f"the fixed weights of {listed} are those of '{name}'",
            severity="warning",
            required="fixed weights as the network's file has them, for these to be used",
            given="other values or another seed in the file",
        )


def _same_weights(one: ProjectionCode, other: ProjectionCode) -> bool:
    numbers = [name for name in _FIXED if name not in ("weights", "requested", "kernel")]
    return np.array_equal(one.weights, other.weights) and all(
        getattr(one, name) == getattr(other, name) for name in numbers
    )


def _differences(code: ChipProgram, source: ChipProgram) -> Iterator[tuple[str, str, str, str | None]]:
    """(what differs, what `source` has, what `code` has, hint)."""
    sizes = [{it.name: it.size for it in program.populations} for program in (source, code)]
    unlike = {name for name in {**sizes[0], **sizes[1]} if sizes[0].get(name) != sizes[1].get(name)}
    for name in sorted(unlike):
        had, has = (f"{size[name]} neurons" if name in size else "no such population" for size in sizes)
        yield f"population '{name}'", had, has, None
    here, there = ({it.name: it for it in program.projections} for program in (code, source))
    for name in sorted({**here, **there}):
        if name not in here or name not in there:
            had, has = ("a projection" if name in it else "no such projection" for it in (there, here))
            yield f"projection '{name}'", had, has, None
        elif not unlike & {here[name].source, here[name].target}:
            difference = _difference(there[name], here[name])
            if difference is not None:
                yield f"projection '{name}'", *difference


def _difference(there: ProjectionCode, here: ProjectionCode) -> tuple[str, str, str | None] | None:
    """The first difference between two projections of one name: what each has, and a hint."""

    def ends(it: ProjectionCode) -> str:
        return f"{it.source}.{it.output} to {it.target}.{it.port}"

    def form(it: ProjectionCode) -> str:
        return "fixed weights" if it.learning is None else f"weight form {it.learning.form}"

    def unit(it: ProjectionCode) -> str:
        # What one unit at the port stands for; of plastic weights also their grid, which the limit decides.
        worth = it.event_unit / 2.0**it.weight_exp
        value = worth if it.learning is None else it.unit
        return f"a unit of {value:.6g} {it.weight_unit}".rstrip()

    for text, hint in ((ends, None), (form, None), (unit, "the limit, the threshold and the step decide it")):
        if text(there) != text(here):
            return text(there), text(here), hint
    alike = there.dense == here.dense and all(
        np.array_equal(getattr(there, name), getattr(here, name)) for name in ("pre", "post")
    )
    if alike:
        return None
    first, second = (f"{it.weights.size} synapses" for it in (there, here))
    hint = "they are drawn: use the same seed and connectivity"
    return first, f"{second}, between other neurons" if first == second else second, hint
