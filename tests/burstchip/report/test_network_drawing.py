"""The drawing of a network: rows follow the signals, no two lines lie on each other, names are text."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from burstchip.compilation import compile_file
from burstchip.report.network_drawing import draw_network, projection_rows
from burstchip.report.network_layout import BOX_HEIGHT, BOX_WIDTH, Edge, Layout, lay_out, rows_of
from burstchip.templates import write_template

NAMES = ["a", "b", "c", "h1", "h2", "out"]
EDGES = [
    *(Edge(source, "events", "h1", "soma") for source in "abc"),
    Edge("h1", "events", "h2", "soma"),
    Edge("h2", "events", "out", "soma"),
    Edge("h2", "bursts", "h1", "dendrite"),
    Edge("out", "bursts", "h2", "dendrite"),
    Edge("out", "events", "out", "soma"),
    Edge("a", "events", "out", "soma"),
]


def laid_out(names: list[str], edges: list[Edge]) -> Layout:
    outputs = {name: list(dict.fromkeys(e.output for e in edges if e.source == name)) for name in names}
    return lay_out(names, dict.fromkeys(names, ("soma", "dendrite")), outputs, edges)


def chain(length: int) -> tuple[list[str], list[Edge]]:
    names = [f"p{k}" for k in range(length)]
    pairs = list(pairwise(names))
    forward = [Edge(one, "events", other, "soma") for one, other in pairs]
    return names, forward + [Edge(other, "bursts", one, "dendrite") for one, other in pairs]


def test_rows_follow_the_signals_and_circles_end() -> None:
    assert rows_of(NAMES, EDGES) == [["a", "b"], ["c"], ["h1"], ["h2"], ["out"]]
    circle = [Edge("x", "events", "y", "soma"), Edge("y", "events", "x", "soma")]
    assert rows_of(["x", "y"], circle) == [["x"], ["y"]]


@pytest.mark.parametrize(("names", "edges"), [(NAMES, EDGES), chain(40)])
def test_lines_begin_and_end_at_their_boxes_and_never_coincide(names: list[str], edges: list[Edge]) -> None:
    layout = laid_out(names, edges)
    for edge, line in zip(edges, layout.lines, strict=True):
        source, target = layout.boxes[edge.source], layout.boxes[edge.target]
        assert line[0][1] == source.top + BOX_HEIGHT and line[-1][1] == target.top
        assert source.left < line[0][0] < source.left + BOX_WIDTH
        assert abs(line[-1][0] - target.ports[edge.port]) < BOX_WIDTH / 4
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in line)
    parts = [
        (number, *sorted(ends))
        for number, line in enumerate(layout.lines)
        for ends in pairwise(line)
        if ends[0] != ends[1]
    ]
    for (one, a, b), (other, c, d) in combinations(parts, 2):
        if one == other:
            continue
        for across, along in ((0, 1), (1, 0)):
            same = a[across] == b[across] == c[across] == d[across]
            assert not (same and max(a[along], c[along]) < min(b[along], d[along])), (
                edges[one],
                edges[other],
            )


def test_a_long_network_stays_as_narrow_as_a_phone() -> None:
    assert laid_out(*chain(200)).width < 420


def test_the_drawing_and_its_table_say_what_the_program_holds(tmp_path: Path) -> None:
    code, _ = compile_file(write_template("digits", tmp_path))
    picture = draw_network(code)
    root = ElementTree.fromstring(picture.svg)
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{space}text")]
    for text in ("image", "64 × rate_source", "hidden", "dendrite", "burst_error", "1", "2", "3"):
        assert text in texts
    kinds = [line.get("class") for line in root.iter(f"{space}polyline")]
    assert kinds == ["plastic", "plastic", "fixed"]
    (description,) = root.iter(f"{space}desc")
    assert description.text == picture.alt
    assert picture.alt.startswith(
        "3 populations: image (64 neurons), hidden (100 neurons), readout (10 neurons)."
    )
    assert "image to hidden.soma (6,400 synapses, learns)" in picture.alt
    assert draw_network(code) == picture
    rows = projection_rows(code)
    assert [row.name for row in rows] == ["image_to_hidden", "hidden_to_readout", "feedback"]
    assert (rows[0].synapses, rows[0].weights) == ("6,400, dense", "8 bits") and rows[2].learns == "fixed"
    assert rows[0].learns.startswith("form chip, every 8 steps: dt = u0*2^-4*x1*y1")
