from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from burstchip.tasks import download, mnist
from burstchip.tasks.datasets import load_dataset
from hw_models.diagnostics import BurstchipError

pytestmark = pytest.mark.usefixtures("synthetic_is_official")


@pytest.fixture
def server(contents: dict[str, bytes]) -> Iterator[str]:
    """A mirror on this machine: `/good/` serves the files, `/other/` wrong ones, `/cut/` half of each."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            folder, name = self.path.strip("/").split("/")
            body = gzip.compress(contents[name.removesuffix(".gz")])
            if folder == "other":
                body = gzip.compress(contents["t10k-labels-idx1-ubyte"][:-1] + b"\x05")
            elif folder == "page":
                body = b"<html>please log in</html>"
            elif folder not in ("good", "cut"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if folder == "cut" else body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()
        thread.join()


def unused_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def test_fetched_once_and_then_read_from_the_cache(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (f"{server}/good/",))
    seen: list[tuple[str, int, int]] = []
    fetched = load_dataset("mnist", download=True, progress=lambda *call: seen.append(call))
    assert fetched.diagnostics == ()
    assert {name for name, _, _ in seen} == {f"{file.name}.gz" for file in mnist.FILES}
    assert all(0 < done <= total for _, done, total in seen)
    assert sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir()) == sorted(
        f"{file.name}.gz" for file in mnist.FILES
    )
    monkeypatch.setattr(mnist, "MIRRORS", ())
    cached = load_dataset("mnist")
    assert (cached.train_images == fetched.train_images).all()


def test_the_next_mirror_is_tried_after_every_kind_of_failure(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = (unused_address(), *(f"{server}/{folder}/" for folder in ("missing", "cut", "other", "page")))
    monkeypatch.setattr(mnist, "MIRRORS", (*bad, f"{server}/good/"))
    assert len(load_dataset("mnist", download=True).train_images) == 20


def test_when_all_fail_each_answer_is_told_and_nothing_is_left(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        mnist, "MIRRORS", tuple(f"{server}/{f}/" for f in ("missing", "cut", "other", "page"))
    )
    with pytest.raises(BurstchipError) as caught:
        load_dataset("mnist", download=True)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "BC525"
    assert diagnostic.message == "'train-images-idx3-ubyte.gz' could not be fetched from any mirror"
    assert diagnostic.given is not None
    answers = diagnostic.given.split("; ")
    assert "HTTP Error 404" in answers[0]
    assert "the connection ended after" in answers[1]
    assert "the answer is not an IDX file" in answers[2]
    assert "the answer is not an IDX file" in answers[3]
    assert not (tmp_path / "cache").exists()


def test_an_answer_without_end_is_cut_off(
    server: str, monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes]
) -> None:
    monkeypatch.setattr(download, "GREATEST_BYTES", 10)
    monkeypatch.setattr(mnist, "MIRRORS", (f"{server}/good/",))
    with pytest.raises(BurstchipError, match="the answer is longer than 10 bytes"):
        load_dataset("mnist", download=True)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_damaged_cache_repairs_itself_with_a_warning(
    server: str, write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    folder = write(tmp_path / "cache" / "mnist", zipped=zipped)
    damaged = folder / ("t10k-labels-idx1-ubyte" + (".gz" if zipped else ""))
    damaged.write_bytes(damaged.read_bytes()[:-3])
    with pytest.raises(BurstchipError):
        load_dataset("mnist")
    monkeypatch.setattr(mnist, "MIRRORS", (f"{server}/good/",))
    dataset = load_dataset("mnist", download=True)
    (warning,) = dataset.diagnostics
    assert warning.severity == "warning"
    assert warning.message.endswith("; the file was fetched again")
    assert load_dataset("mnist").diagnostics == ()


def test_a_cache_that_cannot_be_written(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (f"{server}/good/",))
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(BurstchipError) as caught:
        load_dataset("mnist", download=True)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "BC527"
    assert diagnostic.hint == "choose another cache folder with the environment variable BURSTCHIP_CACHE"
