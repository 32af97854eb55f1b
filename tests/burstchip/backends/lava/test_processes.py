"""Which models run: those that Lava would choose for the tag `fixed_pt`, and ours where it has none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("needs_lava")

SCRIPT = """
import json, os, sys
from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs
from lava.magma.core.run_configs import Loihi2SimCfg
from burstchip.backends.lava.network import build_network, is_stock
from burstchip.backends.lava.processes.neurons import var_name
from burstchip.frontend import load_network
from compiler.pipeline import compile_network

network = build_network(compile_network(load_network(sys.argv[1])), None, {})
chosen = {}
for process, model in network.models.items():
    found = ProcGroupDiGraphs._find_proc_models(process)
    selected = Loihi2SimCfg(select_tag="fixed_pt").select(process, found)
    chosen[process.name] = [model.__name__, selected.__name__, is_stock(model), model is selected]
sys.stdout.write(json.dumps({"chosen": chosen, "names": [var_name(n) for n in ("u", "start", "phase")]}))
sys.stdout.flush()
os._exit(0)
"""
TEXT = """burstchip: 1
name: many
step: 1 ms
seed: 3
populations:
  source: {model: rate_source, size: 4, rate: 200 Hz}
  cell: {model: lif, size: 3, bias: 50 pA}
  apart: {model: lif, size: 3, threshold: [-50 mV, -51 mV, -52 mV]}
  burst: {model: burst_unit, size: 3}
plasticity:
  stock:
    {form: chip, every: 4 ms, rounding: lava, trace: {name: x1, tau: 9 ms, increment: 9}, dw: "u0*x1*y1"}
  own:
    {form: chip, every: 4 ms, rounding: per_synapse, trace: {name: x1, tau: 9 ms, increment: 9}, dw: "x1*x0"}
projections:
  - {name: dense, from: source, to: cell.soma, weight: 1 mV}
  - {name: sparse, from: cell, to: apart.soma, weight: 1 mV, connectivity: one_to_one}
  - {name: delayed, from: cell, to: apart.soma, weight: 1 mV, delay: 3 ms}
  - {name: both, from: apart, to: cell.soma, weight: 1 mV, delay: 3 ms, connectivity: one_to_one}
  - {name: learning, from: cell, to: burst.soma, weight: 1 mV, learn: stock}
  - {name: drawing, from: cell, to: burst.soma, weight: 1 mV, learn: own}
"""


def test_lava_would_choose_the_same_models(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text(TEXT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["chosen"] == {
        "source": ["PyRateSource", "PyRateSource", False, True],
        "cell": ["PyLifModelBitAcc", "PyLifModelBitAcc", True, True],
        "apart": ["PyLif", "PyLif", False, True],
        "burst": ["PyBurstUnit", "PyBurstUnit", False, True],
        "dense": ["PyDenseModelBitAcc", "PyDenseModelBitAcc", True, True],
        "sparse": ["PySparseModelBitAcc", "PySparseModelBitAcc", True, True],
        "delayed": ["PyDelayDenseModelBitAcc", "PyDelayDenseModelBitAcc", True, True],
        "both": ["PyDelaySparseModelBitAcc", "PyDelaySparseModelBitAcc", True, True],
        "learning": [
            "PyLearningDenseModelBitApproximate",
            "PyLearningDenseModelBitApproximate",
            True,
            True,
        ],
        "drawing": ["PyLearningConnection", "PyLearningDenseModelBitApproximate", False, False],
    }
    # A name that Lava's classes use themselves would be overwritten by its Var.
    assert answer["names"] == ["u", "start_", "phase_"]
