"""Convolution and pooling as matrices, beside scipy's correlation and sums over windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from burstchip.nir.file import RawNode
from burstchip.nir.kinds import typed
from burstchip.nir.maps import map_of
from hw_models.diagnostics import BurstchipError

DRAW = np.random.default_rng(5)


def node(kind: str, **fields: Any) -> Any:
    raw = {key: it if isinstance(it, str) else np.asarray(it) for key, it in fields.items()}
    return typed(RawNode(kind, raw), "n", "file.nir")


def direct(
    x: NDArray[np.float64],
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    stride: tuple[int, ...],
    padding: list[tuple[int, int]],
    dilation: tuple[int, ...],
    groups: int,
) -> NDArray[np.float64]:
    """A convolution by scipy: the kernel with zeros between its places, every stride-th output."""
    padded = np.pad(x, [(0, 0), *padding])
    spread = np.zeros(
        (*weight.shape[:2], *((k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)))
    )
    spread[(slice(None), slice(None), *(slice(None, None, d) for d in dilation))] = weight
    per_in, per_out = weight.shape[1], weight.shape[0] // groups
    found = []
    for channel, kernel in enumerate(spread):
        first = channel // per_out * per_in
        full = sum(correlate(padded[first + c], kernel[c], mode="valid") for c in range(per_in))
        found.append(np.asarray(full)[tuple(slice(None, None, s) for s in stride)] + bias[channel])
    return np.array(found)


@pytest.mark.parametrize(
    ("size", "channels", "kernel", "stride", "padding", "dilation", "groups"),
    [
        ((9,), (3, 4), (3,), (1,), 0, (1,), 1),
        ((12,), (4, 6), (5,), (2,), 2, (2,), 2),
        ((7, 8), (2, 3), (3, 2), (1, 1), [1, 0], (1, 1), 1),
        ((9, 9), (4, 4), (3, 3), (2, 3), [2, 1], (2, 1), 4),
        ((6, 5), (2, 4), (2, 3), (1, 1), "same", (1, 1), 1),
        ((6, 5), (2, 4), (4, 3), (1, 1), "valid", (1, 1), 2),
    ],
)
def test_a_convolution(
    size: tuple[int, ...],
    channels: tuple[int, int],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Any,
    dilation: tuple[int, ...],
    groups: int,
) -> None:
    weight = DRAW.normal(size=(channels[1], channels[0] // groups, *kernel))
    bias = DRAW.normal(size=channels[1])
    kind = f"Conv{len(size)}d"
    it = node(
        kind, weight=weight, bias=bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    x = DRAW.normal(size=(channels[0], *size))
    found = map_of(it, x.shape, "file.nir")
    if isinstance(padding, str):
        total = [(k - 1) * d if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
        around = [(t // 2, t - t // 2) for t in total]
    else:
        around = [(int(p), int(p)) for p in np.broadcast_to(padding, (len(size),))]
    wanted = direct(x, weight, bias, stride, around, dilation, groups)
    assert found.shape == wanted.shape
    assert np.allclose((found.matrix @ x.reshape(-1) + found.bias).reshape(found.shape), wanted, atol=1e-12)


@pytest.mark.parametrize("kind", ["SumPool2d", "AvgPool2d"])
def test_a_pool(kind: str) -> None:
    x = DRAW.normal(size=(3, 7, 6))
    found = map_of(node(kind, kernel_size=[3, 2], stride=[2, 2], padding=[1, 0]), x.shape, "file.nir")
    padded = np.pad(x, [(0, 0), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 2), axis=(1, 2))[:, ::2, ::2]
    wanted = windows.sum((3, 4)) if kind == "SumPool2d" else windows.mean((3, 4))
    assert found.shape == wanted.shape == (3, 4, 3)
    assert np.allclose((found.matrix @ x.reshape(-1)).reshape(found.shape), wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [(0, -1, (24,)), (1, -1, (2, 12)), (1, 2, (2, 12)), (0, 1, (6, 4)), (2, 2, (2, 3, 4))],
)
def test_flattening(first: int, last: int, wanted: tuple[int, ...]) -> None:
    found = map_of(
        node("Flatten", start_dim=first, end_dim=last, input_type=[2, 3, 4]), (2, 3, 4), "file.nir"
    )
    assert found.shape == wanted
    assert (found.matrix != np.eye(24)).sum() == 0


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "id", "message"),
    [
        ("Linear", {"weight": np.ones((2, 3))}, (4,), "BC805", "its weights do not fit what it gets"),
        ("Linear", {"weight": np.ones((2, 3, 3))}, (3,), "BC805", "its weights do not fit what it gets"),
        ("Affine", {"weight": np.ones((2, 3)), "bias": np.ones(3)}, (3,), "BC805", "its bias does not fit"),
        ("Scale", {"scale": np.ones(3)}, (4,), "BC805", "its scale does not fit"),
        (
            "SumPool2d",
            {"kernel_size": 2, "stride": 0, "padding": 0},
            (1, 4, 4),
            "BC803",
            "'stride' does not fit",
        ),
        (
            "SumPool2d",
            {"kernel_size": 9, "stride": 1, "padding": 0},
            (1, 4, 4),
            "BC805",
            "nothing comes out of it",
        ),
        (
            "SumPool2d",
            {"kernel_size": 2, "stride": 1, "padding": 0},
            (16,),
            "BC805",
            "what it gets has other axes",
        ),
        (
            "SumPool2d",
            {"kernel_size": 4000, "stride": 1, "padding": 1 << 24},
            (1, 4, 4),
            "BC801",
            "too many synapses",
        ),
        ("Flatten", {"start_dim": 3, "end_dim": -1}, (2, 2), "BC805", "what it gets cannot be flattened so"),
    ],
)
def test_what_does_not_fit(
    kind: str, fields: dict[str, Any], shape: tuple[int, ...], id: str, message: str
) -> None:
    with pytest.raises(BurstchipError) as caught:
        map_of(node(kind, **fields), shape, "file.nir")
    assert [(it.id, it.message) for it in caught.value.diagnostics] == [
        (id, f"file.nir: node 'n': {message}")
    ]
