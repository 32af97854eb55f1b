"""netCDF files that burstchip need not have written: opened, and refused where an array cannot be real."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from burstchip.files.hdf5_heap import can_hold, has_endless_heap
from compiler.machine_memory import as_bytes, available_memory

if TYPE_CHECKING:
    import xarray as xr

#: HDF5 and its readers raise whatever a damaged byte leads them to.
DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    AttributeError,
    IndexError,
    OverflowError,
    NotImplementedError,
    RecursionError,
)
#: Bytes of a number while it is looked at, beside those that it is stored in.
_WORKING = 8


@contextmanager
def open_netcdf(path: Path) -> Iterator[xr.Dataset]:
    """A netCDF file, whose arrays are read when they are used.

    Raises one of `DAMAGED` where it cannot be read, where its arrays are larger than the file can hold or
    memory has room for, and where the library warns of it.
    """
    import h5py
    import xarray as xr

    with warnings.catch_warnings():
        # A file of ours gives none; of another one what the library guesses is not what was meant.
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        try:
            size = path.stat().st_size
            if size and has_endless_heap(path):
                raise ValueError("a heap whose free space has no length")
            with h5py.File(path, "r") as file:
                # Opens each object: of a damaged one h5netcdf prints that it cannot close what is not open.
                file.visititems(lambda _, __: None)
            with xr.open_dataset(path, engine="h5netcdf", phony_dims="access") as dataset:
                _require_real(dataset, size)
                yield dataset
        except (UserWarning, RuntimeWarning) as warned:
            raise ValueError(str(warned)) from None


def read_netcdf(path: Path) -> xr.Dataset:
    """All of a netCDF file. Raises as `open_netcdf` does."""
    with open_netcdf(path) as dataset:
        return dataset.load()


def _require_real(dataset: xr.Dataset, file_bytes: int) -> None:
    if unread := sorted(str(name) for name, it in dataset.variables.items() if it.dtype.kind in "cV"):
        raise ValueError(f"'{unread[0]}' does not hold real numbers")
    sizes = [(it.size, it.dtype.itemsize) for it in dataset.variables.values()]
    unpacked = sum(size * each for size, each in sizes)
    if not can_hold(file_bytes, unpacked):
        raise ValueError(f"arrays of {as_bytes(unpacked)} in a file of {as_bytes(file_bytes)}")
    needed, available = sum(size * (each + _WORKING) for size, each in sizes), available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"arrays that take {as_bytes(needed)} to read, of which {as_bytes(available)} are free"
        )
