"""What public functions take: numbers, names and paths as people write them, and an error for the rest.

Each public function is called through `checked`, which looks at every argument by its name: one name has one
meaning in all of them. Nothing of ours is imported before an argument is wrong or must be one of our objects.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

#: Random draws are keyed by 32 bits of the seed: a larger one would be another's twin.
LARGEST_SEED = 2**32 - 1

#: What stands for parameters of a file.
Overrides = Mapping[str, "str | int | float"]


class Unfit(Exception):
    """An argument that cannot be: what would help, if anything."""

    def __init__(self, hint: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint


@dataclass(frozen=True)
class Kind:
    """What is required, and the function that makes it of what was given, or raises `Unfit`."""

    required: str
    take: Callable[[Any], Any]
    #: Whether None stands for leaving the argument out.
    optional: bool = False


def _path(value: Any) -> Path:
    if isinstance(value, str) and value and "\0" not in value:
        return Path(value)
    if isinstance(value, os.PathLike) and isinstance(os.fspath(value), str):
        return Path(value)
    raise Unfit("a name of a file or folder, such as 'net.yaml'")


def _whole(least: int | None, greatest: int | None = None) -> Callable[[Any], int]:
    def take(value: Any) -> int:
        if type(value) is bool or not isinstance(value, Real):
            raise Unfit("write the number without quotes" if isinstance(value, str) else None)
        if isinstance(value, Integral):
            number = int(value)
        elif float(value).is_integer():
            number = int(float(value))
        else:
            raise Unfit
        if (least is not None and number < least) or (greatest is not None and number > greatest):
            raise Unfit
        return number

    return take


def _number(value: Any) -> float:
    if type(value) is bool or not isinstance(value, Real):
        raise Unfit("write the number without quotes" if isinstance(value, str) else None)
    return float(value)


def _positive(value: Any) -> float:
    number = _number(value)
    if not 0 < number < float("inf"):
        raise Unfit
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit
    return value


def _switch(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value).__name__ in ("bool_", "bool") and hasattr(value, "item"):
        return bool(value)
    raise Unfit


def _function(value: Any) -> Any:
    if not callable(value):
        raise Unfit
    return value


def _mapping(value: Any) -> Any:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise Unfit("for example {'name': value}")
    return value


def as_texts(overrides: Mapping[str, object]) -> dict[str, str]:
    """Values of parameters as `--set` takes them: texts stay, numbers and truth values are written out.

    Raises `Unfit` for anything else.
    """
    return {name: _as_text(name, value) for name, value in _mapping(overrides).items()}


def _as_text(name: str, value: Any) -> str:
    item = value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
    if isinstance(item, str):
        return item
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        return repr(item)
    raise Unfit(f"'{name}' is {_shown(value)}; give a number, or a text such as '20 ms'")


def _names(value: Any) -> Any:
    """One name or several."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Collection) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise Unfit


def _variables(value: Any) -> Any:
    """One variable or several, each a text or a pair (population, name)."""
    if isinstance(value, str) or (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(it, str) and "." not in it for it in value)
    ):
        return [value]
    if not isinstance(value, Sequence):
        raise Unfit("for example ['hidden.v', 'hidden.events']")
    pairs = [tuple(it) if isinstance(it, list) else it for it in value]
    for it in pairs:
        if not isinstance(it, str) and not (
            isinstance(it, tuple) and len(it) == 2 and all(isinstance(part, str) for part in it)
        ):
            raise Unfit(f"{_shown(it)} is neither a text such as 'hidden.v' nor (population, variable)")
    return pairs


def _instance(module: str, name: str, hints: Mapping[str, str]) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        from importlib import import_module

        if isinstance(value, getattr(import_module(module), name)):
            return value
        raise Unfit(hints.get(type(value).__name__, hints.get("", None)))

    return take


_COMPILE_FILE = "`code, warnings = compile_file(path)` compiles a network's file"
_PROGRAM = Kind(
    "a compiled program (ChipProgram)",
    _instance(
        "compiler.ir.chip_program",
        "ChipProgram",
        {
            "": _COMPILE_FILE,
            "str": f"{_COMPILE_FILE}, `code, sha256 = load_artifact(path)` reads an artifact",
            "PosixPath": f"{_COMPILE_FILE}, `code, sha256 = load_artifact(path)` reads an artifact",
            "Network": "`compile_network(network)` compiles it",
            "tuple": "`compile_file` and `load_artifact` return two things; the program is the first",
            "Compilation": "its program is `.code`",
        },
    ),
)
_NETWORK = Kind(
    "a network (Network)",
    _instance(
        "compiler.ir.network",
        "Network",
        {
            "str": "`load_network(path)` reads a network's file",
            "PosixPath": "`load_network(path)` reads a network's file",
            "LoadResult": "its network is `.network`",
        },
    ),
)
_RECORDING = Kind(
    "a recording (Recording)",
    _instance("burstchip.running.recording", "Recording", {"": "`record(code, steps)` returns one"}),
)
_OPTIONS = Kind(
    "the options of a training (TrainOptions)",
    _instance(
        "burstchip.tasks.train_options", "TrainOptions", {"": "train(TrainOptions('net.yaml', 'run'))"}
    ),
)
_DATASET = Kind(
    "a data set of xarray (xarray.Dataset)",
    _instance("xarray", "Dataset", {"": "`to_dataset(recording)` makes one"}),
)
_PATH = Kind("a path", _path)
_OPTIONAL_PATH = Kind("a path", _path, optional=True)
_OPTIONAL_TEXT = Kind("a text", _text, optional=True)
_SWITCH = Kind("True or False", _switch)
_CALLED = Kind("a function", _function, optional=True)
_MAPPING = Kind("a mapping from names", _mapping, optional=True)
_SEED = Kind(f"a whole number from 0 to {LARGEST_SEED}", _whole(0, LARGEST_SEED), optional=True)
_OVERRIDES = Kind("a mapping from names of parameters to numbers or texts", as_texts)
_ANY = Kind("", lambda value: value)

