"""Many generated networks, each compared; what was found, with failing networks made small and saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from generate.networks import Document, NetworkStructure, members, structures
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from compare.differences import Judge, told
from compare.documents import as_text, compiled, write_document
from compare.executions import loop_text
from compare.reduction import reduced
from hw_models.diagnostics import BurstchipError

#: Steps of every run.
STEPS = 100
#: What a generated network may be refused for: it depends on all weights and messages, or on a scale.
MAY_BE_REFUSED = {"BC314", "BC338", "BC361"}
#: A search ends with so many failing networks, of as many structures; they will have few causes.
MOST_FAILURES = 5


@dataclass
class Findings:
    """What a search went through. `loops` are the texts that the simulator compiled, by hash, `seen` those of
    networks: what is drawn twice is compared once."""

    networks: int = 0
    structures: int = 0
    loops: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    values: int = 0
    active: int = 0
    events: int = 0
    changes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    failures: list[tuple[Document, str]] = field(default_factory=list)

    def __str__(self) -> str:
        refused = "".join(f", {count} refused ({code})" for code, count in sorted(self.refused.items()))
        activity = ""
        if self.active:
            activity = f"; {self.events} events in {self.active} networks, {self.changes} changes by learning"
        return (
            f"{self.networks} networks of {self.structures} structures, {len(self.loops)} compiled loops, "
            f"{STEPS} steps each: {self.values} values compared, {len(self.failures)} networks differ"
            f"{refused}{activity}; {self.seconds:.0f} s"
        )


def search(
    judge: Judge,
    networks: int,
    members_each: int,
    first: int,
    watch: Callable[[Findings], None] | None = None,
) -> Findings:
    """Compare `networks` networks, `members_each` of a structure; `first` seeds what is drawn."""
    findings = Findings()
    started = perf_counter()
    failed = 0

    def compare(document: Document) -> None:
        if findings.networks >= networks or len(findings.failures) > failed:
            return
        network = _hash(as_text(document) + repr(document.files))
        if network in findings.seen:
            return
        findings.seen.add(network)
        trouble = _judged(document, judge, findings)
        if trouble is not None:
            findings.failures.append((document, trouble))

    def go_through(structure: NetworkStructure) -> None:
        nonlocal failed
        if findings.networks >= networks or len(findings.failures) >= MOST_FAILURES:
            return
        findings.structures += 1
        failed = len(findings.failures)
        _for_each(members(structure, STEPS), members_each, first, compare)
        findings.seconds = perf_counter() - started
        if watch is not None:
            watch(findings)

    while findings.networks < networks and len(findings.failures) < MOST_FAILURES:
        _for_each(structures(), -(-networks // members_each), first, go_through)
        first += 1
    return findings


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _for_each(
    strategy: st.SearchStrategy[Any], number: int, first: int, action: Callable[[Any], None]
) -> None:
    """Hypothesis draws `number` examples. It neither shrinks (a try can take seconds) nor remembers them."""

    @seed(first)
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(example: Any) -> None:
        action(example)

    run()


def trouble_with(document: Document, judge: Judge) -> str | None:
    """What is wrong: a difference, or how the compiler or a backend fails. None where nothing is, or where
    the network may be refused."""
    return _judged(document, judge, Findings())


def _judged(document: Document, judge: Judge, findings: Findings) -> str | None:
    try:
        code = compiled(document)
        findings.loops.add(_hash(loop_text(code)))
        compared = judge(code, STEPS)
    except BurstchipError as error:
        codes = {d.id for d in error.diagnostics if d.severity == "error"}
        if codes <= MAY_BE_REFUSED:
            findings.refused.update(codes)
            return None
        return f"refused {' '.join(sorted(codes))}: {error}"
    except Exception as error:  # whatever it is, the network is to be seen
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {' '.join(lines)[:300]}"
    findings.networks += 1
    findings.values += compared.values
    findings.active += compared.events > 0
    findings.events += compared.events
    findings.changes += compared.changes
    if compared.difference is None:
        return None
    return f"difference in {compared.difference.variable}: {told(compared.difference)}"


def save_failures(findings: Findings, judge: Judge, folder: Path) -> list[str]:
    """Make every failing network small, write it to the folder, and say so in a line each."""
    lines = []
    for document, trouble in findings.failures:
        path = folder / f"{_hash(as_text(document))[:8]}.yaml"
        # Whatever becomes of the attempt to make it small.
        write_document(document, path, trouble)
        small, trouble = reduced(document, lambda it: trouble_with(it, judge))
        write_document(small, path, trouble)
        lines.append(f"{path}: {trouble}")
    return lines
