"""A convolution as Lava's stock `Conv`, wherever that computes the same.

Lava has [row, column, channel] where a population has [channel, row, column], and mirrors the kernel. `Conv`
does not read its exponent, so that a positive one is put into the weights, and it has neither delays nor a
shift to the right. Its sums wrap at 24 bits, and its sizes are numbers of 8 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.proc.conv.models import PyConvModelFixed
from lava.proc.conv.process import Conv
from numpy.typing import NDArray

from burstchip.backends.lava.processes.recorded import recorded
from burstchip.backends.lava.recorder import Recorder
from compiler.ir.chip_program import ChipProgram, KernelCode, ProjectionCode
from compiler.ir.convolution import Convolution
from hw_models.program.ranges import output_range

#: What the sums of `Conv` stay below.
_SUMS = 1 << 23
#: The greatest of a stride, a padding, a dilation, a number of groups or a kernel.
_SIZES = 127


def uses_stock_conv(code: ChipProgram, projection: ProjectionCode) -> bool:
    """Whether stock `Conv` computes the same."""
    kernel, exponent = projection.kernel, projection.weight_exp
    if kernel is None or exponent < 0 or np.any(projection.delays):
        return False
    it = kernel.pairs.convolution
    if max(*it.kernel, *it.stride, *it.padding, *it.dilation, it.groups) > _SIZES:
        return False
    source = code.population(projection.source)
    fixed = {name: value for name, value in source.parameters.items() if name not in source.signals}
    sent = output_range(source.program, fixed, projection.output)
    filters = np.abs(_filters(kernel).astype(np.int64)).reshape(it.channels, -1).sum(axis=1)
    return bool(int(filters.max()) * max(abs(sent.low), abs(sent.high)) << exponent < _SUMS)


def conv_process(
    projection: ProjectionCode, message_bits: int, recorder: Recorder | None
) -> tuple[Any, type]:
    """The process of a projection that `uses_stock_conv`, and its model."""
    assert projection.kernel is not None
    it = projection.kernel.pairs.convolution
    process = Conv(
        weight=_mirrored(_filters(projection.kernel)).astype(np.int32) << projection.weight_exp,
        input_shape=(*_two(it.source[1:]), it.source[0]),
        padding=_two(it.padding, 0),
        stride=_two(it.stride),
        dilation=_two(it.dilation),
        groups=it.groups,
        num_message_bits=message_bits,
        name=projection.name,
    )
    if recorder is None:
        return process, PyConvModelFixed
    # `Conv` takes no parameters but its own.
    process.proc_params["recorder"] = recorder
    process.proc_params["projection"] = projection
    return process, recorded(PyConvModelFixed, conv_values)


def conv_values(model: Any, recorder: Recorder) -> dict[str, Any]:
    """The weight of each synapse, from those that Lava has."""
    projection: ProjectionCode = model.proc_params["projection"]
    assert projection.kernel is not None
    if "w" not in recorder.tracks:
        return {}
    pairs = projection.kernel.pairs
    filters = np.moveaxis(model.weight, -1, 1)[..., ::-1, ::-1] >> projection.weight_exp
    it = pairs.convolution
    return {"w": filters.ravel()[0 if it.pooled else pairs.entry]}


def conv_input(sender: Any, projection: ProjectionCode) -> Any:
    """The port of the source in the order of Lava."""
    it = _convolution(projection)
    return sender.reshape((it.source[0], *_two(it.source[1:]))).transpose((1, 2, 0))


def conv_output(process: Any, projection: ProjectionCode) -> Any:
    """What the process sends, in the order of the target."""
    it = _convolution(projection)
    return process.a_out.transpose((2, 0, 1)).reshape((int(np.prod(it.target)),))


def _convolution(projection: ProjectionCode) -> Convolution:
    assert projection.kernel is not None
    return projection.kernel.pairs.convolution


def _two(numbers: tuple[int, ...], filled: int = 1) -> tuple[int, ...]:
    """The numbers of two dimensions; where there is one, it has the columns."""
    return (filled,) * (2 - len(numbers)) + numbers


def _filters(kernel: KernelCode) -> NDArray[np.int16]:
    """The weights as [channel, channel of the group, row, column], those of a pool repeated."""
    it = kernel.pairs.convolution
    shape = (it.channels, it.source[0] // it.groups, *_two(it.kernel))
    return np.broadcast_to(kernel.weights, shape) if it.pooled else kernel.weights.reshape(shape)


def _mirrored(filters: NDArray[np.int16]) -> NDArray[np.int16]:
    """[channel, row, column, channel of the group], from the last place to the first."""
    return np.ascontiguousarray(np.moveaxis(filters, 1, -1)[:, ::-1, ::-1])
