"""The instructions of a compiled function's innermost loops, counted by the registers that they use.

The text is LLVM's for x86-64, in AT&T's order. A loop is found as a compiler finds it: a jump back to a block
that every way to the jump leads through, and all blocks from which the jump is reached without that one. The
hot loop of a function is taken to be the innermost loop with the most vector instructions, weighed by their
width: LLVM puts short ones beside it, for the elements that are left over. Where the time is really spent,
the text does not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_LABEL = re.compile(r"^([.\w]+):")
_JUMP = re.compile(r"^\tj(\w+)\t(\.\w+)\b")
_END = re.compile(r"^\t(?:ret\w*|ud2|jmp\w*\t\*)")
_INSTRUCTION = re.compile(r"^\t[a-z]\w*\b(.*)")
#: Wrappers for Python's calls, which numba compiles beside the function.
_WRAPPER = re.compile(r"^(?:_ZN7cpython|cfunc\.)")


@dataclass(frozen=True)
class Counts:
    """Instructions of a loop: those on 512, 256 and 128 bits, and the others."""

    zmm: int = 0
    ymm: int = 0
    xmm: int = 0
    other: int = 0

    @property
    def vector(self) -> int:
        """Those on vector registers."""
        return self.zmm + self.ymm + self.xmm


@dataclass
class _Block:
    """Instructions that run one after the other, and the labels of the blocks that may follow."""

    label: str
    lines: list[str] = field(default_factory=list)
    follow: list[str] = field(default_factory=list)


def _functions(assembly: str) -> Iterator[list[_Block]]:
    """The blocks of each function, without wrappers."""
    blocks: list[_Block] = []
    skipped = False
    for line in assembly.splitlines():
        label = _LABEL.match(line)
        if label and not label[1].startswith("."):
            if blocks and not skipped:
                yield blocks
            blocks, skipped = [_Block(label[1])], bool(_WRAPPER.match(label[1]))
        elif blocks and label:
            blocks[-1].follow.append(label[1])
            blocks.append(_Block(label[1]))
        elif blocks and _INSTRUCTION.match(line):
            _add(line, blocks)
    if blocks and not skipped:
        yield blocks


def _add(line: str, blocks: list[_Block]) -> None:
    blocks[-1].lines.append(line)
    jump = _JUMP.match(line)
    if jump:
        blocks[-1].follow.append(jump[2])
    if jump or _END.match(line):
        after = _Block(f"after {len(blocks)}")
        if jump and jump[1] != "mp":
            blocks[-1].follow.append(after.label)
        blocks.append(after)


def _dominators(blocks: list[_Block]) -> dict[str, set[str]]:
    """For each block that can be reached, those that every way to it leads through."""
    before: dict[str, list[str]] = {block.label: [] for block in blocks}
    by_label = {block.label: block for block in blocks}
    reached, waiting = {blocks[0].label}, [blocks[0].label]
    while waiting:
        label = waiting.pop()
        for following in by_label[label].follow:
            if following in by_label:
                before[following].append(label)
                if following not in reached:
                    reached.add(following)
                    waiting.append(following)
    dominators = {label: set(reached) for label in reached}
    dominators[blocks[0].label] = {blocks[0].label}
    changed = True
    while changed:
        changed = False
        for block in blocks[1:]:
            label = block.label
            if label in reached:
                new = {label}.union(set.intersection(*(dominators[p] for p in before[label])))
                changed |= new != dominators[label]
                dominators[label] = new
    return dominators


def _loops(blocks: list[_Block]) -> list[set[str]]:
    """The blocks of each natural loop; loops with one head are one."""
    dominators = _dominators(blocks)
    reached = [block for block in blocks if block.label in dominators]
    bodies: dict[str, set[str]] = {}
    for block in reached:
        for head in block.follow:
            if head in dominators[block.label]:
                body, waiting = bodies.setdefault(head, {head}), [block.label]
                while waiting:
                    label = waiting.pop()
                    if label not in body:
                        body.add(label)
                        waiting += [other.label for other in reached if label in other.follow]
    return list(bodies.values())


def _count(lines: list[str]) -> Counts:
    counts = {"zmm": 0, "ymm": 0, "xmm": 0, "other": 0}
    for line in lines:
        found = _INSTRUCTION.match(line)
        if found:
            counts[next((name for name in counts if f"%{name}" in found[1]), "other")] += 1
    return Counts(**counts)


def innermost_loops(assembly: str) -> list[Counts]:
    """The innermost loops of all functions of a text."""
    found = []
    for blocks in _functions(assembly):
        loops = _loops(blocks)
        for loop in loops:
            if not any(other < loop for other in loops):
                lines = [line for block in blocks if block.label in loop for line in block.lines]
                found.append(_count(lines))
    return found


def hot_loop(assembly: str) -> Counts:
    """The hot loop of a text; zeros where it has no loop."""

    def weight(loop: Counts) -> tuple[int, int]:
        return 4 * loop.zmm + 2 * loop.ymm + loop.xmm, loop.other

    return max(innermost_loops(assembly), key=weight, default=Counts())


def assembly_of(function: Any) -> str:
    """What numba compiled a function to, in all its variants; "" where it was not compiled."""
    return "\n".join(function.inspect_asm().values())
