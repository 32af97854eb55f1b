"""The artifact `net.burst`: one file that holds a `ChipProgram`, and nothing else that a backend would need.

It is a safetensors file (a length, a JSON header, raw little-endian tensors; no pickle) whose metadata has
one entry, `burstchip`: the manifest as canonical JSON. The manifest names every tensor it uses and carries
a SHA-256 over itself and all tensors. The same program gives the same bytes on every platform.

A file is read through the types of `artifact_schema`; then every rule of `ir.verify` is checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import ValidationError
from numpy.typing import NDArray

from compiler.artifact_schema import Head, Header, Manifest
from compiler.artifact_signals import (
    Tensors,
    as_values,
    decode_host,
    decode_signal,
    encode_host,
    encode_signal,
)
from compiler.artifact_synapses import decode_projection, encode_projection
from compiler.ir.chip_program import (
    ChipProgram,
    Learned,
    LoweredFunction,
    PopulationCode,
    QuantisationLine,
    TaskCode,
)
from compiler.ir.network import DataFile
from compiler.ir.protocol import Protocol
from compiler.ir.verify import verify_bound, verify_chip_program
from compiler.whole_file import write_whole
from hw_models.diagnostics import CODES, BurstchipError, Diagnostic, register_codes
from hw_models.neurons.roles import Roles
from hw_models.program.serialise import decode_program, encode_program
from hw_models.program.trace import Program
from hw_models.program.verify import is_name

FORMAT = "burstchip artifact"
VERSION = 6
KEY = "burstchip"

register_codes(
    {
        "BC401": "an artifact file cannot be read",
        "BC402": "a file is not a burstchip artifact",
        "BC403": "an artifact is damaged",
        "BC404": "an artifact has another format",
    }
)


def _encode_population(
    index: int, population: PopulationCode, programs: list[Program], tensors: Tensors
) -> dict[str, Any]:
    def values(numbers: Mapping[str, Any], kind: type, prefix: str) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for name, value in sorted(numbers.items()):
            if np.ndim(value) == 0:
                entries[name] = kind(value)
            else:
                tensors[prefix + name] = np.asarray(value, dtype=kind)
                entries[name] = {"tensor": prefix + name}
        return entries

    entry: dict[str, Any] = {
        "name": population.name,
        "model": population.model,
        "size": population.size,
        "program": programs.index(population.program),
        "ports": list(population.ports),
        "roles": asdict(population.roles),
        "parameters": values(population.parameters, int, f"population.{index}."),
        "real": values(population.real, float, f"population.{index}.real."),
        "stream": population.stream,
        "gather_every": population.gather_every,
        "units": {name: list(unit) for name, unit in population.units.items()},
        "origins": values(population.origins, float, f"population.{index}.origin."),
        "signals": {
            name: encode_signal(signal, f"population.{index}.signal.{name}", tensors)
            for name, signal in population.signals.items()
        },
    }
    if population.exact is not None:
        entry["exact"] = programs.index(population.exact)
        entry["functions"] = [asdict(it) for it in population.functions]
    for what in ("initial", "real_initial"):
        if starts := getattr(population, what):
            entry[what] = values(starts, int if what == "initial" else float, f"population.{index}.{what}.")
    if population.spikes is not None:
        entry["spikes"] = f"population.{index}.spikes"
        tensors[entry["spikes"]] = population.spikes
    return entry


def _encode_task(task: TaskCode) -> dict[str, Any]:
    entry = asdict(task)
    if task.file is not None:
        del entry["file"]["folder"]
    return entry


def _encode_protocol(protocol: Protocol) -> dict[str, Any]:
    entry = asdict(protocol)
    # Places name files of the machine that compiled.
    del entry["places"]
    return entry


def _encode(code: ChipProgram) -> tuple[dict[str, Any], Tensors]:
    tensors: Tensors = {}
    programs: list[Program] = []
    for population in code.populations:
        for program in (population.program, population.exact):
            if program is not None and program not in programs:
                programs.append(program)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "name": code.name,
        "step_ms": code.step_ms,
        "seed": code.seed,
        "target": code.target,
        "weight_form": code.weight_form,
        "programs": [encode_program(program) for program in programs],
        "populations": [_encode_population(i, p, programs, tensors) for i, p in enumerate(code.populations)],
        "projections": [encode_projection(i, p, tensors) for i, p in enumerate(code.projections)],
        "probes": [list(probe) for probe in code.probes],
        "task": None if code.task is None else _encode_task(code.task),
        "host": {name: encode_host(it, f"host.{name}", tensors) for name, it in code.host.items()},
        "quantisation": [asdict(line) for line in code.quantisation],
        # Places are left out: they name files of the machine that compiled.
        "diagnostics": [
            {name: getattr(d, name) for name in ("id", "message", "severity", "required", "given", "hint")}
            for d in code.diagnostics
        ],
    }
    if code.learned is not None:
        manifest["learned"] = asdict(code.learned)
    if code.protocol is not None:
        manifest["protocol"] = _encode_protocol(code.protocol)
    return manifest, tensors


def _canonical(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _content_sha256(manifest: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(_canonical({k: v for k, v in manifest.items() if k != "sha256"}).encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        little = tensor.astype(tensor.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {little.dtype.str} {list(little.shape)}\n".encode())
        digest.update(little.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def artifact_sha256(code: ChipProgram) -> str:
    """The hash over a program's content, as its artifact carries it."""
    return _content_sha256(*_encode(code))


