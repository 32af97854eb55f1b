from __future__ import annotations

import os
from pathlib import Path

import pytest

from burstchip import load_artifact

GOLDEN = Path(__file__).parents[2] / "golden" / "print_after"


def test_compile_writes_the_artifact_and_reports(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "-o", "net.burst")
    assert done.code == 0
    code, sha256 = load_artifact(Path("net.burst"))
    assert code.name == "pair" and done.out.rstrip().endswith(f"net.burst: no plasticity, sha256 {sha256}")
    words = [line.split() for line in done.out.splitlines()]
    assert ["where", "parameter", "asked", "represented", "relative", "error", "integers"] in words
    assert ["cell", "tau_membrane", "20", "ms", "19.9758", "ms", "0.12", "%", "dv", "=", "200"] in words


def test_the_same_input_gives_the_same_bytes(pair: Path, burstchip) -> None:
    burstchip("compile", pair, "-o", "a.burst")
    burstchip("compile", pair, "-o", "b.burst")
    burstchip("compile", pair, "-o", "c.burst", "--seed", 4)
    a, b, c = (Path(f"{name}.burst").read_bytes() for name in "abc")
    assert a == b != c


def test_json(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "-o", "net.burst", "--json")
    assert done.out.count("\n") == 1 and "Quantisation" in done.err
    assert done.json["artifact_sha256"] == load_artifact(Path("net.burst"))[1]
    assert {"where", "parameter", "requested", "represented", "relative_error"} <= set(
        done.json["quantisation"][0]
    )


@pytest.mark.parametrize(
    "name",
    [
        "elaborate",
        "calibrate",
        "quantize",
        "lower",
        "lower_functions",
        "effects",
        "bind",
        "check",
        "partition",
        "certify",
    ],
)
def test_the_program_after_a_pass(name: str, burstchip) -> None:
    done = burstchip("compile", GOLDEN / "network.yaml", "--print-after", name)
    assert done.code == 0
    assert done.out == (GOLDEN / f"{name}.txt").read_text()


def test_a_program_that_no_neurocore_holds_has_no_partition_to_show(pair: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("size: 4,", "size: 5000,"))
    assert burstchip("compile", pair, "-o", "a.burst").code == 0
    done = burstchip("compile", pair, "-o", "b.burst", "--print-after", "partition")
    assert done.code == 2 and f"{pair}:9:3: error[BC350]: neuron 0 of 'cell'" in done.err and done.out == ""
    assert not Path("b.burst").exists()


def test_print_after_and_an_artifact(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "--print-after", "lower", "-o", "net.burst")
    assert done.out.startswith("program pair ") and "Quantisation" in done.out
    assert Path("net.burst").exists()


def test_an_unknown_pass(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "-o", "net.burst", "--print-after", "quantise")
    assert done.code == 2 and not Path("net.burst").exists()
    assert done.err == (
        "error[BC612]: unknown pass 'quantise'\n"
        "  required: elaborate, calibrate, quantize, lower, lower_functions, effects, bind, check, "
        "partition, certify    given: quantise    hint: did you mean: quantize\n"
    )


def test_errors_leave_nothing_behind(pair: Path, tmp_path: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("50 pA", "50 mV"))
    Path("net.burst").write_text("older")
    done = burstchip("compile", pair, "-o", "net.burst")
    assert done.code == 2 and "BC107" in done.err and done.out == ""
    assert Path("net.burst").read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.burst", "pair.yaml"]


def test_strict(pair: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("4 mV]}}", "4 mV]}, weight_bits: 1}"))
    done = burstchip("compile", pair, "-o", "net.burst", "--strict")
    assert done.code == 2 and "error[BC310]" in done.err and not Path("net.burst").exists()


def test_an_output_is_needed(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair)
    assert done.code == 2 and "BC611" in done.err


def test_the_input_is_not_overwritten(pair: Path, burstchip) -> None:
    text = pair.read_text()
    done = burstchip("compile", pair, "-o", "./pair.yaml")
    assert done.code == 2 and "error[BC609]: 'pair.yaml' would overwrite" in done.err
    assert pair.read_text() == text


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (".", "error[BC610]: '.' is not a file\n  required: a file, or a new name    given: a folder\n"),
        ("pair.yaml/net.burst", "error[BC608]: 'pair.yaml/net.burst' cannot be written\n"),
        ("x" * 300, "given: File name too long\n"),
        ("a" * 300 + "/net.burst", "given: File name too long\n"),
    ],
)
def test_an_output_that_cannot_be(target: str, message: str, pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "-o", target)
    assert done.code == 2 and message in done.err and "Traceback" not in done.err


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
def test_a_device_is_never_replaced(pair: Path, burstchip) -> None:
    done = burstchip("compile", pair, "-o", "/dev/null")
    assert done.code == 2 and "BC610" in done.err
    assert not Path("/dev/null").is_file()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(pair: Path, tmp_path: Path, burstchip) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    done = burstchip("compile", pair, "-o", "closed/net.burst")
    assert done.code == 2 and "no permission to write" in done.err


def test_a_full_disk_is_said_and_leaves_nothing(
    pair: Path, tmp_path: Path, burstchip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = burstchip("compile", pair, "-o", "net.burst")
    assert done.code == 2 and "given: No space left on device" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["pair.yaml"]


def test_missing_folders_are_made(pair: Path, burstchip) -> None:
    assert burstchip("compile", pair, "-o", "new/folder/net.burst").code == 0
    assert Path("new/folder/net.burst").exists()


def test_a_value_that_is_too_far_off_is_an_error_with_its_place(pair: Path, burstchip) -> None:
    assert burstchip("compile", pair, "-o", "net.burst", "--max-error", 0.2).code == 0
    done = burstchip("compile", pair, "-o", "other.burst", "--max-error", 0.1, "--json")
    assert done.code == 2 and not Path("other.burst").exists()
    code, _ = load_artifact(Path("net.burst"))
    lines = [it for it in code.quantisation if "least" not in it.parameter]
    off = {(it.where, it.parameter) for it in lines if it.relative_error > 0.001}
    found = [it for it in done.json["diagnostics"] if it["id"] == "BC344"]
    assert {tuple(it["message"].split("'")[3:0:-2]) for it in found} == off and (
        "cell",
        "tau_membrane",
    ) in off
    line = pair.read_text().splitlines()[found[0]["place"]["line"] - 1]
    assert found[0]["message"].split("'")[3] in line
    assert burstchip("check", pair, "--max-error", 0.1).code == 2


@pytest.mark.parametrize("percent", ["-1", "nan", "inf"])
def test_an_error_that_is_not_a_percentage(pair: Path, burstchip, percent: str) -> None:
    done = burstchip("compile", pair, "-o", "net.burst", "--max-error", percent)
    assert done.code == 2 and "BC619" in done.err and not Path("net.burst").exists()
