"""A case and a seed -> the program that every target runs, and the samples that it is shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.runner.workload import Case
from burstchip.compilation import compile_file
from burstchip.experiments.experiment import protocol_experiment
from burstchip.experiments.running import compiled
from burstchip.tasks.datasets import task_dataset
from burstchip.tasks.presentation import Pictures, pictures_of
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram, Learned
from compiler.learned_weights import with_weights
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC853": "a workload whose files are not there"})

#: The folder of `.nir` files.
NIR_FOLDER = "BURSTCHIP_NIR"


def program_of(case: Case, seed: int) -> ChipProgram:
    """The program, compiled. Raises `BurstchipError` with what keeps it from being compiled."""
    it, source = case.workload, case.workload.network
    values = {key: str(value) for key, value in case.parameters.items()}
    if source.experiment is not None:
        experiment = protocol_experiment(source.experiment)
        step = experiment.description.integer_step
        settings = {**experiment.settings(step, 1.0), **values}
        return compiled(experiment.network, step, seed, settings, "sim")[0]
    if source.nir is not None:
        code = _imported(case, source.nir)
    elif source.template is not None:
        with as_file(files("burstchip") / "templates" / source.template / "network.yaml") as path:
            code = compile_file(path, values, seed)[0]
    else:
        assert source.file is not None
        code = compile_file(case.folder / source.file, values, seed)[0]
    if code.task is not None and it.epochs is not None:
        code = replace(code, task=replace(code.task, epochs=it.epochs))
    return code


def _imported(case: Case, name: str) -> ChipProgram:
    """The network of a NIR file, with the events of a text: a row a neuron, 0 and 1 for each step."""
    from burstchip.nir.importing import import_nir
    from burstchip.nir.neurons_in import Settings

    source = case.workload.network
    folder = os.environ.get(NIR_FOLDER)
    path = Path(folder or ".") / name
    if folder is None or not path.is_file():
        raise BurstchipError(
            Diagnostic(
                "BC853",
                f"'{name}' is not there",
                required=f"the file in the folder that {NIR_FOLDER} names",
                given=f"{NIR_FOLDER}={folder}" if folder else "no such variable",
                hint="the NIR paper's repository neuromorphs/NIR has it",
            )
        )
    with TemporaryDirectory() as there:
        network = Path(there) / "net.yaml"
        import_nir(path, network, Settings(source.step_ms))
        if source.events is not None:
            rows = (case.folder / source.events).read_text(encoding="ascii").split()
            neuron, step = np.nonzero(np.array([[int(it) for it in row] for row in rows]))
            np.save(Path(there) / "events.npy", np.stack([neuron, step * source.step_ms], axis=1))
            text = network.read_text(encoding="utf-8")
            listed = text.replace("events: []", "events: {file: events.npy, unit: ms}")
            network.write_text(listed, encoding="utf-8")
        return compile_file(network)[0]


def samples_of(
    case: Case, code: ChipProgram, data_dir: Path | None, *, download: bool
) -> tuple[Pictures, Pictures]:
    """(training, test) samples, as many as the workload wants, the first of each."""
    assert code.task is not None
    folder = data_dir if code.task.data == "mnist" else None
    train, test = pictures_of(task_dataset(code.task, data_dir=folder, download=download))
    return _first(train, case.workload.train), _first(test, case.workload.test)


def _first(pictures: Pictures, count: int) -> Pictures:
    count = count or len(pictures.labels)
    return replace(pictures, images=pictures.images[:count], labels=pictures.labels[:count])


def frozen_program(code: ChipProgram, weights: Mapping[str, NDArray[np.int64]]) -> ChipProgram:
    """The program without learning, with these weights as events see them, by projection, [source, target].

    Where the learned weight is odd, which a fixed one of mixed signs cannot be, it is rounded towards zero,
    as the chip does; how many were is in the program's `learned`.
    """
    assert code.task is not None
    fixed, rounded = {}, 0
    for name, found in weights.items():
        projection = code.projection(name)
        shaped = found.T if projection.dense else found
        even = np.sign(shaped) * (np.abs(shaped) // 2 * 2) if projection.sign_mode == "MIXED" else shaped
        rounded += int(np.count_nonzero(even != shaped))
        stored = np.ascontiguousarray(even, dtype=np.int16)
        fixed[name] = replace(
            projection,
            weights=stored,
            requested=np.asarray(stored * projection.event_unit, dtype=np.float64),
            unit=projection.event_unit,
            num_weight_bits=8,
            learning=None,
            limit=None,
        )
    learned = Learned(artifact_sha256(code), "sim", code.task.epochs, code.task.epochs, 0, rounded, 0)
    still = replace(
        code,
        populations=tuple(replace(it, gather_every=0) for it in code.populations),
    )
    return with_weights(still, fixed, learned)


def permuted(pictures: Pictures, classes: int, seed: int) -> Pictures:
    """The same samples with labels exchanged: each class has that of another, drawn by the seed."""
    from hw_models.program.random import at, key

    order = np.argsort(at(key(seed, 0xADA97, 0), np.arange(classes)), kind="stable")
    other = np.empty(classes, dtype=np.int64)
    # A cycle over all classes leaves none in its place.
    other[order] = np.roll(order, 1)
    return replace(pictures, labels=other[pictures.labels])
