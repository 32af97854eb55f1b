"""MNIST (LeCun, Cortes, Burges): four IDX files of 28 x 28 grey images and their labels.

Looked for, first match wins, in: the folder that the caller gives; the folder that the environment
variable `BURSTCHIP_DATA` names; `mnist/` in the cache folder. A given folder may hold the files itself or
in a subfolder `mnist/`. The files may be gzipped or plain. Only the cache folder is ever written to.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.cache_folder import cache_folder
from burstchip.tasks.dataset import MAXIMUM, Dataset, FetchProgress
from burstchip.tasks.download import fetch_file
from burstchip.tasks.idx import IdxArray, read_idx
from hw_models.diagnostics import BurstchipError, Diagnostic

N_CLASSES = 10
ENVIRONMENT_VARIABLE = "BURSTCHIP_DATA"

#: Public mirrors of the original files, which their first host no longer serves.
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)


@dataclass(frozen=True)
class MnistFile:
    """One of the four files: its name when plain, its dimensions, the SHA-256 of the official content.

    The checksum is that of the unpacked file: gzip files with the same content differ from packer to packer.
    """

    name: str
    dimensions: int
    sha256: str


FILES = (
    MnistFile(
        "train-images-idx3-ubyte", 3, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    MnistFile(
        "train-labels-idx1-ubyte", 1, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    MnistFile(
        "t10k-images-idx3-ubyte", 3, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    MnistFile(
        "t10k-labels-idx1-ubyte", 1, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
)


def load_mnist(data_dir: Path | None, *, download: bool, progress: FetchProgress | None = None) -> Dataset:
    """The training and test set, in the order of the files.

    Files in a folder that the user named need not be the official ones; a warning (BC524) then says so.
    Files in the cache folder must be, and are fetched (again) where `download` allows it.
    Raises `BurstchipError` (BC520 to BC527) for files that are missing, damaged or do not fit together.
    """
    named = _named_folder(data_dir)
    if named is not None:
        arrays, diagnostics = _read_named(named)
    else:
        arrays, diagnostics = _read_cache(cache_folder() / "mnist", download, progress)
    train_images, train_labels, test_images, test_labels = (array.values for array in arrays)
    problems = [
        *_mismatch("training", train_images, train_labels),
        *_mismatch("test", test_images, test_labels),
    ]
    if train_images.shape[1:] != test_images.shape[1:]:
        problems.append(
            Diagnostic(
                id="BC526",
                message="training and test images differ in size",
                required="one size for all images",
                given=f"{_size(train_images)} and {_size(test_images)} pixels",
            )
        )
    if problems:
        raise BurstchipError(problems)
    return Dataset(
        name="mnist",
        train_images=train_images.reshape(len(train_images), -1),
        train_labels=train_labels.astype(np.int64),
        test_images=test_images.reshape(len(test_images), -1),
        test_labels=test_labels.astype(np.int64),
        shape=(int(train_images.shape[1]), int(train_images.shape[2])),
        maximum=MAXIMUM["mnist"],
        n_classes=N_CLASSES,
        diagnostics=diagnostics,
    )


def mnist_folder(data_dir: Path | None = None) -> Path:
    """The folder in which `load_mnist` looks; it need not exist. Raises `BurstchipError` (BC527)."""
    return _named_folder(data_dir) or cache_folder() / "mnist"


def _named_folder(data_dir: Path | None) -> Path | None:
    """The folder that the user named, checked to be one, or None when none was named."""
    source = "the data folder"
    if data_dir is None:
        variable = os.environ.get(ENVIRONMENT_VARIABLE)
        if not variable:
            return None
        data_dir = Path(variable)
        source = f"the data folder in {ENVIRONMENT_VARIABLE}"
    if not data_dir.is_dir():
        raise BurstchipError(
            Diagnostic(
                id="BC527",
                message=f"{source} is not a folder",
                required="an existing folder with the four MNIST files, gzipped or plain",
                given=f"'{data_dir}'" + ("" if data_dir.exists() else ", which does not exist"),
            )
        )
    inner = data_dir / "mnist"
    return inner if not any(_find(data_dir, file) for file in FILES) and inner.is_dir() else data_dir


def _find(folder: Path, file: MnistFile) -> Path | None:
    """The file in `folder` under its own name or the variant with a dot, plain or gzipped."""
    dotted = file.name.replace("-idx", ".idx")
    candidates = (folder / f"{stem}{suffix}" for stem in (file.name, dotted) for suffix in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _read(path: Path, file: MnistFile) -> IdxArray:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BurstchipError(
            Diagnostic(
                id="BC521",
                message=f"'{path}' cannot be read",
                required="a file that can be read",
                given=str(error),
            )
        ) from error
    return read_idx(content, file.dimensions, f"'{path}'")


def _not_official(source: str, file: MnistFile, array: IdxArray, *, error: bool) -> Diagnostic:
    return Diagnostic(
        id="BC524",
        severity="error" if error else "warning",
        message=f"{source} is a valid IDX file but not the official MNIST file",
        required=f"content with SHA-256 {file.sha256}",
        given=array.sha256,
        hint=None if error else "results are not comparable with those on MNIST",
    )


def _missing(folder: Path, files: list[MnistFile], hint: str) -> Diagnostic:
    return Diagnostic(
        id="BC520",
        message=f"MNIST is not complete in '{folder}'",
        required=", ".join(f"{file.name}[.gz]" for file in files),
        given="no such file" if len(files) == 1 else "no such files",
        hint=hint,
    )


def _read_named(folder: Path) -> tuple[list[IdxArray], tuple[Diagnostic, ...]]:
    paths = [_find(folder, file) for file in FILES]
    problems = []
    absent = [file for file, path in zip(FILES, paths, strict=True) if path is None]
    if absent:
        problems.append(
            _missing(folder, absent, "name the folder that holds all four files, gzipped or plain")
        )
    arrays = []
    warnings = []
    for file, path in zip(FILES, paths, strict=True):
        if path is None:
            continue
        try:
            array = _read(path, file)
        except BurstchipError as error:
            problems.extend(error.diagnostics)
            continue
        arrays.append(array)
        if array.sha256 != file.sha256:
            warnings.append(_not_official(f"'{path}'", file, array, error=False))
    if problems:
        raise BurstchipError(problems)
    return arrays, tuple(warnings)


def _read_cache(
    folder: Path, download: bool, progress: FetchProgress | None
) -> tuple[list[IdxArray], tuple[Diagnostic, ...]]:
    arrays = []
    warnings = []
    absent = [file for file in FILES if _find(folder, file) is None]
    if absent and not download:
        hint = "name a folder by --data DIR or BURSTCHIP_DATA, or let `burstchip train` fetch the files"
        raise BurstchipError(_missing(folder, absent, hint))
    for file in FILES:
        path = _find(folder, file)
        if path is not None:
            try:
                arrays.append(_official(_read(path, file), file, f"'{path}'"))
                continue
            except BurstchipError as error:
                if not download:
                    raise
                # A damaged cache repairs itself, but not in silence.
                warnings.append(_fetched_again(error.diagnostics[0]))
        target = folder / f"{file.name}.gz"
        fetch_file(target.name, MIRRORS, target, partial(_verify, file=file), progress)
        if path is not None and path != target:
            path.unlink()
        arrays.append(_official(_read(target, file), file, f"'{target}'"))
    return arrays, tuple(warnings)


def _official(array: IdxArray, file: MnistFile, source: str) -> IdxArray:
    """`array` itself; raises BC524 when it is not the official content of `file`."""
    if array.sha256 != file.sha256:
        raise BurstchipError(_not_official(source, file, array, error=True))
    return array


def _verify(content: bytes, file: MnistFile) -> None:
    source = "the answer"
    _official(read_idx(content, file.dimensions, source), file, source)


def _fetched_again(problem: Diagnostic) -> Diagnostic:
    return Diagnostic(
        id=problem.id,
        severity="warning",
        message=f"{problem.message}; the file was fetched again",
        required=problem.required,
        given=problem.given,
    )


def _size(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[1]} x {images.shape[2]}"


def _mismatch(which: str, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[Diagnostic]:
    problems = []
    if len(images) != len(labels):
        problems.append(
            Diagnostic(
                id="BC526",
                message=f"the {which} set needs one label for each image",
                required="as many labels as images",
                given=f"{len(images):,} images, {len(labels):,} labels",
            )
        )
    if labels.max() >= N_CLASSES:
        problems.append(
            Diagnostic(
                id="BC526",
                message=f"the {which} set has a label that is not a class",
                required=f"labels from 0 to {N_CLASSES - 1}",
                given=f"label {labels.max()} at index {int(np.argmax(labels >= N_CLASSES))}",
            )
        )
    return problems
