"""The passes in their order, those of other packages among them, a verifier after each, a hook between them.

A package registers a pass by an entry point of the group `burstchip.passes`, whose object is a `Pass`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.ir.calibration import Calibration
from compiler.ir.certificate import Certificate
from compiler.ir.chip_program import ChipProgram
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import Network
from compiler.ir.partitioned import Partition
from compiler.ir.verify import verify_chip_program, verify_elaborated, verify_network, verify_partition
from compiler.passes.bind import bind
from compiler.passes.calibrate import calibrate
from compiler.passes.certify import certify
from compiler.passes.check import check
from compiler.passes.effects import effects
from compiler.passes.elaborate import elaborate
from compiler.passes.lower import lower
from compiler.passes.lower_functions import lower_functions
from compiler.passes.partition import partition
from compiler.passes.quantize import quantize
from compiler.placement.choosing import Partitioner
from hw_models.chips.chip import Chip
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

ENTRY_POINT_GROUP = "burstchip.passes"

register_codes(
    {
        "BC302": "a package registers a compiler pass that cannot be used",
        "BC303": "a pass of another package breaks the representation",
        "BC304": "a compiler pass has no place in the order",
    }
)


@dataclass(frozen=True)
class Pass:
    """A function from a representation to the same or the next one, which never changes its input.

    A pass of another package names in `after` the pass that it directly follows, or in `before` the one
    that it directly precedes; that pass may be of another package too. Several with one place stand there in
    order of their names.
    """

    name: str
    run: Callable[..., Any]
    after: str = ""
    before: str = ""

    @property
    def neighbour(self) -> str:
        """The name of the pass that this one follows or precedes."""
        return self.after or self.before


#: The compiler's own: Network to Elaborated to ChipProgram, which is what an artifact holds, to Partition.
OWN = (
    Pass("elaborate", elaborate),
    Pass("calibrate", calibrate),
    Pass("quantize", quantize),
    Pass("lower", lower),
    Pass("lower_functions", lower_functions),
    Pass("effects", effects),
    Pass("bind", bind),
    Pass("check", check),
    Pass("partition", partition),
)

#: What says of a program what it can do, and leads to no other representation: run where it is asked for.
ANALYSES: Mapping[str, Callable[[ChipProgram], Certificate]] = {"certify": certify}


def ordered(own: Sequence[Pass], added: Sequence[Pass]) -> tuple[Pass, ...]:
    """`own` with each added pass beside the one that it names; the order of `added` does not matter.

    Raises `BurstchipError` BC304 for each pass whose chain of names does not end at one of `own`.
    """
    beside: dict[str, list[Pass]] = {}
    for extra in sorted(added, key=lambda extra: extra.name):
        beside.setdefault(extra.neighbour, []).append(extra)

    def around(known: Pass) -> Iterator[Pass]:
        here = beside.get(known.name, [])
        for extra in here:
            if not extra.after:
                yield from around(extra)
        yield known
        for extra in here:
            if extra.after:
                yield from around(extra)

    order = tuple(found for known in own for found in around(known))
    lost = [extra for extra in added if extra not in order]
    if lost:
        known_by_name = {known.name: known for known in (*own, *added)}
        raise BurstchipError(_without_place(extra, known_by_name) for extra in lost)
    return order


def _without_place(extra: Pass, known: Mapping[str, Pass]) -> Diagnostic:
    """Why the chain of neighbours that starts at `extra` leads to none of the compiler's own passes."""
    chain = [extra]
    while (behind := known.get(chain[-1].neighbour)) is not None and behind not in chain:
        chain.append(behind)
    given = ", ".join(f"'{link.name}' {_where(link)}" for link in chain)
    if behind is not None:
        return Diagnostic(
            "BC304",
            f"pass '{extra.name}' cannot run {_where(extra)}: the order is circular",
            required="a chain of passes that ends at one of the compiler's own",
            given=given,
            hint="fix or uninstall one of the packages that register these passes",
        )
    missing = chain[-1].neighbour
    names = [name for name in known if name != extra.name]
    return Diagnostic(
        "BC304",
        f"pass '{extra.name}' cannot run {_where(extra)}: no pass '{missing}' is registered",
        required=f"one of {', '.join(names)}",
        given=given,
        hint=nearest(missing, names) or f"install the package that registers '{missing}'",
    )


def _where(extra: Pass) -> str:
    return f"{'after' if extra.after else 'before'} '{extra.neighbour}'"


