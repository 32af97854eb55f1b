"""Loads a text as if it were a file, and names the networks that are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burstchip.frontend import LoadResult, load

HERE = Path(__file__).parent

LoadText = Callable[..., LoadResult]


@pytest.fixture
def load_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadText:
    """Load a text that is the file net.yaml in the current folder; other arguments go to `load`."""
    monkeypatch.chdir(tmp_path)

    def loaded(text: str | bytes, *arguments: Any, **options: Any) -> LoadResult:
        data = text.encode() if isinstance(text, str) else text
        Path("net.yaml").write_bytes(data)
        return load("net.yaml", *arguments, **options)

    return loaded


@pytest.fixture(params=sorted((HERE / "valid").glob("*.yaml")), ids=lambda path: path.stem)
def valid_file(request: pytest.FixtureRequest) -> Path:
    """Each network that is right in turn."""
    path: Path = request.param
    return path
