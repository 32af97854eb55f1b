"""`lif_modulated`: cases worked out by hand."""

from __future__ import annotations

from typing import Any

from hw_models.neurons.lif_modulated import lif_modulated_program
from hw_models.program.numpy_interpreter import step

#: An event in every step whose input is 1; neither m nor y decays.
PLAIN = {"du": 4095, "dv": 4095, "vth": 0, "bias_mant": 0, "bias_exp": 0, "dm": -1, "dy": -1}


def sent(modulator: list[int], soma: list[int], **parameters: int) -> list[tuple[int, int]]:
    """(y1, y2) after every step."""
    state: Any = dict.fromkeys(lif_modulated_program.states, 0)
    found = []
    for given, driven in zip(modulator, soma, strict=True):
        inputs = {"soma": driven, "modulator": given}
        state, outputs = step(lif_modulated_program, state, {**PLAIN, **parameters}, inputs)
        found.append((int(outputs["y1"]), int(outputs["y2"])))
    return found


def test_what_it_sends() -> None:
    assert sent([3, 0, -5, 0], [0, 1, 0, 1]) == [(0, 3), (16, 3), (16, -2), (32, -2)]
    # What arrives holds for one step where everything decays at once; halves fall toward 0.
    assert sent([7, 0, -3, 0], [0] * 4, dm=4095) == [(0, 7), (0, 0), (0, -3), (0, 0)]
    assert [y2 for _, y2 in sent([-8, 0, 0, 0], [0] * 4, dm=2047)] == [-8, -4, -2, -1]
    assert [y1 for y1, _ in sent([0] * 4, [1, 0, 0, 0], dy=2047)] == [16, 8, 4, 2]
    # The ends: 8 bits are sent, m itself reaches 511, y 127.
    assert [y2 for _, y2 in sent([500, 500, -400, -900], [0] * 4)] == [127, 127, 111, -127]
    assert [y1 for y1, _ in sent([0] * 9, [1] * 9)][-2:] == [127, 127]
