"""`burstchip cost`: what an artifact would take of a chip. An estimate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import (
    Backend,
    ChipName,
    Data,
    Duration,
    Json,
    ProgramOrNetwork,
    Quiet,
    Steps,
    Streams,
)
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.running.recording import RecordProgress
    from compiler.estimate.estimate import Estimate
    from compiler.estimate.spans import Span

#: Steps that are run where none are asked for.
STEPS = 1000


def cost(
    artifact: ProgramOrNetwork,
    steps: Steps = None,
    duration: Duration = None,
    rates: Annotated[
        Path | None,
        typer.Option(metavar="RECORDING", help="Take what neurons sent from a recording, and run nothing."),
    ] = None,
    chip: ChipName = None,
    backend: Backend = "sim",
    stream: Streams = None,
    data: Data = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Estimate what an artifact takes of a chip: neurocores, memory, and the work, time and energy of a step.

    The first 1,000 steps are run, if nothing else is asked for, and what neurons sent is counted. Every
    number has a range, and what is assumed is named.
    """
    with output(json=json, quiet=quiet) as out:
        from burstchip.chip_file import chip_of
        from burstchip.cli.checks import exclude, steps_of, streams
        from burstchip.cli.program import load_or_compile
        from burstchip.running.chip_cost import cost_of_recording, cost_of_run
        from compiler.places import locating

        given = {"--steps": steps, "--duration": duration, "--stream": stream, "--data": data}
        named = [name for name, value in given.items() if value is not None]
        message = "--rates cannot be combined with options of a run"
        exclude(rates is not None and bool(named), message, "--rates alone", " and ".join(named))
        other = None if chip is None else chip_of(chip)
        rows = streams(stream)
        code, sha256, network = load_or_compile(artifact, out)
        if rates is not None:
            with locating(network):
                found, notes = cost_of_recording(code, rates, other, artifact_sha256=sha256)
        else:
            asked = steps if steps is not None or duration is not None else STEPS
            count = steps_of(asked, duration, code.step_ms)
            with locating(network), progress(f"running {code.name}", "preparing", quiet=quiet) as advance:

                def watch(state: RecordProgress) -> None:
                    note = f"{state.steps_done:,} steps" if state.steps_done else "preparing"
                    advance(state.steps_done, state.steps_total if state.steps_done else 0, note)

                def fetch(name: str, done: int, total: int) -> None:
                    advance(done, total, f"fetching {name}")

                found, notes = cost_of_run(
                    code,
                    count,
                    other,
                    backend=backend,
                    data_dir=data,
                    streams=rows,
                    watch=watch,
                    fetch=fetch,
                )
        out.messages(notes)
        _show(found, out)
        out.result({"ok": True, "artifact_sha256": sha256, **_plain(found), "diagnostics": as_json(notes)})


def _show(found: Estimate, out: Output) -> None:
    chip, layout = found.chip, found.layout
    on = "one chip" if layout.chips == 1 else f"{layout.chips} chips"
    cores = f"{layout.cores} of {chip['neurocores'].value * layout.chips} neurocores of {on}"
    tiles = layout.used_tiles
    out.text(f"{chip.title}: {cores}, on {tiles} {'tile' if tiles == 1 else 'tiles'} of the mesh")
    out.text(f"an estimate from {found.steps:,} steps; nothing of it was measured on a chip")
    out.text("")
    out.table("Memory", ("kind",), ("all neurocores", "fullest"), "share of all", list(_memory(found)))
    out.table("Work of a step", ("what",), ("all neurocores", "busiest"), "", list(_work(found)))
    rows = list(_time(found))
    out.table("Time of a step", ("term",), ("low", "central", "high"), "the longest in", rows)
    out.table("Energy of a step", ("part",), ("low", "central", "high"), "share", list(_energy(found)))
    for name, text in _assumed(found):
        out.text(f"assumed: {text} ({name})" if name else f"assumed: {text}")


def _bytes(bits: float) -> str:
    return f"{bits / 8:,.0f} B"


