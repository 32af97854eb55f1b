"""The network as a drawing: populations with their compartments, projections with what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from burstchip.report.network_layout import BOX_HEIGHT, BOX_WIDTH, Edge, Layout, lay_out
from burstchip.report.style import AXIS, BURST, INK, ON_DARK, RIGHT, SOFT, Picture
from burstchip.report.wording import count, number
from compiler.ir.chip_program import ChipProgram, ProjectionCode

#: Letters that fit into a box.
_LETTERS = 20

_STYLE = (
    f"text{{font:13px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:{INK};text-anchor:middle}}"
    f".name{{font-weight:600}}.soft,.slot{{fill:{SOFT};font-size:11px}}"
    f".box{{fill:none;stroke:{AXIS};stroke-width:1.2}}.port{{fill:{RIGHT};stroke:{AXIS};stroke-width:.8}}"
    f".fixed{{fill:none;stroke:{AXIS};stroke-width:1.2}}.plastic{{fill:none;stroke:{BURST};stroke-width:2.6}}"
    f".tip-fixed{{fill:{AXIS}}}.tip-plastic{{fill:{BURST}}}"
    f".mark{{fill:#fff;stroke:{AXIS}}}.mark-plastic{{fill:#fff;stroke:{BURST};stroke-width:1.6}}"
    ".mark-text{font-size:10.5px}"
    f"@media (prefers-color-scheme: dark){{text{{fill:{ON_DARK[INK]}}}.soft,.slot{{fill:{ON_DARK[SOFT]}}}"
    f".box,.fixed,.port,.mark{{stroke:{ON_DARK[AXIS]}}}.port{{fill:{ON_DARK[RIGHT]}}}"
    f".tip-fixed{{fill:{ON_DARK[AXIS]}}}.mark,.mark-plastic{{fill:#171c22}}}}"
)


@dataclass(frozen=True)
class ProjectionRow:
    """A projection as the table beside the drawing has it, by its number there."""

    number: int
    name: str
    way: str
    synapses: str
    weights: str
    learns: str
    plastic: bool


def draw_network(code: ChipProgram) -> Picture:
    """The populations and projections of `code`; the same program gives the same drawing."""
    edges = [Edge(p.source, p.output, p.target, p.port) for p in code.projections]
    names = [population.name for population in code.populations]
    outputs = {name: list(dict.fromkeys(e.output for e in edges if e.source == name)) for name in names}
    ports = {population.name: population.ports for population in code.populations}
    layout = lay_out(names, ports, outputs, edges)
    svg = "\n".join(_svg(code, layout, outputs))
    return Picture(
        "network_drawing",
        "The network",
        "Populations with their size, model and, on the upper edge, their compartments; on the lower edge "
        "the outputs from which projections start. Thick lines in colour learn, thin ones are fixed; the "
        "numbers are those of the table.",
        _seen(code),
        svg.encode(),
        width=round(1.25 * layout.width),
    )


def projection_rows(code: ChipProgram) -> list[ProjectionRow]:
    """Every projection, in the order of its number."""
    sizes = {population.name: population.size for population in code.populations}
    return [
        ProjectionRow(
            number=place,
            name=it.name,
            way=f"{it.source}.{it.output} → {it.target}.{it.port}",
            synapses=f"{it.weights.size:,}, {_connectivity(it, sizes[it.source] * sizes[it.target])}",
            weights=_weights(it),
            learns=_learns(it),
            plastic=it.learning is not None,
        )
        for place, it in enumerate(code.projections, start=1)
    ]


def _connectivity(projection: ProjectionCode, pairs: int) -> str:
    if projection.kernel is not None:
        return f"sharing {count(projection.stored.size, 'weight')}"
    return "dense" if projection.dense else f"sparse ({number(100 * projection.weights.size / pairs, 2)} %)"


def _weights(projection: ProjectionCode) -> str:
    carries = projection.learning is not None and projection.learning.form == "carry"
    bits = "8 bits and an 8-bit tag" if carries else f"{projection.num_weight_bits} bits"
    delays = projection.delays
    if not delays.size or not delays.any():
        return bits
    least, most = int(delays.min()) + 1, int(delays.max()) + 1
    return f"{bits}, delay {least} to {most} steps" if least != most else f"{bits}, delay {most} steps"


def _learns(projection: ProjectionCode) -> str:
    it = projection.learning
    if it is None:
        return "fixed"
    rule = "; ".join(f"{change} = {text}" for change, text in it.rules.items() if text)
    return f"form {it.form}, every {count(it.every, 'step')}" + (f": {rule}" if rule else "")


def _seen(code: ChipProgram) -> str:
    populations = ", ".join(f"{p.name} ({count(p.size, 'neuron')})" for p in code.populations)
    text = f"{count(len(code.populations), 'population')}: {populations}."
    if code.projections:
        ways = ", ".join(
            f"{p.source} to {p.target}.{p.port} ({count(p.weights.size, 'synapse')}"
            f"{', learns' if p.learning is not None else ''})"
            for p in code.projections
        )
        text += f" {count(len(code.projections), 'projection')}: {ways}."
    return text


def _svg(code: ChipProgram, layout: Layout, outputs: dict[str, list[str]]) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width:g}" height="{layout.height:g}" '
        f'viewBox="0 0 {layout.width:g} {layout.height:g}" role="img">'
    )
    yield f"<title>Network {escape(code.name)}</title><desc>{escape(_seen(code))}</desc>"
    yield f"<style>{_STYLE}</style>"
    for corners, projection in zip(layout.lines, code.projections, strict=True):
        kind = "fixed" if projection.learning is None else "plastic"
        path = " ".join(f"{x:g},{y:g}" for x, y in corners)
        x, y = corners[-1]
        yield f'<polyline class="{kind}" points="{path}"/>'
        yield f'<path class="tip-{kind}" d="M{x:g},{y:g}l-4,-8h8z"/>'
    for place, ((x, y), projection) in enumerate(zip(layout.marks, code.projections, strict=True), start=1):
        kind = "mark" if projection.learning is None else "mark-plastic"
        width = 10 + 6.5 * len(str(place))
        yield f'<g><title>{escape(projection.name)}</title><rect class="{kind}" x="{x - width / 2:g}" '
        yield f'y="{y - 7.5:g}" width="{width:g}" height="15" rx="7.5"/>'
        yield f'<text class="mark-text" x="{x:g}" y="{y + 4:g}">{place}</text></g>'
    for population in code.populations:
        box = layout.boxes[population.name]
        middle = box.left + BOX_WIDTH / 2
        yield f"<g><title>{escape(population.name)}</title>"
        yield _rectangle("box", box.left, box.top, BOX_WIDTH, BOX_HEIGHT)
        for port, x in box.ports.items():
            wide = BOX_WIDTH / len(box.ports)
            yield _rectangle("port", x - wide / 2, box.top, wide, 17)
            yield _text("slot", x, box.top + 12.5, port, _LETTERS // len(box.ports))
        yield _text("name", middle, box.top + 34, population.name, _LETTERS)
        yield _text("soft", middle, box.top + 50, f"{population.size:,} × {population.model}", _LETTERS + 4)
        for output, x in box.outputs.items():
            yield _text("slot", x, box.top + 68, output, _LETTERS // len(box.outputs) + 2)
        yield "</g>"
    yield "</svg>"


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"/>'


def _text(kind: str, x: float, y: float, text: str, letters: int) -> str:
    shown = text if len(text) <= letters else f"{text[: letters - 1]}…"
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(shown)}</text>'
