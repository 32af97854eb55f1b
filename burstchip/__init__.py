"""Networks of bursting neurons, described in YAML, that learn in the integers of a neuromorphic chip.

This page is the whole public interface; what is not named here may change without notice.

| step | call |
|---|---|
| begin with a template | `all_templates()`, `write_template(name, folder)` |
| read and check a file | `load_network(path, overrides, seed)`, `check_file(path)`, `network_schema()` |
| compile | `compile_file(path)`, `compile_network(network)` |
| calibrate | `compile_network(network, calibration=calibrate(network, steps))` |
| keep as one file | `save_artifact(code, path)`, `load_artifact(path)` |
| run and record | `record(code, steps)`, `to_dataset(recording)`, `save_recording(dataset, path)` |
| run step by step | `open_run(code, backend)`, and of the run `advance`, `read`, `write`, `state` |
| run on a device or another program | `connect(address)`, and of the connection `open_run(code)` |
| record into a file as it goes | `RecordingFile(path, code, selections)`, a sink of `record` |
| compare two backends | `verify(code, steps)` |
| deploy, as a dry run | `deploy(code, folder, dry_run=True)` |
| learn a task | `train(TrainOptions(network_path, out))`, `load_dataset(name)` |
| follow a protocol | `follow(code, backend)`, and of what it left `costs`, `rates`, `mean_rate` |
| use what was learned | `predict(folder, values)`, `trained_artifact(folder)` |
| look at a run | `write_report(folder)` |
| look at the machine | `examine()`, `all_backends()` |

What is wrong with an input or an argument is a `BurstchipError` with one `Diagnostic` for each mistake.
`__version__` is the version that is installed.
"""

from __future__ import annotations

from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burstchip.backends.available import Backend, all_backends
    from burstchip.backends.loihi2.deploy import deploy
    from burstchip.calibration import calibrate
    from burstchip.compilation import Compilation, check_file, compile_file
    from burstchip.doctor import Examination, examine
    from burstchip.files.recording import RecordingFile, save_recording, to_dataset
    from burstchip.frontend import LoadResult, load, load_network, network_schema
    from burstchip.remote.connection import Connection, connect
    from burstchip.remote.failures import Failure, TargetFailure, TargetRefusal
    from burstchip.report import write_report
    from burstchip.running.recording import Recording, RecordProgress, record
    from burstchip.running.run import Run, open_run
    from burstchip.running.verification import verify
    from burstchip.tasks.dataset import Dataset
    from burstchip.tasks.datasets import load_dataset
    from burstchip.tasks.epochs import TrainProgress
    from burstchip.tasks.prediction import Predictions, predict
    from burstchip.tasks.protocol.followed import Followed
    from burstchip.tasks.protocol.following import Finished, follow
    from burstchip.tasks.train_options import TrainOptions
    from burstchip.tasks.trained import trained_artifact
    from burstchip.tasks.training import train
    from burstchip.templates import Template, all_templates, write_template
    from compiler.artifact import load_artifact, save_artifact
    from compiler.ir.calibration import Calibration
    from compiler.ir.chip_program import ChipProgram
    from compiler.ir.network import Network
    from compiler.pipeline import compile_network
    from hw_models.diagnostics import BurstchipError, Diagnostic

#: Where each name lives. It is imported when it is first used: `import burstchip` itself costs nothing.
_HOMES = {
    "burstchip.backends.available": ("Backend", "all_backends"),
    "burstchip.backends.loihi2.deploy": ("deploy",),
    "burstchip.calibration": ("calibrate",),
    "burstchip.compilation": ("Compilation", "check_file", "compile_file"),
    "burstchip.doctor": ("Examination", "examine"),
    "burstchip.frontend": ("LoadResult", "load", "load_network", "network_schema"),
    "burstchip.running.recording": ("RecordProgress", "Recording", "record"),
    "burstchip.running.run": ("Run", "open_run"),
    "burstchip.running.verification": ("verify",),
    "burstchip.files.recording": ("RecordingFile", "save_recording", "to_dataset"),
    "burstchip.remote.connection": ("Connection", "connect"),
    "burstchip.remote.failures": ("Failure", "TargetFailure", "TargetRefusal"),
    "burstchip.report": ("write_report",),
    "burstchip.tasks.dataset": ("Dataset",),
    "burstchip.tasks.datasets": ("load_dataset",),
    "burstchip.tasks.prediction": ("Predictions", "predict"),
    "burstchip.tasks.protocol.followed": ("Followed",),
    "burstchip.tasks.protocol.following": ("Finished", "follow"),
    "burstchip.tasks.trained": ("trained_artifact",),
    "burstchip.tasks.epochs": ("TrainProgress",),
    "burstchip.tasks.train_options": ("TrainOptions",),
    "burstchip.tasks.training": ("train",),
    "burstchip.templates": ("Template", "all_templates", "write_template"),
    "compiler.artifact": ("load_artifact", "save_artifact"),
    "compiler.ir.calibration": ("Calibration",),
    "compiler.ir.chip_program": ("ChipProgram",),
    "compiler.ir.network": ("Network",),
    "compiler.pipeline": ("compile_network",),
    "hw_models.diagnostics": ("BurstchipError", "Diagnostic"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Backend",
    "BurstchipError",
    "Calibration",
    "ChipProgram",
    "Compilation",
    "Connection",
    "Dataset",
    "Diagnostic",
    "Examination",
    "Failure",
    "Finished",
    "Followed",
    "LoadResult",
    "Network",
    "Predictions",
    "RecordProgress",
    "Recording",
    "RecordingFile",
    "Run",
    "TargetFailure",
    "TargetRefusal",
    "Template",
    "TrainOptions",
    "TrainProgress",
    "all_backends",
    "all_templates",
    "calibrate",
    "check_file",
    "compile_file",
    "compile_network",
    "connect",
    "deploy",
    "examine",
    "follow",
    "load",
    "load_artifact",
    "load_dataset",
    "load_network",
    "network_schema",
    "open_run",
    "predict",
    "record",
    "save_artifact",
    "save_recording",
    "to_dataset",
    "train",
    "trained_artifact",
    "verify",
    "write_report",
    "write_template",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from burstchip.machine import version_of

        return version_of("burstchip")
    if name not in _HOME:
        raise AttributeError(f"module 'burstchip' has no attribute '{name}'")
    try:
        value = getattr(import_module(_HOME[name]), name)
    except (ImportError, AttributeError) as reason:
        from burstchip.shadowing import explanation, shadowed

        # A file `compiler.py` beside a script, say: what Python says of it names a module of ours.
        if not (foreign := shadowed()):
            raise
        raise ImportError("\n".join(map(explanation, foreign))) from reason
    if isinstance(value, FunctionType):
        from burstchip.arguments import checked

        value = checked(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
