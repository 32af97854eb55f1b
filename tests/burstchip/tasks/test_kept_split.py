from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from burstchip.tasks import digits, kept_split
from burstchip.tasks.dataset import Dataset
from burstchip.tasks.datasets import load_dataset


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "splits"


def _equal(one: Dataset, other: Dataset) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        and getattr(getattr(one, field.name), "dtype", None)
        == getattr(getattr(other, field.name), "dtype", None)
        for field in fields(Dataset)
    )


def test_a_kept_split_is_the_drawn_one(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = load_dataset("digits", split=3)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(digits, "_draw", lambda split: pytest.fail("drawn again"))
    assert _equal(load_dataset("digits", split=3), drawn)


def test_a_kept_split_needs_no_scikit_learn(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_dataset("digits", split=1)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    load_dataset("digits", split=1)
    with pytest.raises(ImportError):
        load_dataset("digits", split=2)


@pytest.mark.parametrize("damage", [lambda b: b[:1000], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_damaged_one_is_drawn_again(damage, cache: Path) -> None:
    drawn = load_dataset("digits", split=0)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert kept_split.kept_split("digits", 0) is None
    assert _equal(load_dataset("digits", split=0), drawn)
    assert path.read_bytes() == whole


def test_one_of_other_versions_is_not_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_dataset("digits", split=0)
    monkeypatch.setattr(kept_split, "version", lambda package: "9.9")
    assert kept_split.kept_split("digits", 0) is None


def test_a_cache_that_cannot_be_written_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "file" / "cache"))
    assert load_dataset("digits", split=0).train_images.shape == (1437, 64)
