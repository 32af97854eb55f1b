"""Serves a target over a carrier: one request after the other, until the host goes."""

from __future__ import annotations

import sys
import traceback

from burstchip.remote.carriers.carrier import Carrier
from burstchip.remote.failures import BadFrame, Failure, Gone, Silence, TooLarge
from burstchip.remote.messages import MOST_FRAME, Bye, Error, Hello, Message, Profile, Ready, name_of
from burstchip.remote.target import Target


def serve(target: Target, carrier: Carrier) -> None:
    """Answer what comes until the host says goodbye or is gone. The carrier is closed."""
    try:
        while _answer_next(target, carrier):
            pass
    except (Gone, Silence):
        pass
    finally:
        target.end()
        carrier.close()


def _answer_next(target: Target, carrier: Carrier) -> bool:
    """Answer one request; whether another may come."""
    try:
        request = carrier.receive()
    except BadFrame as bad:
        refuse(carrier, Error(bad.reason.value, f"{bad.required} is required: {bad.given}", id=0))
        # Where the next message begins is not known.
        return bad.reason is not Failure.too_large
    answer = _answer(target, request)
    if isinstance(answer, Error):
        refuse(carrier, answer)
        return True
    try:
        carrier.send(answer)
    except TooLarge as large:
        refuse(carrier, Error("too_large", str(large), id=request.id))
    if isinstance(request, Hello) and isinstance(answer, Profile):
        carrier.most = min(request.frame_bytes, MOST_FRAME)
    return not isinstance(request, Bye)


def _answer(target: Target, request: Message) -> Message:
    try:
        return target.answer(request)
    except Exception as bug:
        # A host must not be able to end a target that others use; what happened is for who runs it.
        traceback.print_exc(file=sys.stderr)
        given = f"{name_of(request)}: {type(bug).__name__}: {bug}"
        return Error("internal", given[: 1 << 12], id=request.id)


def refuse(carrier: Carrier, error: Error) -> None:
    """Send an error, and that the next request may come."""
    carrier.send(error)
    carrier.send(Ready(id=error.id))
