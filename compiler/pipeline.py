"""The passes in their order, those of other packages among them, a verifier after each, a hook between them.

A package registers a pass by an entry point of the group `burstchip.passes`, whose object is a `Pass`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import Network
from compiler.ir.verify import verify_chip_program, verify_elaborated, verify_network
from compiler.passes.check import check
from compiler.passes.elaborate import elaborate
from compiler.passes.lower import lower
from compiler.passes.lower_functions import lower_functions
from compiler.passes.quantize import quantize
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

ENTRY_POINT_GROUP = "burstchip.passes"

register_codes(
    {
        "BC302": "a package registers a compiler pass that cannot be used",
        "BC303": "a pass of another package breaks the representation",
    }
)


@dataclass(frozen=True)
class Pass:
    """A function from a representation to the same or the next one, which never changes its input.

    `after` names the pass that it directly follows; of several behind one, the first registered comes first.
    """

    name: str
    run: Callable[[Any], Any]
    after: str = ""


#: The compiler's own: Network to Elaborated to ChipProgram.
OWN = (
    Pass("elaborate", elaborate),
    Pass("quantize", quantize, after="elaborate"),
    Pass("lower", lower, after="quantize"),
    Pass("lower_functions", lower_functions, after="lower"),
    Pass("check", check, after="lower_functions"),
)


def ordered(own: Sequence[Pass], added: Sequence[Pass]) -> tuple[Pass, ...]:
    """`own` with each added pass behind the one that it follows. Raises ValueError where it cannot stand."""
    order = list(own)
    for extra in added:
        names = [known.name for known in order]
        if extra.name in names:
            raise ValueError(f"the name '{extra.name}' is taken")
        if extra.after not in names:
            raise ValueError(f"it follows '{extra.after}', one of {', '.join(names)} is required")
        place = names.index(extra.after) + 1
        while place < len(order) and order[place] not in own and order[place].after == extra.after:
            place += 1
        order.insert(place, extra)
    return tuple(order)


@lru_cache(maxsize=1)
def passes() -> tuple[Pass, ...]:
    """All passes in their order. Raises `BurstchipError` BC302 where a package registers something else."""
    order: tuple[Pass, ...] = OWN
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        try:
            found = entry.load()
        except Exception as reason:  # another package's code: whatever goes wrong there is its fault
            raise _unusable(entry, f"fails with {type(reason).__name__}: {reason}") from reason
        if not isinstance(found, Pass) or found.name != entry.name:
            raise _unusable(entry, f"is {found!r}")
        try:
            order = ordered(OWN, [*(known for known in order if known not in OWN), found])
        except ValueError as reason:
            raise _unusable(entry, str(reason)) from None
    return order


def _unusable(entry: EntryPoint, given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC302",
            f"entry point '{entry.name}' of group {ENTRY_POINT_GROUP} cannot be used",
            required="a compiler.pipeline.Pass of the same, not yet taken, name behind a known pass",
            given=f"{entry.value}: {given}",
            hint="fix or uninstall the package that registers it",
        )
    )


def _verify(ir: object) -> None:
    if isinstance(ir, Elaborated):
        verify_elaborated(ir)
    elif isinstance(ir, ChipProgram):
        verify_chip_program(ir)
    else:
        raise AssertionError(f"a {type(ir).__name__} is no representation of the compiler")


def compile_network(network: Network, after: Callable[[str, object], None] | None = None) -> ChipProgram:
    """Run every pass on `network`; `after(name, ir)` is called behind each.

    What was rounded, clipped or assumed stands in the result's `diagnostics`. Raises `BurstchipError` for
    a network that the target cannot hold, BC303 where a pass of another package breaks the representation,
    and `AssertionError` where one of the compiler's own does.
    """
    verify_network(network)
    ir: Any = network
    for step in passes():
        given, ir = ir, step.run(ir)
        try:
            _verify(ir)
            # Only the compiler's own passes lead to the next representation.
            assert step in OWN or type(ir) is type(given), f"a {type(given).__name__} became another kind"
        except AssertionError as reason:
            if step in OWN:
                raise
            raise BurstchipError(
                Diagnostic(
                    "BC303",
                    f"pass '{step.name}' breaks the representation",
                    required="a result that obeys compiler/ir/verify.py",
                    given=str(reason),
                    hint="fix or uninstall the package that registers it",
                )
            ) from reason
        if after is not None:
            after(step.name, ir)
    assert isinstance(ir, ChipProgram)
    return ir
