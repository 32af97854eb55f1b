"""Who works beside this process: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC721": "a Dask cluster that cannot be used"})

_CONNECT_SECONDS = "5s"
#: Loggers that print a traceback of what is reported as an error of ours.
_TALKATIVE = ("distributed.client", "distributed.utils")


@dataclass(frozen=True)
class Workers:
    """Who does the work: `jobs` processes of this machine, or a Dask cluster.

    `dask` is the address of its scheduler, or the file that `dask scheduler --scheduler-file` writes.
    """

    jobs: int = 1
    dask: str | None = None


@contextmanager
def looking(look: Callable[[], None], every: float) -> Iterator[None]:
    """Call `look` in a thread of its own every so many seconds, while the block runs."""
    over = threading.Event()

    def now_and_then() -> None:
        while not over.wait(every):
            look()

    thread = threading.Thread(target=now_and_then, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def unusable_cluster(address: str, given: str, hint: str) -> BurstchipError:
    """BC721: what is wrong with a cluster."""
    return BurstchipError(
        Diagnostic(
            "BC721",
            f"the Dask cluster '{address}' cannot be used",
            required="the address of a scheduler, such as tcp://127.0.0.1:8786, or its scheduler file",
            given=given,
            hint=hint,
        )
    )


def open_cluster(address: str) -> Any:
    """A client of the cluster, to be closed; any, since the library has no types. Raises BC721."""
    try:
        opened: Any = import_module("distributed").Client
    except ImportError:
        given = "dask.distributed is not installed"
        raise unusable_cluster(address, given, "pip install 'burstchip[dask]'") from None
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        return opened(**where, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, KeyError, TypeError, TimeoutError) as reason:
        given = str(reason) or type(reason).__name__
        raise unusable_cluster(address, given, "start one with `dask scheduler`") from None
