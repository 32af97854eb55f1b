"""A connection to a target: questions and answers, each checked, and the runs that it carries.

connection = connect("tcp://127.0.0.1:5570")
run = connection.open_run(code, record=[("cell", "events")])
values = run.advance(100)
connection.close()

A target that breaks the protocol raises `TargetFailure`, whose `reason` is one of `Failure`; the connection
is then closed, and whatever is asked of it raises the same failure again.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Any, TypeVar, cast

from numpy.typing import ArrayLike

from burstchip.backends.host_values import require_streams, stream_of, written_at_the_start
from burstchip.remote.address import is_address, parse_address
from burstchip.remote.carriers.carrier import Carrier
from burstchip.remote.failures import (
    BadFrame,
    Failure,
    Gone,
    Silence,
    TargetFailure,
    TargetRefusal,
    TooLarge,
    shown,
)
from burstchip.remote.messages import (
    MOST_FRAME,
    PROTOCOL,
    Bye,
    Error,
    Hello,
    Load,
    Loaded,
    Message,
    Piece,
    Profile,
    Ready,
    Reset,
    Taken,
    Time,
    Timestamp,
    Wanted,
    name_of,
)
from burstchip.remote.prepared import Prepared, bytes_of, prepare
from burstchip.remote.remote_run import RemoteRun
from burstchip.variables import Place, check_place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host, Rows
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC888": "what a target cannot do for a run"})

#: Seconds that a target has for an answer.
TIMEOUT = 120.0
#: Bytes of an artifact that travel in one message.
_PIECE = 1 << 20

A = TypeVar("A", bound=Message)


class Connection:
    """A target on the other side of a carrier; `profile` is what it says of itself.

    `timeout` are the seconds that it has for each answer.
    """

    def __init__(self, carrier: Carrier, address: str, *, timeout: float = TIMEOUT) -> None:
        self.address, self.timeout = address, timeout
        self.failure: TargetFailure | None = None
        self._carrier, self._numbers = carrier, count(1)
        self._exchange = "start"
        self._closed = False
        self._run: RemoteRun | None = None
        self._prepared: Prepared | None = None
        self.profile: Profile
        from importlib.metadata import version

        hello = Hello(
            id=0, protocol=PROTOCOL, host=f"burstchip {version('burstchip')}", frame_bytes=MOST_FRAME
        )
        try:
            self.profile = self.ask(hello, Profile)
        except TargetRefusal as refused:
            self.close()
            raise self.failed(Failure.wrong_version, f"version {PROTOCOL}", str(refused)) from None
        if self.profile.protocol != PROTOCOL:
            given = f"version {self.profile.protocol}"
            raise self.failed(Failure.wrong_version, f"version {PROTOCOL}", given)
        carrier.most = min(self.profile.frame_bytes, MOST_FRAME)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<connection to the target at {self.address}>"

    def ask(self, request: Message, expected: type[A]) -> A:
        """The answer to a request. Raises `TargetFailure`, and `TargetRefusal` for an error of the target."""
        if self.failure is not None:
            raise self.failure
        if self._closed:
            message = f"the connection to '{self.address}' is closed"
            raise BurstchipError(Diagnostic("BC888", message, required="a connection that is open"))
        self._exchange = name_of(request)
        deadline = time.monotonic() + self.timeout
        try:
            answer = self._sent_and_answered(request, deadline)
            self._check_is_asked(request, answer)
            if isinstance(answer, Error):
                self._check_ready(request, deadline)
                raise TargetRefusal(self.address, self._exchange, answer.code, answer.message, answer.hint)
        except Silence as silence:
            raise self._silent(silence) from None
        except Gone as gone:
            reason = Failure.unfinished if gone.begun else Failure.died
            raise self.failed(reason, "an answer", gone.said or "the connection was closed") from None
        except BadFrame as bad:
            raise self.failed(bad.reason, bad.required, bad.given) from None
        except TooLarge as large:
            raise _unable(
                self.address, f"a message of at most {large.most:,} bytes", f"{large.size:,}"
            ) from None
        except BaseException as error:
            # Ctrl-C in the middle: the answer to this request would be taken for that of the next.
            if not isinstance(error, BurstchipError):
                self.close()
            raise
        if not isinstance(answer, expected):
            wanted = expected.__struct_config__.tag
            raise self.failed(Failure.unasked, f"'{wanted}'", f"'{name_of(answer)}'")
        return answer

    def next_id(self) -> int:
        """A number that no request had."""
        return next(self._numbers)

    def failed(self, reason: Failure, required: str, given: str) -> TargetFailure:
        """The failure of the last exchange, with which the connection ends."""
        self.failure = TargetFailure(reason, self.address, self._exchange, required=required, given=given)
        self.close()
        return self.failure

    def timestamp(self) -> int:
        """Nanoseconds of the target's clock."""
        return self.ask(Timestamp(id=self.next_id()), Time).ns

    def open_run(
        self,
        code: ChipProgram,
        *,
        record: Sequence[Place] = (),
        streams: Mapping[str, ArrayLike | Rows] | None = None,
        learning: bool = True,
        seed: int | None = None,
        frozen: Collection[str] = (),
        begin: int = 0,
    ) -> RemoteRun:
        """A run of a program on the target; arguments as of `burstchip.open_run`. A run before it is over.

        The artifact travels where the target does not hold it. Raises as `ask`, and as `open_run` for
        arguments that cannot be.
        """
        for place in record:
            check_place(code, place)
        real = self.profile.real
        rows = {name: stream_of(code, name, it, real=real) for name, it in (streams or {}).items()}
        host = Host(rows, written_at_the_start(code, real=real))
        require_streams(code, host)
        artifact = self.load(code)
        request = Reset(
            id=self.next_id(),
            artifact=artifact,
            record=tuple(record),
            learning=learning,
            seed=seed,
            frozen=tuple(frozen),
            begin=begin,
        )
        ready = self.ask(request, Ready)
        if ready.clock != begin:
            raise self.failed(Failure.wrong_clock, f"step {begin}", f"step {ready.clock}")
        self._run = RemoteRun(self, code, host, tuple(record), learning=learning, begin=begin)
        return self._run

    def is_current(self, run: object) -> bool:
        """Whether the target carries this run, and not another."""
        return self._run is run

    def load(self, code: ChipProgram) -> str:
        """Have the target hold a program; the hash of its artifact."""
        form, data = self.profile.forms[0], None
        if self._prepared is None or self._prepared.code is not code:
            self._prepared, data = prepare(code, form)
        it = self._prepared
        load = Load(id=self.next_id(), artifact=it.artifact, form=form, sha256=it.sha256, size=it.size)
        answer: Message = self.ask(load, cast(type[Message], Loaded | Wanted))
        if isinstance(answer, Wanted):
            answer = self._send(bytes_of(code, form)[0] if data is None else data)
        assert isinstance(answer, Loaded)
        if (answer.artifact, answer.sha256) != (it.artifact, it.sha256):
            given = f"artifact {answer.artifact[:16]}... with bytes of {answer.sha256[:16]}..."
            required = f"artifact {it.artifact[:16]}... with bytes of {it.sha256[:16]}..."
            raise self.failed(Failure.wrong_artifact, required, given)
        return it.artifact

    def _send(self, data: bytes) -> Loaded:
        size = max(1, min(_PIECE, self.profile.frame_bytes // 2))
        for first in range(0, len(data) - size, size):
            taken = self.ask(Piece(data[first : first + size], id=self.next_id()), Taken).size
            if taken != first + size:
                raise self.failed(Failure.wrong_artifact, f"{first + size:,} bytes so far", f"{taken:,}")
        last = (len(data) - 1) // size * size
        return self.ask(Piece(data[last:], id=self.next_id()), Loaded)

    def close(self) -> None:
        """Say goodbye where the target still listens, and give back the carrier."""
        if self._closed:
            return
        try:
            if self.failure is None and hasattr(self, "profile"):
                self._carrier.send(Bye(id=self.next_id()), time.monotonic() + 1.0)
        except (Silence, Gone, TooLarge):
            pass
        finally:
            self._closed = True
            self._carrier.close()

    def _sent_and_answered(self, request: Message, deadline: float) -> Message:
        try:
            self._carrier.send(request, deadline)
        except Gone:
            # What it said before it ended tells more, rubbish for example.
            self._receive(deadline)
            raise
        return self._receive(deadline)

    def _receive(self, deadline: float) -> Message:
        return cast(Message, self._carrier.receive(deadline))

    def _check_is_asked(self, request: Message, answer: Message) -> None:
        if answer.id != request.id:
            required = f"an answer to request {request.id}"
            raise self.failed(Failure.unasked, required, f"'{name_of(answer)}' to {answer.id}")

    def _check_ready(self, request: Message, deadline: float) -> None:
        """After an error the target says that it takes the next request."""
        try:
            answer = self._receive(deadline)
        except (Silence, Gone, BadFrame) as missing:
            raise self.failed(
                Failure.not_ready, "'ready' after an error", str(missing) or "nothing"
            ) from None
        if not isinstance(answer, Ready) or answer.id != request.id:
            given = f"'{name_of(answer)}' to {answer.id}"
            raise self.failed(Failure.not_ready, f"'ready' to {request.id} after an error", given)

    def _silent(self, silence: Silence) -> TargetFailure:
        if silence.begun:
            given = f"the beginning of one, and nothing more for {self.timeout:g} s"
            return self.failed(Failure.unfinished, "a whole message", given)
        return self.failed(Failure.silent, f"an answer within {self.timeout:g} s", "nothing")


def _unable(address: str, required: str, given: str) -> BurstchipError:
    message = f"target '{address}' cannot do what the run needs"
    return BurstchipError(Diagnostic("BC888", message, required=required, given=given))


def connect(address: str, *, timeout: float = TIMEOUT) -> Connection:
    """A connection to the target at an address of `burstchip.remote.address`, or to a command line.

    `timeout` are the seconds that it has for each answer, the first included. Raises `BurstchipError` BC886
    for a text that is not an address, BC889 where a package is missing, and `TargetFailure`.
    """
    place = parse_address(address if is_address(address) else f"child:{address}")
    try:
        carrier: Carrier
        if place.kind == "tcp":
            from burstchip.remote.carriers.sockets import connected

            carrier = connected(place.where, place.number, timeout)
        elif place.kind == "serial":
            from burstchip.remote.carriers.serial import opened

            carrier = opened(place.where, place.number)
        else:
            from burstchip.remote.carriers.child import Child

            carrier = Child(place.where, lines=place.lines)
    except Gone as gone:
        raise TargetFailure(
            Failure.unreachable, address, "start", required="a target that answers", given=gone.said
        ) from None
    try:
        return Connection(carrier, address, timeout=timeout)
    except BaseException:
        carrier.close()
        raise


def run_at(code: ChipProgram, address: str, **options: Any) -> RemoteRun:
    """A run on the target at an address, whose connection ends with it; options as of `Connection.open_run`.

    Raises `BurstchipError` BC888 for a target that computes real numbers: what is compared and recorded of a
    run at an address are integers.
    """
    connection = connect(address)
    try:
        if connection.profile.real:
            raise BurstchipError(
                Diagnostic(
                    "BC888",
                    f"target '{address}' computes real numbers",
                    required="a target of integers",
                    given=shown(f"backend {connection.profile.backend}"),
                    hint="`burstchip.remote.connection.connect` opens runs of it in Python",
                )
            )
        run = connection.open_run(code, **options)
    except BaseException:
        connection.close()
        raise
    run.owns_connection = True
    return run
