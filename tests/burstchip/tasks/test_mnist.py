from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from burstchip.tasks.datasets import load_dataset
from hw_models.diagnostics import BurstchipError

Write = Callable[..., Path]
TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"


def refusal(data_dir: Path | None) -> BurstchipError:
    with pytest.raises(BurstchipError) as caught:
        load_dataset("mnist", data_dir=data_dir)
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.required
        assert diagnostic.given
    return caught.value


@pytest.mark.usefixtures("synthetic_is_official")
@pytest.mark.parametrize("zipped", [True, False])
def test_gzipped_and_plain_files_are_the_same(
    write: Write, contents: dict[str, bytes], tmp_path: Path, zipped: bool
) -> None:
    dataset = load_dataset("mnist", data_dir=write(tmp_path / "data", zipped=zipped))
    assert dataset.train_images.shape == (20, 12)
    assert dataset.test_images.shape == (10, 12)
    assert dataset.shape == (4, 3)
    assert dataset.maximum == 255
    assert dataset.train_images.tobytes() == contents[TRAIN_IMAGES][16:]
    assert dataset.train_labels.tolist() == list(contents[TRAIN_LABELS][8:])
    assert dataset.train_labels.dtype == np.int64
    assert dataset.diagnostics == ()


@pytest.mark.usefixtures("synthetic_is_official")
def test_the_option_comes_before_the_environment_and_that_before_the_cache(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "cache" / "mnist")
    assert len(load_dataset("mnist").train_images) == 20
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("BURSTCHIP_DATA", str(empty))
    assert refusal(None).diagnostics[0].id == "BC520"
    assert len(load_dataset("mnist", data_dir=write(tmp_path / "data")).train_images) == 20


@pytest.mark.usefixtures("synthetic_is_official")
def test_a_subfolder_and_dotted_names_are_found(write: Write, tmp_path: Path) -> None:
    folder = write(tmp_path / "data" / "mnist", zipped=False)
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(load_dataset("mnist", data_dir=tmp_path / "data").train_images) == 20


def test_other_valid_files_in_a_named_folder_are_accepted_with_a_warning(
    write: Write, tmp_path: Path
) -> None:
    dataset = load_dataset("mnist", data_dir=write(tmp_path / "data"))
    assert [diagnostic.id for diagnostic in dataset.diagnostics] == ["BC524"] * 4
    assert {diagnostic.severity for diagnostic in dataset.diagnostics} == {"warning"}
    first = dataset.diagnostics[0]
    assert first.message == (
        f"'{tmp_path}/data/{TRAIN_IMAGES}.gz' is a valid IDX file but not the official MNIST file"
    )
    assert first.required == (
        "content with SHA-256 ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    )
    assert first.hint == "results are not comparable with those on MNIST"


def test_other_valid_files_in_the_cache_are_refused(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "cache" / "mnist")
    error = refusal(None)
    assert [diagnostic.id for diagnostic in error.diagnostics] == ["BC524"]
    assert error.diagnostics[0].severity == "error"


def test_missing_files_are_named_together(write: Write, tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    (folder / f"{TRAIN_LABELS}.gz").unlink()
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    assert str(refusal(folder)) == (
        f"error[BC520]: MNIST is not complete in '{folder}'\n"
        "  required: train-labels-idx1-ubyte[.gz], t10k-images-idx3-ubyte[.gz]    given: no such files    "
        "hint: name the folder that holds all four files, gzipped or plain"
    )


def test_nothing_is_fetched_unless_allowed(tmp_path: Path) -> None:
    error = refusal(None)
    assert error.diagnostics[0].id == "BC520"
    assert error.diagnostics[0].hint == (
        "name a folder by --data DIR or BURSTCHIP_DATA, or let `burstchip train` fetch the files"
    )
    assert not (tmp_path / "cache").exists()


def test_a_data_folder_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(refusal(tmp_path / "no")) == (
        "error[BC527]: the data folder is not a folder\n"
        "  required: an existing folder with the four MNIST files, gzipped or plain    "
        f"given: '{tmp_path}/no', which does not exist"
    )
    file = tmp_path / "file"
    file.write_bytes(b"")
    monkeypatch.setenv("BURSTCHIP_DATA", str(file))
    assert str(refusal(None)).startswith("error[BC527]: the data folder in BURSTCHIP_DATA is not a folder\n")


def test_every_damaged_file_is_named_in_one_go(
    write: Write, contents: dict[str, bytes], tmp_path: Path
) -> None:
    folder = write(tmp_path / "data", zipped=False)
    (folder / TRAIN_IMAGES).write_bytes(contents[TRAIN_IMAGES][:-1])
    (folder / TRAIN_LABELS).write_bytes(b"")
    packed = gzip.compress(contents["t10k-images-idx3-ubyte"])
    (folder / "t10k-images-idx3-ubyte").write_bytes(packed[: len(packed) // 2])
    (folder / "t10k-labels-idx1-ubyte").unlink()
    error = refusal(folder)
    assert sorted(diagnostic.id for diagnostic in error.diagnostics) == ["BC520", "BC521", "BC522", "BC523"]


@pytest.mark.usefixtures("synthetic_is_official")
def test_images_and_labels_must_fit_together(
    write: Write, contents: dict[str, bytes], tmp_path: Path
) -> None:
    folder = write(tmp_path / "data", zipped=False)
    (folder / TRAIN_LABELS).write_bytes(contents["t10k-labels-idx1-ubyte"])
    labels = bytearray(contents["t10k-labels-idx1-ubyte"])
    labels[-1] = 11
    (folder / "t10k-labels-idx1-ubyte").write_bytes(bytes(labels))
    images = bytearray(contents["t10k-images-idx3-ubyte"])
    images[11], images[15] = 3, 4
    (folder / "t10k-images-idx3-ubyte").write_bytes(bytes(images))
    assert str(refusal(folder)) == (
        "error[BC526]: the training set needs one label for each image\n"
        "  required: as many labels as images    given: 20 images, 10 labels\n"
        "error[BC526]: the test set has a label that is not a class\n"
        "  required: labels from 0 to 9    given: label 11 at index 9\n"
        "error[BC526]: training and test images differ in size\n"
        "  required: one size for all images    given: 4 x 3 and 3 x 4 pixels"
    )


def test_a_split_is_not_read(write: Write, tmp_path: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        load_dataset("mnist", split=3, data_dir=write(tmp_path / "data"))
    assert caught.value.diagnostics[0].id == "BC529"


def test_the_official_files(mnist_folder: Path) -> None:
    dataset = load_dataset("mnist", data_dir=mnist_folder)
    assert dataset.diagnostics == ()
    assert dataset.train_images.shape == (60_000, 784)
    assert dataset.test_images.shape == (10_000, 784)
    assert dataset.shape == (28, 28)
    assert dataset.train_labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
