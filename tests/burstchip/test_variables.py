from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.compilation import compile_file
from burstchip.variables import parse_selections, parse_variables, synapse_ends, variables_of
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

PAIR = """burstchip: 1
name: pair
step: 1 ms
populations:
  source: {model: rate_source, size: 4, rate: 200 Hz}
  cell: {model: lif, size: 3}
projections:
  - {from: source, to: cell.soma, weight: 2 mV}
probes: [cell.v, cell.events]
"""


@pytest.fixture
def pair(tmp_path: Path) -> ChipProgram:
    path = tmp_path / "pair.yaml"
    path.write_text(PAIR)
    return compile_file(path)[0]


def test_states_and_outputs_can_be_recorded(pair: ChipProgram) -> None:
    assert variables_of(pair, "source") == ("phase", "events")
    assert variables_of(pair, "cell") == ("u", "v", "events")


def test_without_names_the_probes_are_meant(pair: ChipProgram) -> None:
    assert parse_variables(pair, []) == (("cell", "v"), ("cell", "events"))
    assert parse_variables(pair, ["source.phase"]) == (("source", "phase"),)


@pytest.mark.parametrize(
    ("names", "code", "text", "hint"),
    [
        (["cel.v"], "BC605", "unknown population or projection 'cel' in 'pair'", "did you mean: cell"),
        (["cell.event"], "BC605", "population 'cell' has no variable 'event'", "did you mean: events"),
        (["cell"], "BC604", "'cell' is not of the form population.variable", "did you mean: cell.v"),
        (["cell."], "BC604", "'cell.' is not of the form population.variable", "did you mean: cell.v"),
        (["v"], "BC604", "'v' is not of the form population.variable", None),
        ([""], "BC604", "'' is not of the form population.variable", None),
        (["cell.v", "cell.v"], "BC606", "'cell.v' is given twice", None),
    ],
)
def test_names_that_are_none(
    names: list[str], code: str, text: str, hint: str | None, pair: ChipProgram
) -> None:
    with pytest.raises(BurstchipError) as caught:
        parse_variables(pair, names)
    (found,) = caught.value.diagnostics
    assert (found.id, found.message) == (code, text)
    assert hint is None or found.hint == hint


def test_a_projection_s_synapses(pair: ChipProgram) -> None:
    assert parse_variables(pair, ["source->cell.w"]) == (("source->cell", "w"),)
    (chosen,) = parse_selections(pair, ["source->cell.w[2:5]"])
    assert (list(chosen.indices(pair)), chosen.text) == ([2, 3, 4], "source->cell.w[2:5]")
    pre, post = synapse_ends(pair, pair.projections[0])
    assert list(zip(pre.tolist(), post.tolist(), strict=True))[2:5] == [(0, 2), (1, 0), (1, 1)]
    for name, message in (
        ("source->cell.t", "projection 'source->cell' has no variable 't'"),
        ("source->cel.w", "unknown population or projection 'source->cel' in 'pair'"),
        ("source->cell", "'source->cell' is not of the form population.variable"),
        ("source->cell.w[12]", "'source->cell.w[12]' chooses no synapses"),
    ):
        with pytest.raises(BurstchipError) as caught:
            parse_selections(pair, [name])
        assert [found.message for found in caught.value.diagnostics] == [message]


def test_without_synapses_probes_of_projections_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(PAIR.replace("cell.events]", "source->cell.w]"))
    code = compile_file(path)[0]
    assert parse_variables(code, []) == (("cell", "v"), ("source->cell", "w"))
    assert parse_variables(code, [], synapses=False) == (("cell", "v"),)
    with pytest.raises(BurstchipError, match="unknown population 'source->cell'"):
        parse_variables(code, ["source->cell.w"], synapses=False)


def test_all_wrong_names_are_told_at_once(pair: ChipProgram) -> None:
    with pytest.raises(BurstchipError) as caught:
        parse_variables(pair, ["cel.v", "cell.v", "cell.x", "v"])
    assert [found.given for found in caught.value.diagnostics] == ["cel.v", "cell.x", "'v'"]


def test_without_probes_something_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "mute.yaml"
    path.write_text(PAIR.replace("probes: [cell.v, cell.events]\n", ""))
    with pytest.raises(
        BurstchipError, match=r"BC607.*the variables to record are missing(?s:.*)--record source.phase"
    ):
        parse_variables(compile_file(path)[0], [])
