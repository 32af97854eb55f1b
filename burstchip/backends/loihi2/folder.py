"""A deployment as a folder: images as safetensors, their tables as JSON, and a manifest of SHA-256 sums.

    manifest.json                the format, the chip, what it was made from, the hash of every other file
    core-0000.safetensors, .json neurocore 0, and so on
    host.safetensors, .json      the sources, which the host runs

The folder appears whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from burstchip.backends.loihi2.folder_checks import CoreFiles, HostFiles, Tensors, check_folder
from burstchip.backends.loihi2.folder_schema import (
    FORMAT,
    HOST,
    VERSION,
    CoreTable,
    Head,
    HostTable,
    Manifest,
    file_name,
)
from burstchip.backends.loihi2.images import Images
from compiler.whole_file import write_folder_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC410": "a folder is not a deployment",
        "BC411": "a deployment is damaged",
        "BC412": "a deployment has another format",
        "BC413": "a folder that a deployment would replace",
    }
)

MANIFEST = "manifest.json"
_Content = TypeVar("_Content")


@dataclass(frozen=True)
class Folder:
    """What lies in a folder: its manifest, its images, and the files that differ from their hash."""

    path: Path
    manifest: Manifest
    cores: tuple[CoreFiles, ...]
    host: HostFiles
    altered: tuple[str, ...]


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=1) + "\n").encode()


def write_folder(images: Images, manifest: Mapping[str, Any], path: Path, *, overwrite: bool = False) -> None:
    """Write a deployment, whole or not at all.

    Raises `BurstchipError` BC413 where `path` holds anything: with `overwrite` only where it holds anything
    but a deployment. Raises OSError.
    """
    from safetensors.numpy import save

    refuse_taken(path, overwrite=overwrite)
    files: dict[str, bytes] = {}
    for image in (*images.cores, images.host):
        name = file_name(image.core)
        tensors = {key: np.ascontiguousarray(value) for key, value in image.tensors.items()}
        files[f"{name}.safetensors"] = save(tensors)
        files[f"{name}.json"] = _json(image.table)
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    header = {"format": FORMAT, "version": VERSION, "cores": len(images.cores)}
    files[MANIFEST] = _json({**header, **manifest, "files": sums})
    try:
        write_folder_whole(path, files, replace=overwrite)
    except OSError as reason:
        if reason.errno in (errno.ENOTEMPTY, errno.EEXIST):
            # Another process wrote there meanwhile.
            refuse_taken(path, overwrite=False)
        raise


def is_deployment(path: Path) -> bool:
    """Whether a folder has the manifest of a deployment, whole or not."""
    manifest = path / MANIFEST
    return manifest.is_file() and FORMAT in manifest.read_text("utf-8", "replace")


def refuse_taken(path: Path, *, overwrite: bool) -> None:
    """Raise `BurstchipError` BC413 where a folder must not be replaced."""
    if not path.is_dir() or not any(path.iterdir()):
        return
    ours = is_deployment(path)
    if ours and overwrite:
        return
    raise BurstchipError(
        Diagnostic(
            "BC413",
            f"folder '{path}' holds {'another deployment' if ours else 'something else'}",
            required="an empty or new folder",
            given=f"one with {', '.join(sorted(entry.name for entry in path.iterdir())[:3])}",
            hint="--overwrite replaces it" if ours else "name another folder",
        )
    )


def damaged(path: Path, given: str) -> BurstchipError:
    """BC411: the folder holds what `deploy` did not write."""
    return BurstchipError(
        Diagnostic(
            "BC411",
            f"deployment '{path}' is damaged",
            required="the files as `burstchip deploy` wrote them",
            given=given,
            hint="deploy the artifact again",
        )
    )


def _decoded(path: Path, name: str, data: bytes, content: type[_Content]) -> _Content:
    try:
        return msgspec.json.decode(data, type=content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as reason:
        raise damaged(path, f"{name}: {reason}") from None


def _manifest(path: Path) -> Manifest:
    try:
        data = (path / MANIFEST).read_bytes()
        head = msgspec.json.decode(data, type=Head)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BurstchipError(
            Diagnostic(
                "BC410",
                f"'{path}' is not a deployment",
                required="a folder that `burstchip deploy --dry-run` wrote",
                given=f"{MANIFEST} is missing or belongs to something else",
            )
        ) from None
    if head.version != VERSION:
        newer = head.version > VERSION
        update = "update burstchip, or deploy with this version"
        raise BurstchipError(
            Diagnostic(
                "BC412",
                f"deployment '{path}' has {'a newer' if newer else 'an older'} format",
                required=f"format version {VERSION}",
                given=f"version {head.version}",
                hint=update if newer else "deploy the artifact again",
            )
        )
    return _decoded(path, MANIFEST, data, Manifest)


def read_folder(path: Path) -> Folder:
    """The images of a folder as they are, changed files included.

    Raises `BurstchipError`: BC410 for no deployment, BC412 for another version's, BC411 where files are
    missing, are not what `folder_schema.py` describes, or name what is not there.
    """
    manifest = _manifest(path)
    altered: list[str] = []

    def read(name: str) -> bytes:
        try:
            data = (path / name).read_bytes()
        except OSError as reason:
            raise damaged(path, f"{name}: {reason.strerror}") from None
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            altered.append(name)
        return data

    def pair(core: int, content: type[_Content]) -> tuple[_Content, Tensors]:
        tensors, table = f"{file_name(core)}.safetensors", f"{file_name(core)}.json"
        return _decoded(path, table, read(table), content), _tensors(path, tensors, read(tensors))

    cores = tuple(CoreFiles(*pair(core, CoreTable)) for core in range(manifest.cores))
    folder = Folder(path, manifest, cores, HostFiles(*pair(HOST, HostTable)), tuple(altered))
    try:
        check_folder(manifest, cores, folder.host)
    except ValueError as reason:
        raise damaged(path, str(reason)) from None
    return folder


def _tensors(path: Path, name: str, data: bytes) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise damaged(path, f"{name}: {type(reason).__name__}: {reason}") from None
