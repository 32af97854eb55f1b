"""Fetch one file from the first of several mirrors that has it, whole and verified or not at all."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic

TIMEOUT_S = 20.0
GREATEST_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 16


def fetch_file(
    name: str,
    mirrors: Sequence[str],
    target: Path,
    verify: Callable[[bytes], None],
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Write the file `name` from the first of `mirrors` (addresses ending in `/`) that serves it to `target`.

    `verify` is given the whole content and raises `BurstchipError` when it is not what it should be; the
    next mirror is then tried. `target` appears complete or stays as it was. Raises `BurstchipError`
    (BC525) that says what each mirror answered, or (BC527) when `target` cannot be written.
    """
    refusals = []
    for mirror in mirrors:
        try:
            content = _get(name, mirror + name, progress)
            verify(content)
        except BurstchipError as error:
            refusals.append(f"{mirror}{name}: {error.diagnostics[0].message}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            refusals.append(f"{mirror}{name}: {error}")
        else:
            _keep(target, content)
            return
    raise BurstchipError(
        Diagnostic(
            id="BC525",
            message=f"'{name}' could not be fetched from any mirror",
            required="a network connection to one of the mirrors",
            given="; ".join(refusals),
            hint="give a folder with the files by --data DIR or the environment variable BURSTCHIP_DATA",
        )
    )


def _get(name: str, address: str, progress: Callable[[str, int, int], None] | None) -> bytes:
    chunks = []
    done = 0
    with urllib.request.urlopen(address, timeout=TIMEOUT_S) as response:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(_CHUNK_BYTES):
            chunks.append(chunk)
            done += len(chunk)
            if done > GREATEST_BYTES:
                raise ValueError(f"the answer is longer than {GREATEST_BYTES:,} bytes")
            if progress is not None:
                progress(name, done, total)
    if total and done != total:
        raise ValueError(f"the connection ended after {done:,} of {total:,} bytes")
    return b"".join(chunks)


def _keep(target: Path, content: bytes) -> None:
    try:
        write_whole(target, content)
    except OSError as error:
        raise BurstchipError(
            Diagnostic(
                id="BC527",
                message=f"'{target}' cannot be written",
                required="a folder that can be written to",
                given=str(error),
                hint="choose another cache folder with the environment variable BURSTCHIP_CACHE",
            )
        ) from error
