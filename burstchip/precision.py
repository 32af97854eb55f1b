"""What fewer bits of the learned weights cost: predicted in real numbers, and what integers then really lose.

The prediction knows the width of a weight's step, not which way each weight is rounded: it is the loss in
real numbers of weights with noise as wide as a step, several times. The actual loss is that of the integers,
whose neurons are integers too. With a task a loss is the test error, with a protocol the cost of its last
round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from burstchip.backends.available import REAL
from burstchip.running.run import open_run
from burstchip.tasks.checkpoint import FILE, read_checkpoint, require_alike, require_same
from burstchip.tasks.datasets import task_dataset
from burstchip.tasks.presentation import pictures_of
from burstchip.tasks.protocol.following import follow
from burstchip.tasks.protocol.seeds import ARTIFACT
from burstchip.tasks.showing import classify
from burstchip.tasks.trained import learned_values, none_learned, require_learnable, trained_artifact
from compiler.artifact import load_artifact
from compiler.fewer_bits import BITS, lost_share, with_bits, with_noise
from compiler.ir.chip_program import ChipProgram
from compiler.learned_weights import learned_projection
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC860": "bits that a weight cannot have"})

#: Called with how many losses are known, how many there are, and what is done next.
Watch = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Loss:
    """With weights of `bits` bits: what rounding takes from each projection, and what that costs.

    `lost` are root mean squares as shares of the weights'; `predicted` has a loss for each draw of noise.
    """

    bits: int
    lost: dict[str, float]
    predicted: tuple[float, ...]
    actual: float


@dataclass(frozen=True)
class Losses:
    """Of one program: the loss in real numbers with exact weights, and with fewer bits.

    `what` says what a loss is: "test error", a share, or "cost".
    """

    what: str
    exact: float
    by_bits: tuple[Loss, ...]


def learned_program(folder: Path) -> ChipProgram:
    """The program of a training's folder, or of a protocol's seed, with its learned weights.

    Raises `BurstchipError` BC650 for another folder, BC565 and BC566 for a checkpoint that cannot be used.
    """
    if not (folder / ARTIFACT).exists():
        seeds = sorted(it.parent.name for it in folder.glob(f"seed_*/{ARTIFACT}"))
        if seeds:
            raise none_learned(folder, f"a folder of seeds: name one, such as {folder / seeds[0]}")
        return trained_artifact(folder)
    code, sha256 = load_artifact(folder / ARTIFACT)
    if not (folder / FILE).exists():
        raise none_learned(folder, f"no {FILE}")
    arrays, progress = read_checkpoint(folder / FILE)
    require_same(folder / FILE, progress, {"artifact_sha256": sha256})
    backend = str(progress.get("backend"))
    run = open_run(code, backend)
    state = {name[4:]: array for name, array in arrays.items() if name.startswith("run.")}
    require_alike(folder / FILE, state, run.state())
    run.restore(state, 1)
    learned = []
    for it in code.projections:
        if it.learning is not None:
            stored = learned_values(code, run, it.name)
            require_learnable(folder / FILE, it, stored, real=backend in REAL)
            it = learned_projection(it, stored)[0]
        learned.append(it)
    return replace(code, projections=tuple(learned))


def require_bits(bits: Sequence[int], given: str = "") -> None:
    """Raise `BurstchipError` BC860 for bits that weights cannot have, `given` as the user wrote them."""
    if not bits or any(it not in BITS for it in bits):
        raise BurstchipError(
            Diagnostic(
                "BC860",
                "weights cannot have these numbers of bits",
                required=f"whole numbers from {BITS[0]} to {BITS[-1]}",
                given=given or ", ".join(map(str, bits)) or "none",
            )
        )


def losses(
    code: ChipProgram,
    bits: Sequence[int],
    draws: int = 5,
    *,
    data_dir: Path | None = None,
    workers: int = 1,
    watch: Watch | None = None,
) -> Losses:
    """What weights of each of these numbers of bits cost a program with learned weights.

    Raises `BurstchipError` BC860, and as `task_dataset` does.
    """
    require_bits(bits)
    loss = _error_of(code, data_dir, workers) if code.task is not None else _cost_of(code)
    total, done = 1 + len(bits) * (draws + 1), 0

    def of(it: ChipProgram, real: bool, text: str) -> float:
        nonlocal done
        if watch is not None:
            watch(done, total, text)
        done += 1
        return loss(it, real)

    exact = of(code, True, "exact weights")
    found = []
    for number in bits:
        noisy = (with_noise(code, number, draw) for draw in range(draws))
        predicted = tuple(of(it, True, f"{number} bits, predicted") for it in noisy)
        actual = of(with_bits(code, number), False, f"{number} bits")
        found.append(Loss(number, lost_share(code, number), predicted, actual))
    return Losses("test error" if code.task is not None else "cost", exact, tuple(found))


def _error_of(code: ChipProgram, data_dir: Path | None, workers: int) -> Callable[[ChipProgram, bool], float]:
    assert code.task is not None
    _, test = pictures_of(task_dataset(code.task, data_dir=data_dir))

    def error(it: ChipProgram, real: bool) -> float:
        shown = classify(it, {}, test, backend="reference" if real else "sim", workers=workers)
        return float(np.mean(shown.predictions != test.labels))

    return error


def _cost_of(code: ChipProgram) -> Callable[[ChipProgram, bool], float]:
    """The cost of the last part, shown once, behind what comes before the first part with examples."""
    protocol = code.protocol
    assert protocol is not None
    first = next(k for k, part in enumerate(protocol.parts) if part.phases)
    last = replace(protocol.parts[-1], rounds=1)
    brief = replace(protocol, parts=(*protocol.parts[:first], last))

    def cost(it: ChipProgram, real: bool) -> float:
        done = follow(replace(it, protocol=brief), "reference32" if real else "sim")
        return float(done.followed.costs(last.name)[0])

    return cost
