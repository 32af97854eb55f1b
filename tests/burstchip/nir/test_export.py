"""Networks as NIR files: read by `nir` itself where it is installed, and the same again after an import."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from burstchip import compile_file, load_network, record
from burstchip.nir.exporting import export_nir
from burstchip.nir.importing import import_nir
from burstchip.nir.neurons_in import Settings
from burstchip.nir.steps import Integration
from hw_models.diagnostics import BurstchipError

NETWORK = """burstchip: 1
name: whole
step: 0.5 ms
seed: 3
populations:
  input: {model: poisson_source, size: 6, rate: 100 Hz}
  more: {model: spike_list, size: 2, events: [[0, 5 ms], [1, 7 ms]]}
  fast: {model: lif, size: 5, tau_current: 0 ms, bias: {uniform: [50 pA, 120 pA]}}
  slow: {model: lif, size: 4, tau_membrane: {uniform: [10 ms, 30 ms]}, reset: -65 mV}
  whole: {model: lif, size: 3, du: 4095, dv: 0, vth: 50, bias_mant: 33, bias_exp: 0}
  chip: {model: lif, size: 3, du: 400, dv: 100, vth: 50, bias_mant: 30, bias_exp: 2, subtract: 1}
projections:
  - {from: input, to: fast, weight: {uniform: [1 mV, 6 mV]}, delay: {uniform: [0.5 ms, 2 ms]}}
  - {name: again, from: input, to: fast, connectivity: {probability: 50 %},
     weight: {normal: {mean: 1 mV, sd: 1 mV}}}
  - {from: more, to: slow, weight: {uniform: [-1 mV, 8 mV]}}
  - {name: loop, from: fast, to: fast, weight: -1 mV, autapses: no}
  - {from: fast, to: slow, connectivity: {in_degree: 2}, weight: 3 mV}
  - {from: slow, to: whole, weight: {uniform: [-20, 90]}, weight_exp: 1, sign_mode: mixed}
  - {from: fast, to: chip, weight: 30, weight_exp: 0, delay: 2 ms}
probes: [chip.events, whole.v]
"""


def exported(text: str, folder: Path, how: Integration = "euler") -> tuple[Path, list[str]]:
    (folder / "net.yaml").write_text(text, encoding="utf-8")
    found = export_nir(load_network(folder / "net.yaml"), folder / "net.nir", how)
    return folder / "net.nir", [it.message for it in found.notes]


def again(file: Path, folder: Path, step_ms: float, how: Integration = "euler", reset: str = "zero") -> bytes:
    """What is exported of what a file is imported as."""
    folder.mkdir()
    import_nir(file, folder / "net.yaml", Settings(step_ms, how, reset))  # type: ignore[arg-type]
    export_nir(load_network(folder / "net.yaml"), folder / "net.nir", how)
    return (folder / "net.nir").read_bytes()


@pytest.mark.parametrize("how", ["euler", "exponential"])
def test_export_import_export_gives_the_same_file(tmp_path: Path, how: Integration) -> None:
    file, notes = exported(NETWORK.replace(", subtract: 1", ""), tmp_path, how)
    assert again(file, tmp_path / "again", 0.5, how) == file.read_bytes()
    assert notes == [
        "the NIR file does not say when 'input' (poisson_source) emits events",
        "the NIR file does not say when 'more' (spike_list) emits events",
    ]


@pytest.mark.parametrize(
    ("name", "reset"),
    [
        ("lif_norse", "zero"),
        ("lif_rockpool", "zero"),
        ("two_lif_neurons", "zero"),
        ("braille_noDelay_bias_zero", "zero"),
        ("braille_noDelay_noBias_subtract", "subtract"),
        pytest.param("cnn_sinabs", "zero", marks=(pytest.mark.slow, pytest.mark.once)),
    ],
)
def test_so_do_the_public_files(nir_folder: Path, tmp_path: Path, name: str, reset: str) -> None:
    first = again(nir_folder / f"{name}.nir", tmp_path / "first", 0.1, "euler", reset)
    assert again(tmp_path / "first" / "net.nir", tmp_path / "second", 0.1, "euler", reset) == first


def test_what_is_exported_does_the_same(tmp_path: Path) -> None:
    """In spikes, where the initial values and the source's events are put back; no sum is a threshold."""
    text = NETWORK.replace("poisson_source, size: 6, rate: 100 Hz", "spike_list, size: 6, events: LIST")
    draw = np.random.default_rng(4)
    when = np.argwhere(draw.random((300, 6)) < 0.1)
    listed = f"[{', '.join(f'[{neuron}, {step / 2} ms]' for step, neuron in when)}]"
    text = (
        text.replace("LIST", listed).replace(", subtract: 1", "").replace("{uniform: [1 mV, 6 mV]}", "4 mV")
    )
    text = text.replace("[0, 5 ms], [1, 7 ms]", "[0, 5 ms], [1, 7 ms], [0, 50 ms]")
    file, _ = exported(text, tmp_path)
    (tmp_path / "again").mkdir()
    import_nir(file, tmp_path / "again" / "net.yaml", Settings(0.5))
    back = (tmp_path / "again" / "net.yaml").read_text()
    for population, events in (("input", listed), ("more", "[[0, 5 ms], [1, 7 ms], [0, 50 ms]]")):
        start = back.index(f"{population}: {{model: spike_list")
        back = back[:start] + back[start:].replace("events: []", f"events: {events}", 1)
    for name in ("fast", "slow", "whole", "chip"):
        start = back.index(f"  {name}: {{")
        line = back[start : back.index("\n", start)]
        begin = {"slow": "v: -70 mV, "}.get(name, "")
        kept = line[: line.index("initial:")] if "initial:" in line else f"{line[:-1]}, "
        back = back.replace(line, f"{kept}initial: {{{begin}u: 0 pA}}}}")
    (tmp_path / "again" / "net.yaml").write_text(back)
    variables = ["fast.events", "slow.events", "whole.events", "chip.events"]
    one, two = (
        record(compile_file(path / "net.yaml")[0], 300, variables, backend="reference").values
        for path in (tmp_path, tmp_path / "again")
    )
    for key, values in one.items():
        assert values.sum() > 5
        assert np.array_equal(values, two[key]), key


