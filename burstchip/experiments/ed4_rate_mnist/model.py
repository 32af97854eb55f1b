"""The time-dependent rate model of ensembles that burst: inputs, hidden units, classes.

    e1 = exp(W1 e0 + n1)                                event rates; e0: pixels from 0 to 1
    e2 = softmax(W2 e1 + n2)
    p2 = 0.5                                            burst probabilities: without a teacher,
    p2 = 0.5 + 0.5 tanh((target - ē2) / (ē2 + 1e-8))    and with one
    p1 = σ(β Y b2)                                      its argument within ±20
    b = p ⊙ e                                           burst rates
    ē <- ē + dt / tau_average (e - ē), b̄ alike;        p̄ = b̄ / ē

    while there is a teacher, of both layers l:
    n_l <- n_l + dt / tau_weights g_l                   g_l = (p_l - p̄_l) ⊙ e_l
    W_l <- W_l + dt / tau_weights (g_l - h_l) e_(l-1)^T
    h_1 = decay [e1 > e_max] (1 - e_max / e1)           h_2 = 0

All that stands on the right is of the step before, but for p and e in b, and ē and b̄ in p̄. So an event
takes a step to each layer, and a burst one back. States run on from image to image.

W1 and W2 are drawn from N(0, 2 / (n_in + n_out)), Y with `feedback_sd` of the standard deviation of W2; n and
all rates are 0 at the start, p and p̄ 0.5.

Source: Payeur et al., Nat. Neurosci. 24, 1010 (2021), extended data figure 4, and the authors' program, which
takes e1 in h of the step itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

import msgspec
import numpy as np

from burstchip.experiments.rates import Reals
from compiler.draws import draw_values
from compiler.ir.values import Normal

_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Index = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e9)]
_Real = Annotated[float, msgspec.Meta(ge=0, lt=1e9)]


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `model.yaml`."""

    hidden: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    images: _Count
    epochs: _Count
    step: _Positive
    # From the third step of a prediction on nothing but the averages moves, which is what is measured.
    prediction_steps: Annotated[int, msgspec.Meta(ge=4, le=1_000_000)]
    teacher_steps: _Count
    tau_average: _Positive
    tau_weights: _Positive
    beta: _Real
    decay: _Real
    e_max: _Positive
    feedback_sd: _Real
    traced_image: _Index
    traced_pixel: Annotated[int, msgspec.Meta(ge=0, le=783)]
    traced_hidden: _Index
    traced_class: Annotated[int, msgspec.Meta(ge=0, le=9)]
    test_every: _Count

    def __post_init__(self) -> None:
        if self.traced_hidden >= self.hidden:
            raise ValueError("traced_hidden below hidden")
        if self.traced_image + 2 > self.images:
            raise ValueError("images that go beyond traced_image by 2 at least")
        if self.step > self.tau_average:
            raise ValueError("a step of at most tau_average")


@dataclass(frozen=True)
class State:
    """Weights and rates, which learning updates in place; in the order that the compiled loop takes.

    `w1` is [input, hidden], `w2` [hidden, class], `y` [class, hidden].
    """

    w1: Reals
    w2: Reals
    y: Reals
    n1: Reals
    n2: Reals
    e1: Reals
    e1_average: Reals
    b1: Reals
    b1_average: Reals
    p1: Reals
    e2: Reals
    e2_average: Reals
    b2: Reals
    b2_average: Reals
    p2: Reals

    @property
    def arrays(self) -> tuple[Reals, ...]:
        """All of them, not copied."""
        return tuple(getattr(self, name) for name in (it.name for it in fields(self)))


def initial(parameters: Parameters, inputs: int, classes: int, seed: int) -> State:
    """The state before the first image; draws depend on nothing but seed and sizes."""
    hidden = parameters.hidden

    def drawn(name: str, sd: float, *shape: int) -> Reals:
        return draw_values(Normal(0.0, sd), seed, 0, name, int(np.prod(shape))).reshape(shape)

    sd1, sd2 = (float(np.sqrt(2 / (hidden + other))) for other in (inputs, classes))
    of_hidden = {name: np.zeros(hidden) for name in ("n1", "e1", "e1_average", "b1", "b1_average")}
    of_classes = {name: np.zeros(classes) for name in ("n2", "e2", "e2_average", "b2", "b2_average")}
    return State(
        w1=drawn("W1", sd1, inputs, hidden),
        w2=drawn("W2", sd2, hidden, classes),
        y=drawn("Y", parameters.feedback_sd * sd2, classes, hidden),
        p1=np.full(hidden, 0.5),
        p2=np.full(classes, 0.5),
        **of_hidden,
        **of_classes,
    )
