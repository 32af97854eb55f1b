"""The part of the language's table that is about synapses: projections and plasticity."""

from __future__ import annotations

from burstchip.frontend.kinds import (
    PROJECTION_NAME,
    Address,
    Forms,
    Key,
    Kind,
    ListOf,
    Name,
    QuantityOf,
    Record,
    Row,
    Text,
    Variants,
    Whole,
    Word,
)
from compiler.ir.convolution import LARGEST_KERNEL

#: A population larger than this fits no machine that could simulate it, let alone a chip.
LARGEST_POPULATION = 1 << 24

_TIME = QuantityOf("time", above=0.0)
_WEIGHT = QuantityOf(None)

_TRACE = Record(
    (
        Key(
            "name",
            Word(("x1", "x2", "y1", "y2", "y3"), "trace"),
            "x: of the source's spikes; y: of the target's",
            True,
        ),
        Key(
            "tau",
            QuantityOf("time", 0.0),
            "time constant of its decay; at 0 it lasts for the step of the event",
            required=True,
        ),
        Key("increment", QuantityOf("number", 0.0, 127.0), "what an event adds to it", required=True),
    ),
    "a trace",
)


def plasticity() -> Variants:
    """A way to learn; its keys depend on the form."""
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
        Key(
            "seed",
            Whole(0, (1 << 32) - 1),
            "seed of the draws of traces and rounding, in place of the network's",
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
            "what a unit of the tag is worth in units of the weight",
        ),
        Key(
            "consolidate_every",
            Whole(0, 1 << 20),
            "samples between two moves of the tag into the weight; 0: whole units carry by themselves",
        ),
    )
    postsynaptic = Key(
        "postsynaptic",
        Name("an output of the target"),
        "the output that y0 and traces of the target follow, such as bursts",
        default="events",
    )
    return Variants(
        selector,
        {
            "chip": Record(
                (*common, rate, *consolidation, *products, postsynaptic),
                "form 'chip'",
                one_of=((("learning_rate",), ("dw", "dt", "dd")),),
                excluding=(("trace", "traces"), ("learning_rate", "postsynaptic")),
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
    (Whole(0, LARGEST_POPULATION - 1), Whole(0, LARGEST_POPULATION - 1), _WEIGHT, _TIME),
    "a pair: [source neuron, target neuron], and perhaps a weight, a delay or both",
    ("the source neuron", "the target neuron", "the weight or delay", "the delay"),
    optional=2,
)

_PAIRS = Forms(
    "a list of pairs, or {file: ...}",
    listing=ListOf(_PAIR, "pairs", 1, called="pair"),
    records=(
        Record(
            (
                Key("file", Text("a file name"), "a .npy or .csv file, [pair, (source, target)]", True),
                Key("unit", Text("a unit, such as mV"), "of weights, the file's third column"),
            ),
            "a file of pairs",
        ),
    ),
)

_DRAWN_OR_LISTED = (
    "{probability: p}, {in_degree: n}, {pairs: [...]}, {file: ..., tensor: ...}, "
    "{conv2d: ...}, {pool2d: ...}, {conv1d: ...} or {pool1d: ...}"
)


def _places(what: str, dimensions: int, least: int) -> Kind:
    """A number for each dimension, or one for both."""
    number = Whole(least, LARGEST_KERNEL)
    if dimensions == 1:
        return number
    both = Row((number, number), "[rows, columns]", (f"the {what} of rows", f"the {what} of columns"))
    return Forms(f"a whole number from {least} to {LARGEST_KERNEL}, or [rows, columns]", number, both)


def convolution(dimensions: int) -> Record:
    """What stands under `conv1d` or `conv2d`."""
    answer = Word(("yes", "no", "true", "false"), "answer")
    return Record(
        (
            Key("kernel", _places("size", dimensions, 1), "places that a target neuron reads", True),
            Key("channels", Whole(1, LARGEST_POPULATION), "channels of the target", True),
            Key(
                "stride", _places("stride", dimensions, 1), "places from one neuron to the next", default="1"
            ),
            Key("padding", _places("padding", dimensions, 0), "silent places added at each end", default="0"),
            Key(
                "dilation",
                _places("dilation", dimensions, 1),
                "places from one that is read to the next",
                default="1",
            ),
            Key("groups", Whole(1, LARGEST_POPULATION), "groups of channels that are apart", default="1"),
            Key("shared", answer, "no: a weight of its own for each synapse; yes where not given"),
            Key("file", Text("a file name"), "a safetensors file with the weights, relative to this one"),
            Key(
                "tensor",
                Text("a tensor's name"),
                "weights [channel, channel of the group, places]",
            ),
        ),
        f"conv{dimensions}d",
        together=(("file", "tensor"),),
    )


def pool(dimensions: int) -> Record:
    """What stands under `pool1d` or `pool2d`."""
    return Record(
        (
            Key("kernel", _places("size", dimensions, 1), "places that a target neuron reads", True),
            Key(
                "stride",
                _places("stride", dimensions, 1),
                "places from one neuron to the next",
                default="the kernel",
            ),
            Key(
                "kind",
                Word(("sum", "average"), "kind of pool"),
                "average: the weight is shared out",
                default="sum",
            ),
        ),
        f"pool{dimensions}d",
    )


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
            (Key("pairs", _PAIRS, "the connected neurons", True),),
            "listed connectivity",
        ),
        Record(
            (
                Key("file", Text("a file name"), "a safetensors file, relative to this one", True),
                Key(
                    "tensor",
                    Text("a tensor's name"),
                    "a matrix [target, source]",
                    True,
                ),
                Key(
                    "zeros",
                    Word(("absent", "synapses"), "answer"),
                    "what a 0 is: an absent synapse, where not given, or one of weight 0",
                ),
            ),
            "connectivity from a file",
        ),
        *(
            Record((Key(f"{name}{dimensions}d", kind(dimensions), f"a {doc}", True),), f"a {doc}")
            for name, kind, doc in (("conv", convolution, "convolution"), ("pool", pool, "pool"))
            for dimensions in (1, 2)
        ),
    ),
)