def test_nir_itself_reads_what_is_written(tmp_path: Path) -> None:
    if find_spec("nir") is None:
        pytest.skip("nir is not installed")
    import nir

    file, notes = exported(NETWORK, tmp_path)
    graph = nir.read(str(file))
    assert {type(it).__name__ for it in graph.nodes.values()} == {
        *("Input", "Output", "LIF", "CubaLIF", "IF", "Linear", "Affine", "Delay"),
    }
    fast, loop = graph.nodes["fast"], graph.nodes["fast.fast"]
    # tau 20 ms decays by exp(-0.5 / 20) a step, which Euler's method does with 20.25 ms.
    assert np.allclose(fast.tau, 0.0005 / (1 - np.exp(-0.5 / 20)))
    assert np.allclose((fast.v_reset, fast.v_threshold), [[-0.07] * 5, [-0.05] * 5])
    # A current I depolarises by I dt / C a step.
    values = load_network(tmp_path / "net.yaml")
    assert np.all(
        (fast.v_leak > -0.07 + 50e-12 / 100e-12 * fast.tau) & (fast.v_leak < -0.07 + 1.2 * fast.tau)
    )
    assert values.step == 0.5
    # 1 mV is a jump of v: (1 - exp(-0.5 / 20)) R w.
    off = ~np.eye(5, dtype=bool)
    assert np.allclose(loop.weight[off], -0.001 / (1 - np.exp(-0.5 / 20))) and np.all(loop.weight[~off] == 0)
    assert np.allclose(graph.nodes["fast.chip.4.delay"].delay, 0.0015)
    assert (
        "the NIR file does not say that an event of 'chip' subtracts: import it with --reset subtract"
        in notes
    )
    assert sorted(name for name, it in graph.nodes.items() if type(it).__name__ == "Output") == [
        "chip.output",
        "whole.output",
    ]


def test_the_file_holds_plain_arrays(tmp_path: Path) -> None:
    with h5py.File(exported(NETWORK, tmp_path)[0], "r") as file:
        weight = file["node/nodes/fast.slow/weight"]
        assert weight.dtype == np.float32 and weight.compression is None and weight.shape == (4, 5)
        assert file["version"][()] == b"1.0.8"


