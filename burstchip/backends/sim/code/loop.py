"""The compilation of a generated loop: arrays in different arguments never overlap.

Without that promise LLVM guards a loop over many arrays with so many overlap checks that it gives up on
vector instructions. Importing this imports numba.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from numba import njit, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.extending import intrinsic

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


@intrinsic  # type: ignore[untyped-decorator]
def longest_vectors(typing):  # type: ignore[no-untyped-def]
    """Let LLVM use the longest vectors that the processor has in the function that calls this.

    Where a processor is said to slow down with those of 512 bits LLVM takes half of them by itself.
    """

    def emit(context, builder, _, __):  # type: ignore[no-untyped-def]
        # llvmlite checks names in its own `add`, and knows only those of attributes without a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), emit
