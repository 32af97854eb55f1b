"""What an experiment is made of, and what comes out of it.

A folder of this package holds `network.yaml`, `experiment.yaml` (how long, how often, what is accepted) and a
module `measure` with three functions, or four:

    settings(step_ms) -> {parameter of the network: value}
    inputs(variant, step_ms, seed, folder) -> {parameter: value}, of files that it writes into the folder
    measure(runs) -> {quantity: number}, of one seed
    draw(all_runs) -> the panels of the figure, and the whole of it, of all seeds

where `runs` are the rates of each variant, by its name.

Where `experiment.yaml` has `options`, the network's protocol is followed: `measure` takes what one seed left,
a `Followed`, `draw` those of all seeds, and `settings(step_ms, rate)` also a factor of the learning rates.

A folder without `network.yaml` simulates itself. It holds `model.yaml`, the values of the model's parameters,
and its `measure` has, with `measure` and `draw` of what `simulate` returns:

    Parameters: the schema of `model.yaml`
    simulate(parameters, data, seed, tell) -> xarray.Dataset, of one seed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import yaml

from burstchip.experiments.rates import Rates
from burstchip.report.style import Picture
from burstchip.tasks.dataset import Dataset, DatasetName
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

if TYPE_CHECKING:
    import xarray as xr

    from burstchip.tasks.protocol.followed import Followed

register_codes({"BC710": "an unknown experiment"})

#: The folder of all experiments.
ROOT = Path(__file__).parent

_Kind = TypeVar("_Kind")
Settings = Callable[[float], Mapping[str, str]]
Inputs = Callable[[str, float, int, Path], Mapping[str, str]]
Runs = Mapping[str, Rates]
Measure = Callable[[Runs], Mapping[str, float]]
Draw = Callable[[Sequence[Runs]], "Drawing"]
#: Called with the samples that are shown and all of a seed.
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Drawing:
    """A figure: its panels, and the whole of it as a PNG file."""

    panels: tuple[Picture, ...]
    whole: bytes


#: The variant of an experiment that names none.
PUBLISHED = "published"


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a quantity, as the mean over all seeds, is to be; `published` is what the authors found, a number.

    `rounding` says what keeps the chip's integers from it, where something does.
    """

    quantity: str
    what: str
    published: float | None = None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    rounding: str = ""

    def passes(self, value: float) -> bool:
        """Whether a mean is accepted; a number that is not finite never is."""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= value <= high

    @property
    def found(self) -> str:
        """The published number in words, a dash where the authors printed none."""
        return "\N{EN DASH}" if self.published is None else f"{self.published:g} {self.unit}".rstrip()

    @property
    def bounded(self) -> bool:
        """Whether anything is expected; a quantity without bounds is reported alone."""
        return self.at_least is not None or self.at_most is not None

    @property
    def accepted(self) -> str:
        """The accepted values in words, a dash where all are."""
        if not self.bounded:
            return "\N{EN DASH}"
        ends = [
            f"{word} {end:g}"
            for word, end in (("at least", self.at_least), ("at most", self.at_most))
            if end is not None
        ]
        return f"{', '.join(ends)} {self.unit}".rstrip()


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the `experiment.yaml` of every experiment says."""

    title: str
    about: str
    source: str
    seeds: int
    checks: tuple[Check, ...]


class OwnDescription(About, frozen=True, forbid_unknown_fields=True):
    """The contents of `experiment.yaml` where the experiment simulates itself; `data` is what it learns."""

    data: DatasetName


class Description(About, frozen=True, forbid_unknown_fields=True):
    """The contents of `experiment.yaml` of a network; times in ms.

    `variants` set parameters of the network; without any there is one, as published. `durations` are those of
    variants that do not last `duration`, `watched` the variables whose values are kept beside the rates.
    """

    duration: float
    bin: float
    step: float
    integer_step: float
    variants: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=lambda: {PUBLISHED: {}})
    durations: Mapping[str, float] = msgspec.field(default_factory=dict)
    watched: tuple[str, ...] = ()

    def bins(self, variant: str) -> int:
        """How many bins a variant lasts."""
        return round(self.durations.get(variant, self.duration) / self.bin)


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variant that is run where it is asked for: what it sets, a factor of its learning rates, its checks.

    Without checks of its own it has to solve the task as published.
    """

    about: str
    set: Mapping[str, str]
    rate: float = 1.0
    checks: tuple[Check, ...] = ()


