"""lower_functions: named functions to tables. ChipProgram in, ChipProgram out.

Each function of a population's program becomes a look-up, with linear interpolation where its arguments are
many (`compiler.function_table`). The bound of the error stands with the population; a line of the
quantisation report shows the worst value. What the program was before stays beside it, for `reference`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from compiler.function_table import FunctionTable, function_table
from compiler.ir.chip_program import ChipProgram, LoweredFunction, PopulationCode, QuantisationLine
from hw_models.program.rewrite import rewrite
from hw_models.program.trace import Integer, Node, Program


@dataclass
class _Tables:
    """Replaces the functions of one program, and keeps the tables that it made for them."""

    program: Program
    made: list[FunctionTable] = field(default_factory=list)

    def __call__(self, node: Node, arguments: tuple[Integer, ...]) -> Integer | None:
        if node.operation != "function":
            return None
        table = function_table(self.program.functions[node.attribute], arguments[0].width)
        self.made.append(table)
        return table.in_program(arguments[0])


def _line(population: str, table: FunctionTable) -> QuantisationLine:
    """What was asked and what is represented where the two differ most."""
    worst, fixed = table.worst(), table.function
    unit = float(1 << fixed.result_bits)
    kind = "table" if table.spacing == 0 else "interpolated table"
    return QuantisationLine(
        population,
        f"{fixed.name} at {worst / (1 << fixed.argument_bits):.6g}",
        "",
        float(fixed.exact(worst)) / unit,
        table.result(worst) / unit,
        f"{kind} of {len(table.entries)} entries, error at most {table.value_bound:.4g}",
    )


def _lowered(table: FunctionTable) -> LoweredFunction:
    return LoweredFunction(
        str(table.function),
        table.argument.low,
        table.argument.high,
        len(table.entries),
        table.spacing,
        table.value_bound,
    )


def lower_functions(code: ChipProgram) -> ChipProgram:
    """Tables in place of functions, and a line of the report for each; a program without a chip stays."""
    if not code.on_chip:
        return code
    known: dict[int, tuple[Program, tuple[FunctionTable, ...]]] = {}
    populations: list[PopulationCode] = []
    lines = list(code.quantisation)
    for population in code.populations:
        program = population.program
        if not program.functions:
            populations.append(population)
            continue
        if id(program) not in known:
            tables = _Tables(program)
            known[id(program)] = rewrite(program, tables), tuple(tables.made)
        lowered, made = known[id(program)]
        functions = tuple(_lowered(table) for table in made)
        populations.append(replace(population, program=lowered, exact=program, functions=functions))
        behind = max((i + 1 for i, line in enumerate(lines) if line.where == population.name), default=0)
        # A function that a program names twice has one table.
        lines[behind:behind] = dict.fromkeys(_line(population.name, table) for table in made)
    return replace(code, populations=tuple(populations), quantisation=tuple(lines))
