"""Files that appear whole or not at all: every writer goes through here.

What is under way lies in a hidden folder beside its place, `.NAME.RANDOM.part`. Its writer holds a lock on
it, which the system releases when the process ends, however it ends; the next writer there removes the
folders that are not locked. Where the file system has no locks, or the system (Windows) others, they stay.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".part"
#: Characters of a name that a hidden folder's own name repeats: together they must not exceed a file name.
_NAME_CHARACTERS = 60
#: The earlier folder, while another one takes its place.
_EARLIER = "earlier"


def _lock(descriptor: int) -> bool | None:
    """Whether the lock could be had; None where the file system has none."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _open_folder(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0))


@contextmanager
def only_writer(folder: Path) -> Iterator[bool]:
    """Hold a folder that exists, as one process can at a time: whether it is held. Raises OSError."""
    if sys.platform == "win32":
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Without locks nobody can be told from nobody.
        yield _lock(descriptor) is not False
    finally:
        os.close(descriptor)


def _prefix(path: Path) -> str:
    return f".{path.name[:_NAME_CHARACTERS]}."


def _remove_left(path: Path) -> None:
    """Remove what writers of `path` that have ended left beside it."""
    if sys.platform == "win32":
        return
    left: list[Path] = []
    # A folder that may be written to need not be one whose entries may be read.
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            ours = entry.name.startswith(_prefix(path)) and entry.name.endswith(_SUFFIX)
            if ours and entry.is_dir(follow_symlinks=False):
                left.append(Path(entry.path))
    for folder in left:
        with suppress(OSError):
            descriptor = _open_folder(folder)
            try:
                if _lock(descriptor):
                    # The writer ended between the two steps that set a folder in another's place.
                    if (folder / _EARLIER).exists() and not path.exists():
                        (folder / _EARLIER).rename(path)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextmanager
def under_way(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path`, in the same file system, that is gone afterwards. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path)
    while True:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path), suffix=_SUFFIX))
        descriptor = None
        if sys.platform == "win32":
            break
        # Another writer may take the folder for one that was left, until it is locked.
        with suppress(FileNotFoundError):
            descriptor = _open_folder(folder)
            if _lock(descriptor) is not False and folder.exists():
                break
        if descriptor is not None:
            os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a reader never sees half of it. Raises OSError."""
    write_all_whole({path: data})


def write_all_whole(files: Mapping[Path, bytes]) -> None:
    """Write files, each whole; none is replaced before there was room for all. Raises OSError."""
    if not files:
        return
    with under_way(next(iter(files))) as folder:
        made = {path: folder / str(number) for number, path in enumerate(files)}
        for path, part in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(part, files[path])
        for path, part in made.items():
            os.replace(part, path)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all. Raises FileExistsError, OSError."""
    with under_way(path) as folder:
        part = folder / "0"
        _write(part, data)
        try:
            # Unlike a renaming this never replaces: of two that write at once one is refused.
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links.
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            os.replace(part, path)


def write_folder_whole(path: Path, files: Mapping[str, bytes], *, replace: bool) -> None:
    """Write a folder whole or not at all, over an empty one, or any with `replace`. Raises OSError."""
    with under_way(path) as folder:
        made = folder / "new"
        made.mkdir()
        for name, data in files.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            _write(made / name, data)
        if replace and path.exists():
            path.rename(folder / _EARLIER)
        try:
            made.rename(path)
        except OSError:
            if (folder / _EARLIER).exists():
                (folder / _EARLIER).rename(path)
            raise
