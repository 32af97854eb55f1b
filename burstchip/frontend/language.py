"""The YAML language: every key, what it may hold, whether it must be there, and what it is for.

The one table of the language. The checker (`reading.py`), the JSON Schema (`schema.py`) and the tables in
`docs/language.md` all come from it.
"""

from __future__ import annotations

from collections.abc import Mapping

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
from burstchip.frontend.scalars import expected
from compiler.ir.network import DATA_SHAPES
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Parameter

#: The version of the language that this package reads.
VERSION = 1

TARGETS = ("loihi2", "loihi1")

#: A population larger than this fits no machine that could simulate it, let alone a chip.
LARGEST_POPULATION = 1 << 24

LARGEST_SEED = (1 << 63) - 1
_LARGEST_SPLIT = (1 << 32) - 1

_TIME = QuantityOf("time", above=0.0)
_WEIGHT = QuantityOf(None)

EVENTS = Key(
    "events",
    ListOf(
        Row(
            (Whole(0, LARGEST_POPULATION - 1), QuantityOf("time", minimum=0.0)),
            "an event: [neuron, time]",
            ("the neuron", "the time"),
        ),
        "a list of [neuron, time]",
        called="event",
    ),
    "the neuron, counted from 0, and the time of every event",
    required=True,
)

#: Models that take keys beyond `model`, `size` and their parameters.
_MODEL_KEYS: dict[str, tuple[Key, ...]] = {"spike_list": (EVENTS,)}


def _parameter_key(parameter: Parameter) -> Key:
    quantity = QuantityOf(parameter.dimension, parameter.minimum, parameter.maximum, whole=parameter.integer)
    return Key(
        parameter.name,
        Forms(
            f"{expected(quantity)}, or a list with one for each neuron",
            quantity,
            ListOf(quantity, "values", 1),
        ),
        parameter.doc,
        required=parameter.default is None,
        default=None if parameter.default is None else default_text(parameter),
    )


def default_text(parameter: Parameter) -> str:
    """The default of a model's parameter as one would write it."""
    unit = BASE_UNITS[parameter.dimension]
    return f"{parameter.default:.12g} {unit}".strip()


def _population(models: Mapping[str, NeuronModel]) -> Variants:
    selector = Key("model", Word(tuple(models), "neuron model", "BC110"), "the neuron model", required=True)
    size = Key("size", Whole(1, LARGEST_POPULATION), "how many neurons", required=True)
    return Variants(
        selector,
        {
            name: Record(
                (
                    selector,
                    size,
                    *_MODEL_KEYS.get(name, ()),
                    *(_parameter_key(parameter) for parameter in model.parameters),
                ),
                f"model '{name}'",
            )
            for name, model in models.items()
        },
        "a population",
    )


_TRACE = Record(
    (
        Key(
            "name",
            Word(("x1", "x2", "y1", "y2", "y3"), "trace"),
            "x: of the source's spikes; y: of the target's",
            True,
        ),
        Key("tau", _TIME, "time constant of its decay", required=True),
        Key("increment", QuantityOf("number", 0.0, 127.0), "what an event adds to it", required=True),
    ),
    "a trace",
)


def _plasticity() -> Variants:
    selector = Key(
        "form",
        Word(("chip", "carry"), "form of plastic weight"),
        "chip: a sum of products, as the chip computes it; carry: 8-bit weight and 8-bit tag with carry, "
        "in emulation only",
        default="chip",
    )
    common = (
        selector,
        Key("every", _TIME, "time between two learning steps, a whole number of steps", required=True),
        Key(
            "rounding",
            Word(("lava", "per_synapse"), "source of rounding noise"),
            "one draw for all synapses of a learning step, as in Lava, or one for each synapse",
            default="per_synapse",
        ),
        Key("trace", _TRACE, "the only trace"),
        Key("traces", ListOf(_TRACE, "traces", 1, called="trace"), "the traces, where there are several"),
    )
    rate = Key("learning_rate", QuantityOf("number", above=0.0, maximum=1024.0), "rate of the burst rule")
    products = tuple(
        Key(
            name, Text("a sum of products, such as u0*2^-4*x1*y1"), f"change of the {what} in a learning step"
        )
        for name, what in (("dw", "weight"), ("dt", "tag"), ("dd", "delay"))
    )
    consolidation = (
        Key(
            "consolidation_rate",
            QuantityOf("number", above=0.0, maximum=1024.0),
            "share of the tag that moves into the weight",
        ),
        Key("consolidate_every", Whole(1, 1 << 20), "samples between two moves of the tag into the weight"),
    )
    return Variants(
        selector,
        {
            "chip": Record(
                (*common, rate, *consolidation, *products),
                "form 'chip'",
                one_of=((("trace",), ("traces",)), (("learning_rate",), ("dw", "dt", "dd"))),
                together=(("learning_rate", "consolidation_rate", "consolidate_every"),),
            ),
            "carry": Record(
                (*common, Key(rate.name, rate.kind, rate.doc, required=True)),
                "form 'carry'",
                one_of=((("trace",), ("traces",)),),
            ),
        },
        "a plasticity",
    )


