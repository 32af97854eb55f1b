"""The process in which Lava runs. Started by `session`; reads a line of JSON, answers with a line of JSON.

    {"open": {"artifact": path, "records": {place: {variable: [path, size, rows]}},
              "written": {name: [path, size, rows]}, "streams": {name: [[path, size, rows] twice]}}}
    {"advance": steps}          run so many steps of the open network
    {"close": true}             stop it

Lava's workers write to standard output, so the answers have a stream of their own.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.runtime.message_infrastructure.multiprocessing import SystemProcess

from burstchip.backends.lava.host_files import HostFiles
from burstchip.backends.lava.network import LavaNetwork, build_network
from burstchip.backends.lava.processes.anchor import anchored
from burstchip.backends.lava.recorder import Recorder, Track
from compiler.artifact import load_artifact
from compiler.ir.chip_program import ChipProgram


def _track(entry: tuple[str, int, int]) -> Track:
    path, size, rows = entry
    return Track(Path(path), size, rows)


def _recorders(code: ChipProgram, records: dict[str, dict[str, Any]]) -> dict[str, Recorder]:
    sparse = {p.name: (p.pre, p.post) for p in code.projections if not p.dense}
    return {
        place: Recorder(
            {name: _track(entry) for name, entry in tracks.items()},
            code.lead_in + 1,
            sparse.get(place),
        )
        for place, tracks in records.items()
    }


class Running:
    """One network that is running."""

    def __init__(self, request: dict[str, Any]) -> None:
        code, _ = load_artifact(Path(request["artifact"]))
        files = HostFiles(
            {name: _track(entry) for name, entry in request["written"].items()},
            {name: (_track(head), _track(rows)) for name, (head, rows) in request["streams"].items()},
        )
        recorders = _recorders(code, request["records"])
        self.network: LavaNetwork = build_network(code, files.host(), recorders)
        self.first, extra = anchored(list(self.network.models))
        self.config = Loihi2SimCfg(
            select_tag="fixed_pt", exception_proc_model_map={**self.network.models, **extra}
        )
        self.behind = code.lead_in

    def advance(self, steps: int) -> None:
        """Run on; the lead-in comes on top of the first steps."""
        self.first.run(condition=RunSteps(num_steps=steps + self.behind), run_cfg=self.config)
        self.behind = 0

    def close(self) -> None:
        """End Lava's processes."""
        self.first.stop()


def _answer(request: dict[str, Any], running: Running | None) -> tuple[dict[str, Any], Running | None]:
    if "open" in request:
        running = Running(request["open"])
        return {"stock": running.network.stock}, running
    assert running is not None
    if "advance" in request:
        running.advance(request["advance"])
        return {}, running
    running.close()
    return {}, None


def _run_or_end(process: Any) -> None:
    """In place of Lava's own: a worker that fails takes all down at once, where Lava would wait for ever."""
    try:
        multiprocessing.Process.run(process)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os.killpg(0, signal.SIGTERM)


def main() -> None:
    """Answer requests until the other side closes the stream."""
    SystemProcess.run = _run_or_end
    logging.disable(logging.WARNING)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    running: Running | None = None
    print(json.dumps({"ready": True}), file=answers)
    for line in sys.stdin:
        try:
            answer, running = _answer(json.loads(line), running)
        except Exception as error:
            # Lava's workers outlive an error, and a normal exit would wait for them.
            traceback.print_exc()
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers)
            os._exit(1)
        print(json.dumps(answer), file=answers)
    # Nobody listens any more. Lava's workers would stay for ever where a network is open.
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
