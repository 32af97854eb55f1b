"""The messages of the protocol: what a host asks a target, and what it answers; see `docs/protocol.md`.

Each request has an answer with its `id`. A target answers `error` where it cannot do what was asked, and then
`ready`. Numbers are the program's own: a target of integers never sees a float.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

#: The version of the protocol. Host and target must have the same.
PROTOCOL = 1
#: Bytes of the largest message that this side takes.
MOST_FRAME = 1 << 28
#: Bytes of the largest artifact that this side takes.
MOST_ARTIFACT = 1 << 31

Number = Annotated[int, Meta(ge=0, lt=1 << 53)]
Count = Annotated[int, Meta(ge=0, lt=1 << 31)]
Seed = Annotated[int, Meta(ge=0, lt=1 << 32)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Meta(max_length=1024)]
Text = Annotated[str, Meta(max_length=1 << 16)]
#: How an artifact travels: as its file, or as what a simple device needs of it.
Form = Literal["artifact", "flat"]


class Array(Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers: their type as numpy writes it, little-endian, and their bytes in C's order."""

    dtype: Literal["|i1", "|u1", "|b1", "<i2", "<u2", "<i4", "<u4", "<i8", "<f4", "<f8"]
    shape: Annotated[tuple[Count, ...], Meta(max_length=4)]
    data: bytes


class StreamRows(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of a stream, [row, neuron], from row `first` on."""

    stream: Name
    first: Number
    rows: Array


class Message(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    """A message; an answer has the `id` of its request."""

    id: Number


class Hello(Message, frozen=True, tag="hello", forbid_unknown_fields=False):
    """The first message: the host's version of the protocol, and the bytes of a message that it takes."""

    protocol: Number
    host: Text
    frame_bytes: Number = MOST_FRAME


class Load(Message, frozen=True, tag="load"):
    """Take an artifact of this content: `loaded` where the target holds it, else `wanted`.

    `artifact` is the hash that the artifact carries, `sha256` that of the `size` bytes of this form.
    """

    artifact: Sha256
    form: Form
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=MOST_ARTIFACT)]


class Piece(Message, frozen=True, tag="piece"):
    """The next bytes of the wanted artifact: `taken`, and `loaded` after the last ones."""

    data: bytes


class Reset(Message, frozen=True, tag="reset"):
    """Begin a run of a loaded artifact at clock `begin`, at rest; a run before it ends. Answer: `ready`."""

    artifact: Sha256
    record: tuple[tuple[Name, Name], ...] = ()
    learning: bool = True
    seed: Seed | None = None
    frozen: tuple[Name, ...] = ()
    begin: Count = 0


class Advance(Message, frozen=True, tag="advance"):
    """Take steps, with the rows that they need. Answer: `advanced`."""

    steps: Count
    rows: tuple[StreamRows, ...] = ()


class Infer(Message, frozen=True, tag="infer"):
    """Show `warm_ups` and then `samples` samples of a task to a run without learning. Answer: `shown`."""

    samples: Count
    warm_ups: Count = 0
    rows: tuple[StreamRows, ...] = ()


class Learn(Message, frozen=True, tag="learn"):
    """Show `samples` samples of a task to a run that learns. Answer: `shown`."""

    samples: Count
    rows: tuple[StreamRows, ...] = ()


class Read(Message, frozen=True, tag="read"):
    """Answer with a state or an output, [neuron], or with what synapses hold: `values`."""

    place: Name
    variable: Name


class Write(Message, frozen=True, tag="write"):
    """Set a signal to one number or [neuron], from the next step on. Answer: `ready`."""

    name: Name
    value: Array


class Weights(Message, frozen=True, tag="weights"):
    """Answer with the weights of a projection that events see: `values`."""

    projection: Name


class SetWeights(Message, frozen=True, tag="set_weights"):
    """Take other weights, in a run that does not learn. Answer: `ready`."""

    weights: dict[Name, Array]


class State(Message, frozen=True, tag="state"):
    """Answer with everything that the run goes on from: `state_is`."""


class Restore(Message, frozen=True, tag="restore"):
    """Go on from a state of this program at a clock. Answer: `hashed`, over the state that is now there."""

    state: dict[Name, Array]
    clock: Count


