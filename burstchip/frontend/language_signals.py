"""The part of the language's table that is about signals: what reaches neurons from outside over time."""

from __future__ import annotations

from collections.abc import Mapping

from burstchip.frontend.kinds import Address, Key, Kind, ListOf, QuantityOf, Record, Row, Text, Word

_TIME = QuantityOf("time", above=0.0)
_SINCE = QuantityOf("time", minimum=0.0)
#: Of the dimension of the variable that the signal is for.
_VALUE = QuantityOf(None)
_WORDS = Word(("yes", "no"), "answer")

_SINE = Record(
    (
        Key("amplitude", _VALUE, "the greatest distance from the mean", required=True),
        Key("frequency", QuantityOf("rate", above=0.0), "cycles a second", required=True),
        Key("mean", _VALUE, "the value around which it swings", default="0"),
        Key("phase", QuantityOf("fraction", 0.0, 1.0), "cycles that are over at the start", default="0"),
    ),
    "a sine",
)
_RAMP = Record(
    (
        Key("from", _VALUE, "the value at the start", required=True),
        Key("to", _VALUE, "the value at the end, which then stays", required=True),
        Key("over", _TIME, "how long the way takes", required=True),
    ),
    "a ramp",
)
_PULSES = Record(
    (
        Key("value", _VALUE, "the value in a pulse", required=True),
        Key("width", _TIME, "how long a pulse lasts", required=True),
        Key("period", _TIME, "time from the beginning of a pulse to the next", required=True),
        Key("base", _VALUE, "the value between pulses; default: what holds without the signal"),
    ),
    "a pulse train",
)
_STEP = Row((_SINCE, _VALUE), "[time, value]", ("the time", "the value"))
_TABLE = Record(
    (
        Key("file", Text("a file name"), "a .npy or .csv file, [row] or [row, neuron], relative to this one"),
        Key("values", ListOf(_VALUE, "values", 1, called="value"), "the rows themselves"),
        Key("unit", Text("a unit, such as pA"), "what the file's numbers are in"),
        Key("every", _TIME, "how long a row lasts", required=True),
        Key(
            "repeat",
            _WORDS,
            "whether it begins again after the last row, which otherwise stays",
            default="no",
        ),
    ),
    "a table",
    one_of=((("file",), ("values",)),),
    together=(("file", "unit"),),
)
_STREAMED = Record(
    (
        Key("every", _TIME, "how long a row lasts", required=True),
        Key("from", _VALUE, "the least value that the host may give", required=True),
        Key("to", _VALUE, "the greatest", required=True),
    ),
    "a stream",
)
_WRITTEN = Record(
    (
        Key("from", _VALUE, "the least value that the host may write", required=True),
        Key("to", _VALUE, "the greatest", required=True),
        Key("start", _VALUE, "the value until it writes; default: what holds without the signal"),
    ),
    "a written value",
)

#: What a signal may be.
COURSES: Mapping[str, Kind] = {
    "constant": _VALUE,
    "sine": _SINE,
    "ramp": _RAMP,
    "pulses": _PULSES,
    "steps": ListOf(_STEP, "steps", 1, called="step"),
    "table": _TABLE,
    "streamed": _STREAMED,
    "written": _WRITTEN,
}

_DOCS = {
    "constant": "one value throughout",
    "sine": "a sine wave",
    "ramp": "a straight line from one value to another",
    "pulses": "pulses that repeat",
    "steps": "values, each from its time on",
    "table": "rows of a file or of a list, one after the other",
    "streamed": "rows that the host gives with a run",
    "written": "a value that the host writes while the network runs",
}

SIGNAL = Record(
    (
        Key("to", Address("a variable"), "population.variable that it sets, or a port that it adds to", True),
        *(Key(name, kind, _DOCS[name]) for name, kind in COURSES.items()),
        Key("start", _SINCE, "when it begins", default="0 ms"),
        Key("stop", _TIME, "when it ends; default: never"),
    ),
    "a signal",
    one_of=(tuple((name,) for name in COURSES),),
)
