"""From the intensities of a picture to what its source adds in each step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop
from hw_models.neurons.sources import ENCODER_SHIFT

Numbers = NDArray[Any]


@loop
def encode(image: Numbers, n: int, max_value: int, maximum: int, value: Numbers) -> None:
    """Pixel intensities to 2^-16 events a step: rounded on the encoder's grid of 2^-10, then refined."""
    for j in range(n):
        scaled = (np.int64(image[j]) * max_value + maximum // 2) // maximum
        value[j] = scaled << ENCODER_SHIFT


@loop
def encode_each(image: Numbers, n: int, max_value: Numbers, maximum: int, value: Numbers) -> None:
    """The same with a `max_value` for each pixel."""
    for j in range(n):
        scaled = (np.int64(image[j]) * max_value[j] + maximum // 2) // maximum
        value[j] = scaled << ENCODER_SHIFT


@loop
def encode_real(image: Numbers, n: int, max_value: float, maximum: int, value: Numbers) -> None:
    """The same without rounding."""
    for j in range(n):
        value[j] = image[j] * max_value / maximum * 2.0**ENCODER_SHIFT


@loop
def encode_each_real(image: Numbers, n: int, max_value: Numbers, maximum: int, value: Numbers) -> None:
    """The same with a `max_value` for each pixel."""
    for j in range(n):
        value[j] = image[j] * max_value[j] / maximum * 2.0**ENCODER_SHIFT
