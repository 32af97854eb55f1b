"""The passes in their order, a verifier after each, and a hook between them."""

from __future__ import annotations

from collections.abc import Callable

from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.ir.verify import verify_chip_program, verify_elaborated, verify_network
from compiler.passes.check import check
from compiler.passes.elaborate import elaborate
from compiler.passes.lower import lower
from compiler.passes.quantize import quantize

PASSES = ("elaborate", "quantize", "lower", "check")


def compile_network(network: Network, after: Callable[[str, object], None] | None = None) -> ChipProgram:
    """Run every pass on `network`; `after(name, ir)` is called behind each.

    What was rounded, clipped or assumed stands in the result's `diagnostics`. Raises `BurstchipError` for
    a network that the target cannot hold, and `AssertionError` where a pass breaks its own contract.
    """

    def seen(name: str, ir: object) -> None:
        if after is not None:
            after(name, ir)

    verify_network(network)
    elaborated = elaborate(network)
    verify_elaborated(elaborated)
    seen("elaborate", elaborated)
    quantized = quantize(elaborated)
    verify_chip_program(quantized)
    seen("quantize", quantized)
    lowered = lower(quantized)
    verify_chip_program(lowered)
    seen("lower", lowered)
    checked = check(lowered)
    verify_chip_program(checked)
    seen("check", checked)
    return checked
