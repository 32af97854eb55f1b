"""Tables: IDX, npy, npz and CSV."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path
from random import Random

import numpy as np

from fuzzing.arrays import alter_arrays

CELLS = (
    "",
    " ",
    "nan",
    "inf",
    "-1",
    "1e999",
    "1e308",
    "0x10",
    "abc",
    "1.5",
    "99999999999999999999",
    "é",
    '"1"',
    "1;2",
    "#",
    "--1",
    "1_0",
    "\t1",
    "2147483647",
    "2147483648",
)


def alter_csv(path: Path, draw: Random) -> str:
    """Change a cell, a row or the separators of a text table."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    row = draw.randrange(len(lines))
    cells = lines[row].split(",")
    how = draw.choice(
        ("cell", "cell", "cell", "drop", "double", "more", "fewer", "separator", "long", "bom", "turn")
    )
    if how == "cell":
        cells[draw.randrange(len(cells))] = draw.choice(CELLS)
    elif how == "more":
        cells.append(draw.choice(CELLS))
    elif how == "fewer":
        cells.pop()
    elif how == "separator":
        cells = [draw.choice((";", "\t", " ", ",,")).join(cells)]
    elif how == "turn":
        cells.reverse()
    lines[row] = ",".join(cells)
    if how == "drop":
        del lines[row]
    elif how == "double":
        lines[row:row] = [lines[row]] * draw.choice((1, 2, 1000))
    elif how == "long":
        lines[row] = ",".join([lines[row]] * 2000)
    end = draw.choice(("\n", "\n", "\r\n", "\r"))
    text = ("\ufeff" if how == "bom" else "") + end.join(lines) + end
    path.write_bytes(text.encode("utf-8", "replace"))
    return f"row {row} {how}"


def alter_npy(path: Path, draw: Random) -> str:
    """Change an array, or what its header says of it."""
    if draw.random() < 0.5:
        arrays = {"array": np.load(path, allow_pickle=False)}
        said = alter_arrays(arrays, draw)
        np.save(path, arrays.get("array", np.zeros(0)))
        return said
    data, said = _header(path.read_bytes(), draw)
    path.write_bytes(data)
    return said


def _header(data: bytes, draw: Random) -> tuple[bytes, str]:
    """The same array under a header that says something else."""
    (length,) = struct.unpack("<H", data[8:10])
    header = data[10 : 10 + length].decode("latin1")
    old, new = draw.choice(
        (
            ("'descr': '", "'descr': '>"),
            ("<f8", "|O"),
            ("<f8", "<U9999999"),
            ("<f8", "|V8"),
            ("<i8", "<M8[s]"),
            ("<f8", "<i2"),
            ("(", "(99999999999, "),
            ("(", "(-1, "),
            ("(", "(" * 50),
            ("False", "True"),
            ("{", "{'x': 1, "),
            ("shape", "shap"),
            ("(", "(0, "),
            ("}", "} + 1"),
            ("'", '"'),
            ("(", "(1.5, "),
            ("<f8", "<f16"),
            ("(", "(10**9, "),
            ("(", "(2**62, 4, "),
            ("False", "None"),
        )
    )
    text = header.replace(old, new, 1).encode("latin1")
    return data[:8] + struct.pack("<H", len(text) & 0xFFFF) + text + data[
        10 + length :
    ], f"header: {old} {new}"


def alter_npz(path: Path, draw: Random) -> str:
    """Change an array of an archive, or the archive."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    how = draw.choice(("array", "array", "array", "header", "member", "bomb", "twice", "folder"))
    if how == "array":
        with np.load(path, allow_pickle=False) as loaded:
            arrays = dict(loaded)
        said = alter_arrays(arrays, draw)
        np.savez(path, **arrays)
        return said
    name = draw.choice(sorted(members))
    said = f"{name} {how}"
    if how == "header":
        members[name], said = _header(members[name], draw)
    elif how == "member":
        members[draw.choice(("x.npy", "../x.npy", "/tmp/x", "z.npy", "x.txt"))] = members.pop(name)
    elif how == "bomb":
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            buffer, {"descr": "<f8", "fortran_order": False, "shape": (1 << 22, 1)}
        )
        members[name] = buffer.getvalue() + bytes(8 << 22)
    elif how == "folder":
        members[f"{name}/"] = b""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        if how == "twice":
            archive.writestr(zipfile.ZipInfo(name), members[name][:-1])
    return said


def alter_idx(path: Path, draw: Random) -> str:
    """Change the header of an IDX file, or pack it."""
    data = bytearray(path.read_bytes())
    how = draw.choice(("type", "dimensions", "size", "size", "gzip", "half gzip", "bomb", "label"))
    if how == "type":
        data[2] = draw.choice((0, 8, 9, 11, 12, 13, 14, 255))
    elif how == "dimensions":
        data[3] = draw.choice((0, 1, 2, 3, 4, 255))
    elif how == "size":
        at = 4 * draw.randrange(1, 1 + max(1, data[3] % 4))
        data[at : at + 4] = struct.pack(
            ">I", draw.choice((0, 1, 2, 27, 28, 29, 1 << 16, 1 << 30, 1 << 31, (1 << 32) - 1))
        )
    elif how == "gzip":
        data = bytearray(gzip.compress(bytes(data), mtime=0))
    elif how == "half gzip":
        data = bytearray(gzip.compress(bytes(data), mtime=0)[: -draw.randrange(1, 12)])
    elif how == "bomb":
        data = bytearray(gzip.compress(bytes(data) + bytes(1 << 24), mtime=0))
    else:
        data[-draw.randrange(1, 1 + min(8, len(data)))] = 200
    path.write_bytes(bytes(data))
    return how
