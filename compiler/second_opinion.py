"""A certificate checked by another mind: z3 decides whether a step can leave what is said to be never left.

z3 gets the program's operations as formulas of whole numbers, and nothing of how the certificate was found.
What is asked of each variable that is proved: is there a neuron whose states and inputs lie within the
bounds, and whose variable does not a step later, or is clipped, wrapped or saturated on the way?
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from compiler.ir.certificate import Bound, Certificate, Invariant
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.program.intervals import Evaluation, Interval
from hw_models.program.rewrite import needed
from hw_models.program.trace import Node

register_codes({"BC380": "the package z3-solver is missing"})

#: Seconds until a question is given up.
PATIENCE = 5.0
#: Shifts by so many different amounts are told apart.
_AMOUNTS = 64

Verdict = Literal["agrees", "differs", "no answer"]
#: Called with how much is done, how much there is, and what comes next.
Watch = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Opinion:
    """What z3 says of a bound that is proved; `example` has values that leave it, where it differs."""

    bound: Bound
    verdict: Verdict
    example: str = ""


def second_opinion(
    certificate: Certificate, patience: float = PATIENCE, watch: Watch | None = None
) -> tuple[Opinion, ...]:
    """z3's verdict on each state and output that is proved, at most `patience` seconds for each kind.

    Raises `BurstchipError` BC380 where z3 is not installed.
    """
    try:
        z3 = import_module("z3")
    except ImportError:
        raise BurstchipError(
            Diagnostic(
                "BC380",
                "a second opinion needs z3",
                required="the package z3-solver",
                given="it is not installed",
                hint="pip install 'burstchip[z3]'",
            )
        ) from None
    asked = [it for it in certificate.bounds if it.proved and it.kind != "port"]
    found = []
    for number, bound in enumerate(asked):
        if watch is not None:
            watch(number, len(asked), f"{bound.population}.{bound.variable}")
        invariant = certificate.invariants[bound.population]
        told_elsewhere = {
            node
            for it in certificate.bounds
            if it.population == bound.population and it.kind != "port" and not it.proved
            for node in needed(invariant.program.nodes, [_result(invariant, it)])
        }
        found.append(_asked(z3, bound, invariant, told_elsewhere, patience))
    return tuple(found)


def _result(invariant: Invariant, bound: Bound) -> int:
    """The node of a variable."""
    program = invariant.program
    return (program.next_state if bound.kind == "state" else program.output)[bound.variable]


def _asked(
    z3: Any, bound: Bound, invariant: Invariant, told_elsewhere: Collection[int], patience: float
) -> Opinion:
    worst = Opinion(bound, "agrees")
    for kind in range(invariant.kinds):
        verdict, example = _Question(z3, bound, invariant, kind, told_elsewhere).answer(patience)
        if verdict == "differs":
            return Opinion(bound, verdict, example)
        if verdict == "no answer":
            worst = Opinion(bound, verdict)
    return worst


class _Question:
    """The formulas of one variable for one kind of neuron."""

    def __init__(
        self, z3: Any, bound: Bound, invariant: Invariant, kind: int, told_elsewhere: Collection[int]
    ) -> None:
        self.z3, self.invariant, self.kind = z3, invariant, kind
        self.told_elsewhere = told_elsewhere
        self.program, self.result = invariant.program, _result(invariant, bound)
        self.solver = z3.Solver()
        #: Whether a value was left free that the program decides: an example may then be none.
        self.freed = False
        self.leaves = dict(invariant.leaves)
        self.leaves |= {("state", name): it for name, it in invariant.states.items()}
        self.values: dict[int, Any] = {}
        self.escapes: list[Any] = []
        for number in needed(self.program.nodes, [self.result]):
            self.values[number] = self._value(number)
        low, high = bound.low, bound.high
        if bound.kind == "state":
            low, high = _ends(invariant.states[bound.variable], kind)
        value = self.values[self.result]
        self.escapes += [value < low, value > high]

    def answer(self, patience: float) -> tuple[Verdict, str]:
        """Whether one of the escapes is possible."""
        z3 = self.z3
        escapes = [it for it in self.escapes if not isinstance(it, bool)]
        if any(it is True for it in self.escapes):
            return "differs", "for all values"
        if not escapes:
            return "agrees", ""
        self.solver.set("timeout", round(1000 * patience))
        self.solver.add(z3.Or(escapes))
        said = self.solver.check()
        if said == z3.unsat:
            return "agrees", ""
        if said == z3.sat and not self.freed:
            return "differs", ", ".join(
                sorted(f"{it} = {self.solver.model()[it]}" for it in self.solver.model())
            )
        return "no answer", ""

    def _free(self, name: str, low: int, high: int) -> Any:
        if low == high:
            return low
        variable = self.z3.Int(name)
        self.solver.add(variable >= low, variable <= high)
        return variable

    def _value(self, number: int) -> Any:
        node = self.program.nodes[number]
        leaf = self.leaves.get((node.operation, node.name))
        if leaf is not None:
            return self._free(f"{node.operation} {node.name}", *_ends(leaf, self.kind))
        a = [self.values[argument] for argument in node.arguments]
        if node.operation == "const":
            return node.attribute
        if node.operation == "lookup":
            return self._looked_up(number, node, a[0])
        if not node.arguments or node.operation == "arrivals":
            return self._free(f"{node.operation} {number}", node.width.low, node.width.high)
        if node.operation.startswith("shift"):
            return self._shifted(node, *a)
        if node.operation in ("saturate", "wrap"):
            return self._brought_back(number, node, a[0])
        return self._plain(node.operation, a)

    def _if(self, condition: Any, then: Any, otherwise: Any) -> Any:
        if isinstance(condition, bool):
            return then if condition else otherwise
        return self.z3.If(condition, then, otherwise)

    def _plain(self, operation: str, a: list[Any]) -> Any:
        rules: dict[str, Callable[[], Any]] = {
            "add": lambda: a[0] + a[1],
            "sub": lambda: a[0] - a[1],
            "mul": lambda: a[0] * a[1],
            "less": lambda: self._if(a[0] < a[1], 1, 0),
            "equal": lambda: self._if(a[0] == a[1], 1, 0),
            "select": lambda: self._if(a[0] != 0, a[1], a[2]),
            "minimum": lambda: self._if(a[0] < a[1], a[0], a[1]),
            "maximum": lambda: self._if(a[0] > a[1], a[0], a[1]),
        }
        return rules[operation]()

    def _shifted(self, node: Node, value: Any, amount: Any) -> Any:
        if isinstance(amount, int):
            return self._shifted_by(node.operation, value, amount)
        low, high = self._reached(node.arguments[1])
        amounts = range(low, high + 1)
        assert len(amounts) <= _AMOUNTS, f"a shift by {low}..{high} bits"
        found = self._shifted_by(node.operation, value, high)
        for each in amounts[:-1]:
            found = self._if(amount == each, self._shifted_by(node.operation, value, each), found)
        return found

    def _shifted_by(self, operation: str, value: Any, amount: int) -> Any:
        power = 1 << amount

        def divided(of: Any) -> Any:
            # By a positive number it floors, in z3 as in Python.
            return of // power if isinstance(of, int) else of / power

        if operation == "shift_left":
            return value * power
        if operation == "shift_right":
            return divided(value)
        if operation == "shift_right_round":
            return divided(value + power // 2)
        return self._if(value >= 0, divided(value), -divided(-value))

    def _brought_back(self, number: int, node: Node, value: Any) -> Any:
        """A saturation or a wrap; that it happens is an escape, unless it is reported of another variable."""
        half = 1 << (node.attribute - 1)
        low, high = 1 - half, (half - 1 if node.operation == "saturate" else half)
        if number not in self.told_elsewhere:
            self.escapes += [value < low, value > high]
        if node.operation == "saturate":
            return self._if(value < low, low, self._if(value > high, high, value))
        return self._if(value < low, value + 2 * half, self._if(value > high, value - 2 * half, value))

    def _looked_up(self, number: int, node: Node, index: Any) -> Any:
        """Any entry that the index can reach: a table is too long for a formula."""
        table = self.program.tables[node.attribute]
        if isinstance(index, int):
            return table[index]
        self.freed = True
        return self._free(f"entry {number}", *self._reached(number))

    def _reached(self, number: int) -> tuple[int, int]:
        """What intervals say of a node."""
        cases = {
            key: Interval(it.low[self.kind :][:1], it.high[self.kind :][:1])
            for key, it in self.leaves.items()
        }
        found = Evaluation(self.program, cases, [number], (1,))[number]
        return int(found.low[0]), int(found.high[0])


def _ends(it: Interval, kind: int) -> tuple[int, int]:
    return int(it.low[kind]), int(it.high[kind])


def told(opinions: tuple[Opinion, ...]) -> Iterator[str]:
    """What z3 says, in lines."""
    counts = {
        verdict: sum(it.verdict == verdict for it in opinions)
        for verdict in ("agrees", "differs", "no answer")
    }
    yield f"z3 agrees with {counts['agrees']} of {len(opinions)} that are proved"
    for it in opinions:
        if it.verdict == "differs":
            yield f"  it differs on {it.bound.population}.{it.bound.variable}: {it.example}"
        elif it.verdict == "no answer":
            yield f"  it has no answer on {it.bound.population}.{it.bound.variable}"
