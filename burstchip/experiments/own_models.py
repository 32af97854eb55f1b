"""Run an experiment that simulates itself: parameters that a user sets, its data, its seeds, its checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from burstchip.arguments import Overrides
from burstchip.experiments.checked import checked
from burstchip.experiments.experiment import OwnModel
from burstchip.experiments.running import NO_OVERRIDES, Outcome, Watch
from burstchip.report.style import figure_style
from burstchip.tasks.datasets import load_dataset
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC715": "an unknown parameter of an experiment that simulates itself",
        "BC716": "a value that a parameter of an experiment that simulates itself cannot have",
    }
)


def with_settings(it: OwnModel, overrides: Overrides) -> msgspec.Struct:
    """The parameters of a model, some with other values.

    Raises `BurstchipError` with all mistakes: BC715 for unknown names, BC716 for values that cannot be.
    """
    kinds = {field.name: field.type for field in msgspec.structs.fields(it.parameters)}
    values, problems = msgspec.structs.asdict(it.parameters), []
    for name, value in overrides.items():
        if name not in kinds:
            problems.append(
                Diagnostic(
                    "BC715",
                    f"'{it.name}' has no parameter '{name}'",
                    required=", ".join(kinds),
                    given=name,
                    hint=nearest(name, tuple(kinds)),
                )
            )
            continue
        try:
            values[name] = msgspec.convert(value, kinds[name], strict=False)
        except msgspec.ValidationError:
            problems.append(_cannot_be(name, _in_words(kinds[name]), str(value)))
    if problems:
        raise BurstchipError(problems)
    try:
        return msgspec.convert(values, type(it.parameters))
    except msgspec.ValidationError as reason:
        given = ", ".join(f"{name}={value}" for name, value in overrides.items())
        raise BurstchipError(_cannot_be(", ".join(overrides), str(reason), given)) from None


def _cannot_be(name: str, required: str, given: str) -> Diagnostic:
    return Diagnostic("BC716", f"'{name}' cannot have this value", required=required, given=given)


def _in_words(kind: Any) -> str:
    """The numbers that a field of a schema can be."""
    found = msgspec.inspect.type_info(kind)
    ends = (("at least", "ge"), ("above", "gt"), ("at most", "le"), ("below", "lt"))
    bounds = [
        f"{word} {getattr(found, name):,.12g}"
        for word, name in ends
        if getattr(found, name, None) is not None
    ]
    what = "a whole number" if isinstance(found, msgspec.inspect.IntType) else "a number"
    return ", ".join([what, *bounds])


def run_own_model(
    it: OwnModel,
    *,
    seeds: Sequence[int] | None = None,
    overrides: Overrides = NO_OVERRIDES,
    data_dir: Path | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Simulate with the seeds that the experiment names, or others, its data fetched where it is missing.

    Raises `BurstchipError` as `with_settings` and `load_dataset` do.
    """
    import xarray as xr

    parameters = with_settings(it, overrides)
    chosen = tuple(range(1, it.description.seeds + 1) if seeds is None else seeds)

    def tell(what: str, done: int, total: int) -> None:
        if watch is not None:
            watch(what, done, total)

    data = load_dataset(it.description.data, data_dir=data_dir, download=True, progress=tell)
    found = []
    for nth, seed in enumerate(chosen):

        def shown(done: int, total: int, nth: int = nth, seed: int = seed) -> None:
            tell(f"seed {seed}", nth * total + done, len(chosen) * total)

        found.append(it.simulate(parameters, data, seed, shown))
    measured = tuple(it.measure(one) for one in found)
    with figure_style():
        drawing = it.draw(found)
    values = msgspec.structs.asdict(parameters)
    series = xr.concat(found, dim=xr.DataArray(list(chosen), dims="seed", name="seed"))
    return Outcome(
        it,
        None,
        None,
        chosen,
        (),
        (),
        measured,
        checked(it.description.checks, measured),
        drawing,
        data.diagnostics,
        series.assign_attrs({"experiment": it.name, **values}),
        values,
    )
