"""The artifact: the same bytes for the same program, and a clear word for every file that is not one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from compiler.artifact import artifact_sha256, dump_artifact, load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import FixedProbability
from compiler.ir.values import Normal, Uniform
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError, Diagnostic
from hw_models.neurons.registry import models

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def code(make: Any) -> ChipProgram:
    """A program that has something of everything: lists, arrays, a task, messages."""
    network = make.digits(
        "carry",
        extra=make.population(
            "extra", "lif", 3, threshold=(-50.0, -60.0, -55.0), rest=(-70.0, -80.0, -71.0), tau_current=0.1
        ),
        spikes=make.population("spikes", "spike_list", 2, spikes=((0, 3.0), (1, 4.0))),
        sparse=make.projection(
            "spikes.events",
            "extra.soma",
            Normal(1.0, 0.5),
            Uniform(1.0, 5.0),
            connectivity=FixedProbability(0.7),
        ),
    )
    return compile_network(network)


@pytest.fixture(scope="module")
def data(code: ChipProgram) -> bytes:
    return dump_artifact(code)


def assert_same(one: Any, other: Any) -> None:
    """Equal dataclasses, arrays by type and content."""
    assert type(one) is type(other)
    if hasattr(one, "__dataclass_fields__"):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif isinstance(one, dict):
        assert set(one) == set(other)
        for name in one:
            assert_same(one[name], other[name])
    else:
        assert one == other


def refusal(data: bytes | None, folder: Path) -> Diagnostic:
    """What is told of a file with this content."""
    path = folder / "net.burst"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BurstchipError) as caught:
        load_artifact(path)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_what_is_loaded_is_what_was_saved(code: ChipProgram, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "net.burst"
    sha256 = save_artifact(code, path)
    loaded, found = load_artifact(path)
    assert sha256 == found == artifact_sha256(code) == artifact_sha256(loaded)
    # Places name files of the machine that compiled.
    bare = replace(code, diagnostics=tuple(replace(d, place=None, about=None) for d in code.diagnostics))
    assert_same(loaded, bare)
    assert code.diagnostics


def test_twice_the_same_bytes(code: ChipProgram, data: bytes, tmp_path: Path) -> None:
    assert dump_artifact(code) == data
    (tmp_path / "net.burst").write_bytes(data)
    assert dump_artifact(load_artifact(tmp_path / "net.burst")[0]) == data


TEXT = """
import sys
from pathlib import Path
from burstchip.frontend import load_network
from compiler.artifact import dump_artifact, load_artifact
from compiler.pipeline import compile_network
if sys.argv[1] == "compile":
    Path(sys.argv[3]).write_bytes(dump_artifact(compile_network(load_network(sys.argv[2]))))
else:
    Path(sys.argv[3]).write_bytes(dump_artifact(load_artifact(Path(sys.argv[2]))[0]))
"""


def in_a_process(hash_seed: str, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", TEXT, *arguments], env=environment, check=True, timeout=120)


def test_the_same_bytes_in_every_process(tmp_path: Path, data: bytes) -> None:
    template = str(ROOT / "burstchip" / "templates" / "digits" / "network.yaml")
    for seed in ("1", "2"):
        in_a_process(seed, "compile", template, str(tmp_path / f"{seed}.burst"))
    assert (tmp_path / "1.burst").read_bytes() == (tmp_path / "2.burst").read_bytes()
    # A process that only loads has the ids of the messages that compiling told.
    (tmp_path / "one.burst").write_bytes(data)
    in_a_process("3", "load", str(tmp_path / "one.burst"), str(tmp_path / "other.burst"))
    assert (tmp_path / "other.burst").read_bytes() == data


def test_the_same_bytes_on_every_machine(make: Any) -> None:
    """Pinned: where this fails on one machine alone, its arithmetic is not the others'."""
    network = make.network(
        make.population("a", "poisson_source", 30, rate=33.3),
        make.population("b", "lif", 20, tau_membrane=17.3, tau_current=3.3),
        make.projection("a.events", "b.soma", Normal(1.0, 0.3), Uniform(1.0, 9.0)),
        seed=5,
    )
    code = compile_network(network)
    assert artifact_sha256(code)[:16] == "33dd4307871a1cd8"
    # The artifact says how weights were drawn; what is drawn of it again must be the same too.
    exact = code.projections[0].exact.astype("<f8")
    assert hashlib.sha256(exact.tobytes()).hexdigest()[:16] == "fb54be609bb87367"


