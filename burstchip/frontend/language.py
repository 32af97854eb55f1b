"""The YAML language: every key, what it may hold, whether it must be there, and what it is for.

The one table of the language. The checker (`reading.py`), the JSON Schema (`schema.py`) and the tables in
`docs/language.md` all come from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from burstchip.arguments import LARGEST_SEED
from burstchip.frontend.kinds import (
    Address,
    Anything,
    Forms,
    Key,
    ListOf,
    Name,
    Named,
    QuantityOf,
    Record,
    Row,
    Text,
    Variants,
    Whole,
    Word,
)
from burstchip.frontend.language_protocol import PROTOCOL
from burstchip.frontend.language_signals import SIGNAL
from burstchip.frontend.language_synapses import LARGEST_POPULATION, PROJECTION, drawn, plasticity
from burstchip.frontend.scalars import expected
from burstchip.frontend.units import PHRASES
from compiler.ir.network import DATA_SHAPES, NO_CHIP
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Parameter

#: The version of the language that this package reads.
VERSION = 1

TARGETS = ("loihi2", "loihi1", NO_CHIP)

#: The greatest seed that scikit-learn's split takes.
_LARGEST_SPLIT = (1 << 32) - 1

_TIME = QuantityOf("time", above=0.0)


def _listed(what: str, columns: tuple[str, ...], more: tuple[Whole, ...], doc: str) -> Key:
    """What a source emits, one row for each: the neuron, the time, and `more`; a list or a file."""
    row = ", ".join(columns)
    listing = ListOf(
        Row(
            (Whole(0, LARGEST_POPULATION - 1), QuantityOf("time", minimum=0.0), *more),
            f"{'an' if what[0] in 'aeiou' else 'a'} {what}: [{row}]",
            tuple(f"the {column}" for column in columns),
        ),
        f"a list of [{row}]",
        called=what,
    )
    file = Record(
        (
            Key("file", Text("a file name"), f"a .npy or .csv file, [{what}, ({row})]", True),
            Key("unit", Text("a unit, such as ms"), "what the file's times are in", True),
        ),
        f"a file of {what}s",
    )
    kind = Forms(f"a list of [{row}], or {{file: ..., unit: ...}}", listing=listing, records=(file,))
    return Key(f"{what}s", kind, doc, required=True)


EVENTS = _listed("event", ("neuron", "time"), (), "the neuron, counted from 0, and the time of every event")
MESSAGES = _listed(
    "message",
    ("neuron", "time", "value"),
    (Whole(-32768, 32767),),
    "the neuron, counted from 0, the time and the integer of every message",
)

#: Models that take keys beyond `model`, `size` and their parameters.
_MODEL_KEYS: dict[str, tuple[Key, ...]] = {"spike_list": (EVENTS,), "message_list": (MESSAGES,)}


def _parameter_key(parameter: Parameter, *, optional: bool = False) -> Key:
    quantity = QuantityOf(parameter.dimension, parameter.minimum, parameter.maximum, whole=parameter.integer)
    what = f"{expected(quantity)}, or a list with one for each neuron"
    return Key(
        parameter.name,
        Forms(
            what if parameter.integer else f"{what}, or {{uniform: ...}} or {{normal: ...}}",
            quantity,
            ListOf(quantity, "values", 1),
            # Whole numbers are counted, not measured.
            () if parameter.integer else drawn(quantity),
        ),
        parameter.doc,
        required=parameter.default is None and not optional,
        default=None if parameter.default is None else default_text(parameter),
    )


def _initial_keys(model: NeuronModel) -> tuple[Key, ...]:
    """The key for the states at the start, of a model that has any."""
    states = model.widest.initial
    if not states:
        return ()
    kinds = Record(tuple(_parameter_key(it, optional=True) for it in states), "initial values")
    named = ", ".join(f"{it.name} ({PHRASES[it.dimension][0]})" for it in states)
    return (Key("initial", kinds, f"values at the start in place of rest: {named}"),)


def default_text(parameter: Parameter) -> str:
    """The default of a model's parameter as one would write it."""
    unit = BASE_UNITS[parameter.dimension]
    return f"{parameter.default:.12g} {unit}".strip()


def _population(models: Mapping[str, NeuronModel]) -> Variants:
    selector = Key("model", Word(tuple(models), "neuron model", "BC110"), "the neuron model", required=True)
    length = Whole(1, LARGEST_POPULATION)
    size = Key("size", length, "how many neurons")
    lengths = Row(
        (length, length, length),
        "[channels, rows, columns] or [channels, places]",
        ("the channels", "the rows", "the columns"),
        optional=1,
    )
    shape = Key("shape", lengths, "in place of 'size', for convolutions")
    return Variants(
        selector,
        {
            name: Record(
                (
                    selector,
                    size,
                    shape,
                    *_MODEL_KEYS.get(name, ()),
                    *(_parameter_key(parameter) for parameter in model.parameters),
                    *(_parameter_key(option, optional=True) for option in model.options),
                    *_initial_keys(model),
                ),
                f"model '{name}'",
                one_of=((("size",), ("shape",)),),
                excluding=tuple((it.instead_of, it.name) for it in model.options if it.instead_of),
            )
            for name, model in models.items()
        },
        "a population",
    )


