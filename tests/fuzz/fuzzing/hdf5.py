"""HDF5 files, recordings and NIR among them: an array, its type, an attribute, a name or a link changed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from fuzzing.arrays import alter_arrays
from fuzzing.values import VALUES

WAYS = (
    "array",
    "array",
    "array",
    "array",
    "attribute",
    "attribute",
    "drop",
    "name",
    "link",
    "text",
    "huge",
    "group",
    "compound",
)


def alter_hdf5(path: Path, draw: Random) -> str:
    """Change one object of an HDF5 file."""
    with h5py.File(path, "a") as file:
        found: list[str] = []
        # Links that lead nowhere, or in circles, are not followed.
        file.visit(lambda name: found.append(name))
        if not found:
            file["more"] = np.zeros(3)
            return "more added"
        name = draw.choice(sorted(found))
        how = draw.choice(WAYS)
        if how == "attribute":
            return _attribute(file[name] if draw.random() < 0.7 else file, draw)
        if how == "drop":
            del file[name]
        elif how == "name":
            file.move(name, f"{name}{draw.choice(('x', ' ', 'é', '.'))}")
        elif how == "link":
            return _link(file, name, draw)
        else:
            return _content(file, name, how, draw)
        return f"{name} {how}"


def _attribute(it: Any, draw: Random) -> str:
    known = sorted(it.attrs)
    key = (
        draw.choice(known)
        if known and draw.random() < 0.8
        else draw.choice(
            (
                "units",
                "network",
                "_FillValue",
                "scale_factor",
                "calendar",
                "coordinates",
                "DIMENSION_LIST",
                "dtype",
            )
        )
    )
    if key in it.attrs and draw.random() < 0.3:
        del it.attrs[key]
        return f"{it.name}@{key} dropped"
    value = draw.choice(VALUES)
    if isinstance(value, str):
        value = value.replace("\0", "").encode("utf-8", "replace").decode()
    if (
        value is None
        or isinstance(value, dict)
        or (isinstance(value, int) and not -(1 << 63) <= value < 1 << 63)
    ):
        value = draw.choice(
            ("days since 1970-01-01", np.nan, np.int64(7), np.zeros((2, 2)), np.array([b"a", b"b"]))
        )
    if isinstance(value, list):
        value = np.asarray([0.0, 1.0])
    it.attrs[key] = value
    return f"{it.name}@{key} = {str(value)[:30]!r}"


def _link(file: Any, name: str, draw: Random) -> str:
    del file[name]
    kind = draw.choice(("soft", "self", "parent", "external", "absent"))
    if kind == "external":
        file[name] = h5py.ExternalLink(draw.choice(("/dev/zero", "other.h5", "/etc/passwd")), "/")
    elif kind == "parent":
        file[name] = h5py.SoftLink("/")
    else:
        file[name] = h5py.SoftLink(
            f"/{name}" if kind == "self" else "/node/nodes" if kind == "soft" else "/none"
        )
    return f"{name} {kind} link"


def _content(file: Any, name: str, how: str, draw: Random) -> str:
    it = file[name]
    if isinstance(it, h5py.Group) or how == "group":
        del file[name]
        if how == "group":
            file.create_group(name)
        else:
            file[name] = draw.choice((np.zeros(2), 1.0, "text"))
        return f"{name} of another kind"
    kept = dict(it.attrs)
    if how == "array":
        arrays = {name: it[()]}
        said = alter_arrays(arrays, draw)
        value = arrays.get(name)
    elif how == "text":
        value, said = draw.choice(("", "x", "LIF", "NIRGraph", "é", "x" * 3000)), f"{name} text"
    elif how == "compound":
        value, said = np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]), f"{name} compound"
    else:
        return _huge(file, name, draw)
    del file[name]
    if value is not None:
        file[name] = value
        for key, attribute in kept.items():
            if key not in (
                "DIMENSION_LIST",
                "REFERENCE_LIST",
                "CLASS",
                "NAME",
                "_Netcdf4Dimid",
                "_Netcdf4Coordinates",
            ):
                file[name].attrs[key] = attribute
    return said


def _huge(file: Any, name: str, draw: Random) -> str:
    """An array that takes no room in the file, and much more memory than there is."""
    shape = draw.choice(((1 << 40,), (1 << 20, 1 << 20), (1 << 33,), (1 << 28,)))
    del file[name]
    file.create_dataset(
        name, shape, dtype=draw.choice(("f8", "i1")), chunks=tuple(min(side, 1 << 10) for side in shape)
    )
    return f"{name} of shape {shape}"