class Adopt(Message, frozen=True, tag="adopt"):
    """Take neurons and weights of a state, but no messages, traces and tags. Answer: `ready`."""

    state: dict[Name, Array]


class StateHash(Message, frozen=True, tag="state_hash"):
    """Answer with the hash over the states of neurons and over weights that every backend has: `hashed`."""


class Timestamp(Message, frozen=True, tag="timestamp"):
    """Answer with the target's time: `time`."""


class Bye(Message, frozen=True, tag="bye"):
    """The host goes. Answer: `ready`."""


class Profile(Message, frozen=True, tag="profile", forbid_unknown_fields=False):
    """Who answers `hello`: version, names, whether it computes real numbers, the forms of artifacts it reads.

    It takes messages of up to `frame_bytes` bytes; its clock ticks every `tick_ns` nanoseconds.
    """

    protocol: Number
    target: Text
    backend: Name
    real: bool = False
    forms: Annotated[tuple[Form, ...], Meta(min_length=1)] = ("artifact",)
    frame_bytes: Annotated[int, Meta(ge=1024, lt=1 << 53)] = MOST_FRAME
    tick_ns: Annotated[int, Meta(ge=1, lt=1 << 53)] = 1


class Loaded(Message, frozen=True, tag="loaded"):
    """The artifact is there: the two hashes, `sha256` as the target itself computed it."""

    artifact: Sha256
    sha256: Sha256


class Wanted(Message, frozen=True, tag="wanted"):
    """The artifact is not there yet."""


class Taken(Message, frozen=True, tag="taken"):
    """So many bytes of the artifact are there."""

    size: Number


class Ready(Message, frozen=True, tag="ready"):
    """It is done, or an error is over: the next request may come. `clock` is that of the run."""

    clock: Count = 0


class Counts(Struct, frozen=True, forbid_unknown_fields=True):
    """Since the run's start: numbers by population, in the program's order."""

    events: tuple[Number, ...]
    bursts: tuple[Number, ...]
    clipped: tuple[Number, ...]
    synaptic_events: Number | None = None


class Advanced(Message, frozen=True, tag="advanced"):
    """Steps are done: what `reset` asked to record, each [step, index], and classes of samples that ended.

    `began_ns` and `ended_ns` are the target's own time, around the steps alone.
    """

    clock: Count
    counts: Counts
    began_ns: Number
    ended_ns: Number
    recorded: tuple[Array, ...] = ()
    readout: tuple[Count, ...] = ()


class Shown(Message, frozen=True, tag="shown"):
    """Samples are over: the class of each and the nanoseconds that it took, both without warm-ups."""

    clock: Count
    counts: Counts
    began_ns: Number
    ended_ns: Number
    classes: tuple[Count, ...]
    sample_ns: tuple[Number, ...]


class Values(Message, frozen=True, tag="values"):
    """Numbers that were asked for."""

    values: Array


class StateIs(Message, frozen=True, tag="state_is"):
    """The run's state, and the hash over it as `state_sha256` computes it."""

    clock: Count
    state: dict[Name, Array]
    sha256: Sha256


class Hashed(Message, frozen=True, tag="hashed"):
    """A hash of a state at a clock."""

    clock: Count
    sha256: Sha256


class Time(Message, frozen=True, tag="time"):
    """Nanoseconds of a clock of the target that never goes back."""

    ns: Number


class Error(Message, frozen=True, tag="error"):
    """What was asked cannot be done: `code`, such as BC567, says why to programs, `message` to people."""

    code: Name
    message: Text
    hint: Text | None = None


Request = (
    Hello
    | Load
    | Piece
    | Reset
    | Advance
    | Infer
    | Learn
    | Read
    | Write
    | Weights
    | SetWeights
    | State
    | Restore
    | Adopt
    | StateHash
    | Timestamp
    | Bye
)
Answer = (
    Profile | Loaded | Wanted | Taken | Ready | Advanced | Shown | Values | StateIs | Hashed | Time | Error
)


def name_of(message: Message) -> str:
    """What the protocol calls a message."""
    return str(message.__struct_config__.tag)
