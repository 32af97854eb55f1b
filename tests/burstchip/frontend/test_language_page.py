"""docs/language.md has the tables of the language as it is: every key, model parameter and unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.frontend.kinds import Forms, Kind, ListOf, Named, QuantityOf, Record, Variants
from burstchip.frontend.language import language
from burstchip.frontend.language_signals import COURSES
from burstchip.frontend.language_synapses import convolution, pool
from burstchip.frontend.reading import in_full
from burstchip.frontend.scalars import range_of
from burstchip.frontend.units import PHRASES
from hw_models.neurons.model import BASE_UNITS
from hw_models.neurons.registry import models

PAGE = Path(__file__).parents[3] / "docs" / "language.md"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def table(record: Record, without: tuple[str, ...] = ()) -> str:
    """The keys of a record as a Markdown table."""
    lines = [row("key", "value", "", "meaning"), row("---", "---", "---", "---")]
    for key in record.keys:
        if key.name in without:
            continue
        presence = "required" if key.required else "" if key.default is None else f"default: {key.default}"
        value = _value(key.kind)
        if isinstance(key.kind, Forms) and key.kind.listing is not None:
            # Said once above the table rather than in every row.
            value = _value(key.kind.single) if key.kind.single is not None else value
        lines.append(row(f"`{key.name}`", value, presence, key.doc))
    return "\n".join(lines)


def _value(kind: Kind) -> str:
    return range_of(kind) if isinstance(kind, QuantityOf) and kind.dimension is not None else in_full(kind)


def under(kind: Kind, *path: str) -> Kind:
    """What stands under these keys; a list or mapping of names leads to its items."""
    for name in path:
        assert isinstance(kind, Record)
        key = kind.key(name)
        assert key is not None
        kind = key.kind
        if isinstance(kind, (ListOf, Named)):
            kind = kind.item
    return kind


WHOLE = language(models())


#: Models that are another one with other defaults.
PRESETS = {"adex_pv": "adex", "adex_som": "adex", "facilitating": "depressing"}


def tables() -> dict[str, str]:
    found = {"network": table(WHOLE)}
    for key in ("populations", "plasticity", "task"):
        kind = under(WHOLE, key)
        assert isinstance(kind, Variants)
        common = ("model", "size", "shape") if key == "populations" else ()
        found |= {f"{key} {word}": table(record, common) for word, record in kind.records.items()}
    projection = under(WHOLE, "projections")
    assert isinstance(projection, Record)
    found["projection"] = table(projection)
    found |= {"convolution": table(convolution(2)), "pool": table(pool(2))}
    chip = under(WHOLE, "plasticity")
    assert isinstance(chip, Variants)
    trace = under(chip.records["chip"], "trace")
    assert isinstance(trace, Record)
    found["trace"] = table(trace)
    task = under(WHOLE, "task")
    assert isinstance(task, Variants) and isinstance(task.selector.kind, Forms)
    found["own data"] = table(task.selector.kind.records[0])
    signal = under(WHOLE, "signals")
    assert isinstance(signal, Record)
    found["signal"] = table(signal)
    for name, path in {
        "protocol": (),
        "teacher": ("teachers",),
        "phase": ("phases",),
        "part": ("parts",),
    }.items():
        record = under(WHOLE, "protocol", *path)
        assert isinstance(record, Record)
        found[name] = table(record)
    found |= {f"signal {name}": table(kind) for name, kind in COURSES.items() if isinstance(kind, Record)}
    # Written once: what only one word tells apart, and models with the same parameters.
    same = (
        "populations poisson_source",
        "populations lif_refractory",
        *(f"populations {it}" for it in PRESETS),
    )
    for name in ("plasticity carry", "task mnist", *same):
        del found[name]
    return {name: text for name, text in found.items() if text.count("\n") > 1}


@pytest.mark.parametrize("name", tables())
def test_table_is_on_the_page(name: str) -> None:
    text = tables()[name]
    assert text in PAGE.read_text(encoding="utf-8"), f"docs/language.md should have for {name}:\n{text}"


def test_every_dimension_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for phrase, examples in PHRASES.values():
        assert phrase.removeprefix("a ") in page
        assert examples in page


def test_every_model_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, model in models().items():
        assert f"#### `{name}`" in page
        outputs = ", ".join(f"`{output}`" for output in model.program.outputs)
        assert outputs in page, f"{name}: outputs {outputs}"
        states = ", ".join(f"`{state}`" for state in model.program.states)
        assert states in page, f"{name}: states {states}"
        for port in model.ports:
            assert f"`{port.name}`" in page
        section = page.partition(f"#### `{PRESETS.get(name, name)}`")[2].partition("\n#")[0]
        for state, width in model.program.states.items():
            rows = (line for line in section.splitlines() if line.startswith("| `"))
            (line,) = (
                line for line in rows if f"`{state}`" in line.split(" | ")[0] and line.endswith(f" {width} |")
            )
            assert line.endswith(f" | {width} |"), f"{name}.{state}: {width}"
        variables = ", ".join(f"`{it.name}`" for it in model.settable)
        assert not variables or f"| `{name}` | {variables} |" in page, f"{name}: variables {variables}"


@pytest.mark.parametrize(("name", "of"), PRESETS.items())
def test_every_other_default_of_a_preset_is_on_the_page(name: str, of: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in page.splitlines() if "|" in line
    ]
    start = next(k for k, cells in enumerate(rows) if cells[:2] == ["key", of] and name in cells)
    shown = {cells[0]: cells[rows[start].index(name)] for cells in rows[start : start + 20] if len(cells) > 2}
    found = {it.name: it for it in models()[of].parameters}
    for it in models()[name].parameters:
        unit = BASE_UNITS[it.dimension]
        if it.default != found[it.name].default:
            assert shown[it.name] == f"{it.default:.12g} {unit}".strip()