SIGNAL = "signals:\n  s: {to: b.bias, sine: {amplitude: 5 pA, frequency: 8 Hz}}"
LEARNS = """plasticity:
  p:
    form: chip
    every: 2 ms
    traces: [{name: x1, tau: 5 ms, increment: 16}, {name: y1, tau: 5 ms, increment: 16}]
    dw: y0*x1*2^-2 - x0*y1*2^-2
projections:
  - {from: a, to: b, weight: 1 mV, limit: 4 mV, learn: p}
"""
MODEL = "population 'b': NIR cannot say"
CELLS = "burstchip: 1\nname: n\nstep: 1 ms\npopulations:\n  a: {model: rate_source, size: 2, rate: 10 Hz}\n"


TO_C = """  c: {model: lif, size: 9000}
projections:
  - {from: b, to: c, weight: 1 mV, connectivity: one_to_one}
"""
UNDECAYED = "neurons whose potential does not decay beside this"
ALONE = "a bias of neurons that do not decay and get no input"
TOO_LARGE = "projection 'b->c': its matrix and those before it make too large a NIR file"


@pytest.mark.parametrize(
    ("b", "rest", "line", "message"),
    [
        ("model: burst_unit, size: 2", "", 6, f"{MODEL} neurons of the model 'burst_unit'"),
        ("model: lif, size: 2, refractory: 3 ms", "", 6, f"{MODEL} 'refractory'"),
        ("model: lif, size: 2, lower_bound: -80 mV", "", 6, f"{MODEL} 'lower_bound'"),
        ("model: lif, size: 2, dv: 0", "", 6, f"{MODEL} {UNDECAYED}"),
        ("model: lif, size: 2, dv: 0, tau_current: 0 ms, bias: 9 pA", "", 6, f"{MODEL} {ALONE}"),
        ("model: lif, size: 2", SIGNAL, 6, f"{MODEL} the signal 's'"),
        ("model: lif, size: 2", LEARNS, 14, "projection 'a->b': NIR cannot say that it learns ('p')"),
        (
            "model: current_source, size: 9000",
            TO_C,
            9,
            "projection 'b->c': NIR cannot say the messages of 'b.current'",
        ),
        ("model: lif, size: 9000", TO_C, 9, TOO_LARGE),
    ],
)
def test_what_cannot_be_said_is_an_error_with_its_place(
    tmp_path: Path, b: str, rest: str, line: int, message: str
) -> None:
    with pytest.raises(BurstchipError) as caught:
        exported(f"{CELLS}  b: {{{b}}}\n{rest}\n", tmp_path)
    (found,) = caught.value.diagnostics
    assert (found.id, found.message) == ("BC811" if "projection" in message else "BC810", message)
    assert found.place is not None and found.place.line == line and found.required and found.given
    assert not (tmp_path / "net.nir").exists()


@pytest.mark.parametrize("weight", ["{uniform: [1 mV, 6 mV]}", "{normal: {mean: 1 mV, sd: 1 mV}}"])
def test_a_convolution_is_a_matrix_whose_synapses_share_weights(tmp_path: Path, weight: str) -> None:
    text = (
        "burstchip: 1\nname: shared\nstep: 1 ms\npopulations:\n"
        "  image: {model: poisson_source, shape: [1, 5, 5], rate: 90 Hz}\n"
        "  cells: {model: lif, shape: [2, 4, 4]}\nprojections:\n"
        f"  - {{from: image, to: cells, weight: {weight},\n"
        "     connectivity: {conv2d: {kernel: 2, channels: 2}}}\n"
    )
    file, _ = exported(text, tmp_path)
    with h5py.File(file) as found:
        matrix = np.asarray(found["node/nodes/image.cells/weight"])
    # Each row has the four entries of its filter.
    assert matrix.shape == (32, 25) and np.all(np.count_nonzero(matrix, axis=1) == 4)
    for rows in (matrix[:16], matrix[16:]):
        entries = np.array([row[row != 0] for row in rows])
        assert np.all(entries == entries[0]) and len(np.unique(entries)) == 4