def test_every_part_of_a_program_is_in_the_hash(code: ChipProgram) -> None:
    def changed(**parts: Any) -> str:
        return artifact_sha256(replace(code, **parts))

    first, *rest = code.projections
    weights = first.weights.copy()
    weights[3, 4] += 1
    hidden = code.populations[1]
    hashes = [
        artifact_sha256(code),
        changed(name="other"),
        changed(seed=1),
        changed(step_ms=0.5),
        changed(target="loihi1"),
        changed(probes=(("hidden", "v"),)),
        changed(task=replace(code.task, epochs=41)),  # type: ignore[type-var]
        changed(diagnostics=()),
        changed(quantisation=code.quantisation[1:]),
        changed(projections=(replace(first, weights=weights), *rest)),
        changed(projections=(replace(first, weight_exp=1), *rest)),
        changed(populations=(replace(hidden, stream=99), *code.populations[1:])),
        changed(populations=(replace(hidden, parameters={**hidden.parameters, "dv": 1}),)),
    ]
    assert len(set(hashes)) == len(hashes)


def test_no_pickle_inside(data: bytes) -> None:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert set(header["__metadata__"]) == {"burstchip"}
    kinds = {entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
    assert kinds <= {"I8", "I16", "I32", "I64", "F32", "F64"}


def test_files_that_are_none(data: bytes, tmp_path: Path) -> None:
    def told(content: bytes | None) -> str:
        return str(refusal(content, tmp_path)).replace(str(tmp_path), "DIR")

    assert told(None) == (
        "error[BC401]: artifact 'DIR/net.burst' cannot be read\n"
        "  required: a readable file    given: No such file or directory"
    )
    assert told(b"") == (
        "error[BC402]: 'DIR/net.burst' is not a burstchip artifact\n"
        "  required: a file that `burstchip compile` wrote    given: 0 bytes in another format, or a "
        "truncated artifact    hint: compile the network again"
    )
    foreign = save({"w": np.zeros(3)}, metadata={"format": "pt"})
    for content in (b"\x80\x04N.", b"name: net\n" * 50, foreign, data[:7], data[:8], data[:1000]):
        assert told(content).startswith("error[BC402]: 'DIR/net.burst' is not a burstchip artifact\n")
    assert told(data[:-1]).startswith("error[BC403]: artifact 'DIR/net.burst' is damaged\n")
    assert told(data + b"\0").startswith("error[BC403]")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(BurstchipError, match=r"\[BC401\].*cannot be read\n.*given: Is a directory"):
        load_artifact(tmp_path)


def rewritten(data: bytes, change: Any, *, sign: bool = False) -> bytes:
    """The artifact with another manifest, with or without a hash that agrees with it."""
    from compiler.artifact import _canonical, _content_sha256

    length = int.from_bytes(data[:8], "little")
    manifest = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["burstchip"])
    tensors = load(data)
    change(manifest)
    if sign:
        manifest["sha256"] = _content_sha256(manifest, tensors)
    return save(tensors, metadata={"burstchip": _canonical(manifest)})


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 7])
def test_another_format(data: bytes, tmp_path: Path, version: int) -> None:
    other = refusal(rewritten(data, lambda m: m.update(version=version), sign=True), tmp_path)
    assert str(other).replace(str(tmp_path), "DIR") == (
        "error[BC404]: artifact 'DIR/net.burst' has another format\n"
        f"  required: format version 6    given: version {version}"
        "    hint: compile the network again with this version of burstchip"
    )


@pytest.mark.parametrize("version", ["1", None, True, 0, -1, 1.5])
def test_a_version_that_is_none(data: bytes, tmp_path: Path, version: object) -> None:
    other = rewritten(data, lambda m: m.update(version=version), sign=True)
    assert refusal(other, tmp_path).id == "BC402"


def test_the_program_is_in_the_artifact(data: bytes, tmp_path: Path) -> None:
    """The model's name is a label: what runs is the program that was compiled."""

    def rename(manifest: Any) -> None:
        manifest["populations"][0]["model"] = "hodgkin_huxley"

    path = tmp_path / "net.burst"
    path.write_bytes(rewritten(data, rename, sign=True))
    loaded, _ = load_artifact(path)
    assert loaded.populations[0].model == "hodgkin_huxley"
    assert loaded.populations[0].program == models()["rate_source"].program


