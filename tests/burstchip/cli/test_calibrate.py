"""`burstchip calibrate`, and `burstchip compile --calibrate`: tables, files, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burstchip import calibrate, load_artifact, load_network, verify
from burstchip.files.calibration import read_calibration
from compiler.pipeline import compile_network

NETWORK = """burstchip: 1
name: pair
step: 1 ms
parameters: {rate: 50}
populations:
  noise: {model: poisson_source, size: 8, rate: "${rate} Hz"}
  cell: {model: lif, size: 3, tau_membrane: 100 ms}
projections:
  - {name: p, from: noise, to: cell, weight: {normal: {mean: 2 mV, sd: 0.5 mV}}, weight_bits: 4}
probes: [cell.v]
target: loihi2
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pair.yaml").write_text(NETWORK)
    return tmp_path / "pair.yaml"


def test_a_run_is_shown_and_written(pair: Path, burstchip) -> None:
    done = burstchip("calibrate", pair, "--steps", 200, "-o", "c.json", "--json")
    assert done.code == 0
    found = read_calibration(Path("c.json"))
    assert found == calibrate(load_network(pair), 200)
    assert (done.json["steps"], done.json["origin"], done.json["output"]) == (200, "run", "c.json")
    assert done.json["reaches"] == json.loads(Path("c.json").read_text())["reaches"]
    rate = found.rate("noise", "events")
    assert done.json["rates"]["noise.events"] == rate and rate == pytest.approx(50, rel=0.2)
    words = [line.split() for line in done.err.splitlines()]
    reach = found.reach("cell", "port", "soma")
    assert reach is not None and reach.rms is not None
    numbers = [f"{it:.4g}" for it in (reach.low, reach.high, reach.rms)]
    assert ["cell.soma", "port", *numbers, "mV"] in words
    assert ["noise.events", f"{rate:.4g}"] in words


def test_bounds_have_no_length_and_no_rates(pair: Path, burstchip) -> None:
    done = burstchip("calibrate", pair, "--bounds", "--json")
    assert done.code == 0 and (done.json["origin"], done.json["rates"], done.json["steps"]) == (
        "bounds",
        {},
        0,
    )
    assert "Reached at the worst" in done.err and "Sent" not in done.err
    wrong = burstchip("calibrate", pair, "--bounds", "--steps", 3)
    assert wrong.code == 2 and "error[BC611]: bounds have no length" in wrong.err
    missing = burstchip("calibrate", pair)
    assert missing.code == 2 and "error[BC692]" in missing.err


@pytest.mark.parametrize("how", ["200", "200ms", "0.2 s", "c.json"])
def test_compile_takes_each_way(how: str, pair: Path, burstchip) -> None:
    burstchip("calibrate", pair, "--duration", "200ms", "-o", "c.json")
    done = burstchip("compile", pair, "--calibrate", how, "-o", "net.burst", "--json")
    assert done.code == 0
    network = load_network(pair)
    code, sha256 = load_artifact(Path("net.burst"))
    chosen = compile_network(network, calibration=calibrate(network, 200))
    assert code.quantisation == chosen.quantisation != compile_network(network).quantisation
    assert done.json["artifact_sha256"] == sha256
    assert {"reach of soma", "calibrated sum"} <= {it["parameter"] for it in done.json["quantisation"]}
    # Integers of a scale between powers of two run as all others do.
    assert verify(code, 100, backends=("sim", "plain")).difference is None


def test_bounds_as_compile_takes_them(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "--calibrate", "bounds", "--print-after", "calibrate")
    assert done.code == 0 and "  calibration from bounds\n    port cell.soma = " in done.out


def test_the_artifact_of_another_run_is_another_warning(pair: Path, burstchip) -> None:
    burstchip("calibrate", pair, "--steps", 50, "-o", "c.json")
    done = burstchip("compile", pair, "--calibrate", "c.json", "--set", "rate=60", "-o", "net.burst")
    assert done.code == 0 and "warning[BC923]: 'pair' was changed after its calibration" in done.err


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("often", "error[BC920]: --calibrate often says nothing to calibrate by"),
        ("", "error[BC920]: --calibrate  says nothing to calibrate by"),
        ("0", "error[BC603]"),
        ("3.5", "error[BC693]"),
        ("0.5ms", "error[BC693]"),
        ("missing.json", "error[BC921]: 'missing.json' cannot be used as a calibration"),
        ("pair.json", "error[BC921]: 'pair.json' cannot be used as a calibration"),
    ],
)
def test_what_compile_cannot_calibrate_by(how: str, told: str, pair: Path, burstchip) -> None:
    Path("pair.json").write_text(NETWORK)
    done = burstchip("compile", pair, "--calibrate", how, "-o", "net.burst")
    assert done.code == 2 and told in done.err and not Path("net.burst").exists()


def test_the_gate_is_for_what_is_reached_too(pair: Path, burstchip) -> None:
    """Currents of some 50 V a step are more than a state holds."""
    pair.write_text(
        NETWORK.replace("mean: 2 mV, sd: 0.5 mV", "mean: 3000 mV, sd: 10 mV").replace("50}", "900}")
    )
    free = burstchip("compile", pair, "--calibrate", "50", "-o", "net.burst")
    assert free.code == 0 and "warning[BC924]: state 'u' of population 'cell'" in free.err
    done = burstchip("compile", pair, "--calibrate", "50", "-o", "b.burst", "--max-error", 20)
    assert done.code == 2 and "error[BC344]: 'reach of u' of 'cell' is off by" in done.err


def test_no_chip(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "--calibrate", "50", "--target", "none", "-o", "net.burst")
    assert done.code == 2 and "error[BC925]" in done.err
