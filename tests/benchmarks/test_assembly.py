from __future__ import annotations

from benchmarks.profiling.assembly import Counts, hot_loop, innermost_loops

VECTORS = """\
sum:
\ttestq\t%rsi, %rsi
\tjle\t.LBB0_4
\txorl\t%eax, %eax
.LBB0_2:
\tvpaddd\t(%rdi,%rax), %ymm0, %ymm0
\tvpaddd\t32(%rdi,%rax), %ymm1, %ymm1
\taddq\t$64, %rax
\tcmpq\t%rsi, %rax
\tjb\t.LBB0_2
.LBB0_3:
\taddl\t(%rdi,%rax), %ecx
\taddq\t$4, %rax
\tjne\t.LBB0_3
.LBB0_4:
\tretq
"""

NESTED = """\
rows:
.LBB0_1:
\tvmovdqu64\t(%rdi), %zmm2
.LBB0_2:
\tvpmullw\t%zmm1, %zmm2, %zmm2
\tdecq\t%rcx
\tjne\t.LBB0_2
\tdecq\t%rdx
\tjne\t.LBB0_1
\tretq
"""

#: A branch inside the loop is laid out behind it and jumps back to its middle, which is no loop of its own.
LAID_OUT_ELSEWHERE = """\
branches:
.LBB0_1:
\tcmpl\t$0, (%rdi)
\tje\t.LBB0_4
.LBB0_2:
\tdecq\t%rcx
\tjne\t.LBB0_1
\tjmp\t.LBB0_5
.LBB0_4:
\tvpxor\t%xmm0, %xmm0, %xmm0
\tjmp\t.LBB0_2
.LBB0_5:
\tretq
"""


def test_loops_are_counted_by_the_width_of_their_registers() -> None:
    assert innermost_loops(VECTORS) == [Counts(ymm=2, other=3), Counts(other=3)]


def test_the_loop_with_most_vector_instructions_is_the_hot_one() -> None:
    assert hot_loop(VECTORS) == Counts(ymm=2, other=3)
    assert hot_loop("straight:\n\tretq\n") == Counts()


def test_only_the_innermost_of_nested_loops_counts() -> None:
    assert innermost_loops(NESTED) == [Counts(zmm=1, other=2)]


def test_a_jump_back_into_a_loop_makes_no_other() -> None:
    assert innermost_loops(LAID_OUT_ELSEWHERE) == [Counts(xmm=1, other=5)]


def test_the_wrappers_of_numba_are_left_out() -> None:
    assert innermost_loops(VECTORS.replace("sum:", "_ZN7cpython3sum:")) == []
    assert len(innermost_loops(VECTORS + NESTED.replace("rows:", "cfunc.rows:"))) == 2
