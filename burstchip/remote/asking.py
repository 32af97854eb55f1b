"""What runs need of a connection: to ask, and to say what a target did wrong."""

from __future__ import annotations

from typing import Protocol, TypeVar

from burstchip.remote.failures import Failure, TargetFailure
from burstchip.remote.messages import Message, Profile

A = TypeVar("A", bound=Message)


class Asking(Protocol):
    """A target on the other side, as `burstchip.remote.connection.Connection` reaches it."""

    address: str
    profile: Profile

    def ask(self, request: Message, expected: type[A]) -> A:
        """The answer to a request. Raises `TargetFailure` and `TargetRefusal`."""

    def next_id(self) -> int:
        """A number that no request had."""

    def is_current(self, run: object) -> bool:
        """Whether the target carries this run, and not another."""

    def failed(self, reason: Failure, required: str, given: str) -> TargetFailure:
        """The failure of the last exchange, with which the connection ends."""

    def close(self) -> None:
        """Give back the carrier."""
