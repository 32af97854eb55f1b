from __future__ import annotations

import json
from pathlib import Path

import pytest

SUMMARY = """\
Loihi 2: 1 of 128 neurocores of one chip
the host sends the events of source
the fullest neurocores:
  limit                 used         of   fill  where          source of the limit
  compartments             3      8,192  0.0 %  core 0 (cell)  second hand: Intel 2021, neurons a neurocore
  synaptic memory bits   256  1,048,576  0.0 %  core 0 (cell)  second hand: Intel 2021, 128 KB
  input axons              4      4,096  0.1 %  core 0 (cell)  assumed: as Loihi 1
  output axons             0      4,096  0.0 %  core 0 (cell)  assumed: as Loihi 1
  synapse formats          1         16  6.2 %  core 0 (cell)  assumed: as Loihi 1
  fan in                   4  1,048,576  0.0 %  core 0 (cell)  assumed: as Loihi 1
  delay slots              3     65,536  0.0 %  core 0 (cell)  assumed: as Loihi 1, 8 steps a compartment
  learning rules           0         16  0.0 %  core 0 (cell)  assumed: as Loihi 1
  trace configurations     0          3  0.0 %  core 0 (cell)  assumed: as Loihi 1
lower bound: 1 neurocores
if every neuron sends in a step: 0 messages to other neurocores, at least 0; 0 on the busiest link, 0 on all
assumed, since not public: input axons, output axons, synapse formats, fan in, delay slots, learning rules, \
trace configurations, word bits, format bits, count bits, weight bits, index bits, axon base, \
learning weight bits, tag bits, delay bits, order of the fields inside a block of synaptic memory
"""


def test_a_dry_run_says_how_full_the_chip_is(artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out")
    assert (done.code, done.err) == (0, "")
    summary, _, last = done.out.rpartition("out: ")
    assert summary == SUMMARY
    assert last.startswith("sha256 of the artifact ") and last.endswith("; nothing was sent\n")


def test_as_json(artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--json")
    assert done.code == 0 and done.out.count("\n") == 1
    found = done.json
    assert found["ok"] and found["deployment"] == "out" and found["neurocores"] == found["chips"] == 1
    assert found["host"] == ["source"]
    assert found["least_neurocores"] == 1 and found["least_by_limit"]["input_axons"] == 1
    assert (found["busiest_link"], found["traffic"], found["remote"], found["least_remote"]) == (0, 0, 0, 0)
    assert found["fill"]["input_axons"] == {
        "core": 0,
        "used": 4,
        "limit": 4096,
        "source": "as Loihi 1",
        "status": "assumed",
    }
    manifest = json.loads((artifact.parent / "out" / "manifest.json").read_text())
    assert found["artifact_sha256"] == manifest["artifact_sha256"]
    assert found["assumed"] == manifest["assumed"]


@pytest.mark.parametrize("more", [(), ("-o", "out")])
def test_without_dry_run_it_says_what_is_missing(more: tuple[str, ...], artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, *more, "--json")
    assert done.code == 2 and done.json["diagnostics"][0]["id"] == "BC570"
    assert done.err.startswith("error[BC570]: this machine cannot send to a Loihi 2\n")
    assert "inrc_interest@intel.com" in done.err and not (artifact.parent / "out").exists()


def test_an_output_is_needed(artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, "--dry-run")
    assert done.code == 2
    assert done.err == "error[BC611]: an output is missing\n  required: -o DIR    given: none\n"


def test_a_taken_folder(artifact: Path, burstchip) -> None:
    first = burstchip("deploy", artifact.name, "--dry-run", "-o", "out")
    again = burstchip("deploy", artifact.name, "--dry-run", "-o", "out")
    assert (first.code, again.code) == (0, 2)
    assert again.err.startswith("error[BC413]: folder 'out' holds another deployment\n")
    assert burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--overwrite").code == 0


def test_a_file_is_no_folder(artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", artifact.name)
    assert done.code == 2 and done.err.startswith("error[BC610]: 'net.burst' is not a folder\n")


def test_connections_weigh_what_was_recorded(artifact: Path, burstchip) -> None:
    assert burstchip("run", artifact.name, "--steps", 20, "-o", "run.nc", "--backend", "plain").code == 0
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--rates", "run.nc")
    assert done.code == 0 and "in all of run.nc: 0 messages to other neurocores" in done.out
    assert "assumed to send once, since not recorded: source\n" in done.out


def test_a_recording_without_events(artifact: Path, burstchip) -> None:
    Path("run.nc").write_text("nothing")
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--rates", "run.nc")
    assert done.code == 2 and not Path("out").exists()
    assert done.err.startswith("error[BC390]: recording 'run.nc' does not say how often neurons send\n")


def test_an_artifact_that_is_not_there(burstchip) -> None:
    done = burstchip("deploy", "net.burst", "--dry-run", "-o", "out")
    assert done.code == 2 and done.err.startswith("error[BC401]: artifact 'net.burst' cannot be read\n")


def test_a_networks_file_is_compiled_and_deployed(pair: Path, burstchip) -> None:
    done = burstchip("deploy", pair.name, "--dry-run", "-o", "out")
    assert (done.code, done.err) == (0, "") and done.out.startswith(SUMMARY)
    assert burstchip("compile", pair.name, "-o", "net.burst").code == 0
    assert burstchip("verify", "net.burst", "--deployment", "out").code == 0


def test_what_no_neurocore_holds_stands_in_a_networks_file(pair: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("size: 4,", "size: 5000,"))
    assert burstchip("compile", pair.name, "-o", "net.burst").code == 0
    message = "error[BC350]: neuron 0 of 'cell' exceeds the limits of a neurocore"
    for artifact, line in (("net.burst", message), (pair.name, f"pair.yaml:9:3: {message}")):
        done = burstchip("deploy", artifact, "--dry-run", "-o", "out")
        assert done.code == 2 and line in done.err.splitlines() and not Path("out").exists()
        done = burstchip("cost", artifact, "--steps", 1, "-q")
        assert done.code == 2 and line in done.err.splitlines()


def test_a_networks_file_with_mistakes_deploys_nothing(pair: Path, burstchip) -> None:
    pair.write_text(pair.read_text().replace("lif", "life"))
    done = burstchip("deploy", pair.name, "--dry-run", "-o", "out")
    assert done.code == 2 and done.err.startswith("pair.yaml:9:") and not Path("out").exists()


def test_the_carry_form_is_refused(burstchip) -> None:
    assert burstchip("new", "digits", ".").code == 0
    assert burstchip("compile", "network.yaml", "-o", "net.burst", "--set", "weight_form=carry").code == 0
    done = burstchip("deploy", "net.burst", "--dry-run", "-o", "out")
    assert done.code == 2 and done.err.count("error[BC351]") == 2 and not Path("out").exists()


def test_running_on_the_chip_gives_the_same_reasons(artifact: Path, burstchip) -> None:
    done = burstchip("run", artifact.name, "--backend", "loihi2", "--steps", 3, "-o", "out.nc")
    assert done.code == 2 and done.err.startswith("error[BC551]: backend 'loihi2' cannot run here\n")
    assert "lava-loihi" in done.err and "inrc_interest@intel.com" in done.err


def test_help_says_what_it_does_without_a_board(burstchip) -> None:
    done = burstchip("deploy", "--help")
    assert done.code == 0
    text = " ".join(done.out.replace("│", " ").split())
    assert (
        "Lay an artifact out over the neurocores of its target, and write what would be sent there." in text
    )
    assert "Without --dry-run it says what is missing to reach a board." in text
    assert all(option in text for option in ("--dry-run", "--output", "--overwrite", "--json"))
