"""The command line imports numba without scipy's linear algebra, and leaves nothing of that behind."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from burstchip.cli.lean_numba import import_numba_without_scipy
import_numba_without_scipy()
assert "numba.np.arraymath" in sys.modules
assert "scipy.linalg" not in sys.modules
import scipy.linalg.cython_blas
"""


def test_numba_comes_without_scipy_linalg_which_can_be_imported_afterwards() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True)