def _memory(found: Estimate) -> Iterator[tuple[str, ...]]:
    whole = sum(sum(core.values()) for core in found.memory)
    for kind in found.memory[0] if found.memory else ():
        everywhere = sum(core[kind] for core in found.memory)
        most = max(core[kind] for core in found.memory)
        yield kind, _bytes(everywhere), _bytes(most), _share(everywhere, whole)
    fullest = max((sum(core.values()) for core in found.memory), default=0)
    limit = found.chip["core_memory_bits"]
    yield "all", _bytes(whole), _bytes(fullest), f"{_share(fullest, limit.value)} of a neurocore"
    axons = found.layout.output_axons
    yield "output axons", f"{sum(axons):,}", f"{max(axons, default=0):,}", ""


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _work(found: Estimate) -> Iterator[tuple[str, ...]]:
    for name, amount in found.work.items():
        # Hops are of links.
        busiest = "-" if name == "hops" else f"{amount.busiest:,.4g}"
        yield name, f"{amount.everywhere:,.4g}", busiest, ""


def _time(found: Estimate) -> Iterator[tuple[str, ...]]:
    for name, span in found.terms.items():
        share = found.bounding[name]
        yield name, *_ends(span, "ns"), f"{100 * share:.0f} % of steps" if share else ""
    yield "a step", *_ends(found.time, "ns"), f"the longest took {_amount(found.slowest, 'ns')}"
    times = [found.step_ms * 1e6 / end for end in (found.time.high, found.time.value, found.time.low) if end]
    yield "real time", *(f"{it:,.3g} x" for it in times), f"a step of the network is {found.step_ms:g} ms"


def _energy(found: Estimate) -> Iterator[tuple[str, ...]]:
    whole = found.energy_total
    for name, span in found.energy.items():
        yield name, *_ends(span, "pJ"), _share(span.value, whole.value)
    yield "a step", *_ends(whole, "pJ"), "as fast as it can be"
    yield "in real time", *_ends(found.real_time, "pJ"), f"a step every {found.step_ms:g} ms"


def _ends(span: Span, unit: str) -> tuple[str, str, str]:
    low, value, high = (_amount(end, unit) for end in (span.low, span.value, span.high))
    return low, value, high


def _amount(value: float, unit: str) -> str:
    """A number with three digits, in the unit or one a thousand times as large, and so on."""
    larger = {"ns": ("ns", "us", "ms", "s"), "pJ": ("pJ", "nJ", "uJ", "mJ", "J")}[unit]
    scale = 0
    while scale < len(larger) - 1 and float(f"{value:.3g}") >= 1000:
        value, scale = value / 1000, scale + 1
    return f"{value:.3g} {larger[scale]}"


def _assumed(found: Estimate) -> Iterator[tuple[str, str]]:
    """(names, text): what several names assume alike is said once."""
    alike: dict[str, list[str]] = {}
    for name, text in found.assumptions.items():
        alike.setdefault(text, []).append(name.replace("_", " "))
    for text, names in alike.items():
        yield ", ".join(names), text


def _plain(found: Estimate) -> dict[str, Any]:
    return {
        "estimate": True,
        "chip": found.chip.name,
        "steps": found.steps,
        "step_ms": found.step_ms,
        "neurocores": found.layout.cores,
        "chips": found.layout.chips,
        "tiles": found.layout.used_tiles,
        "memory_bits": [dict(core) for core in found.memory],
        "work": {name: asdict(amount) for name, amount in found.work.items()},
        "time_ns": {**{name: asdict(span) for name, span in found.terms.items()}, "step": asdict(found.time)},
        "bounding": dict(found.bounding),
        "slowest_ns": found.slowest,
        "energy_pj": {
            **{name: asdict(span) for name, span in found.energy.items()},
            "step": asdict(found.energy_total),
            "step_in_real_time": asdict(found.real_time),
        },
        "assumptions": dict(found.assumptions),
        "costs": {
            cost.name: {"value": cost.value, "low": cost.low, "high": cost.high, "unit": cost.unit,
                        "source": cost.source, "status": cost.status}
            for cost in found.chip.costs.values()
        },
    }  # fmt: skip
