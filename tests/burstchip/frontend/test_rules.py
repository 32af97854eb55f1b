"""Rule texts are read with the file, so that their mistakes stand beside all others, at their places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from burstchip.frontend import LoadResult

LoadText = Callable[..., LoadResult]
LISTED = (Path(__file__).parent / "valid" / "listed.yaml").read_text()
RULE = "dw: u0*2^-4*x1 - u0*2^-6*w"


def marked(result: LoadResult) -> list[tuple[str, str]]:
    found = []
    for message in result.diagnostics:
        place = message.place
        assert place is not None and place.text is not None
        found.append((message.id, place.text[place.column - 1 :][: place.length]))
    return found


def test_all_mistakes_of_a_rule_among_others(load_text: LoadText) -> None:
    text = LISTED.replace(RULE, "dw: u12*x1 + u0*y7 - 9*x1").replace("model: lif", "model: lifs")
    assert marked(load_text(text)) == [
        ("BC110", "lifs"),
        ("BC202", "u12"),
        ("BC201", "y7"),
        ("BC203", "9*x1"),
        ("BC207", "9*x1"),
    ]


def test_places_within_quotes(load_text: LoadText) -> None:
    assert marked(load_text(LISTED.replace(RULE, "dw: 'u12*x1 - u0*2^-6*w'"))) == [("BC202", "u12")]


def test_a_rule_that_comes_through_a_parameter_is_marked_at_its_use(load_text: LoadText) -> None:
    text = LISTED.replace(RULE, "dw: ${rule}").replace(
        "seed: 0", "parameters:\n  rule: u12*x1 - u0*w\nseed: 0"
    )
    result = load_text(text)
    assert marked(result) == [("BC202", "${rule}")]
    assert result.diagnostics[0].given == "u12 (${rule} from net.yaml:5:9)"


def test_a_rule_of_several_lines_is_marked_where_it_begins(load_text: LoadText) -> None:
    text = LISTED.replace(RULE, "dw: >-\n      u12*x1\n      - u0*w")
    assert marked(load_text(text)) == [("BC202", ">")]


def test_traces_are_checked_only_where_the_rule_is_right(load_text: LoadText) -> None:
    text = LISTED.replace(RULE, "dw: u0*2^-4*x2*y9")
    assert marked(load_text(text)) == [("BC201", "y9")]


TRACE = "trace: {name: x1, tau: 16 ms, increment: 16}"
BOTH = "traces: [{name: x1, tau: 16 ms, increment: 16}, {name: y1, tau: 16 ms, increment: 16}]"


def test_a_trace_of_the_target_is_no_third_factor(load_text: LoadText) -> None:
    """A lif sends no y1, but its spikes may leave a trace of that name."""
    rule = "dw: x0*2^-4*y1 - y0*2^-4*x1"
    assert load_text(LISTED.replace(TRACE, BOTH).replace(RULE, rule)).network is not None
    assert marked(load_text(LISTED.replace(RULE, rule))) == [("BC142", "output")]


def test_traces_of_the_target_are_defined_and_read(load_text: LoadText) -> None:
    unread = LISTED.replace(TRACE, BOTH)
    result = load_text(unread)
    assert result.network is not None
    assert [(it.id, it.severity, it.message) for it in result.diagnostics] == [
        ("BC144", "warning", "no rule of plasticity 'stdp' reads the trace y1, which has no effect")
    ]
    undefined = LISTED.replace(TRACE, BOTH).replace(RULE, "dw: x0*y1 - y0*x1*y2")
    assert marked(load_text(undefined)) == [("BC143", "y2")]


def test_a_second_rule_may_read_the_trace(load_text: LoadText) -> None:
    text = LISTED.replace(RULE, "dw: u0*2^-6*w\n    dt: u0*2^-4*x1")
    result = load_text(text)
    assert result.network is not None
    assert result.network.plasticity[0].rules == {"dw": "u0*2^-6*w", "dt": "u0*2^-4*x1"}
