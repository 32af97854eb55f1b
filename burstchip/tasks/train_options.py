"""The options of a training, as a command line and back, and the program that they make of a network."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from burstchip.arguments import take
from burstchip.frontend import tree
from burstchip.frontend.resolved import with_values
from burstchip.tasks.checkpoint import FILE, read_checkpoint
from burstchip.tasks.resuming import start_of
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC560": "a network without a task cannot be trained",
        "BC561": "a name to freeze is not one of the network's plastic projections",
        "BC563": "a number of epochs below 1",
    }
)


@dataclass(frozen=True)
class TrainOptions:
    """The options of `burstchip train`. `None` leaves the network file's own value.

    `start_from` is a run folder or a `trained.burst` whose weights the training starts with.
    """

    network_path: Path
    out: Path
    seed: int | None = None
    epochs: int | None = None
    resume: bool = False
    overwrite: bool = False
    backend: str = "sim"
    frozen: tuple[str, ...] = ()
    data_dir: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    workers: int = 0
    start_from: Path | None = None

    def __post_init__(self) -> None:
        """Take arguments as people write them. Raises `BurstchipError` BC690 for one that cannot be."""
        for name, default in _DEFAULTS.items():
            if name == "seed" and type(self.seed) is int:
                continue  # One out of range is reported with the mistakes of the file.
            value = take("TrainOptions()", name, getattr(self, name), default=default)
            object.__setattr__(self, name, value)


#: The options, and what each is where it is not given.
_DEFAULTS = {it.name: it.default for it in fields(TrainOptions)}


def command_of(options: TrainOptions) -> str:
    """The command line that trains from the start as `options` say."""
    given = {
        "--seed": options.seed,
        "--epochs": options.epochs,
        "--backend": None if options.backend == "sim" else options.backend,
        "--data": options.data_dir,
        "--from": options.start_from,
    }
    words = ["burstchip", "train", str(options.network_path)]
    words += [text for name, value in given.items() if value is not None for text in (name, str(value))]
    words += [text for name, value in options.overrides.items() for text in ("--set", f"{name}={value}")]
    words += [text for name in options.frozen for text in ("--freeze", name)]
    words += [*(["--strict"] if options.strict else []), "--out", str(options.out)]
    return shlex.join(words)


def extension_of(options: TrainOptions) -> str:
    """The command line that goes on to another number of epochs."""
    return shlex.join(["burstchip", "train", str(options.out), "--resume", "--epochs", str(options.epochs)])


def options_of(folder: Path) -> TrainOptions:
    """The options that go on with the training in a run folder. Raises `BurstchipError` BC565."""
    start = start_of(folder / FILE, read_checkpoint(folder / FILE)[1])
    network = Path(start.network)
    # Beside the file itself lie others that it may name; the copy stays when it is changed.
    if not network.is_file() or hashlib.sha256(network.read_bytes()).hexdigest() != start.network_sha256:
        network = folder / "network.yaml"
    return TrainOptions(
        network,
        folder,
        seed=start.seed,
        resume=True,
        backend=start.backend,
        frozen=tuple(start.frozen),
        overrides=start.overrides,
    )


def with_epochs_of_the_start(options: TrainOptions) -> TrainOptions:
    """The options of a training that goes on, with the number of epochs that it has where none is given."""
    checkpoint = options.out / FILE
    if not options.resume or options.epochs is not None or not checkpoint.exists():
        return options
    return replace(options, epochs=start_of(checkpoint, read_checkpoint(checkpoint)[1]).epochs)


def load_and_compile(
    options: TrainOptions,
) -> tuple[Network, ChipProgram, tuple[Diagnostic, ...], tree.Mapping]:
    """(network, program, warnings, the file as it ran). Raises `BurstchipError` for what is wrong in it."""
    from burstchip.frontend import load

    if options.epochs is not None and options.epochs < 1:
        raise BurstchipError(
            Diagnostic(
                "BC563",
                "the number of epochs is below 1",
                required="at least 1 epoch",
                given=str(options.epochs),
            )
        )
    loaded = load(options.network_path, options.overrides, options.seed)
    network = loaded.network
    if network is None or (options.strict and loaded.diagnostics):
        found = loaded.diagnostics
        raise BurstchipError([replace(d, severity="error") for d in found] if options.strict else found)
    if network.task is None:
        raise BurstchipError(
            Diagnostic(
                "BC560",
                f"network '{network.name}' has no task",
                network.place,
                required="a section `task`",
                given="none",
                hint="`burstchip run` runs a network without a task"
                if network.protocol is None
                else "`burstchip follow` follows its protocol",
            )
        )
    if options.epochs is not None:
        network = replace(network, task=replace(network.task, epochs=options.epochs))
    assert network.task is not None
    code = compile_network(network)
    if options.strict and code.diagnostics:
        raise BurstchipError([replace(diagnostic, severity="error") for diagnostic in code.diagnostics])
    assert loaded.resolved is not None
    ran = with_values(loaded.resolved, {"seed": str(code.seed), "task.epochs": str(network.task.epochs)})
    return network, code, (*loaded.diagnostics, *code.diagnostics), ran


def frozen_projections(code: ChipProgram, network: Network, names: tuple[str, ...]) -> tuple[str, ...]:
    """The plastic projections that `names` stand for: projections, plasticities or target populations."""
    learned = {p.name: p for p in network.projections if p.learn is not None}
    frozen: list[str] = []
    for name in names:
        found = [p.name for p in learned.values() if name in (p.name, p.learn, p.target.population)]
        if not found:
            valid = sorted({n for p in learned.values() for n in (p.name, str(p.learn), p.target.population)})
            raise BurstchipError(
                Diagnostic(
                    "BC561",
                    f"'{name}' cannot be frozen: it is not plastic",
                    required=f"a plastic projection, a plasticity or a population: {', '.join(valid)}",
                    given=name,
                    hint=nearest(name, valid),
                )
            )
        frozen.extend(found)
    return tuple(dict.fromkeys(frozen))
