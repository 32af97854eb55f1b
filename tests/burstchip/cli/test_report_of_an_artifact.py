"""The page of an artifact: neurocores, traffic, limits, certificate and rules; shown by a browser too."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.compilation import compile_file
from burstchip.report.core_map import fill, flows, places
from compiler.ir.partitioned import Partition
from compiler.pipeline import partition_program
from hw_models.diagnostics import CODES

NETWORK = """\
burstchip: 1
name: ring
step: 1 ms
seed: 3
target: loihi1
populations:
  input: {model: poisson_source, size: 40, rate: 20 Hz}
  many: {model: lif, size: 1500}
  few: {model: lif, size: 10}
projections:
  - {from: input, to: many, weight: 1 mV, connectivity: {probability: 0.1}}
  - {from: many, to: many, weight: 0.3 mV, connectivity: {probability: 0.02}}
  - {from: many, to: few, weight: {uniform: [0.1 mV, 0.333 mV]}, connectivity: {probability: 0.2}}
"""
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "ring.yaml"
    path.write_text(NETWORK)
    return path


@pytest.fixture(scope="module")
def placed(file: Path) -> Partition:
    return partition_program(compile_file(file)[0])


def test_arrows_are_the_axons_between_neurocores(placed: Partition) -> None:
    core_of = {}
    for core in placed.cores:
        for piece in core.pieces:
            core_of |= {(piece.population, int(it)): core.number for it in piece.neurons}
    axons: dict[tuple[int, int], int] = {}
    for it in placed.code.projections:
        reached: dict[int, set[int]] = {}
        for pre, post in zip(it.pre.tolist(), it.post.tolist(), strict=True):
            reached.setdefault(pre, set()).add(core_of[it.target, post])
        for pre, cores in reached.items():
            start = core_of.get((it.source, pre))
            for core in cores - {start} if start is not None else ():
                axons[start, core] = axons.get((start, core), 0) + 1
    assert len(placed.cores) > 1 and axons
    assert {(it.source, it.target): it.axons for it in flows(placed)} == axons


def test_each_neurocore_has_a_place_of_its_own(placed: Partition) -> None:
    assert len(set(places(placed))) == len(placed.cores)
    # Two by two at each tile, so that the map is the chip's.
    assert [(column // 2, row // 2) for column, row in places(placed)] == [it.tile for it in placed.cores]
    name, share = fill(placed.cores[0], placed)
    used = placed.cores[0].used
    assert (
        share == max(used[it] / placed.chip[it].value for it in used) == used[name] / placed.chip[name].value
    )


def test_the_page_says_it_all(file: Path, placed: Partition, tmp_path: Path, burstchip: Any) -> None:
    assert burstchip("compile", file, "-o", "ring.burst").code == 0
    done = burstchip("report", "ring.burst", "--json")
    assert done.code == 0 and done.json["page"] == "ring.html"
    page = (tmp_path / "ring.html").read_text()
    assert f"{len(placed.cores)} neurocores. The fullest:" in page
    assert 'src="http' not in page and "<script" not in page
    for core in placed.cores:
        assert f'<td class="number">{core.used["synaptic_memory_bits"]:,}</td>' in page
    for rule in ("BC334", "BC350", "BC351"):
        assert f"<code>{rule}</code></th><td>{CODES[rule]}" in page
    rows = re.findall(
        r'<tr[^>]*><th scope="row">many</th><td>state u</td>.*?<td class="error">(.*?)</td>', page
    )
    assert rows == ["proved"]
    svgs = [base64.b64decode(it) for it in re.findall(r"image/svg\+xml;base64,([^\"]+)", page)]
    assert len(svgs) == 2 and all(it.startswith(b"<?xml") for it in svgs)
    again = burstchip("report", "ring.burst", "-o", "again.html")
    assert again.code == 0
    assert (tmp_path / "again.html").read_text() == page.replace("ring.html", "again.html")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.once
def test_a_browser_shows_it(file: Path, tmp_path: Path, burstchip: Any) -> None:
    from matplotlib.image import imread

    assert burstchip("compile", file, "-o", "ring.burst").code == 0
    assert burstchip("report", "ring.burst").code == 0
    picture = tmp_path / "page.png"
    command = [
        str(BROWSER),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'user'}",
    ]
    command += ["--window-size=1200,1600", f"--screenshot={picture}", (tmp_path / "ring.html").as_uri()]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    pixels = imread(picture)[..., :3]
    assert pixels.shape == (1600, 1200, 3)
    # Both pictures are drawn: the colours of a population and of a bar are seen.
    for colour in ("#009e73", "#0072b2"):
        wanted = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        assert np.count_nonzero(np.all(np.abs(pixels - wanted) < 0.02, axis=2)) > 300


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ring.burst", "--neuron", "many[0]"), "BC611"),
        (("ring.burst", "-o", "ring.burst"), "BC609"),
        (("none.burst",), "BC"),
    ],
)
def test_what_is_refused(file: Path, burstchip: Any, arguments: tuple[str, ...], said: str) -> None:
    assert burstchip("compile", file, "-o", "ring.burst").code == 0
    done = burstchip("report", *arguments)
    assert done.code == 2 and said in done.err and "Traceback" not in done.err


def test_what_no_neurocore_holds_is_shown_all_the_same(tmp_path: Path, burstchip: Any) -> None:
    text = NETWORK.replace("few: {model: lif", "few: {model: burst_unit").replace("to: few,", "to: few.soma,")
    (tmp_path / "ring.yaml").write_text(text)
    assert burstchip("compile", "ring.yaml", "-o", "ring.burst").code == 0
    assert burstchip("report", "ring.burst").code == 0
    page = (tmp_path / "ring.html").read_text()
    assert "No neurocore holds it" in page and "BC352" in page and "cannot be deployed" in page
    assert page.count("data:image/svg+xml") == 1 and "state gathered" in page


def test_a_damaged_artifact(file: Path, tmp_path: Path, burstchip: Any) -> None:
    assert burstchip("compile", file, "-o", "ring.burst").code == 0
    whole = (tmp_path / "ring.burst").read_bytes()
    (tmp_path / "ring.burst").write_bytes(whole[:-9] + b"\x00" * 9)
    done = burstchip("report", "ring.burst")
    assert done.code == 2 and "BC403" in done.err and not (tmp_path / "ring.html").exists()
