"""What a target can do wrong: a closed set of names, each with a message id of its own."""

from __future__ import annotations

from enum import Enum

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC870": "a target that cannot be reached",
        "BC871": "a target that ended",
        "BC872": "a target that does not answer in time",
        "BC873": "a target that sends what is not a message",
        "BC874": "a target whose message breaks off",
        "BC875": "a target whose message is too large",
        "BC876": "a target whose message is damaged",
        "BC877": "a target of another version of the protocol",
        "BC878": "a target that holds another artifact",
        "BC879": "a target whose values do not fit",
        "BC880": "a target whose clock differs",
        "BC881": "a target whose times cannot be",
        "BC882": "a target whose state is not the one of its hash",
        "BC883": "a target that answers another question",
        "BC884": "a target that is not ready after an error",
        "BC885": "an answer that a target refused",
    }
)

#: Characters of what a target said that a message shows.
_SHOWN = 300


class Failure(str, Enum):
    """The names by which a target's failures are reported."""

    unreachable = "unreachable"
    died = "died"
    silent = "silent"
    rubbish = "rubbish"
    unfinished = "unfinished"
    too_large = "too_large"
    damaged = "damaged"
    wrong_version = "wrong_version"
    wrong_artifact = "wrong_artifact"
    wrong_values = "wrong_values"
    wrong_clock = "wrong_clock"
    wrong_time = "wrong_time"
    wrong_state = "wrong_state"
    unasked = "unasked"
    not_ready = "not_ready"


#: (message id, what happened) of each failure.
_SAID = {
    Failure.unreachable: ("BC870", "cannot be reached"),
    Failure.died: ("BC871", "ended"),
    Failure.silent: ("BC872", "did not answer in time"),
    Failure.rubbish: ("BC873", "sent what is not a message"),
    Failure.unfinished: ("BC874", "sent a message that breaks off"),
    Failure.too_large: ("BC875", "sent a message that is too large"),
    Failure.damaged: ("BC876", "sent a message that is damaged"),
    Failure.wrong_version: ("BC877", "speaks another version of the protocol"),
    Failure.wrong_artifact: ("BC878", "holds another artifact"),
    Failure.wrong_values: ("BC879", "sent values that do not fit"),
    Failure.wrong_clock: ("BC880", "is at another step"),
    Failure.wrong_time: ("BC881", "reports times that cannot be"),
    Failure.wrong_state: ("BC882", "sent a state whose hash is another"),
    Failure.unasked: ("BC883", "answered another question"),
    Failure.not_ready: ("BC884", "was not ready after an error"),
}


class TargetFailure(BurstchipError):
    """A target that did not keep to the protocol; its connection is of no use any more.

    `reason` is the failure's name, `exchange` the message that the target should have answered.
    """

    def __init__(
        self,
        reason: Failure,
        address: str,
        exchange: str,
        *,
        required: str,
        given: str,
        hint: str | None = None,
    ) -> None:
        code, happened = _SAID[reason]
        super().__init__(
            Diagnostic(
                code,
                f"target '{shown(address)}' {happened} ({exchange}: {reason.value})",
                required=required,
                given=shown(given),
                hint=hint,
            )
        )
        self.reason, self.exchange = reason, exchange


class TargetRefusal(BurstchipError):
    """A request that a target refused, which can take others; `code` is what the target calls the error."""

    def __init__(self, address: str, exchange: str, code: str, message: str, hint: str | None) -> None:
        super().__init__(
            Diagnostic(
                "BC885",
                f"target '{shown(address)}' refused the request '{exchange}'",
                required="a request that the target can answer",
                given=f"{shown(code)}: {shown(message)}",
                hint=None if hint is None else shown(hint),
            )
        )
        self.code, self.exchange = code, exchange


def shown(text: str) -> str:
    """What a target said, in one line of characters that do nothing to a terminal."""
    line = " ".join(text.split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


class BadFrame(Exception):
    """Bytes that are not a message: why, what was required and what came."""

    def __init__(self, reason: Failure, required: str, given: str) -> None:
        super().__init__(f"{reason.value}: {given}")
        self.reason, self.required, self.given = reason, required, given


class Silence(Exception):
    """Nothing came in time; `begun` where a message had begun."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        self.begun = begun


class Gone(Exception):
    """The other side has ended; `said` is what it left, `begun` whether in the middle of a message."""

    def __init__(self, said: str = "", *, begun: bool = False) -> None:
        super().__init__(said)
        self.said, self.begun = said, begun


class TooLarge(Exception):
    """A message that the other side would not take; nothing of it was sent."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"a message of {size:,} bytes, of which {most:,} are taken")
        self.size, self.most = size, most
