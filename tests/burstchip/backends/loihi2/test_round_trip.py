"""What is written is what the artifact holds, and nothing that is altered stays unseen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from burstchip.backends.loihi2 import deploy
from burstchip.backends.loihi2.comparison import DeploymentDifference, compare_deployment
from burstchip.backends.loihi2.deployment import load_deployment
from burstchip.backends.loihi2.images import build_images
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram, PopulationCode
from compiler.passes.partition import partition
from hw_models.chips.reading import chip
from hw_models.diagnostics import BurstchipError
from hw_models.plasticity.grammar import learning_rule

ROOT = Path(__file__).parents[4]
NAMES = ["small", "digits", "mnist", *(path.stem for path in sorted((ROOT / "examples").glob("*.yaml")))]


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chip with so few compartments that every population takes several neurocores."""
    real = chip("loihi2")
    few = replace(real["compartments"], values=(4,))
    facts = replace(real, facts={**real.facts, "compartments": few})
    monkeypatch.setattr(deploy, "partition_program", lambda code, **_: partition(code, facts))


def deployed(code: ChipProgram, folder: Path) -> Path:
    deploy.write_deployment(code, folder)
    return folder


def alter_tensor(folder: Path, image: str, tensor: str, place: Any, change: Callable[[Any], Any]) -> None:
    path = folder / f"{image}.safetensors"
    tensors = load_file(path)
    values = tensors[tensor].copy()
    values[place] = change(values[place])
    save_file({**tensors, tensor: values}, path)


