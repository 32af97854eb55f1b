"""The part of the language's table that is about protocols: examples, phases, teachers."""

from __future__ import annotations

from burstchip.frontend.kinds import (
    Address,
    Key,
    ListOf,
    Name,
    Named,
    QuantityOf,
    Record,
    Text,
    Whole,
    Word,
)

_TIME = QuantityOf("time", above=0.0)
_RATE = QuantityOf("rate", minimum=0.0)
_ANY = QuantityOf(None)

_TEACHER = Record(
    (
        Key("to", Address("a variable"), "population.variable that it adds to", required=True),
        Key("strength", _ANY, "the most that it adds or takes away", required=True),
        Key("low", _RATE, "the event rate that stands for 0", required=True),
        Key("high", _RATE, "the event rate that stands for 1", required=True),
        Key("tolerance", QuantityOf("rate", above=0.0), "how close is close enough", required=True),
        Key("every", _TIME, "how often it looks at the rates; default: once, when a taught phase begins"),
    ),
    "a teacher",
)
_PHASE = Record(
    (
        Key("for", _TIME, "how long it lasts", required=True),
        Key("taught", Word(("yes", "no"), "answer"), "whether the teachers act", default="no"),
        Key(
            "plastic", ListOf(Name("a population"), "populations"), "the populations that learn", default="[]"
        ),
    ),
    "a phase",
)
_PART = Record(
    (
        Key("name", Name("a name"), "what reports call it", required=True),
        Key("phases", ListOf(Name("a phase"), "phases", 1), "what each example goes through"),
        Key("for", _TIME, "in place of phases: how long no example is shown"),
        Key("rounds", Whole(1, 1_000_000), "how often all examples are shown", default="1"),
        Key(
            "order", Word(("listed", "shuffled"), "order"), "the examples' order in a round", default="listed"
        ),
    ),
    "a part",
    one_of=((("phases",), ("for",)),),
)
_TABLE = Record(
    (
        Key(
            "file",
            Text("a file name"),
            "a .npy or .csv file, [example, (inputs, targets)], relative to this one",
            required=True,
        ),
        Key("unit", Text("a unit, such as pA"), "what the file's inputs are in", required=True),
    ),
    "a table of examples",
)

PROTOCOL = Record(
    (
        Key(
            "inputs",
            Named(Address("a variable"), "input", 1),
            "population.variable that an example sets, by the name that the examples use",
            required=True,
        ),
        Key(
            "teachers",
            Named(_TEACHER, "teacher"),
            "what drives neurons towards a target, by the name that the examples use",
        ),
        Key(
            "examples",
            Named(Named(_ANY, "value"), "example", 1),
            "a value for each input, and 0 or 1 for each teacher",
        ),
        Key("table", _TABLE, "the same from a file"),
        Key("phases", Named(_PHASE, "phase", 1), "the stretches that an example is shown in", required=True),
        Key(
            "parts",
            ListOf(_PART, "parts", 1, called="part"),
            "what is done, one after the other",
            required=True,
        ),
        Key("bin", _TIME, "the time over which rates are counted", required=True),
    ),
    "a protocol",
    one_of=((("examples",), ("table",)),),
)
