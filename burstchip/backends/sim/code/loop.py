"""The compilation of a generated loop: arrays in different arguments never overlap.

Without that promise LLVM guards a loop over many arrays with so many overlap checks that it gives up on
vector instructions. Importing this imports numba.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.compiler import CompilerBase, DefaultPassBuilder

Function = TypeVar("Function", bound=Callable[..., Any])


class _WithoutOverlap(CompilerBase):  # type: ignore[misc]
    def define_pipelines(self) -> list[Any]:
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


_OPTIONS: Mapping[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "pipeline_class": _WithoutOverlap,
}


def loop(function: Function) -> Function:
    """Compile a loop over arrays of which no two overlap; division follows numpy, the GIL is released."""
    return cast(Function, njit(**_OPTIONS)(function))


def contracted(function: Function) -> Function:
    """The same where a product may be added without being rounded first, if the processor can do that."""
    return cast(Function, njit(fastmath={"contract"}, **_OPTIONS)(function))
