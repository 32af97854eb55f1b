"""A neuron model of another package: installed, it is used like any other, with no change here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

MODULE = '''
"""Counts its input down: a neuron that emits after `patience` steps without input."""

from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Port, Represented
from hw_models.program.trace import program, where
from hw_models.program.widths import FLAG, signed, unsigned


@program(
    states={"left": unsigned(10)},
    parameters={"patience": unsigned(10)},
    inputs={"excitation": signed(16)},
    outputs={"events": FLAG, "rest": unsigned(10)},
    initial={"left": "patience"},
)
def waiting(s, p, x):
    emits = s.left < 1
    left = where(emits | (x.excitation > 0), p.patience, s.left - (s.left > 0))
    return {"left": left}, {"events": emits, "rest": left}


def in_chip_units(values, step_ms, voltage_steps):
    return ChipNumbers(
        parameters={"patience": ChipParameter(values["patience"] / step_ms)},
        represents={"patience": Represented(("patience",), lambda chip: chip["patience"] * step_ms)},
        port_units={"excitation": 1.0},
    )


WAITER = NeuronModel(
    name="waiter",
    kind="neuron",
    doc="emits after a time without input",
    parameters=(Parameter("patience", "time", 5.0, "how long it waits", minimum=1.0, maximum=1000.0),),
    ports=(Port("excitation", "number", "makes it wait anew"),),
    in_chip_units=in_chip_units,
    program=waiting,
)
'''

NETWORK = """
burstchip: 1
name: waiting
step: 1 ms
seed: 0
populations:
  spikes: {model: spike_list, size: 1, events: [[0, 3 ms], [0, 12 ms]]}
  cell: {model: waiter, size: 2, patience: 4 ms}
projections:
  - {from: spikes, to: cell.excitation, weight: 2, connectivity: {pairs: [[0, 1]]}}
probes: [cell.events, cell.left]
"""

RUN = """
import json, sys
from pathlib import Path
import burstchip

code = burstchip.compile_network(burstchip.load_network(sys.argv[1]))
burstchip.save_artifact(code, Path(sys.argv[2]))
code, _ = burstchip.load_artifact(Path(sys.argv[2]))
found = burstchip.record(code, 20, variables=[("cell", "events"), ("cell", "left"), ("cell", "rest")])
print(json.dumps({name: values.T.tolist() for (_, name), values in found.values.items()}))
"""

WITHOUT = """
import json, sys
from pathlib import Path
import burstchip
from burstchip.backends.loihi2.deploy import write_deployment
from hw_models.neurons.registry import models

assert ("waiter" in models()) == (sys.argv[2] == "changed")
code, _ = burstchip.load_artifact(Path(sys.argv[1]))
found = burstchip.record(code, 20, variables=[("cell", "events"), ("cell", "left"), ("cell", "rest")])
write_deployment(code, Path(sys.argv[1]).with_suffix("." + sys.argv[2]))
print(json.dumps({name: values.T.tolist() for (_, name), values in found.values.items()}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on the import path with the package as an installer leaves it."""
    it = tmp_path_factory.mktemp("installed")
    (it / "waiting_neuron.py").write_text(MODULE)
    about = it / "waiting_neuron-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: waiting-neuron\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[burstchip.neurons]\nwaiter = waiting_neuron:WAITER\n")
    (it / "net.yaml").write_text(NETWORK)
    return it


def run(text: str, *arguments: Path | str, path: tuple[Path, ...]) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *path)))}
    command = [sys.executable, "-c", text, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_from_yaml_to_spikes(folder: Path) -> None:
    found: dict[str, Any] = json.loads(run(RUN, folder / "net.yaml", folder / "net.burst", path=(folder,)))
    # Alone it counts from 4 to 0 and emits: every fifth step.
    assert [n for n, event in enumerate(found["events"][0]) if event] == [4, 9, 14, 19]
    assert found["left"][0][:6] == [3, 2, 1, 0, 4, 3]
    # Spikes of steps 3 and 12 act in 4, where it emits all the same, and in 13.
    assert [n for n, event in enumerate(found["events"][1]) if event] == [4, 9, 18]
    assert found["rest"] == found["left"]


@pytest.mark.parametrize("installed", ["nothing", "changed"])
def test_the_artifact_holds_what_runs(folder: Path, tmp_path: Path, installed: str) -> None:
    """Without the package, or with another version of it, an artifact gives the results that it gave."""
    path = tmp_path / "net.burst"
    found = json.loads(run(RUN, folder / "net.yaml", path, path=(folder,)))
    others: tuple[Path, ...] = ()
    if installed == "changed":
        changed = tmp_path / "changed"
        shutil.copytree(folder, changed)
        text = MODULE.replace("emits = s.left < 1", "emits = s.left < 2")
        assert text != MODULE
        (changed / "waiting_neuron.py").write_text(text)
        others = (changed,)
        again = json.loads(run(RUN, folder / "net.yaml", tmp_path / "other.burst", path=others))
        assert again != found, "the change is one of results"
    assert json.loads(run(WITHOUT, path, installed, path=others)) == found