def drawn(quantity: QuantityOf, what: str = "values") -> tuple[Record, ...]:
    """The distributions that values of this kind may be drawn from."""
    sd = QuantityOf(quantity.dimension, None if quantity.dimension is None else 0.0)
    normal = Record(
        (Key("mean", quantity, "the mean", True), Key("sd", sd, "the standard deviation", True)),
        "a normal distribution",
    )
    uniform = Row((quantity, quantity), "[low, high]", _ENDS)
    return (
        Record((Key("uniform", uniform, "from low to high", True),), f"uniform {what}"),
        Record((Key("normal", normal, "with this mean and standard deviation", True),), f"normal {what}"),
    )


_WEIGHTS = Forms(
    "a weight, {uniform: [low, high]} or {normal: {mean: ..., sd: ...}}",
    single=_WEIGHT,
    records=drawn(_WEIGHT, "weights"),
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
            Text("a name without blanks", PROJECTION_NAME, "letters, digits and _ . - >"),
            "what messages and options call it; source->target where not given",
        ),
        Key("from", Address("an output"), "the source: population or population.output", required=True),
        Key("to", Address("an input port"), "the target: population or population.port", required=True),
        Key("connectivity", _CONNECTIVITY, "which neurons are connected", default="dense"),
        Key("weight", _WEIGHTS, "initial weights, in the unit of the target port"),
        Key("limit", QuantityOf(None), "greatest magnitude that a weight may ever take"),
        Key(
            "weight_bits",
            Whole(1, 16),
            "bits of a weight on the chip",
            default="8",
        ),
        Key(
            "weight_exp",
            Whole(-8, 7),
            "weights are the chip's integers, at 2^weight_exp",
        ),
        Key("delay", _DELAYS, "from a spike to its effect, at least one step", default="one step"),
        Key(
            "autapses",
            Word(("yes", "no", "true", "false"), "answer"),
            "whether the neurons of a recurrent projection may connect to themselves; yes where not given",
        ),
        Key(
            "sign_mode",
            Word(("mixed", "excitatory", "inhibitory"), "sign mode"),
            "sign of the weights, which they keep while they learn",
        ),
        Key("learn", Name("a plasticity"), "the plasticity of the weights"),
        Key(
            "present",
            Word(("yes", "no", "true", "false"), "answer"),
            "no: it is checked, but not part of the network; yes where not given",
        ),
    ),
    "a projection",
    excluding=(("weight_exp", "limit"),),
)
