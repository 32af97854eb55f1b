"""The range of a program's outputs in one step, where its parameters are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hw_models.program.operations import OPERATIONS
from hw_models.program.trace import Program
from hw_models.program.widths import Width


def output_range(program: Program, parameters: Mapping[str, Any], output: str) -> Width:
    """What `output` can be, whatever states and inputs are.

    `parameters` are one value, or one a neuron; of those that are missing the declared width counts.
    """
    ranges: list[Width] = []
    for node in program.nodes:
        if node.operation == "param" and node.name in parameters:
            values = np.asarray(parameters[node.name])
            ranges.append(Width(int(values.min()), int(values.max())))
        elif node.operation in ("param", "state", "input", "lookup", "function"):
            ranges.append(node.width)
        else:
            arguments = tuple(ranges[argument] for argument in node.arguments)
            ranges.append(OPERATIONS[node.operation].width(arguments, node.attribute))
    found, declared = ranges[program.output[output]], program.outputs[output]
    # The rules know nothing of how values belong together: the declared width may be narrower.
    return Width(max(found.low, declared.low), min(found.high, declared.high))