def nodes(m: Any) -> Any:
    return m["programs"][0]["nodes"]


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["programs"][0].update(name="x(); import os"),
        lambda m: m["programs"][0]["states"][0].__setitem__(0, "v[0]; f"),
        lambda m: m["programs"][0]["states"][0].__setitem__(2, 1 << 80),
        lambda m: m["programs"][0]["inputs"].append(["more", 0, 1]),
        lambda m: m["programs"][0]["outputs"].append(["more", 0, 1]),
        lambda m: m["programs"][0]["outputs"].append(m["programs"][0]["outputs"][0]),
        lambda m: m["programs"][0].update(tables=[[]]),
        lambda m: m["programs"][0]["output"][0].__setitem__(1, 1 << 20),
        lambda m: nodes(m)[-1].__setitem__(0, "eval"),
        lambda m: nodes(m)[-1].__setitem__(1, [len(nodes(m)) - 1] * len(nodes(m)[-1][1])),
        lambda m: nodes(m)[-1].__setitem__(1, [0] * (len(nodes(m)[-1][1]) + 1)),
        lambda m: nodes(m)[-1].__setitem__(2, "0"),
        lambda m: nodes(m).append(["shift_left", [0, 0], 0, "", 0]),
        lambda m: nodes(m).append(["lookup", [0], 0, "", 0]),
        lambda m: nodes(m).append(["random", [], 40, "", 7]),
        lambda m: nodes(m).extend([["mul", [0, 0], 0, "", 0], ["mul", [len(nodes(m))] * 2, 0, "", 0]]),
        lambda m: nodes(m).clear(),
        lambda m: m["programs"].clear(),
        lambda m: m["populations"][0].update(program=-5),
        lambda m: m["populations"][0].update(program=99),
        lambda m: m["populations"][0]["roles"].update(rate="f(), x"),
        lambda m: m["populations"][0]["roles"]["controls"].update(value="whatever"),
        lambda m: m["populations"][0]["roles"]["controls"].clear(),
        lambda m: m["populations"][1]["roles"].update(count="nothing"),
        lambda m: m["populations"][1].update(ports=["soma", "elsewhere"]),
    ],
)
def test_a_program_that_breaks_a_rule(data: bytes, tmp_path: Path, change: Any) -> None:
    """Signed anew, so that only the rules of programs and roles stand between the file and what it wants."""
    assert refusal(rewritten(data, change, sign=True), tmp_path).id == "BC403"


def test_a_changed_word_without_its_hash(data: bytes, tmp_path: Path) -> None:
    told = refusal(rewritten(data, lambda m: m.update(name="other")), tmp_path)
    assert told.id == "BC403" and str(told.given).startswith("SHA-256 ")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("projections"),
        lambda m: m.update(populations=7),
        lambda m: m["populations"][1]["parameters"].pop("dv"),
        lambda m: m["populations"][1]["parameters"].update(dv=5000),
        lambda m: m["populations"][1].update(parameters=[]),
        lambda m: m["projections"][0].update(weights="projection.1.weights"),
        lambda m: m["projections"][0].update(weights="nowhere"),
        lambda m: m["projections"][0].update(source="nobody"),
        lambda m: m["projections"][0].update(surplus=1),
        lambda m: m["projections"][0].update(dense=1),
        lambda m: m["projections"][0].update(delays=1 << 15),
        lambda m: m["projections"][0].update(unit="1"),
        lambda m: m["projections"][0]["requested"].update(constant={"value": 1.0}),
        lambda m: m["projections"][0]["requested"].pop("seed"),
        lambda m: m["projections"][0]["learning"]["traces"][0].update(surplus=1),
        lambda m: m["populations"][0]["roles"].update(surplus="x"),
        lambda m: m["populations"][0]["parameters"].update(value={"tensor": "nowhere"}),
        lambda m: m["populations"][0]["parameters"].update(value=1.5),
        lambda m: m["quantisation"][0].update(requested="1"),
        lambda m: m.update(surplus=1),
        lambda m: m.update(step_ms=0.0),
        lambda m: m.update(step_ms=float("nan")),
        lambda m: m.update(seed=1.0),
        lambda m: m["task"].update(present="96"),
        lambda m: m["projections"][0]["learning"].pop("traces"),
        lambda m: m["projections"][0]["learning"].update(rounding='lava"""; import os; """'),
        lambda m: m["projections"][0]["learning"].update(every="8"),
        lambda m: m["projections"][0]["learning"].update(every=0),
        lambda m: m["projections"][0]["learning"].update(shift=1.5),
        lambda m: m["projections"][0]["learning"]["traces"][0].update(name="z"),
        lambda m: m["projections"][0]["learning"]["traces"][0].update(kind="odd"),
        lambda m: m["projections"][0]["learning"]["traces"][0].update(impulse="1"),
        lambda m: m["projections"][0]["learning"]["traces"][0].update(tau=float("inf")),
        lambda m: m["populations"][0].update(size=True),
        lambda m: m["populations"][0].update(stream="1"),
        lambda m: m["diagnostics"][0].update(id="BC999"),
        lambda m: m.update(task=[]),
        lambda m: m.update(probes=[["hidden"]]),
        lambda m: m.update(probes=[["hidden", "w"]]),
    ],
)
def test_content_that_makes_no_program(data: bytes, tmp_path: Path, change: Any) -> None:
    assert refusal(rewritten(data, change, sign=True), tmp_path).id == "BC403"


