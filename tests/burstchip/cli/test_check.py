from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compiler.pipeline import OWN
from hw_models.diagnostics import BurstchipError, Diagnostic

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_a_good_file_is_exit_code_0(pair: Path, burstchip) -> None:
    done = burstchip("check", pair)
    assert done.code == 0
    assert done.out == f"{pair}: 0 errors, 0 warnings; 7 neurons and 12 synapses for loihi2\n"
    assert done.err == ""


def test_strict_takes_warnings_for_errors(pair: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("4 mV]}}", "4 mV]}, weight_bits: 1}"))
    done = burstchip("check", pair, "--strict")
    assert done.code == 2
    assert done.out == f"{pair}: 2 errors, 0 warnings\n"
    assert "error[BC310]" in done.err and "error[BC318]" in done.err


NETWORKS = [*EXAMPLES.glob("*.yaml"), *(EXAMPLES.parent / "burstchip" / "templates").glob("*/network.yaml")]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_network_that_is_shipped_is_strict(path: Path, burstchip) -> None:
    done = burstchip("check", path, "--strict")
    assert (done.code, done.err) == (0, "")


def test_defaults_are_listed(pair: Path, burstchip) -> None:
    done = burstchip("check", pair, "--defaults")
    assert done.code == 0
    assert [" ".join(line.split()) for line in done.out.splitlines()[1:] if line.strip(" ─")] == [
        "Defaults",
        "of key value meaning",
        "the network target loihi2 the chip to compile for; none: reference alone",
        "population cell tau_membrane 20 ms time constant of the membrane",
        "tau_current 5 ms time constant of the synaptic current",
        "capacitance 100 pF turns the bias current into volts",
        "rest -70 mV resting potential, also the reset",
        "threshold -50 mV an event is emitted above it",
        "projection drive connectivity dense which neurons are connected",
        "weight_bits 8 bits of a weight on the chip",
        "delay one step from a spike to its effect, at least one step",
    ]


def test_defaults_in_json(pair: Path, burstchip) -> None:
    assert "defaults" not in burstchip("check", pair, "--json").json
    defaults = burstchip("check", pair, "--defaults", "--json").json["defaults"]
    assert defaults[1] == {
        "owner": "population cell",
        "key": "tau_membrane",
        "value": "20 ms",
        "doc": "time constant of the membrane",
    }


def test_errors_have_their_place_and_no_traceback(pair: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("model: lif", "model: liv"))
    done = burstchip("check", "pair.yaml")
    assert done.code == 2
    assert done.err.startswith("pair.yaml:9:17: error[BC110]:")
    assert "did you mean: lif" in done.err and "Traceback" not in done.err
    assert done.out == "pair.yaml: 1 error, 0 warnings\n"


def test_what_the_passes_find_is_told_too(pair: Path, burstchip) -> None:
    # The frontend has nothing against it; the compiler's own check counts what may arrive at once.
    text = pair.read_text().replace("size: 4,", "size: 1500,").replace("{uniform: [1 mV, 4 mV]}", "1000 mV")
    pair.write_text(text)
    done = burstchip("check", pair)
    assert "warning[BC334]" in done.err and done.code == 0


def test_warnings_of_earlier_passes_stay_when_a_later_one_fails(
    pair: Path, burstchip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*arguments: object, **options: object) -> object:
        raise BurstchipError(Diagnostic("BC331", "no fit"))

    changed = tuple(replace(known, run=check) if known.name == "check" else known for known in OWN)
    monkeypatch.setattr("compiler.pipeline.passes", lambda: changed)
    # One bit is not enough for weights that differ: quantisation warns.
    pair.write_text(pair.read_text().replace("4 mV]}}", "4 mV]}, weight_bits: 1}"))
    done = burstchip("check", pair)
    assert done.code == 2 and ": 1 error, " in done.out
    assert "warning[BC310]" in done.err and "error[BC331]: no fit" in done.err


def test_json_is_the_last_line_and_alone_on_stdout(pair: Path, burstchip) -> None:
    done = burstchip("check", pair, "--json")
    assert done.code == 0 and done.out.count("\n") == 1
    assert done.json["ok"] and (done.json["errors"], done.json["warnings"]) == (0, 0)
    assert done.json["diagnostics"] == []
    assert "0 errors, 0 warnings" in done.err


def test_json_of_a_bad_file(pair: Path, burstchip) -> None:
    pair.write_text("nonsense")
    done = burstchip("check", pair, "--json")
    assert done.code == 2 and done.out.count("\n") == 1
    assert not done.json["ok"] and done.json["errors"] == 1


def test_set_and_seed_reach_the_file(pair: Path, burstchip) -> None:
    assert burstchip("check", pair, "--set", "rate=100 Hz", "--seed", 5).code == 0
    done = burstchip("check", pair, "--set", "rat=100 Hz")
    assert done.code == 2 and "did you mean: rate" in done.err
    done = burstchip("check", pair, "--set", "rate=100 mV")
    assert done.code == 2 and "BC107" in done.err
    done = burstchip("check", pair, "--seed", -1)
    assert done.code == 2 and "BC103" in done.err


def test_all_mistakes_of_set_are_told_at_once(pair: Path, burstchip) -> None:
    done = burstchip("check", pair, "--set", "rate", "--set", "=3", "--set", "a=1", "--set", "a=2")
    assert done.code == 2
    assert done.err == (
        "error[BC601]: 'rate' is not of the form KEY=VALUE\n"
        "  required: --set KEY=VALUE    given: --set rate    hint: --set rate=VALUE\n"
        "error[BC601]: '=3' is not of the form KEY=VALUE\n"
        "  required: --set KEY=VALUE    given: --set =3\n"
        "error[BC602]: parameter 'a' is set twice\n"
        "  required: one value    given: '1' and '2'\n"
    )


def test_a_file_that_is_not_there(burstchip) -> None:
    done = burstchip("check", "nothing.yaml")
    assert done.code == 2 and "error[BC001]" in done.err


def test_a_narrow_terminal_shows_paragraphs(pair, burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = burstchip("check", pair, "--defaults").out.splitlines()
    assert max(map(len, lines[1:])) <= 60
    assert "population cell\n  tau_membrane  20 ms\n    meaning time constant of the membrane" in "\n".join(
        lines
    )


def test_an_artifact_is_recognised_where_a_network_is_wanted(pair, burstchip) -> None:
    burstchip("compile", pair, "-o", "pair.burst")
    done = burstchip("check", "pair.burst")
    assert done.code == 2
    assert "error[BC695]: pair.burst is an artifact, not a network" in done.err
    assert "hint: burstchip run pair.burst" in done.err
