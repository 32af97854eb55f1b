from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import xarray

from burstchip import load_artifact, record


def test_run_writes_what_record_gives(artifact: Path, burstchip, backend: str) -> None:
    command = ["run", "net.burst", "--steps", 50, "--record", "cell.v,source.events", "-o", "out.nc"]
    done = burstchip(*command, "--backend", backend)
    assert done.code == 0 and done.err == ""
    assert done.out.splitlines()[-1] == (
        f"out.nc: cell.v, source.events, 50 steps, no plasticity, backend {backend}"
    )
    code, sha256 = load_artifact(artifact)
    expected = record(code, 50, [("cell", "v"), ("source", "events")], backend=backend)
    with xarray.open_dataset("out.nc", engine="h5netcdf") as found:
        assert set(found.data_vars) == {"cell.v", "source.events"}
        assert (found["cell.v"].values == expected.values["cell", "v"]).all()
        assert found.attrs["artifact_sha256"] == sha256
    assert f"cell    {expected.events['cell']} events (" in done.out


def test_record_may_be_repeated_and_defaults_to_the_probes(artifact: Path, burstchip) -> None:
    burstchip("run", artifact, "--steps", 5, "--record", "cell.v", "--record", " source.events ", "-o", "a")
    burstchip("run", artifact, "--steps", 5, "-o", "b")
    with xarray.open_dataset("a", engine="h5netcdf") as a, xarray.open_dataset("b", engine="h5netcdf") as b:
        assert set(a.data_vars) == {"cell.v", "source.events"}
        assert set(b.data_vars) == {"cell.v", "cell.events"}


def test_physical_units_on_wish(tmp_path: Path, burstchip) -> None:
    """Each neuron counts from its own rest; some neurons and every 7th step are chosen as of the integers."""
    (tmp_path / "rests.yaml").write_text(
        "burstchip: 1\nname: rests\nstep: 1 ms\npopulations:\n"
        "  cell: {model: lif, size: 3, rest: [-70 mV, -65 mV, -60 mV], threshold: -40 mV, bias: 150 pA}\n"
    )
    assert burstchip("compile", "rests.yaml", "-o", "rests.burst").code == 0
    run = ["run", "rests.burst", "--steps", 40, "--every", 7, "--backend", "plain", "--units", "-o", "out.nc"]
    done = burstchip(*run, "--record", "cell.v[1:],cell.events")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].startswith("out.nc: cell.v[1:] (and in mV), cell.events, 40 steps")
    with xarray.open_dataset("out.nc", engine="h5netcdf") as found:
        assert set(found.data_vars) == {"cell.v", "cell.v.physical", "cell.events"}
        integers, volts = found["cell.v"].values, found["cell.v.physical"]
        unit = found["cell.v"].attrs["mV_per_unit"]
        assert integers.shape == (6, 2) and volts.attrs["units"] == "mV"
        assert (volts.values == [-65, -60] + integers * unit).all() and (volts.values <= -40).all()
    done = burstchip(*run, "--record", "cell.events")
    assert done.code == 2 and done.err == (
        "error[BC636]: no recorded variable has a known unit\n"
        "  required: one of cell.u, cell.v    given: cell.events\n"
    )


def test_reference(artifact: Path, burstchip) -> None:
    done = burstchip("run", artifact, "--steps", 50, "-o", "out.nc", "--backend", "reference")
    assert done.code == 0
    with xarray.open_dataset("out.nc", engine="h5netcdf") as found:
        assert found.attrs["backend"] == "reference" and found["cell.v"].dtype == float


