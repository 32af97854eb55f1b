"""Where a target is reached: its standard streams, a socket on which it listens, or a serial line."""

from __future__ import annotations

import os
from collections.abc import Callable

from burstchip.remote.address import Address, parse_address
from burstchip.remote.carriers.carrier import Descriptors
from burstchip.remote.failures import Gone
from burstchip.remote.framing import decoder
from burstchip.remote.serving import serve
from burstchip.remote.target import Target
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC887": "a target that other machines can reach"})

#: Standard streams, with lines of JSON or with frames of MessagePack.
STDIO = ("stdio", "stdio+msgpack")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
FORMS = f"{', '.join(STDIO)}, tcp://127.0.0.1:PORT or serial:///dev/NAME?baud=N"


def listen(
    target: Target, text: str, *, once: bool = False, listening: Callable[[str], None] | None = None
) -> int:
    """Serve hosts that come to this place, one after another, for ever or `once`; how many came.

    `listening` receives the address, whose port may have been free to choose. Raises `BurstchipError` BC886
    where nothing can listen there, BC889.
    """
    place = place_of(text)
    if place is None:
        if listening is not None:
            listening(text)
        serve(target, _standard_streams(lines=text == STDIO[0]))
        return 1
    return (
        _socket(target, place, once, listening)
        if place.kind == "tcp"
        else _serial(target, place, text, listening)
    )


def place_of(text: str) -> Address | None:
    """Where to listen, None for the standard streams. Raises `BurstchipError` BC886."""
    if text in STDIO:
        return None
    place = parse_address(text)
    if place.kind == "child":
        raise _cannot(text, "a command")
    return place


def exposed(text: str) -> Diagnostic | None:
    """A warning (BC887) where other machines can reach a target at this place."""
    place = place_of(text)
    if place is None or place.kind != "tcp" or place.where in LOOPBACK:
        return None
    return Diagnostic(
        "BC887",
        f"other machines can reach the target at '{text}', and the protocol asks for no password",
        severity="warning",
        required="tcp://127.0.0.1:PORT, or a network that you trust",
        given=text,
        hint="through `ssh -L` a target on the loopback can be reached from elsewhere",
    )


def _standard_streams(*, lines: bool) -> Descriptors:
    """What the process was started with; whatever else prints to standard output goes to standard error."""
    read, write = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    return Descriptors(read, write, decoder(lines=lines, requests=True), lines=lines)


def _socket(target: Target, place: Address, once: bool, listening: Callable[[str], None] | None) -> int:
    from burstchip.remote.carriers.sockets import Socket, listening_at

    try:
        server = listening_at(place.where, place.number)
    except Gone as gone:
        raise _cannot(f"tcp://{place.where}:{place.number}", gone.said) from None
    hosts = 0
    with server:
        if listening is not None:
            host = f"[{place.where}]" if ":" in place.where else place.where
            listening(f"tcp://{host}:{server.getsockname()[1]}")
        while not (once and hosts):
            connected, _ = server.accept()
            hosts += 1
            serve(target, Socket(connected, requests=True))
    return hosts


def _serial(target: Target, place: Address, text: str, listening: Callable[[str], None] | None) -> int:
    from burstchip.remote.carriers.serial import opened

    try:
        carrier = opened(place.where, place.number, requests=True)
    except Gone as gone:
        raise _cannot(text, gone.said) from None
    if listening is not None:
        listening(text)
    serve(target, carrier)
    return 1


def _cannot(text: str, given: str) -> BurstchipError:
    message = f"a target cannot listen at '{text}'"
    return BurstchipError(Diagnostic("BC886", message, required=FORMS, given=given))
