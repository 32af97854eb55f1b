"""Predictions as a file: a table in CSV, or all that is known of them in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from compiler.strict_json import strict_json
from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from burstchip.tasks.prediction import Predictions

register_codes({"BC661": "predictions cannot be written as a file of this kind"})

_Class = Annotated[int, Meta(ge=0)]
_Fraction = Annotated[float, Meta(ge=0, le=1)]


class PredictionsFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON of predictions.

    `predicted` and `labels` have an entry for each sample in their order. `epoch` is how many epochs the
    weights were trained, `artifact_sha256` their artifact. `values` are the least and the greatest of the
    samples, of which `maximum` is shown at full intensity. `interval` is the 95 % interval of `accuracy`.
    """

    format: Literal["burstchip predictions"]
    version: Literal[1]
    network: str
    artifact_sha256: str
    epoch: Annotated[int, Meta(ge=0)]
    backend: str
    classes: Annotated[int, Meta(ge=1)]
    maximum: float
    values: tuple[float, float]
    predicted: list[_Class]
    labels: list[_Class] | None
    correct: Annotated[int, Meta(ge=0)] | None
    accuracy: _Fraction | None
    interval: tuple[_Fraction, _Fraction] | None


def predictions_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return msgspec.json.schema(PredictionsFile)


def as_values(found: Predictions) -> dict[str, Any]:
    """Predictions as the JSON object that the schema describes."""
    values = PredictionsFile(
        format="burstchip predictions",
        version=1,
        network=found.network,
        artifact_sha256=found.sha256,
        epoch=found.learned.epoch,
        backend=found.backend,
        classes=found.n_classes,
        maximum=found.maximum,
        values=found.values,
        predicted=found.predicted.tolist(),
        labels=None if found.labels is None else found.labels.tolist(),
        correct=found.correct,
        accuracy=found.accuracy,
        interval=found.interval,
    )
    content = msgspec.to_builtins(values)
    assert isinstance(content, dict)
    return content


def check_kind(path: Path) -> None:
    """Raise `BurstchipError` BC661 where a file of this name is neither CSV nor JSON."""
    if path.suffix not in (".csv", ".json"):
        raise BurstchipError(
            Diagnostic(
                "BC661",
                f"predictions cannot be written as '{path.name}'",
                required="a name that ends in .csv or .json",
                given=path.suffix or "no ending",
            )
        )


def write_predictions(path: Path, found: Predictions) -> None:
    """Write the file, whole or not at all, in the form that its name ends in: `check_kind`."""
    check_kind(path)
    if path.suffix == ".json":
        write_whole(path, (strict_json(as_values(found), 1, sort_keys=True) + "\n").encode())
        return
    heads, columns = ["sample", "predicted"], [range(len(found.predicted)), found.predicted.tolist()]
    if found.labels is not None:
        heads.append("label")
        columns.append(found.labels.tolist())
    rows = [heads, *zip(*columns, strict=True)]
    write_whole(path, "".join(",".join(map(str, row)) + "\n" for row in rows).encode())
