"""A TCP connection whose two directions carry frames of MessagePack."""

from __future__ import annotations

import socket

from burstchip.remote.carriers.carrier import Descriptors
from burstchip.remote.failures import Gone
from burstchip.remote.framing import decoder
from burstchip.remote.messages import MOST_FRAME


class Socket(Descriptors):
    """A carrier over a connected socket, of which it takes possession."""

    def __init__(self, connected: socket.socket, *, requests: bool, most: int = MOST_FRAME) -> None:
        self._socket, number = connected, connected.fileno()
        if connected.family != getattr(socket, "AF_UNIX", None):
            # A question is one message, and its answer waits for it.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(number, number, decoder(lines=False, requests=requests, most=most), lines=False)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def connected(host: str, port: int, seconds: float) -> Socket:
    """A connection to a target that listens. Raises `Gone`."""
    try:
        return Socket(socket.create_connection((host, port), seconds), requests=False)
    except OSError as reason:
        raise Gone(reason.strerror or str(reason)) from None


def listening_at(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises `Gone`."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as reason:
        raise Gone(reason.strerror or str(reason)) from None