class ProtocolDescription(About, frozen=True, forbid_unknown_fields=True):
    """The contents of `experiment.yaml` of a network whose protocol is followed; steps in ms."""

    step: float
    integer_step: float
    options: Mapping[str, Option]


@dataclass(frozen=True)
class ProtocolExperiment:
    """A published experiment whose network's protocol is followed."""

    name: str
    description: ProtocolDescription
    network: Path
    settings: Callable[[float, float], Mapping[str, str]]
    measure: Callable[[Followed], Mapping[str, float]]
    draw: Callable[[Sequence[Followed]], Drawing]


@dataclass(frozen=True)
class Experiment:
    """A published experiment by its folder."""

    name: str
    description: Description
    network: Path
    settings: Settings
    measure: Measure
    draw: Draw
    inputs: Inputs


@dataclass(frozen=True)
class OwnModel:
    """A published experiment that simulates itself, with the parameters of its `model.yaml`."""

    name: str
    description: OwnDescription
    parameters: msgspec.Struct
    simulate: Callable[[msgspec.Struct, Dataset, int, Tell], xr.Dataset]
    measure: Callable[[xr.Dataset], Mapping[str, float]]
    draw: Callable[[Sequence[xr.Dataset]], Drawing]


def _none(variant: str, step_ms: float, seed: int, folder: Path) -> Mapping[str, str]:
    return {}


def read_published(measure: str, kind: type[_Kind]) -> _Kind:
    """The authors' numbers, of `published.yaml` beside a module whose `__file__` is given."""
    return read_beside(measure, "published.yaml", kind)


def read_beside(module: str, name: str, kind: type[_Kind]) -> _Kind:
    """The contents of a YAML file beside a module whose `__file__` is given."""
    return msgspec.convert(yaml.safe_load(Path(module).with_name(name).read_text(encoding="utf-8")), kind)


def names() -> tuple[str, ...]:
    """The names of all experiments."""
    return tuple(sorted(file.parent.name for file in ROOT.glob("*/experiment.yaml")))


def has_network(name: str) -> bool:
    """Whether an experiment runs a network; one that does not simulates itself."""
    return (ROOT / name / "network.yaml").is_file()


@lru_cache(maxsize=8)
def describe(name: str) -> About:
    """What an experiment says of itself. Raises `BurstchipError` BC710 for an unknown one."""
    if name not in names():
        raise BurstchipError(
            Diagnostic(
                "BC710",
                f"unknown experiment '{name}'",
                required=" or ".join(names()),
                given=name,
                hint=nearest(name, names()) or "`burstchip experiment --list` says what each shows",
            )
        )
    text = (ROOT / name / "experiment.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    if not has_network(name):
        return msgspec.convert(found, OwnDescription)
    return msgspec.convert(found, ProtocolDescription if "options" in found else Description)


def protocol_experiment(name: str) -> ProtocolExperiment:
    """The experiment of a name that follows a protocol. Raises `BurstchipError` BC710 for an unknown one."""
    description = describe(name)
    assert isinstance(description, ProtocolDescription), f"{name} follows no protocol"
    module = import_module(f"{__package__}.{name}.measure")
    network = ROOT / name / "network.yaml"
    return ProtocolExperiment(name, description, network, module.settings, module.measure, module.draw)


def own_model(name: str) -> OwnModel:
    """The experiment of a name that simulates itself. Raises `BurstchipError` BC710 for an unknown one."""
    description = describe(name)
    assert isinstance(description, OwnDescription), f"{name} runs a network"
    module = import_module(f"{__package__}.{name}.measure")
    assert module.__file__ is not None
    parameters = read_beside(module.__file__, "model.yaml", module.Parameters)
    return OwnModel(name, description, parameters, module.simulate, module.measure, module.draw)


def experiment(name: str) -> Experiment:
    """The experiment of a name that runs a network. Raises `BurstchipError` BC710 for an unknown one."""
    description = describe(name)
    assert isinstance(description, Description), f"{name} simulates itself"
    module = import_module(f"{__package__}.{name}.measure")
    network = ROOT / name / "network.yaml"
    inputs = getattr(module, "inputs", _none)
    return Experiment(name, description, network, module.settings, module.measure, module.draw, inputs)
