"""Messages of later passes stand where the file says what they are about, in the table between « and »."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from burstchip.compilation import check_file
from burstchip.explanations.pages import network, page
from compiler.passes.partition import partition
from compiler.places import located, locating, place_of
from hw_models.diagnostics import BurstchipError, Diagnostic, Subject


@dataclass(frozen=True)
class Case:
    """A network that gives `code` at the marked text; the rest is the frame of a page of `explain`."""

    code: str
    frame: str
    text: str
    deploy: bool = False


def whole(text: str, frame: str) -> str:
    """The text as a whole network."""
    return network(msgspec.structs.replace(page("BC334"), frame=frame), text)


def burst(name: str, **changes: str) -> str:
    """A plasticity of the burst rule with some values changed."""
    entries = {
        "form": "chip",
        "every": "8 ms",
        "rounding": "per_synapse",
        "trace": "{name: x1, tau: 16 ms, increment: 16}",
        "learning_rate": "2^-4",
        "consolidation_rate": "2^-6",
        "consolidate_every": "1",
    }
    lines = [f"    {key}: {value}" for key, value in (entries | changes).items() if value]
    return "\n".join((f"  {name}:", *lines)) + "\n"


def two(**changes: str) -> str:
    """Two plasticities that learn at one population, the second with some values changed."""
    learns = "weight: {uniform: [-3 mV, 3 mV]}, limit: 20 mV, learn:"
    return (
        f"plasticity:\n{burst('burst')}{burst('slow', **changes)}projections:\n"
        f"  - {{from: image, to: hidden.soma, {learns} burst}}\n"
        f"  - {{from: hidden.events, to: hidden.soma, {learns} slow}}\n"
        f"  - {{from: hidden.events, to: readout.soma, {learns} burst}}\n"
        "  - {from: readout.burst_error, to: hidden.dendrite, weight: {uniform: [-0.4, 0.4]}}\n"
    )


CARRYING = burst("burst", form="«carry»", rounding="", consolidation_rate="", consolidate_every="")
TASK = "task: {data: digits, input: image, readout: readout, epochs: 2, "
GROWTH = (
    "plasticity:\n  growth:\n    form: chip\n    every: 8 ms\n    rounding: per_synapse\n"
    "    trace: {name: x1, tau: 16 ms, increment: 16}\n"
)
LOUD = (
    "populations:\n"
    "  quiet: {model: current_source, size: 1, level: 10, start: 0 ms, stop: 1 s}\n"
    "  loud: {model: current_source, size: 4, level: 4000, start: 0 ms, stop: 1 s}\n"
    "  cell: {model: lif, size: 3, tau_current: 0 ms}\nprojections:\n"
    "  - {from: quiet, to: cell, weight: 2 mV, limit: 20 mV}\n"
)

CASES = (
    Case(
        "BC319",
        "pair",
        "populations:\n  noise: {model: poisson_source, size: 4, rate: 50 Hz}\n"
        "  cell: {model: lif, size: 3, vth: 20}\nprojections:\n"
        "  - {from: noise, to: cell, weight: «2 mV»}\n",
    ),
    Case("BC320", "digits", two(every="«4 ms»")),
    Case("BC320", "digits", two(learning_rate="«2^-9»")),
    Case("BC330", "digits", f"plasticity:\n{CARRYING}"),
    Case("BC332", "digits", f"{TASK}present: «90 ms», teach_after: 24 ms}}\n"),
    Case("BC332", "digits", f"{TASK}present: 96 ms, teach_after: «20 ms»}}\n"),
    Case("BC334", "pair", f"{LOUD}  - {{from: loud, to: cell, weight: «2 mV», limit: 20 mV}}\n"),
    Case(
        "BC335",
        "pair",
        "populations:\n  noise: {model: poisson_source, size: 4, rate: 50 Hz}\n"
        "  «alone»: {model: lif, size: 3}\n  cell: {model: lif, size: 3}\n",
    ),
    Case(
        "BC335",
        "pair",
        "projections:\n  - {from: noise, to: cell, weight: 2 mV}\n"
        "  - {name: other, from: noise, to: cell, weight: 2 mV, connectivity: «{probability: 0.001 %}»}\n",
    ),
    Case(
        "BC337",
        "digits",
        f"{TASK}present: 96 ms, teach_after: 24 ms,\n"
        "       anneal: «[10 %, 20 %, 30 %, 40 %, 50 %, 60 %, 70 %, 80 %]»}\n",
    ),
    Case("BC338", "pair", LOUD.replace("size: 4, level: 4000", "size: 3000, level: 32767")
         + "  - {from: loud, to: cell, weight: «2 mV»}\n"),
    Case("BC339", "digits", two(consolidate_every="«4»")),
    Case("BC341", "rule", f"{GROWTH}    dw: u0*2^-6*w\n    dt: «u0*2^-4*x1»\n"),
    Case("BC341", "rule", f"{GROWTH}    dw: u0*2^-6*w\n    dd: «u0*2^-4*x1»\n"),
    Case(
        "BC350",
        "pair",
        "populations:\n  noise: {model: poisson_source, size: 5000, rate: 1 Hz}\n"
        "  «cell»: {model: lif, size: 1}\n",
        deploy=True,
    ),
    Case("BC351", "digits", f"plasticity:\n{CARRYING}", deploy=True),
    Case(
        "BC352",
        "pair",
        "populations:\n  noise: {model: poisson_source, size: 4, rate: 50 Hz}\n"
        "  cell: {model: «lif», size: 3, refractory: 2 ms}\ntarget: loihi1\n",
        deploy=True,
    ),
    Case(
        "BC352",
        "pair",
        "populations:\n  graded: {model: message_list, size: 2, messages: [[0, 5 ms, 40]]}\n"
        "  cell: {model: lif, size: 3}\nprojections:\n"
        "  - {from: «graded», to: cell, weight: 1 mV}\ntarget: loihi1\n",
        deploy=True,
    ),
)  # fmt: skip


def found(case: Case, path: Path) -> tuple[Diagnostic, ...]:
    """What the file's compilation, or its partition, reports."""
    result = check_file(path)
    if not case.deploy:
        return result.diagnostics
    assert result.code is not None, result.diagnostics
    with pytest.raises(BurstchipError) as raised, locating(result.network):
        partition(result.code)
    assert all(it.place is None for it in _without_file(result.code))
    return raised.value.diagnostics