@pytest.mark.parametrize(
    ("change", "given"),
    [
        (
            lambda m: m["populations"][1].update(size="6"),
            "Expected `int`, got `str` - at `$.populations[1].size`",
        ),
        (
            lambda m: m["projections"][0]["learning"].pop("every"),
            "Object missing required field `every` - at `$.projections[0].learning`",
        ),
        (lambda m: m.update(surplus=1), "Object contains unknown field `surplus`"),
    ],
)
def test_a_damaged_artifact_names_file_and_field(
    data: bytes, tmp_path: Path, change: Any, given: str
) -> None:
    found = refusal(rewritten(data, change, sign=True), tmp_path)
    assert str(found).replace(str(tmp_path), "DIR") == (
        "error[BC403]: artifact 'DIR/net.burst' is damaged\n"
        f"  required: a manifest as `burstchip compile` writes it    given: {given}    "
        "hint: copy or compile it again"
    )


QUIET = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_views_of_arrays_are_written_by_their_values(code: ChipProgram, tmp_path: Path) -> None:
    """As `np.argwhere`, a transposition or a stride gives them, whose memory has another order."""

    def view(array: Any) -> Any:
        if not isinstance(array, np.ndarray) or array.ndim == 0:
            return array
        strided = np.zeros((2 * len(array), *array.shape[1:]), dtype=array.dtype)[::2]
        strided[...] = array
        return np.asfortranarray(array) if array.ndim == 2 else strided

    views = replace(
        code,
        populations=tuple(
            replace(
                p,
                spikes=view(p.spikes),
                parameters={name: view(value) for name, value in p.parameters.items()},
                real={name: view(value) for name, value in p.real.items()},
            )
            for p in code.populations
        ),
        projections=tuple(
            replace(
                p,
                **{
                    name: view(getattr(p, name)) for name in ("pre", "post", "weights", "delays", "requested")
                },
            )
            for p in code.projections
        ),
    )
    save_artifact(views, tmp_path / "views.burst")
    assert_same(load_artifact(tmp_path / "views.burst")[0], load_artifact_of(code, tmp_path))


def load_artifact_of(code: ChipProgram, folder: Path) -> ChipProgram:
    save_artifact(code, folder / "plain.burst")
    return load_artifact(folder / "plain.burst")[0]


@QUIET
@given(share=st.floats(0.0, 1.0))
def test_every_torn_file_is_told(data: bytes, tmp_path: Path, share: float) -> None:
    length = int(share * (len(data) - 1))
    assert refusal(data[:length], tmp_path).id in ("BC402", "BC403")


@settings(QUIET, max_examples=800)
@given(data_=st.data())
def test_every_flipped_byte_is_told(data: bytes, tmp_path: Path, code: ChipProgram, data_: Any) -> None:
    """In the header as well as in the tensors; or it changes nothing that is read."""
    header = int.from_bytes(data[:8], "little") + 8
    place = data_.draw(st.integers(0, 15) | st.integers(0, header - 1) | st.integers(0, len(data) - 1))
    flipped = bytearray(data)
    flipped[place] ^= data_.draw(st.integers(1, 255))
    path = tmp_path / "net.burst"
    path.write_bytes(flipped)
    try:
        loaded, _ = load_artifact(path)
    except BurstchipError as error:
        told = error.diagnostics[0].id
    else:
        told = "nothing" if dump_artifact(loaded) == data else "too little"
    assert told in ("BC402", "BC403", "BC404", "nothing")


@settings(QUIET, max_examples=200)
@given(content=st.binary(max_size=300))
def test_noise_is_told(tmp_path: Path, content: bytes) -> None:
    assert refusal(content, tmp_path).id == "BC402"


def test_a_message_of_a_package_that_is_not_here(data: bytes, tmp_path: Path) -> None:
    def report(manifest: dict[str, Any]) -> None:
        manifest["diagnostics"].append({**manifest["diagnostics"][0], "id": "PR001"})

    (tmp_path / "net.burst").write_bytes(rewritten(data, report, sign=True))
    loaded, _ = load_artifact(str(tmp_path / "net.burst"))
    assert loaded.diagnostics[-1].id == "PR001"
