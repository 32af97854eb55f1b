"""numba without the part of scipy that a `run` never uses."""

from __future__ import annotations

import sys

#: numba loads it, and with it all of `scipy.linalg`, to multiply matrices in compiled code.
_MATRIX_PRODUCTS = "scipy.linalg.cython_blas"


def import_numba_without_scipy() -> None:
    """Import numba as if scipy were not installed, which takes a tenth less of a short command's time.

    Only for a process of our own: `numpy.cov` is then missing in all that numba compiles in it.
    """
    if "scipy.linalg" in sys.modules or "numba" in sys.modules:
        return
    # None is how Python marks a module that must not be imported.
    sys.modules[_MATRIX_PRODUCTS] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules[_MATRIX_PRODUCTS]