def test_json(artifact: Path, burstchip, backend: str) -> None:
    done = burstchip("run", artifact, "--steps", 50, "-o", "out.nc", "--json", "--backend", backend)
    assert done.code == 0 and done.out.count("\n") == 1
    assert done.json["recorded"] == ["cell.v", "cell.events"] and done.json["events"]["cell"] > 0
    assert "50 steps" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--record", "cel.v"], "did you mean: cell"),
        (["--record", "cell.v,cell.v"], "error[BC606]: 'cell.v' is given twice"),
        (["--record", "cell.v,"], "error[BC604]: '' is not of the form population.variable"),
        (["--backend", "loihi2"], "error[BC551]: backend 'loihi2' cannot run here"),
        (["--backend", "simulator"], "error[BC550]: unknown backend 'simulator'"),
        (["--data", "."], "error[BC613]"),
        (["--steps", "0"], "error[BC603]: a run needs at least one step"),
        (["--steps", "-7"], "given: -7"),
        (["--steps", "3000000000"], "error[BC603]: the number of steps exceeds the clock"),
        (["-o", "."], "error[BC610]: '.' is not a file"),
        (["-o", "net.burst"], "error[BC609]: 'net.burst' would overwrite what it is made from"),
        (["-o", "net.burst/out.nc"], "error[BC608]: 'net.burst/out.nc' cannot be written"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, artifact: Path, tmp_path: Path, burstchip) -> None:
    before = artifact.read_bytes()
    done = burstchip("run", "net.burst", "--steps", 5, "-o", "out.nc", *arguments)
    assert done.code == 2 and message in done.err and "Traceback" not in done.err
    assert artifact.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.burst", "pair.yaml"]


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "BC402"), (b"burstchip: 1\n", "BC402"), (b"\xff" * 100, "BC402")]
)
def test_a_file_that_is_no_artifact(content: bytes, code: str, tmp_path: Path, burstchip) -> None:
    (tmp_path / "net.burst").write_bytes(content)
    done = burstchip("run", "net.burst", "--steps", 5, "-o", "out.nc", "--json")
    assert done.code == 2 and f"error[{code}]" in done.err and not done.json["ok"]
    assert not Path("out.nc").exists()


def test_a_missing_artifact(burstchip) -> None:
    done = burstchip("run", "net.burst", "--steps", 5, "-o", "out.nc")
    assert done.code == 2 and "error[BC401]" in done.err


@pytest.mark.backends("sim", "plain", "lava", reason="the reference has no widths to clip to")
def test_strict_takes_clipped_inputs_for_an_error(pair: Path, burstchip, backend: str) -> None:
    text = pair.read_text().replace("size: 4,", "size: 400,").replace("{uniform: [1 mV, 4 mV]}", "1000 mV")
    pair.write_text(text)
    assert burstchip("compile", pair, "-o", "loud.burst", "--set", "rate=1 kHz").code == 0
    command = ("run", "loud.burst", "--steps", 20, "--backend", backend, "-o")
    done = burstchip(*command, "out.nc")
    assert done.code == 0 and "warning[BC510]" in done.err and Path("out.nc").exists()
    done = burstchip(*command, "strict.nc", "--strict")
    assert done.code == 2 and not Path("strict.nc").exists() and not list(Path().glob("*strict*"))
    assert done.err.startswith("error[BC824]: the sum at cell.soma is clipped in step 1, at neuron 0\n")
    assert "required: -131072..131072 in every step, since the run is strict" in done.err


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_writes_nothing(
    artifact: Path, tmp_path: Path, burstchip, interruptible
) -> None:
    # The loop that records just this: while it is compiled, numba may swallow a Ctrl-C.
    burstchip("run", artifact, "--steps", 5, "--record", "cell.events", "-o", "warm.nc")
    command = ["run", "net.burst", "--steps", "80000000", "--record", "cell.events", "-o", "out.nc"]
    running = interruptible(*command)
    time.sleep(5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert err == "interrupted; nothing was written\n"
    assert not (tmp_path / "out.nc").exists()


def test_a_cache_that_cannot_be_written(
    artifact: Path, tmp_path: Path, burstchip, monkeypatch: pytest.MonkeyPatch
) -> None:
    from burstchip.backends.sim import compiled

    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "pair.yaml" / "cache"))
    compiled._address.cache_clear()
    done = burstchip("run", "net.burst", "--steps", 3, "-o", "out.nc")
    assert done.code == 2 and "error[BC552]" in done.err and "BURSTCHIP_CACHE" in done.err
    assert not Path("out.nc").exists()


def test_a_network_in_place_of_an_artifact(pair: Path, burstchip) -> None:
    done = burstchip("run", pair, "--steps", "5", "-o", "out.nc")
    assert done.code == 2 and not Path("out.nc").exists()
    compiled = pair.with_suffix(".burst")
    assert f"given: a network    hint: burstchip compile {pair} -o {compiled}" in done.err
    assert burstchip("compile", pair, "-o", compiled).code == 0
    # One name for one option, in all commands.
    for option in ("-o", "--out", "--output"):
        assert burstchip("run", compiled, "--steps", "5", option, f"{option}.nc").code == 0
