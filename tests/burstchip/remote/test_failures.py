"""Targets that misbehave on purpose: each has a name in its report, and nothing else is lost."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from burstchip.cli.main import main
from burstchip.remote.arrays import packed
from burstchip.remote.carriers.sockets import Socket
from burstchip.remote.connection import Connection, connect
from burstchip.remote.failures import Failure, Gone, TargetFailure
from burstchip.remote.framing import frame_of
from burstchip.remote.messages import Message, Timestamp, Values, name_of
from burstchip.remote.remote_run import RemoteRun
from burstchip.remote.serving import serve
from burstchip.remote.target import Target
from compiler.artifact import save_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

RECORD = [("first", "v"), ("second", "events")]


@dataclass(frozen=True)
class Misbehaviour:
    """What is done in place of answering `at`: other messages, bytes as they are, or silence."""

    name: str
    at: str
    does: Callable[[Any], Any]
    reason: Failure


def changed(**fields: Any) -> Callable[[Any], Any]:
    return lambda answer: [msgspec.structs.replace(answer, **fields)]


def recorded(number: int, values: Any) -> Callable[[Any], Any]:
    def of(answer: Any) -> Any:
        arrays = list(answer.recorded)
        arrays[number] = packed(values)
        return [msgspec.structs.replace(answer, recorded=tuple(arrays))]

    return of


def counted(answer: Any) -> Any:
    counts = msgspec.structs.replace(answer.counts, events=answer.counts.events[1:])
    return [msgspec.structs.replace(answer, counts=counts)]


def shortened(answer: Any) -> Any:
    array = answer.recorded[0]
    cut = msgspec.structs.replace(array, data=array.data[:-1])
    return [msgspec.structs.replace(answer, recorded=(cut, *answer.recorded[1:]))]


def damaged(answer: Message) -> list[bytes]:
    frame = bytearray(frame_of(answer))
    frame[-1] ^= 1
    return [bytes(frame)]


CODES = {
    Failure.unreachable: "BC870",
    Failure.died: "BC871",
    Failure.silent: "BC872",
    Failure.rubbish: "BC873",
    Failure.unfinished: "BC874",
    Failure.too_large: "BC875",
    Failure.damaged: "BC876",
    Failure.wrong_version: "BC877",
    Failure.wrong_artifact: "BC878",
    Failure.wrong_values: "BC879",
    Failure.wrong_clock: "BC880",
    Failure.wrong_time: "BC881",
    Failure.wrong_state: "BC882",
    Failure.unasked: "BC883",
    Failure.not_ready: "BC884",
}
SILENT: list[Any] = []
ENDS = None
CASES = [
    Misbehaviour("hangs at hello", "hello", lambda _: SILENT, Failure.silent),
    Misbehaviour("hangs in a run", "advance", lambda _: SILENT, Failure.silent),
    Misbehaviour("ends at hello", "hello", lambda _: ENDS, Failure.died),
    Misbehaviour("ends in a run", "advance", lambda _: ENDS, Failure.died),
    Misbehaviour("sends rubbish", "reset", lambda _: [frame_of(Timestamp(id=3))], Failure.rubbish),
    Misbehaviour("breaks a message off", "advance", lambda it: [frame_of(it)[:-3]], Failure.unfinished),
    Misbehaviour("breaks off and ends", "advance", lambda it: [frame_of(it)[:6], ENDS], Failure.unfinished),
    Misbehaviour("too large a message", "advance", lambda _: [b"\0\0\0\x7f" * 2], Failure.too_large),
    Misbehaviour("damages a message", "advance", damaged, Failure.damaged),
    Misbehaviour("another version", "hello", changed(protocol=2), Failure.wrong_version),
    Misbehaviour("another artifact", "piece", changed(artifact="0" * 64), Failure.wrong_artifact),
    Misbehaviour("other bytes", "piece", changed(sha256="0" * 64), Failure.wrong_artifact),
    Misbehaviour("another shape", "advance", recorded(0, np.zeros((20, 6), int)), Failure.wrong_values),
    Misbehaviour("floats", "advance", recorded(1, np.zeros((20, 4))), Failure.wrong_values),
    Misbehaviour("too few arrays", "advance", changed(recorded=()), Failure.wrong_values),
    Misbehaviour("too few bytes", "advance", shortened, Failure.wrong_values),
    Misbehaviour("too few counts", "advance", counted, Failure.wrong_values),
    Misbehaviour("a class of no sample", "advance", changed(readout=(1,)), Failure.wrong_values),
    Misbehaviour("another shape read", "read", changed(values=packed(np.zeros(3))), Failure.wrong_values),
    Misbehaviour("a step too many", "advance", changed(clock=21), Failure.wrong_clock),
    Misbehaviour("begins elsewhere", "reset", changed(clock=1), Failure.wrong_clock),
    Misbehaviour("time goes back", "advance", changed(ended_ns=0), Failure.wrong_time),
    Misbehaviour("a time longer than the exchange", "advance", changed(began_ns=0), Failure.wrong_time),
    Misbehaviour("another hash of its state", "state", changed(sha256="0" * 64), Failure.wrong_state),
    Misbehaviour("another state than restored", "restore", changed(sha256="0" * 64), Failure.wrong_state),
    Misbehaviour("another question", "advance", changed(id=1), Failure.unasked),
    Misbehaviour(
        "another kind of answer", "advance", lambda it: [Values(packed(1), id=it.id)], Failure.unasked
    ),
    Misbehaviour("an error and silence", "set_weights", lambda it: [it], Failure.not_ready),
    Misbehaviour("an error and more", "set_weights", lambda it: [it, it], Failure.not_ready),
]


class Bad:
    """A target that does as its misbehaviour says, and answers rightly before."""

    def __init__(self, case: Misbehaviour, connected: socket.socket) -> None:
        self.case, self.target, self.carrier = case, Target("plain"), Socket(connected, requests=True)
        self.socket = connected
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        try:
            while True:
                request = self.carrier.receive()
                answer = self.target.answer(request)
                said = self.case.does(answer) if name_of(request) == self.case.at else [answer]
                for it in [ENDS] if said is ENDS else said:
                    if it is ENDS:
                        return
                    if isinstance(it, bytes):
                        self.socket.setblocking(True)
                        self.socket.sendall(it)
                        self.socket.setblocking(False)
                    else:
                        self.carrier.send(it)
        except Gone:
            pass
        finally:
            self.carrier.close()


@pytest.fixture
def bad() -> Iterator[Callable[..., Connection]]:
    """Connects to a target that misbehaves in a thread."""
    with ExitStack() as stack:

        def connected(case: Misbehaviour, timeout: float) -> Connection:
            ours, theirs = socket.socketpair()
            target = Bad(case, theirs)
            target.thread.start()
            stack.callback(target.thread.join, 5)
            stack.callback(ours.close)
            return Connection(Socket(ours, requests=False), "bad", timeout=timeout)

        yield connected


def waits(case: Misbehaviour) -> bool:
    """Whether the host finds out by waiting alone."""
    return case.name in ("hangs at hello", "hangs in a run", "breaks a message off", "an error and silence")


def provoke(run: RemoteRun, at: str) -> None:
    """Ask what the case waits for."""
    if at == "read":
        run.read("first", "v")
    elif at == "set_weights":
        run.set_weights({})
    elif at in ("state", "restore"):
        run.restore(run.state(), 0)
    else:
        run.advance(20)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_each_misbehaviour_has_its_name(case: Misbehaviour, bad: Any, lif: ChipProgram) -> None:
    def follow() -> None:
        connection = bad(case, 0.3 if waits(case) and case.at == "hello" else 30.0)
        run = connection.open_run(lif, record=RECORD)
        connection.timeout = 0.3 if waits(case) else 30.0
        provoke(run, case.at)

    with pytest.raises(TargetFailure) as raised:
        follow()
    failure = raised.value
    assert failure.reason is case.reason
    assert failure.diagnostics[0].id == CODES[case.reason]
    assert failure.exchange == case.at
    assert f"({failure.exchange}: {case.reason.value})" in str(failure)


def test_all_names_are_tried_or_are_of_an_address() -> None:
    assert {case.reason for case in CASES} == set(Failure) - {Failure.unreachable}


def test_a_failed_connection_raises_its_failure_again(bad: Any, lif: ChipProgram) -> None:
    case = next(it for it in CASES if it.name == "a step too many")
    connection = bad(case, 30.0)
    run = connection.open_run(lif, record=RECORD)
    for ask in (lambda: run.advance(20), lambda: run.advance(1), connection.timestamp, run.state):
        with pytest.raises(TargetFailure) as raised:
            ask()
        assert raised.value is connection.failure
    run.close()
    connection.close()


def test_what_a_process_said_before_it_ended(tmp_path: Path) -> None:
    said = f"child:{sys.executable} -S -c 'import sys; sys.exit(\"no board\\x1b[31m\")'"
    for _ in range(2):
        with pytest.raises(TargetFailure, match=r"exit code 1; no board\?\[31m") as raised:
            connect(said, timeout=30)
        assert raised.value.reason is Failure.died
    with pytest.raises(TargetFailure, match="BC870") as raised:
        connect("child:./no-such-command")
    assert raised.value.reason is Failure.unreachable
    with pytest.raises(TargetFailure) as raised:
        connect("child:echo hello", timeout=30)
    assert raised.value.reason is Failure.rubbish
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    with pytest.raises(TargetFailure) as raised:
        connect(f"tcp://127.0.0.1:{free}", timeout=5)
    assert raised.value.reason is Failure.unreachable


def test_a_process_that_hangs_is_ended() -> None:
    with pytest.raises(TargetFailure) as raised:
        connect("child:sh -c 'echo $$ 1>&2; exec sleep 60'", timeout=0.3)
    assert raised.value.reason is Failure.silent


def test_a_recording_of_a_failed_run_is_not_left_half(
    tmp_path: Path, lif: ChipProgram, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_artifact(lif, tmp_path / "net.burst")
    kept = tmp_path / "out.nc"
    kept.write_text("what was there before")
    words = ["run", str(tmp_path / "net.burst"), "--steps", "9", "-o", str(kept), "--target", "child:false"]
    monkeypatch.setattr(sys, "argv", ["burstchip", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and "error[BC871]" in capsys.readouterr().err
    assert kept.read_text() == "what was there before" and sorted(os.listdir(tmp_path)) == [
        "net.burst",
        "out.nc",
    ]


def test_a_target_survives_what_a_host_sends(lif: ChipProgram) -> None:
    ours, theirs = socket.socketpair()
    thread = threading.Thread(
        target=serve, args=(Target("plain"), Socket(theirs, requests=True)), daemon=True
    )
    thread.start()
    broken = bytearray(frame_of(Timestamp(id=9)))
    broken[-1] ^= 1
    ours.sendall(bytes(broken) + frame_of(Values(packed(1), id=8)))
    ours.settimeout(30)
    carrier = Socket(ours, requests=False)
    said = [carrier.receive() for _ in range(4)]
    assert [(name_of(it), getattr(it, "code", "")) for it in said] == [
        ("error", "damaged"),
        ("ready", ""),
        ("error", "rubbish"),
        ("ready", ""),
    ]
    connection = Connection(carrier, "pair", timeout=30)
    assert connection.open_run(lif).advance(2) == {}
    connection.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_bug_in_a_backend_is_an_error_of_the_target(
    lif: ChipProgram, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a bug")

    ours, theirs = socket.socketpair()
    served = (Target("plain", open_=broken), Socket(theirs, requests=True))
    threading.Thread(target=serve, args=served, daemon=True).start()
    with Connection(Socket(ours, requests=False), "pair", timeout=30) as connection:
        with pytest.raises(BurstchipError, match="internal: reset: KeyError"):
            connection.open_run(lif)
        assert connection.timestamp() > 0
    assert "KeyError" in capfd.readouterr().err
