"""The operations of a program as the texts of expressions, on machine integers and on real numbers.

Integers have the narrowest of int32 and int64 that holds a node's range, so that LLVM keeps 32-bit lanes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence

from hw_models.program.trace import Node, Program
from hw_models.program.widths import INT32, INT64, Width

#: Bits of a float32's whole numbers.
_SINGLE_BITS = 24


def cast_of(width: Width) -> str:
    """The machine integer of a range."""
    assert INT64.holds(width), f"a value in {width} has no machine integer"
    return "i32" if INT32.holds(width) else "i64"


def table_name(program: Program, number: int) -> str:
    """The name of a look-up table follows from its entries: programs of one name may have others."""
    return f"TABLE_{hashlib.sha256(repr(program.tables[number]).encode()).hexdigest()[:16]}"


def _with_negative(width: Width) -> Width:
    return Width(min(width.low, -width.high), max(width.high, -width.low))


def _split_product(program: Program, node: Node, names: Sequence[str]) -> str | None:
    """(a b + c) >> n in 32 bits although the product itself needs more, by splitting a at bit n.

    floor: (a >> n) b + (((a & (2^n - 1)) b + c) >> n), exact for b >= 0 and c >= 0 where what is in brackets
    fits 32 bits without a sign; toward zero the same on |a|, to nearest with c = 2^(n - 1).
    """
    if not node.operation.startswith("shift_right"):
        return None
    product, shift = (program.nodes[argument] for argument in node.arguments)
    added = Width(0, 0)
    extra = ""
    if shift.operation != "const":
        return None
    n = shift.attribute
    if node.operation == "shift_right_round":
        added, extra = Width(0, (1 << n) >> 1), f"i32({(1 << n) >> 1})"
    elif node.operation == "shift_right" and product.operation == "add":
        for one, other in (product.arguments, product.arguments[::-1]):
            if program.nodes[one].operation == "mul" and INT32.holds(program.nodes[other].width):
                added, extra, product = program.nodes[other].width, names[other], program.nodes[one]
                break
    if product.operation != "mul" or INT32.holds(product.width):
        return None
    for one, other in (product.arguments, product.arguments[::-1]):
        a, b = program.nodes[one].width, program.nodes[other].width
        low = ((1 << n) - 1) * b.high + added.high
        high = (max(-a.low, a.high) >> n) + 1
        fits = min(b.low, added.low) >= 0 and low < 1 << 32 and high * b.high + (low >> n) <= INT32.high
        if fits and INT32.holds(_with_negative(a)):
            x, y = names[one], names[other]
            break
    else:
        return None

    def split(value: str) -> str:
        rest = f"mul32(i32({value} & i32({(1 << n) - 1})), {y})"
        rest = f"add32({rest}, {extra})" if extra else rest
        return f"add32(mul32(sar({value}, i32({n})), {y}), shr({rest}, i32({n})))"

    if node.operation == "shift_right_zero":
        return f"signed32({split(f'i32(abs({x}))')}, {x})"
    return split(x)


def integer_text(program: Program, node: Node, names: Sequence[str]) -> str:
    """A node on machine integers, where `names` are the texts of the nodes before it."""
    a = [names[argument] for argument in node.arguments]
    widths = [program.nodes[argument].width for argument in node.arguments]
    # What toward zero computes on the way: the magnitude of a negative value.
    passing = [_with_negative(widths[0])] if node.operation == "shift_right_zero" else []
    assert node.operation != "function", "a function is lowered to a table before integers are compiled"
    parts = [node.width, *widths, *passing]
    cast = cast_of(Width(min(w.low for w in parts), max(w.high for w in parts)))
    out = cast_of(node.width)
    if node.operation.startswith("shift"):
        assert widths[1].low >= 0 and widths[1].high < 64, f"a shift by {widths[1]} bits"
        if widths[1].high > 31:
            # A shift by a word's length or more is undefined in machine code.
            cast = "i64"
    if split := _split_product(program, node, names):
        return split
    bits = node.attribute
    half = 1 << (bits - 1) if node.operation in ("saturate", "wrap") else 0

    negative = f"{cast}(-{cast}({a[0]}))" if a else ""

    def left() -> str:
        return f"shl({a[0]}, {a[1]})" if cast == "i32" else f"i64({a[0]}) << {a[1]}"

    def right(value: str) -> str:
        return f"sar({value}, {a[1]})" if cast == "i32" else f"i64({value}) >> {a[1]}"

    def right_rounded() -> str:
        most = widths[0].high + (1 << max(widths[1].high - 1, 0))
        if cast == "i32" and most <= INT32.high:
            return f"sar({a[0]} + sar(shl(i32(1), {a[1]}), i32(1)), {a[1]})"
        return f"(i64({a[0]}) + ((i64(1) << {a[1]}) >> 1)) >> {a[1]}"

    text: dict[str, Callable[[], str]] = {
        "add": lambda: f"{a[0]} + {a[1]}",
        "sub": lambda: f"{a[0]} - {a[1]}",
        "mul": lambda: f"i64({a[0]}) * {a[1]}" if cast == "i64" else f"mul32({a[0]}, {a[1]})",
        "shift_left": left,
        "shift_right": lambda: right(a[0]),
        "shift_right_zero": lambda: f"{right(a[0])} if {a[0]} >= 0 else -({right(negative)})",
        "shift_right_round": right_rounded,
        "less": lambda: f"{a[0]} < {a[1]}",
        "equal": lambda: f"{a[0]} == {a[1]}",
        "select": lambda: f"{a[1]} if {a[0]} != 0 else {a[2]}",
        "minimum": lambda: f"{a[0]} if {a[0]} < {a[1]} else {a[1]}",
        "maximum": lambda: f"{a[0]} if {a[0]} > {a[1]} else {a[1]}",
        "saturate": lambda: f"min(max({a[0]}, {cast}({1 - half})), {cast}({half - 1}))",
        "wrap": lambda: (
            f"{a[0]} - {cast}({2 * half}) if {a[0]} > {half} else "
            f"({a[0]} + {cast}({2 * half}) if {a[0]} <= {-half} else {a[0]})"
        ),
        "lookup": lambda: f"{table_name(program, node.attribute)}[{a[0]}]",
        "random": lambda: f"at(row(key, {node.repeat}), i) & u32({(1 << bits) - 1})",
    }
    return f"{out}({text['random' if node.operation == 'dither' else node.operation]()})"


def is_integral(node: Node, integral: Collection[int]) -> bool:
    """Whether real numbers, too, make a whole number of a node, as they do of those in `integral`."""
    if node.operation in ("const", "less", "equal"):
        return True
    if node.operation in ("add", "sub", "mul", "minimum", "maximum"):
        return all(argument in integral for argument in node.arguments)
    return node.operation == "select" and all(argument in integral for argument in node.arguments[1:])


def real_text(
    program: Program,
    node: Node,
    names: Sequence[str],
    number: str,
    uniform: Collection[int],
    integral: Collection[int],
) -> str:
    """A node on real numbers of type `number`; of these none is a dither.

    Nodes in `uniform` have one value for all neurons, those in `integral` whole numbers in real numbers, too.
    """
    a = [names[argument] for argument in node.arguments]
    bits = node.attribute
    zero, one = f"{number}(0.0)", f"{number}(1.0)"

    def scaled(sign: str) -> str:
        scale = f"{number}(2.0 ** {sign}f64({a[1]}))"
        if node.arguments[1] in integral and node.arguments[1] not in uniform:
            return f"{a[0]} * {'power_of_two32' if number == 'f32' else 'power_of_two'}({sign}{a[1]})"
        product = program.nodes[node.arguments[0]]
        if product.operation == "mul" and node.arguments[1] in uniform:
            # Powers of two are exact wherever they are multiplied: here once for all neurons.
            for one, other in (product.arguments, product.arguments[::-1]):
                if other in uniform:
                    return f"{names[one]} * ({names[other]} * {scale})"
        return f"{a[0]} * {scale}"

    def evaluated() -> str:
        fixed = program.functions[bits]
        name = fixed.name if number == "f64" else f"{fixed.name}32"
        argument = f"{a[0]} * {number}({2.0**-fixed.argument_bits!r})"
        return f"{name}({argument}) * {number}({2.0**fixed.result_bits!r})"

    def drawn() -> str:
        at = f"at(row(key, {node.repeat}), i)"
        whole = f"({at} & u32({(1 << bits) - 1}))"
        if number == "f64":
            return f"{whole} + ({at} >> u32({bits})) * {2.0 ** (bits - 32)!r}"
        # No more bits than float32 has, which would round some of them up to the next whole number.
        if bits > _SINGLE_BITS:
            return whole
        below = _SINGLE_BITS - bits
        return f"f32(({whole} << u32({below})) | ({at} >> u32({32 - below}))) * f32({2.0**-below!r})"

    text: dict[str, Callable[[], str]] = {
        "add": lambda: f"{a[0]} + {a[1]}",
        "sub": lambda: f"{a[0]} - {a[1]}",
        "mul": lambda: f"{a[0]} * {a[1]}",
        "shift_left": lambda: scaled(""),
        "shift_right": lambda: scaled("-"),
        "less": lambda: f"{one} if {a[0]} < {a[1]} else {zero}",
        "equal": lambda: f"{one} if {a[0]} == {a[1]} else {zero}",
        "select": lambda: f"{a[1]} if {a[0]} != {zero} else {a[2]}",
        "minimum": lambda: f"{a[0]} if {a[0]} < {a[1]} else {a[1]}",
        "maximum": lambda: f"{a[0]} if {a[0]} > {a[1]} else {a[1]}",
        "saturate": lambda: a[0],
        "wrap": lambda: a[0],
        "lookup": lambda: f"interpolated({table_name(program, bits)}, {a[0]})",
        "function": evaluated,
        "random": drawn,
    }
    operation = "shift_right" if node.operation.startswith("shift_right") else node.operation
    return f"{number}({text[operation]()})"
