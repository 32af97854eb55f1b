"""Files appear whole or not at all, and what ended writers left goes, but never what lives."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from compiler import whole_file
from compiler.whole_file import (
    only_writer,
    under_way,
    write_all_whole,
    write_folder_whole,
    write_new,
    write_whole,
)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def killed(path: Path, *, earlier: bool = False) -> None:
    """A process of its own begins to write `path` and is killed."""
    child = os.fork()
    if child == 0:
        with under_way(path) as folder:
            (folder / "half").write_text("half")
            if earlier:
                path.rename(folder / "earlier")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.burst"
    write_whole(path, b"first")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, b"second")
    assert names(tmp_path) == ["net.burst"] and path.read_bytes() == b"first"


def test_no_file_is_replaced_before_there_was_room_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {tmp_path / "page": b"new", tmp_path / "figures" / "a": b"new"}
    write_all_whole(dict.fromkeys(files, b"old"))
    write = whole_file._write

    def full(path: Path, data: bytes) -> None:
        if path.name == "1":
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(whole_file, "_write", full)
    with pytest.raises(OSError, match="No space"):
        write_all_whole(files)
    assert {path.read_bytes() for path in files} == {b"old"} and names(tmp_path) == ["figures", "page"]


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out.nc"
    killed(path)
    assert len(names(tmp_path)) == 1
    write_whole(tmp_path / "other", b"")
    assert len(names(tmp_path)) == 2
    write_whole(path, b"whole")
    assert names(tmp_path) == ["other", "out.nc"]


def test_what_a_living_writer_has_under_way_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.nc"
    with under_way(path) as folder:
        (folder / "half").write_text("half")
        write_whole(path, b"whole")
        assert (folder / "half").exists()
    assert names(tmp_path) == ["out.nc"]


def test_a_file_is_new_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "network.yaml"
    write_new(path, b"first")

    def without_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    for _ in range(2):
        with pytest.raises(FileExistsError):
            write_new(path, b"second")
        monkeypatch.setattr(os, "link", without_links)
    write_new(tmp_path / "other", b"other")
    assert names(tmp_path) == ["network.yaml", "other"] and path.read_bytes() == b"first"


def test_a_folder_that_was_being_replaced_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deployment"
    write_folder_whole(path, {"a": b"first"}, replace=False)
    killed(path, earlier=True)
    assert not path.exists()
    with pytest.raises(OSError, match="not empty"):
        write_folder_whole(path, {"a": b"second"}, replace=False)
    assert names(tmp_path) == ["deployment"] and (path / "a").read_bytes() == b"first"
    write_folder_whole(path, {"a": b"second"}, replace=True)
    assert names(tmp_path) == ["deployment"] and (path / "a").read_bytes() == b"second"


def test_one_process_holds_a_folder(tmp_path: Path) -> None:
    with only_writer(tmp_path) as first, only_writer(tmp_path) as second:
        assert first and not second
    with only_writer(tmp_path) as third:
        assert third


def test_a_long_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"