_OWN_DATA = Record(
    (
        Key("file", Text("a file name"), "a .npz file of samples and labels, relative to this one", True),
        Key(
            "range",
            Row(
                (QuantityOf("number"), QuantityOf("number")),
                "[least, greatest]",
                ("the least value", "the greatest value"),
            ),
            "the values that stand for no and for the greatest rate; default: those of the training set",
        ),
    ),
    "data of one's own",
)

#: The form of a task whose samples are in a file of the user's own.
OWN_DATA = "file"


def _task() -> Variants:
    names = tuple(DATA_SHAPES)
    sets = Word(names, "data set", otherwise="{file: ...}")
    ways = Forms(f"{', '.join(names)}, {{file: ...}}", sets, records=(_OWN_DATA,))
    selector = Key("data", ways, "the data set, or a file with one's own", required=True)
    common = (
        selector,
        Key("input", Name("a population"), "the population that presents a sample", required=True),
        Key("readout", Name("a population"), "the population with one neuron for each class", required=True),
        Key("present", _TIME, "how long a sample is presented", required=True),
        Key(
            "teach_after", QuantityOf("time", minimum=0.0), "when in a sample learning begins", required=True
        ),
        Key("epochs", Whole(1, 1_000_000), "how often the training samples are presented", required=True),
        Key(
            "anneal",
            ListOf(QuantityOf("fraction", minimum=0.0, maximum=1.0), "fractions"),
            "fractions of the training after which all learning rates halve",
            default="[]",
        ),
        Key(
            "by",
            Word(("event_count",), "way to read a class"),
            "how the class is read",
            default="event_count",
        ),
    )
    split = Key(
        "split", Whole(0, _LARGEST_SPLIT), "seed of the split into training and test set", default="0"
    )
    share = Key(
        "test_share",
        QuantityOf("fraction", above=0.0, maximum=0.99),
        "fraction of a file's samples that are for the test",
    )
    # Another data set comes with a test set of its own.
    more = {"digits": (split,), OWN_DATA: (split, share)}
    what = {name: f"data set '{name}'" for name in names} | {OWN_DATA: "data of one's own"}
    return Variants(
        selector,
        {name: Record((*common, *more.get(name, ())), text) for name, text in what.items()},
        "a task",
        mapping=OWN_DATA,
    )


def language(models: Mapping[str, NeuronModel]) -> Record:
    """The whole language with these neuron models."""
    return Record(
        (
            Key("burstchip", Whole(1, 1_000_000), "version of the language: 1", required=True),
            Key(
                "name",
                Text("a name without blanks", r"A-Za-z0-9_.\-", "letters, digits and _ . -"),
                "the network's name",
                required=True,
            ),
            Key("step", QuantityOf("time", above=0.0), "length of a time step", required=True),
            Key("seed", Whole(0, LARGEST_SEED), "seed of every draw", default="0"),
            Key(
                "parameters",
                Named(
                    Anything("a single value; what has a structure belongs under 'choices'", True),
                    "parameter",
                ),
                "values that ${name} stands for and --set overrides",
            ),
            Key(
                "choices",
                Named(Named(Named(Anything("any value"), "name"), "branch", 1), "choice"),
                "for a parameter, what each of its values means: further names for ${name}",
            ),
            Key("populations", Named(_population(models), "population", 1), "the neurons", required=True),
            Key(
                "plasticity",
                Named(plasticity(), "plasticity", plural="plasticities"),
                "ways in which weights learn",
            ),
            Key("projections", ListOf(PROJECTION, "projections", called="projection"), "the synapses"),
            Key(
                "probes",
                ListOf(
                    Address("a variable", projections=True),
                    "population.variable or projection.variable",
                    called="probe",
                ),
                "variables to record",
            ),
            Key("signals", Named(SIGNAL, "signal"), "what reaches neurons from outside over time"),
            Key("task", _task(), "the classification task that the network learns"),
            Key("protocol", PROTOCOL, "in place of a task: examples, phases and teachers of one's own"),
            Key(
                "target",
                Word(TARGETS, "target"),
                "the chip to compile for; none: reference alone",
                default="loihi2",
            ),
        ),
        "a network",
        excluding=(("task", "protocol"),),
    )