def _without_file(code: object) -> tuple[Diagnostic, ...]:
    """The same where nothing but the program is known."""
    with pytest.raises(BurstchipError) as raised:
        partition(code)  # type: ignore[arg-type]
    return raised.value.diagnostics


@pytest.mark.parametrize("before", [0, 3], ids=["", "further down"])
@pytest.mark.parametrize("case", CASES, ids=[f"{it.code}-{n}" for n, it in enumerate(CASES)])
def test_a_message_has_place_required_given_and_what_to_change(
    case: Case, before: int, tmp_path: Path
) -> None:
    marked = "# a line\n" * before + whole(case.text, case.frame)
    head, inside, _ = marked.replace("»", "«").split("«")
    path = tmp_path / "net.yaml"
    path.write_text(marked.replace("«", "").replace("»", ""))
    messages = [it for it in found(case, path) if it.id == case.code]
    assert messages
    for it in messages:
        assert it.required and it.given and it.hint, it
        place = it.place
        assert place is not None and place.file == str(path)
        column = len(head) - (head.rfind("\n") + 1) + 1
        assert (place.line, place.column, place.length) == (head.count("\n") + 1, column, len(inside))


def test_a_message_says_what_it_is_about_without_a_file(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(whole(two(every="4 ms"), "digits"))
    (message,) = check_file(path).diagnostics
    assert message.about == Subject("plasticity", "hidden.events->hidden.soma", ("every",))
    assert "'hidden'" in message.message and "hidden.events->hidden.soma" in (message.given or "")
    assert located([message], None) == (message,)


def test_what_is_not_written_stands_at_the_entry_and_what_is_unknown_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(whole("", "pair"))
    read = check_file(path).network
    assert read is not None
    assert place_of(Subject("population", "cell", ("tau_current",)), read) == read.populations[1].place
    for kind in ("population", "projection", "plasticity", "signal", "task"):
        assert place_of(Subject(kind, "nowhere"), read) is None  # type: ignore[arg-type]