@lru_cache(maxsize=1)
def passes() -> tuple[Pass, ...]:
    """All passes in their order.

    Raises `BurstchipError` BC302 where a package registers something else than a pass of a new name, and
    BC304 where a pass has no place in the order.
    """
    added: list[Pass] = []
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        try:
            found = entry.load()
        except Exception as reason:  # another package's code: whatever goes wrong there is its fault
            raise _unusable(entry, f"fails with {type(reason).__name__}: {reason}") from reason
        if not isinstance(found, Pass) or found.name != entry.name:
            raise _unusable(entry, f"is {found!r}")
        if bool(found.after) == bool(found.before):
            raise _unusable(entry, f"has after={found.after!r} and before={found.before!r}")
        if found.name in [known.name for known in (*OWN, *added)]:
            raise _unusable(entry, f"the name '{found.name}' is taken")
        added.append(found)
    return ordered(OWN, added)


def _unusable(entry: EntryPoint, given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC302",
            f"entry point '{entry.name}' of group {ENTRY_POINT_GROUP} cannot be used",
            required="a compiler.pipeline.Pass of the same name, not yet taken, with either after or before",
            given=f"{entry.value}: {given}",
            hint="fix or uninstall the package that registers it",
        )
    )


def _verify(ir: object) -> None:
    if isinstance(ir, Network):
        verify_network(ir)
    elif isinstance(ir, Elaborated):
        verify_elaborated(ir)
    elif isinstance(ir, ChipProgram):
        verify_chip_program(ir)
    elif isinstance(ir, Partition):
        verify_partition(ir)
    else:
        raise AssertionError(f"a {type(ir).__name__} is not a representation of the compiler")


def _broken(step: Pass, given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC303",
            f"pass '{step.name}' breaks the representation",
            required="a result that obeys compiler/ir/verify.py",
            given=given,
            hint="fix or uninstall the package that registers it",
        )
    )


def _run(
    steps: Sequence[Pass],
    ir: Any,
    after: Callable[[str, object], None] | None,
    options: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Any:
    """Run `steps` one after the other, each with its options, and verify what each returns."""
    for step in steps:
        given = ir
        try:
            ir = step.run(ir, **options.get(step.name, {}))
        except BurstchipError:
            raise
        except Exception as reason:  # another package's code: whatever goes wrong there is its fault
            if step in OWN:
                raise
            raise _broken(step, f"it fails with {type(reason).__name__}: {reason}") from reason
        try:
            _verify(ir)
            # Only the compiler's own passes lead to the next representation.
            assert step in OWN or type(ir) is type(given), (
                f"a {type(ir).__name__} was returned where a {type(given).__name__} was given"
            )
            # What is deployed is what the artifact holds.
            assert not isinstance(given, Partition) or ir.code is given.code, "the program itself changed"
        except AssertionError as reason:
            if step in OWN:
                raise
            raise _broken(step, str(reason)) from reason
        if after is not None:
            after(step.name, ir)
    return ir


def _split() -> int:
    """The number of `partition` in the order. An artifact holds what the passes before it made."""
    return [known.name for known in passes()].index("partition")


def compiling() -> tuple[Pass, ...]:
    """The passes that lead from a network to what an artifact holds."""
    return passes()[: _split()]


def deploying() -> tuple[Pass, ...]:
    """`partition` and the passes after it, which lead from an artifact to a chip."""
    return passes()[_split() :]


def compile_network(
    network: Network,
    after: Callable[[str, object], None] | None = None,
    *,
    calibration: Calibration | None = None,
) -> ChipProgram:
    """Run every pass before `partition` on `network`; `after(name, ir)` is called after each.

    With a `calibration` integers are chosen for what the network reaches, else for the worst case. What was
    rounded, clipped or assumed is in the result's `diagnostics`. Raises `BurstchipError` for
    a network that the target cannot hold, BC303 where a pass of another package breaks the representation,
    and `AssertionError` where one of the compiler's own does.
    """
    verify_network(network)
    options = {} if calibration is None else {"calibrate": {"calibration": calibration}}
    code = _run(compiling(), network, after, options)
    assert isinstance(code, ChipProgram)
    return code


def partition_program(
    code: ChipProgram,
    after: Callable[[str, object], None] | None = None,
    *,
    chip: Chip | None = None,
    rates: Mapping[str, NDArray[np.int64]] | None = None,
    partitioner: Partitioner = "own",
) -> Partition:
    """Run `partition` and every pass after it on a compiled program: where its neurons lie on the target.

    `chip` takes the place of the program's target, `rates` and `partitioner` are as `partition` takes
    them; `after(name, ir)` is called after each. Raises `BurstchipError` BC350 to BC353 for a program that
    the chip cannot hold, BC391, and as `compile_network` does.
    """
    given = {"chip": chip, "rates": rates, "partitioner": None if partitioner == "own" else partitioner}
    options = {"partition": {name: value for name, value in given.items() if value is not None}}
    placed = _run(deploying(), code, after, options)
    assert isinstance(placed, Partition)
    return placed