def dump_with_sha256(code: ChipProgram) -> tuple[bytes, str]:
    """(the artifact's bytes, the hash over the program's content)."""
    from safetensors.numpy import save

    manifest, tensors = _encode(code)
    # What is written is an array's memory: a view's is not its values.
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    manifest["sha256"] = _content_sha256(manifest, tensors)
    return save(tensors, metadata={KEY: _canonical(manifest)}), manifest["sha256"]


def dump_artifact(code: ChipProgram) -> bytes:
    """The artifact's bytes."""
    return dump_with_sha256(code)[0]


def save_artifact(code: ChipProgram, path: str | Path) -> str:
    """Write the artifact, whole or not at all; return its SHA-256."""
    data, sha256 = dump_with_sha256(code)
    write_whole(Path(path), data)
    return sha256


def _error(code: str, message: str, required: str, given: str, hint: str | None = None) -> BurstchipError:
    return BurstchipError(Diagnostic(code, message, required=required, given=given, hint=hint))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as reason:
        raise _error(
            "BC401", f"artifact '{path}' cannot be read", "a readable file", str(reason.strerror)
        ) from None


def _parse(data: bytes, path: Path) -> tuple[dict[str, Any], Tensors]:
    """Manifest and tensors of a safetensors file, checked for being ours and being whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        length = int.from_bytes(data[:8], "little")
        text = msgspec.json.decode(data[8 : 8 + length], type=Header).metadata.burstchip
        manifest = json.loads(text)
        version = msgspec.convert(manifest, Head).version
    except (msgspec.MsgspecError, ValueError, RecursionError):
        is_network = path.suffix in (".yaml", ".yml")
        raise _error(
            "BC402",
            f"'{path}' is not a burstchip artifact",
            "a file that `burstchip compile` wrote",
            "a network" if is_network else f"{len(data)} bytes in another format, or a truncated artifact",
            f"burstchip compile {path} -o {path.with_suffix('.burst')}"
            if is_network
            else "compile the network again",
        ) from None
    if version != VERSION:
        raise _error(
            "BC404",
            f"artifact '{path}' has another format",
            f"format version {VERSION}",
            f"version {version}",
            "compile the network again with this version of burstchip",
        )
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise _damaged(path, f"{type(reason).__name__}: {reason}") from None
    found = _content_sha256(manifest, tensors)
    if found != manifest.get("sha256"):
        raise _damaged(path, f"SHA-256 {found[:16]}..., not {str(manifest.get('sha256'))[:16]}...")
    return manifest, tensors


def is_like_artifact(path: Path) -> bool:
    """Whether a file begins as one of safetensors does, which an artifact is."""
    try:
        with path.open("rb") as file:
            return file.read(9)[8:] == b"{"
    except OSError:
        return False


def _damaged(path: Path, given: str, required: str = "content that matches its SHA-256") -> BurstchipError:
    return _error(
        "BC403",
        f"artifact '{path}' is damaged",
        required,
        given,
        "copy or compile it again",
    )


def _decode_population(entry: Any, programs: Sequence[Program], tensors: Tensors) -> PopulationCode:
    def numbers(stored: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value if isinstance(value, int | float) else tensors[value.tensor]
            for name, value in stored.items()
        }

    return PopulationCode(
        **{
            **as_values(entry),
            "program": programs[entry.program],
            "roles": Roles(**as_values(entry.roles)),
            "parameters": numbers(entry.parameters),
            "real": numbers(entry.real),
            "origins": numbers(entry.origins),
            "initial": numbers(entry.initial or {}),
            "real_initial": numbers(entry.real_initial or {}),
            "spikes": None if entry.spikes is None else tensors[entry.spikes],
            "signals": {name: decode_signal(signal, tensors) for name, signal in entry.signals.items()},
            "exact": None if entry.exact is None else programs[entry.exact],
            "functions": tuple(LoweredFunction(**as_values(it)) for it in entry.functions or ()),
        }
    )


def _decode_message(entry: Any) -> Diagnostic:
    """A message; its id may be of a package that is not here."""
    if entry.id not in CODES:
        # Registers the ids of the messages of all passes; most programs have none.
        import compiler.pipeline  # noqa: F401
    if entry.id not in CODES:
        foreign = is_name(entry.id) and not entry.id.startswith("BC")
        assert foreign, f"a message has the unknown id {entry.id!r}"
        register_codes({entry.id: "a message of a compiler pass of another package"})
    return Diagnostic(**as_values(entry))


def _decode_task(entry: Any, folder: Path) -> TaskCode:
    """The task; a data file is looked for beside the artifact."""
    file = None if entry.file is None else DataFile(**as_values(entry.file), folder=str(folder))
    return TaskCode(**{**as_values(entry), "file": file})


def _decode(manifest: Any, tensors: Tensors, folder: Path) -> ChipProgram:
    programs = [decode_program(entry) for entry in manifest.programs]
    values = as_values(manifest)
    for name in ("format", "version", "sha256", "programs"):
        del values[name]
    values |= {
        "populations": tuple(_decode_population(entry, programs, tensors) for entry in values["populations"]),
        "projections": tuple(decode_projection(entry, tensors) for entry in values["projections"]),
        "task": None if manifest.task is None else _decode_task(manifest.task, folder),
        "quantisation": tuple(QuantisationLine(**as_values(line)) for line in manifest.quantisation),
        "diagnostics": tuple(_decode_message(entry) for entry in manifest.diagnostics),
        "host": {name: decode_host(entry, tensors) for name, entry in manifest.host.items()},
        "learned": None if manifest.learned is None else Learned(**as_values(manifest.learned)),
        "protocol": None
        if manifest.protocol is None
        else msgspec.convert(msgspec.to_builtins(manifest.protocol), Protocol),
    }
    code = ChipProgram(**values)
    verify_chip_program(code)
    verify_bound(code)
    return code


def load_artifact(path: str | Path) -> tuple[ChipProgram, str]:
    """(program, SHA-256) of an artifact file. Raises `BurstchipError` BC401..BC404."""
    path = Path(path)
    return parse_artifact(_read(path), path)


def parse_artifact(data: bytes, path: Path) -> tuple[ChipProgram, str]:
    """(program, SHA-256) of an artifact's bytes, which messages name `path`. Raises as `load_artifact`."""
    manifest, tensors = _parse(data, path)
    try:
        return _decode(msgspec.convert(manifest, Manifest), tensors, path.parent), manifest["sha256"]
    except ValidationError as reason:
        raise _damaged(path, str(reason), "a manifest as `burstchip compile` writes it") from None
    except (KeyError, TypeError, ValueError, IndexError, AssertionError) as reason:
        # The hash is right: something other than the compiler wrote it.
        raise _damaged(path, f"{type(reason).__name__}: {reason}") from reason
