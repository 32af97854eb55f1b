"""Load a network from a YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from burstchip.arguments import LARGEST_SEED, Overrides, take
from burstchip.frontend import tree
from burstchip.frontend.branches import Trial, check_other_branches
from burstchip.frontend.compose import compose
from burstchip.frontend.defaults import Default, read_defaults
from burstchip.frontend.definitions import DEFINING_KEYS, read_definitions
from burstchip.frontend.elaboration import elaborate
from burstchip.frontend.fields import Fields
from burstchip.frontend.kinds import Record
from burstchip.frontend.language import language
from burstchip.frontend.reading import read
from burstchip.frontend.report import Report
from burstchip.frontend.substitute import Substitution
from burstchip.frontend.text import read_text
from compiler.ir.network import Network
from hw_models.diagnostics import BurstchipError, Diagnostic
from hw_models.neurons.model import NeuronModel

_NONE: Overrides = MappingProxyType({})


@dataclass(frozen=True)
class LoadResult:
    """A network, or None where a message is an error, and every message about the file in its order.

    `defaults` are the values that the network takes without the file giving them, `resolved` what the file
    holds once parameters and choices are put in.
    """

    network: Network | None
    diagnostics: tuple[Diagnostic, ...]
    defaults: tuple[Default, ...] = ()
    resolved: tree.Mapping | None = None


def load(
    path: str | Path,
    overrides: Overrides = _NONE,
    seed: int | None = None,
    *,
    models: Mapping[str, NeuronModel] | None = None,
) -> LoadResult:
    """Read and check a network file.

    `overrides` set parameters of the file by name, as numbers or texts; `seed` overrides the file's seed.
    `models` are the neuron models that the file may use, by default all that are registered.

    Whatever the file holds, nothing is raised for it: the result reports all mistakes at once. A text that is
    not YAML is reported by its first mistake alone, since what follows cannot be read.
    """
    report = Report(str(path))
    texts = take("load()", "overrides", overrides)
    try:
        network, defaults, resolved = _network(Path(path), texts, seed, models, report)
    except BurstchipError as error:
        # A model that is wrong: no fault of the file.
        return LoadResult(None, (*report.messages(), *error.diagnostics))
    return LoadResult(network, report.messages(), defaults, resolved)


def load_network(
    path: str | Path,
    overrides: Overrides = _NONE,
    seed: int | None = None,
    *,
    strict: bool = False,
    models: Mapping[str, NeuronModel] | None = None,
) -> Network:
    """The network of a file; arguments as of `load`.

    Raises `BurstchipError` with every message where one is an error. With `strict` every warning is one.
    """
    result = load(path, overrides, seed, models=models)
    messages = result.diagnostics
    if strict:
        messages = tuple(replace(message, severity="error") for message in messages)
    if result.network is None or any(message.severity == "error" for message in messages):
        raise BurstchipError(messages)
    return result.network


def _network(
    path: Path,
    overrides: Mapping[str, str],
    seed: int | None,
    models: Mapping[str, NeuronModel] | None,
    report: Report,
) -> tuple[Network | None, tuple[Default, ...], tree.Mapping | None]:
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        required = f"a whole number from 0 to {LARGEST_SEED}"
        report.add("BC103", None, f"seed {seed} is out of range", required=required, given=str(seed))
    text = read_text(path, report)
    root = None if text is None else compose(text, report)
    if root is None:
        return None, (), None
    if not isinstance(root, tree.Mapping):
        if not isinstance(root, tree.Broken):
            report.add(
                "BC014", root, "the file is not a mapping", required="keys with values, such as name: ..."
            )
        return None, (), None
    if models is None:
        # Imported here: the models bring numpy and the integer programs with them.
        from hw_models.neurons.registry import models as registered

        models = registered()
    else:
        _require_whole(models)
    record = language(models)
    definitions = read_definitions(root, overrides, report)
    substitution = Substitution(definitions.values, report)
    whole = _substituted(root, substitution)
    fields = _fields(whole, record, report)
    taken = frozenset(substitution.asked)
    texts = {
        name: value.text
        for name in definitions.parameters
        if isinstance(value := substitution.value(name), tree.Scalar)
    }
    parameters = {name: number_or_text(text) for name, text in texts.items()}
    network = elaborate(fields, models, parameters, seed, report)

    def on_trial(branches: Mapping[str, str]) -> Trial:
        """What the file would be with these branches taken."""
        trial = Report(report.file, report.lines)
        found = read_definitions(root, {**overrides, **branches}, trial, trial=True)
        substitution = Substitution(found.values, trial)
        elaborate(_fields(_substituted(root, substitution), record, trial), models, {}, seed, trial)
        return Trial(trial.messages(), frozenset(substitution.asked))

    check_other_branches(definitions.choices, texts, taken, on_trial, report)
    if network is None or report.failed:
        return None, (), None
    kept = tuple(entry for entry in whole.entries if entry.key.text not in DEFINING_KEYS)
    return network, read_defaults(fields, network, seed), replace(whole, entries=kept)


def _require_whole(models: Mapping[str, NeuronModel]) -> None:
    """Models that are handed over are checked against the rules of those that are registered: BC190."""
    from hw_models.neurons.verify import ModelError, verify_model

    for model in models.values():
        try:
            verify_model(model)
        except ModelError as reason:
            raise BurstchipError(
                Diagnostic(
                    "BC190",
                    f"neuron model '{model.name}' cannot be used",
                    required="a whole program, and numbers for all of it",
                    given=str(reason),
                )
            ) from None


def _substituted(root: tree.Mapping, substitution: Substitution) -> tree.Mapping:
    """The whole file with its references replaced, but for the definitions themselves."""
    entries = tuple(
        entry if entry.key.text in DEFINING_KEYS else substitution.entry(entry) for entry in root.entries
    )
    return replace(root, entries=entries)


def _fields(whole: tree.Mapping, record: Record, report: Report) -> Fields:
    """The whole file, its references replaced, read against the language."""
    fields = read(record, whole, "the network", report)
    assert isinstance(fields, Fields)
    return fields


def number_or_text(text: str) -> int | float | str:
    """A parameter as reports show it: a number where it looks like one."""
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"[+-]?(?:\d{1,18}\.?\d{0,18}|\.\d{1,18})(?:[eE][+-]?\d{1,2})?", text):
        return float(text)
    return text