def alter_table(folder: Path, image: str, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / f"{image}.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))


def difference(code: ChipProgram, folder: Path) -> DeploymentDifference:
    found = compare_deployment(code, folder).difference
    assert found is not None
    return found


def message(code: ChipProgram, folder: Path) -> str:
    with pytest.raises(BurstchipError) as caught:
        compare_deployment(code, folder)
    return str(caught.value).replace(str(folder), "FOLDER")


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_holds_the_artifact(
    name: str, program: Callable[[str], ChipProgram], tmp_path: Path
) -> None:
    code = program(name)
    compared = compare_deployment(code, deployed(code, tmp_path / "out"))
    assert compared.difference is None and compared.same_artifact
    synapses = sum(projection.weights.size for projection in code.projections)
    parameters = sum(len(p.parameters) * p.size for p in code.populations)
    # Ends, weight, delay and tag of each synapse.
    assert compared.values > 5 * synapses + parameters


@pytest.mark.usefixtures("crowded")
def test_so_does_one_on_many_neurocores(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    assert len(list(folder.glob("core-*.json"))) == 3 + 1
    compared = compare_deployment(small, folder)
    assert compared.difference is None


def test_loihi1_takes_what_it_has(program: Callable[[str], ChipProgram], tmp_path: Path) -> None:
    code = replace(program("stdp_pair"), target="loihi1")
    written = deploy.write_deployment(code, tmp_path / "out")
    assert compare_deployment(code, tmp_path / "out").difference is None
    assert written.assumed == ("fan_in", "learning_rules", "mesh_columns", "mesh_rows", deploy.LAYOUT)


def test_integers_only_and_nothing_else(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
    for path in folder.glob("*.safetensors"):
        assert {value.dtype.kind for value in load_file(path).values()} <= {"i", "u"}

    def floats(value: Any) -> bool:
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        return isinstance(value, float) or any(map(floats, parts))

    assert not any(floats(json.loads(path.read_text())) for path in folder.glob("*.json"))


def test_the_images_use_what_the_partition_says(small: ChipProgram) -> None:
    found = partition(small)
    for core, image in zip(found.cores, build_images(found).cores, strict=True):
        assert core.used["synaptic_memory_bits"] == 64 * image.tensors["synapses"].size
        assert core.used["input_axons"] == len(image.tensors["input_axons"])
        assert core.used["output_axons"] == sum(
            len(image.tensors[f"{number}.output_axons"]) for number in range(len(core.pieces))
        )
        assert core.used["synapse_formats"] == len(image.table["formats"])


def test_the_same_program_gives_the_same_bytes(small: ChipProgram, tmp_path: Path) -> None:
    one, two = (deployed(small, tmp_path / name) for name in ("one", "two"))
    files = sorted(path.name for path in one.iterdir())
    assert files == sorted(path.name for path in two.iterdir())
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)


def test_what_is_loaded(small: ChipProgram, tmp_path: Path) -> None:
    found = load_deployment(deployed(small, tmp_path / "out"))
    assert (found.name, found.chip, found.seed, found.altered) == ("small", "loihi2", 5, ())
    assert found.artifact_sha256 == artifact_sha256(small)
    assert [p.name for p in found.populations] == [p.name for p in small.populations]
    learned = next(p for p in found.projections if p.name == "learned")
    original = next(p for p in small.projections if p.name == "learned")
    assert (learned.source, learned.output, learned.target, learned.port) == (
        "lower",
        "events",
        "upper",
        "soma",
    )
    assert np.array_equal(learned.weights.reshape(6, 4).T, original.weights)
    assert learned.learning is not None and original.learning is not None
    # A chip holds integers, not what they were rounded from.
    integers = tuple(replace(trace, kept=None, increment=None) for trace in original.learning.traces)
    assert learned.learning.traces == integers
    assert learning_rule(**learned.learning.rules) == learning_rule(**original.learning.rules)
    clamp = found.populations[0]
    assert clamp.spikes is not None and clamp.spikes.tolist() == [[3, 0], [5, 1], [9, 0]]


def test_a_flipped_weight_bit_is_found(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    # Upper is core 1; its first word holds a header of 10 bits, then weights of 9 and tags of 9 bits.
    alter_tensor(folder, "core-0001", "synapses", 0, lambda word: word ^ np.uint64(1 << 10 + 18))
    weight = int(next(p for p in small.projections if p.name == "learned").weights[1, 0])
    found = difference(small, folder)
    assert found == DeploymentDifference(1, "learned", "weight", (0, 1), weight, weight ^ 1)
    assert str(found) == (
        f"core 1, learned.weight[0, 1]: {weight} in the artifact, {weight ^ 1} in the deployment"
    )


def test_a_flipped_tag_bit_is_found(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    alter_tensor(folder, "core-0001", "synapses", 0, lambda word: word ^ np.uint64(1 << 10 + 9))
    assert difference(small, folder) == DeploymentDifference(1, "learned", "tag", (0, 0), 0, 1)


def test_an_altered_parameter_is_found(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    bias = int(np.asarray(small.population("lower").parameters["bias_mant"])[2])
    alter_tensor(folder, "core-0000", "0.neurons.bias_mant", 2, lambda value: value + 1)
    assert difference(small, folder) == DeploymentDifference(0, "lower", "bias_mant", (2,), bias, bias + 1)


def test_what_a_neuron_starts_with_is_deployed(small: ChipProgram, tmp_path: Path) -> None:
    def started(it: PopulationCode) -> PopulationCode:
        return replace(it, initial={"v": 70}, real_initial={"v": 70.2}) if it.name == "lower" else it

    code = replace(small, populations=tuple(started(it) for it in small.populations))
    folder = deployed(code, tmp_path / "out")
    assert compare_deployment(code, folder).difference is None
    alter_tensor(folder, "core-0000", "0.neurons.start.v", 2, lambda value: value + 1)
    assert difference(code, folder) == DeploymentDifference(0, "lower", "start.v", (2,), 70, 71)


def test_an_altered_event_is_found(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    alter_tensor(folder, "host", "0.spikes", (1, 0), lambda value: value + 2)
    assert difference(small, folder) == DeploymentDifference(None, "clamp", "step of event", (1,), 5, 7)


@pytest.mark.parametrize(
    ("change", "what", "index", "values"),
    [
        ({"exponent": -3}, "term exponent", (0,), (-2, -3)),
        ({"mantissa": 2}, "term mantissa", (0,), (1, 2)),
        ({"condition": "x0"}, "term condition", (0,), ("y0", "x0")),
        ({"factors": [["x1", 3]]}, "term factors", (0,), ("[['x1', 0]]", "[['x1', 3]]")),
    ],
)
def test_an_altered_term_is_found(
    change: dict[str, Any],
    what: str,
    index: tuple[int, ...],
    values: tuple[Any, Any],
    small: ChipProgram,
    tmp_path: Path,
) -> None:
    folder = deployed(small, tmp_path / "out")
    alter_table(folder, "core-0001", lambda table: table["learning"][0]["terms"][0].update(change))
    assert difference(small, folder) == DeploymentDifference(None, "learned", what, index, *values)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"impulse": 17}, "learned.x1 impulse: 16 in the artifact, 17 in the deployment"),
        ({"tau": [4, 1]}, "learned.x1 tau: 3.0 in the artifact, 4.0 in the deployment"),
    ],
)
def test_an_altered_trace_is_found(
    change: dict[str, Any], expected: str, small: ChipProgram, tmp_path: Path
) -> None:
    folder = deployed(small, tmp_path / "out")
    alter_table(folder, "core-0001", lambda table: table["learning"][0]["traces"][0].update(change))
    assert str(difference(small, folder)) == expected


def test_another_program_is_told_by_its_first_difference(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    other = replace(small, seed=6)
    compared = compare_deployment(other, folder)
    assert not compared.same_artifact
    assert str(compared.difference) == "seed: 6 in the artifact, 5 in the deployment"


def test_what_is_not_deployed_may_differ(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    compared = compare_deployment(replace(small, probes=(("lower", "v"),)), folder)
    assert compared.difference is None and not compared.same_artifact


def test_exchanged_axons_are_found(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    path = folder / "core-0001.safetensors"
    tensors = load_file(path)
    rows = tensors["0.output_axons"].copy()
    rows[[0, 1], 3] = rows[[1, 0], 3]
    save_file({**tensors, "0.output_axons": rows}, path)
    found = difference(small, folder)
    assert (found.core, found.place, found.what) == (0, "stop", "weight")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_stays_unseen(data: st.DataObject, small: ChipProgram, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    if not folder.exists():
        deployed(small, folder)
    image = data.draw(st.sampled_from(["core-0000", "core-0001", "host"]))
    path = folder / f"{image}.safetensors"
    whole = path.read_bytes()
    name = data.draw(st.sampled_from(sorted(load_file(path))))
    tensors = load_file(path)
    place = data.draw(st.integers(0, tensors[name].size - 1))
    values = tensors[name].copy()
    values.reshape(-1).view(np.uint64)[place] ^= np.uint64(1 << data.draw(st.integers(0, 63)))
    save_file({**tensors, name: values}, path)
    try:
        with suppress(BurstchipError):
            assert compare_deployment(small, folder).difference is not None
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("alter", "given"),
    [
        (
            lambda folder: (folder / "host.json").write_text((folder / "host.json").read_text() + " "),
            "host.json: not the SHA-256 that the manifest names",
        ),
        (lambda folder: (folder / "core-0001.json").unlink(), "core-0001.json: No such file or directory"),
        (
            lambda folder: alter_tensor(folder, "core-0001", "synapses", 0, lambda w: w ^ np.uint64(1)),
            "core-0001, learned, from word 0: word 0 has format 1, not 0",
        ),
        (
            lambda folder: alter_tensor(folder, "core-0001", "input_axons", (0, 1), lambda words: words + 1),
            "images that contradict each other (ValueError: core-0001, learned: addresses with gaps); "
            "altered: core-0001.safetensors",
        ),
        (
            lambda folder: alter_tensor(folder, "host", "0.output_axons", (0, 3), lambda axon: axon + 1),
            "images that contradict each other (ValueError: core 0: 0 senders to input axon 5); "
            "altered: host.safetensors",
        ),
        (
            lambda folder: alter_table(
                folder, "core-0001", lambda table: table["learning"][0]["terms"][2].update(shift=4)
            ),
            "images that contradict each other (ValueError: a product of 2 factors is shifted by 4); "
            "altered: core-0001.json",
        ),
    ],
)
def test_damage_is_described(
    alter: Callable[[Path], None], given: str, small: ChipProgram, tmp_path: Path
) -> None:
    folder = deployed(small, tmp_path / "out")
    alter(folder)
    assert message(small, folder) == (
        "error[BC411]: deployment 'FOLDER' is damaged\n"
        f"  required: the files as `burstchip deploy` wrote them    given: {given}    "
        "hint: deploy the artifact again"
    )


def test_an_empty_folder_is_no_deployment(small: ChipProgram, tmp_path: Path) -> None:
    assert message(small, tmp_path) == (
        "error[BC410]: 'FOLDER' is not a deployment\n"
        "  required: a folder that `burstchip deploy --dry-run` wrote    "
        "given: manifest.json is missing or belongs to something else"
    )


def test_a_newer_deployment_is_refused(small: ChipProgram, tmp_path: Path) -> None:
    folder = deployed(small, tmp_path / "out")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": 3}))
    assert message(small, folder) == (
        "error[BC412]: deployment 'FOLDER' has a newer format\n"
        "  required: format version 2    given: version 3    "
        "hint: update burstchip, or deploy with this version"
    )