#: The meaning of each argument of the public functions.
KINDS: Mapping[str, Kind] = {
    "address": Kind("the address of a target", _text),
    "after": _CALLED,
    "artifact_sha256": _OPTIONAL_TEXT,
    "backend": Kind("the name of a backend", _text),
    "backends": Kind("the names of two backends", _names),
    "begin": Kind("0 or a later step", _whole(0)),
    "calibrate": _CALLED,
    "calibration": Kind(
        "what a network reaches (Calibration)",
        _instance("compiler.ir.calibration", "Calibration", {"": "`calibrate(network, steps)` finds it out"}),
        optional=True,
    ),
    "checkpoint": _OPTIONAL_PATH,
    "chip": Kind("the name of a chip or of a chip file", lambda value: str(_path(value)), optional=True),
    "code": _PROGRAM,
    "data_dir": _OPTIONAL_PATH,
    "dataset": _DATASET,
    "download": _SWITCH,
    "dry_run": _SWITCH,
    "epochs": Kind("a whole number of epochs", _whole(None), optional=True),
    "every": Kind("a whole number of steps, at least 1", _whole(1)),
    "fetch": _CALLED,
    "folder": _PATH,
    "frozen": Kind("names of projections", _names),
    "labels": _ANY,
    "learning": _SWITCH,
    "max_error": Kind("a share such as 0.05", _number, optional=True),
    "maximum": Kind("a number", _number, optional=True),
    "models": _MAPPING,
    "name": Kind("a name", _text),
    "network": _NETWORK,
    "network_path": _PATH,
    "notes": _ANY,
    "options": _OPTIONS,
    "out": _PATH,
    "overrides": _OVERRIDES,
    "overwrite": _SWITCH,
    "path": _PATH,
    "physical": _SWITCH,
    "pictures": _ANY,
    "progress": _CALLED,
    "record": Kind("variables, each a pair (population or projection, variable)", _variables),
    "recording": _RECORDING,
    "resume": _SWITCH,
    "run": _PATH,
    "run_dir": _PATH,
    "seed": _SEED,
    "sink": _ANY,
    "split": Kind(f"a whole number from 0 to {LARGEST_SEED}", _whole(0, LARGEST_SEED)),
    "start_from": _OPTIONAL_PATH,
    "steps": Kind("a whole number of steps, at least 1", _whole(1)),
    "streams": _MAPPING,
    "strict": _SWITCH,
    "target": _OPTIONAL_TEXT,
    "timeout": Kind("a number of seconds above 0", _positive),
    "threads": Kind("a whole number of threads, at least 1", _whole(1)),
    "values": _ANY,
    "variables": Kind("variables, each a text or a pair (population, variable)", _variables, optional=True),
    "watch": _CALLED,
    "worker": _ANY,
    "workers": Kind("a whole number of threads, 0 for as many as cores", _whole(0)),
}


def _shown(value: Any) -> str:
    """A value in a message: what it is, and itself where that is short."""
    text = repr(value)
    return (
        f"{text} ({type(value).__name__})" if len(text) <= 60 else f"a value of type {type(value).__name__}"
    )


def wrong_argument(function: str, name: str, required: str, given: str, hint: str | None) -> Exception:
    """The error of an argument that `function` cannot take: BC690."""
    from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

    register_codes({"BC690": "an argument that a function cannot take"})
    message = f"argument '{name}' of {function} is not what it takes"
    return BurstchipError(Diagnostic("BC690", message, required=required, given=given, hint=hint))


def take(function: str, name: str, value: Any, *, default: Any = inspect.Parameter.empty) -> Any:
    """What `function` works with for the argument. Raises `BurstchipError` BC690 for one that cannot be."""
    kind = KINDS[name]
    if (value is default and value is not inspect.Parameter.empty) or (value is None and kind.optional):
        return value
    try:
        return kind.take(value)
    except Unfit as unfit:
        raise wrong_argument(function, name, kind.required, _shown(value), unfit.hint) from None


def checked(function: Function) -> Function:
    """The function behind a check of all its arguments, which are handed on as it wants them."""
    signature = inspect.signature(function)
    name = f"{function.__name__}()"

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            bound = signature.bind(*arguments, **named)
        except TypeError as reason:
            known = ", ".join(signature.parameters)
            problem = _unbound(name, str(reason), known, signature, len(arguments), named)
            raise problem from None
        for argument, value in bound.arguments.items():
            default = signature.parameters[argument].default
            bound.arguments[argument] = take(name, argument, value, default=default)
        return function(*bound.args, **bound.kwargs)

    return cast(Function, call)


def _unbound(
    function: str,
    reason: str,
    known: str,
    signature: inspect.Signature,
    positional: int,
    named: Mapping[str, Any],
) -> Exception:
    """The error of a call whose arguments do not fit the function at all."""
    from hw_models.diagnostics import nearest

    unknown = [name for name in named if name not in signature.parameters]
    if unknown:
        hint = nearest(unknown[0], tuple(signature.parameters))
        return wrong_argument(
            function, unknown[0], f"one of {known}" if known else "none", "an unknown name", hint
        )
    wanted = [name for name, it in signature.parameters.items() if it.default is it.empty]
    missing = [name for name in wanted[positional:] if name not in named]
    if missing:
        return wrong_argument(
            function, missing[0], KINDS[missing[0]].required, "nothing", f"{function[:-1]}{known})"
        )
    return wrong_argument(function, "*", f"{known or 'no arguments'}", reason, None)
