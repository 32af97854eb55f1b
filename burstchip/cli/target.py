"""`burstchip target`: be a target of the device protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from burstchip.cli.console import output
from burstchip.cli.options import Backend, Json, Quiet, Threads


def target(
    listen: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="stdio (lines of JSON), stdio+msgpack, tcp://127.0.0.1:PORT (0: a free port) or "
            "serial:///dev/NAME?baud=N.",
        ),
    ] = "tcp://127.0.0.1:0",
    once: Annotated[bool, typer.Option("--once", help="End when the first host has gone.")] = False,
    backend: Backend = "sim",
    threads: Threads = 1,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run programs for hosts that come over the device protocol, on a backend of this machine.

    On a socket hosts are served one after another until Ctrl-C. docs/protocol.md describes the messages.
    """
    with output(json=json, quiet=quiet, interrupted="the target has ended") as out:
        from dataclasses import replace

        from burstchip.cli.checks import exclude
        from burstchip.remote.listening import STDIO, exposed, place_of
        from burstchip.remote.listening import listen as listen_

        on_stdio = listen in STDIO
        exclude(json and on_stdio, "--json and --listen stdio exclude each other", "one of them", "both")
        if on_stdio:
            out = replace(out, json=True)
        place_of(listen)
        warning = exposed(listen)
        out.messages([] if warning is None else [warning])
        from burstchip.remote.target import Target

        hosts = listen_(
            Target(backend, threads=threads),
            listen,
            once=once,
            listening=lambda where: out.text(f"listening on {where}, backend {backend}"),
        )
        if not on_stdio:
            out.result({"ok": True, "hosts": hosts})
