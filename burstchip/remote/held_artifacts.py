"""The artifacts that a target holds, by their hashes, and the one that arrives."""

from __future__ import annotations

import hashlib
from pathlib import Path

from burstchip.remote.messages import Load, Loaded, Message, Piece, Taken, Wanted
from compiler.artifact import parse_artifact
from compiler.ir.chip_program import ChipProgram

#: Artifacts that are held at once; the one that was used longest ago goes first.
_MOST = 4


class Refused(Exception):
    """A request that cannot be done: what the target calls it, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HeldArtifacts:
    """Answers what hosts ask about artifacts; each method may raise `Refused`, or as `load_artifact`."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[ChipProgram, str]] = {}
        self._wanted: Load | None = None
        self._arriving = bytearray()

    def program(self, artifact: str) -> ChipProgram:
        """The program of an artifact that is held."""
        if artifact not in self._held:
            raise Refused("artifact", f"artifact {artifact} is not loaded")
        return self._held[artifact][0]

    def load(self, request: Load) -> Message:
        """Whether the artifact is here."""
        self._wanted = None
        self._arriving.clear()
        if request.form != "artifact":
            raise Refused("form", "this target reads artifacts as their files")
        held = self._held.get(request.artifact)
        if held is not None and held[1] == request.sha256:
            self._held[request.artifact] = self._held.pop(request.artifact)
            return Loaded(request.artifact, request.sha256, id=request.id)
        self._wanted = request
        return Wanted(id=request.id)

    def piece(self, request: Piece) -> Message:
        """Take the next bytes; behind the last the artifact is read, and its hashes are computed again."""
        wanted = self._wanted
        if wanted is None:
            raise Refused("order", "a piece of an artifact that was not asked for")
        self._arriving += request.data
        if len(self._arriving) < wanted.size and request.data:
            return Taken(len(self._arriving), id=request.id)
        data, self._wanted = bytes(self._arriving), None
        self._arriving.clear()
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) != wanted.size or sha256 != wanted.sha256:
            raise Refused("artifact", f"{len(data)} bytes with SHA-256 {sha256}, not those announced")
        code, artifact = parse_artifact(data, Path("received.burst"))
        if artifact != wanted.artifact:
            raise Refused("artifact", f"it is artifact {artifact}, not the one announced")
        while len(self._held) >= _MOST:
            del self._held[next(iter(self._held))]
        self._held[artifact] = code, sha256
        return Loaded(artifact, sha256, id=request.id)