_ENDS = ("the lower end", "the upper end")

_PAIR = Row(
    (Whole(0, LARGEST_POPULATION - 1), Whole(0, LARGEST_POPULATION - 1), _WEIGHT),
    "a pair: [source neuron, target neuron] or [source neuron, target neuron, weight]",
    ("the source neuron", "the target neuron", "the weight"),
    optional=1,
)

_DRAWN_OR_LISTED = "{probability: p}, {in_degree: n}, {pairs: [...]} or {file: ..., tensor: ...}"

_CONNECTIVITY = Forms(
    f"dense, one_to_one, {_DRAWN_OR_LISTED}",
    single=Word(("dense", "one_to_one"), "connectivity", otherwise=_DRAWN_OR_LISTED),
    records=(
        Record(
            (Key("probability", QuantityOf("fraction", above=0.0, maximum=1.0), "of each pair", True),),
            "connectivity by probability",
        ),
        Record(
            (Key("in_degree", Whole(1, LARGEST_POPULATION), "source neurons of each target neuron", True),),
            "connectivity by in-degree",
        ),
        Record(
            (Key("pairs", ListOf(_PAIR, "pairs", 1, called="pair"), "the connected neurons", True),),
            "listed connectivity",
        ),
        Record(
            (
                Key("file", Text("a file name"), "a safetensors file, relative to this one", True),
                Key("tensor", Text("a tensor's name"), "a matrix [target, source]; 0 is no synapse", True),
            ),
            "connectivity from a file",
        ),
    ),
)

_WEIGHTS = Forms(
    "a weight, {uniform: [low, high]} or {normal: {mean: ..., sd: ...}}",
    single=_WEIGHT,
    records=(
        Record(
            (Key("uniform", Row((_WEIGHT, _WEIGHT), "[low, high]", _ENDS), "from low to high", True),),
            "uniform weights",
        ),
        Record(
            (
                Key(
                    "normal",
                    Record(
                        (
                            Key("mean", _WEIGHT, "the mean", True),
                            Key("sd", _WEIGHT, "the standard deviation", True),
                        ),
                        "a normal distribution",
                    ),
                    "with this mean and standard deviation",
                    True,
                ),
            ),
            "normal weights",
        ),
    ),
)

_DELAYS = Forms(
    "a time or {uniform: [least, greatest]}",
    single=_TIME,
    records=(
        Record(
            (
                Key(
                    "uniform", Row((_TIME, _TIME), "[least, greatest]", _ENDS), "from least to greatest", True
                ),
            ),
            "delays",
        ),
    ),
)

PROJECTION = Record(
    (
        Key(
            "name",
            Text("a name without blanks", r"A-Za-z0-9_.>\-", "letters, digits and _ . - >"),
            "what messages and options call it; source->target where not given",
        ),
        Key("from", Address("an output"), "the source: population or population.output", required=True),
        Key("to", Address("an input port"), "the target: population or population.port", required=True),
        Key("connectivity", _CONNECTIVITY, "which neurons are connected", default="dense"),
        Key("weight", _WEIGHTS, "initial weights, in the unit of the target port"),
        Key("limit", QuantityOf(None), "greatest magnitude that a weight may ever take"),
        Key("weight_bits", Whole(1, 8), "bits of a weight on the chip", default="8"),
        Key("delay", _DELAYS, "from a spike to its effect, at least one step", default="one step"),
        Key("learn", Name("a plasticity"), "the plasticity of the weights"),
    ),
    "a projection",
)


def _task() -> Variants:
    selector = Key("data", Word(tuple(DATA_SHAPES), "data set"), "the data set", required=True)
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
    return Variants(
        selector,
        {
            # Other data sets come with a test set of their own.
            name: Record((*common, *((split,) if name == "digits" else ())), f"data set '{name}'")
            for name in DATA_SHAPES
        },
        "a task",
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
                Named(_plasticity(), "plasticity", plural="plasticities"),
                "ways in which weights learn",
            ),
            Key("projections", ListOf(PROJECTION, "projections", called="projection"), "the synapses"),
            Key(
                "probes",
                ListOf(Address("a variable"), "population.variable", called="probe"),
                "variables to record",
            ),
            Key("task", _task(), "the classification task that the network learns"),
            Key(
                "target",
                Word(TARGETS, "target"),
                "the chip that the network is compiled for",
                default="loihi2",
            ),
        ),
        "a network",
    )
