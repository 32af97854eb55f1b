from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from burstchip import check_file, compile_file, save_artifact, write_template
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

NETWORK = """burstchip: 1
name: carrying
step: 1 ms
populations:
  source: {model: rate_source, size: 4, rate: 20 Hz}
  cell: {model: burst_unit, size: 2}
plasticity:
  rule: {form: carry, learning_rate: 2^-5, every: 8 ms, trace: {name: x1, tau: 16 ms, increment: 16}}
projections:
  - {from: source, to: cell.soma, weight: {uniform: [1 mV, 2 mV]}, learn: rule}
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(NETWORK)
    return path


def test_messages_of_the_frontend_and_of_the_passes_come_together(network: Path) -> None:
    result = check_file(network)
    assert [found.id for found in result.diagnostics] == ["BC330"]
    assert (result.errors, result.warnings) == (0, 1)
    assert result.code is not None and result.code.weight_form == "carry"
    assert compile_file(network)[1] == result.diagnostics


def test_strict_makes_each_an_error_and_gives_no_program(network: Path) -> None:
    result = check_file(network, strict=True)
    assert result.code is None and (result.errors, result.warnings) == (1, 0)
    with pytest.raises(BurstchipError) as caught:
        compile_file(network, strict=True)
    assert caught.value.diagnostics == result.diagnostics


def test_every_pass_can_be_watched(network: Path) -> None:
    seen: list[tuple[str, type]] = []
    check_file(network, after=lambda name, ir: seen.append((name, type(ir))))
    assert [name for name, _ in seen] == [
        "elaborate",
        "calibrate",
        "quantize",
        "lower",
        "lower_functions",
        "effects",
        "bind",
        "check",
    ]
    assert [ir for _, ir in seen[2:]] == [ChipProgram] * 6


def test_overrides_and_seed_reach_the_program(tmp_path: Path) -> None:
    path = write_template("digits", tmp_path)
    code, _ = compile_file(path, {"hidden_size": "20", "split": "3"}, seed=9)
    assert code.population("hidden").size == 20 and code.seed == 9
    assert code.task is not None and code.task.split == 3


def test_messages_survive_the_artifact_in_a_process_that_did_not_compile(network: Path) -> None:
    path = network.with_name("net.burst")
    save_artifact(compile_file(network)[0], path)
    script = (
        "import sys; from pathlib import Path; from compiler.artifact import dump_artifact, load_artifact\n"
        "path = Path(sys.argv[1]); code, _ = load_artifact(path)\n"
        "assert [found.id for found in code.diagnostics] == ['BC330'], code.diagnostics\n"
        "assert dump_artifact(code) == path.read_bytes()"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def test_a_rate_above_one_event_a_step_is_an_error_at_its_population(network: Path) -> None:
    network.write_text(NETWORK.replace("20 Hz", "1500 Hz"))
    result = check_file(network)
    assert result.code is None
    (error,) = [found for found in result.diagnostics if found.id == "BC694"]
    assert error.message == "population 'source': a rate exceeds one event a step"
    assert error.place is not None and error.place.line == 5
