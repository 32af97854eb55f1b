"""What the JSON files of a deployment may say, and which field a message names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.backends.loihi2.deployment import load_deployment
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError


def given(folder: Path) -> str:
    """What the message says was given."""
    with pytest.raises(BurstchipError) as caught:
        load_deployment(folder)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "BC411"
    return str(diagnostic.given)


def set_at(*place: str | int, to: Any) -> Callable[[Any], None]:
    """Sets the value at a place."""

    def change(value: Any) -> None:
        for key in place[:-1]:
            value = value[key]
        value[place[-1]] = to

    return change


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        (
            "manifest",
            set_at("cores", to=1 << 30),
            "`$.files` names 6 files of 1073741824 neurocores and a host",
        ),
        ("manifest", set_at("seed", to="5"), "Expected `int`, got `str` - at `$.seed`"),
        ("manifest", set_at("extra", to=1), "Object contains unknown field `extra`"),
        (
            "manifest",
            set_at("populations", to=["clamp", "noise", "lower"]),
            "`$.populations` and the images disagree on 'upper'",
        ),
        ("manifest", set_at("populations", 0, to="noise"), "names repeat in `$.populations`"),
        ("core-0001", set_at("core", to=0), "`$.core` is 0"),
        (
            "core-0001",
            set_at("pieces", 0, "neurons", to=9000),
            "`$.pieces` take 9000 compartments, of 8192",
        ),
        (
            "core-0001",
            set_at("pieces", 0, "neurons", to=0),
            "Expected `int` >= 1 - at `$.pieces[0].neurons`",
        ),
        ("core-0001", set_at("pieces", to=[]), "Expected `array` of length >= 1 - at `$.pieces`"),
        ("core-0001", set_at("tile", to=[0]), "Expected `array` of length 2 - at `$.tile`"),
        (
            "core-0001",
            set_at("pieces", 0, "population", to="noise"),
            "`$.pieces[0].population` is 'noise', a source of the host",
        ),
        (
            "core-0001",
            set_at("groups", 0, "projection", to="x"),
            "`$.groups[0].projection` is 'x', which the manifest does not name",
        ),
        ("core-0001", set_at("groups", 0, "format", to=1), "`$.groups[0].format` is 1, and there are 1"),
        (
            "core-0001",
            set_at("groups", 0, "learning", to=-1),
            "Expected `int` >= 0 - at `$.groups[0].learning`",
        ),
        (
            "core-0001",
            set_at("formats", 0, "weight_bits", to=64),
            "Expected `int` <= 15 - at `$.formats[0].weight_bits`",
        ),
        (
            "core-0001",
            set_at("formats", 0, "index_bits", to=6),
            "a dense list with `index_bits` - at `$.formats[0]`",
        ),
        (
            "core-0001",
            set_at("learning", 0, "traces", 0, "tau", to=[3, 0]),
            "`tau` is not the ratio of a number - at `$.learning[0].traces[0]`",
        ),
        (
            "core-0001",
            set_at("learning", 0, "terms", 0, "factors", 0, to=["x1", 200]),
            "200 is added to x1, which takes -128 to 127 - at `$.learning[0].terms[0].factors[0]`",
        ),
        (
            "core-0001",
            set_at("learning", 0, "terms", 0, "mantissa", to=-8),
            "`mantissa` -8 stands only beside `exponent` 8 - at `$.learning[0].terms[0]`",
        ),
        (
            "core-0001",
            set_at("learning", 0, "terms", 0, "condition", to="u7"),
            "`terms` have conditions uK of several K - at `$.learning[0]`",
        ),
        (
            "host",
            set_at("sources", 1, "outputs", to=[1]),
            "Expected `str`, got `int` - at `$.sources[1].outputs[0]`",
        ),
        (
            "host",
            set_at("sources", 1, "population", to="clamp"),
            "names repeat in `$.sources[...].population`",
        ),
    ],
)
def test_a_message_names_the_field(
    file: str, change: Callable[[Any], None], expected: str, small: ChipProgram, tmp_path: Path
) -> None:
    write_deployment(small, tmp_path / "out")
    path = tmp_path / "out" / f"{file}.json"
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    assert given(tmp_path / "out") == f"{file}.json: {expected}"


@pytest.mark.parametrize(
    ("image", "change", "expected"),
    [
        ("host", {"9.spikes": np.zeros((1, 2), np.int64)}, "tensors of no source"),
        ("host", {"0.spikes": np.array([[3, 2]])}, "0.spikes[0] names neuron 2 of 2"),
        ("host", {"1.neurons.value": np.zeros(5, np.int32)}, "1.neurons.value is 5 of int32, not 5 of int64"),
        ("core-0001", {"synapses": None}, "synapses is missing"),
        ("core-0001", {"0.index": np.arange(3)}, "0.index is 3 of int64, not 4 of int64"),
        ("core-0001", {"1.index": np.arange(3)}, "1.index belongs to nothing"),
        ("core-0001", {"other": np.zeros(1, np.int64)}, "other belongs to nothing"),
        (
            "core-0001",
            {"0.output_axons": np.array([[0, 0, 0, 99]])},
            "0.output_axons[0] names of core-0000 input axon 99 of 16",
        ),
        (
            "core-0001",
            {"input_axons": np.array([[0, 1, -4, 0]])},
            "input_axons[0] names compartment -4 of 4",
        ),
    ],
)
def test_a_message_names_the_tensor(
    image: str, change: dict[str, Any], expected: str, small: ChipProgram, tmp_path: Path
) -> None:
    write_deployment(small, tmp_path / "out")
    path = tmp_path / "out" / f"{image}.safetensors"
    tensors = {**load_file(path), **change}
    save_file({name: array for name, array in tensors.items() if array is not None}, path)
    assert given(tmp_path / "out") == f"{image}.safetensors: {expected}"
