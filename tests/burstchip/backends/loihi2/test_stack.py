"""What is missing here to reach a board: every condition by itself, and that looking imports nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from burstchip.backends.available import require_backend
from burstchip.backends.loihi2.deploy import refuse_sending
from burstchip.backends.loihi2.stack import (
    ACCESS,
    BOARD,
    DRIVER,
    MODULES,
    board_is_named,
    importable,
    missing,
)
from hw_models.diagnostics import BurstchipError

LAVA, EXTENSION, NEUROCORES, NXCORE = MODULES.values()
#: A stack in outline: modules that must be found, and that end every import.
LOOK = """
import sys
sys.path.insert(0, {folder!r})
from burstchip.backends.loihi2.stack import MODULES, importable
print([importable(name) for name in MODULES])
print([name for name in sys.modules if name.split('.')[0] in ('lava', 'nxcore')])
"""


@pytest.fixture
def no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM", "NOSLURM", "PARTITION", "BOARD", "NXSDKHOST", "HOST_BINARY"):
        monkeypatch.delenv(name, raising=False)


def look(folder: Path) -> list[str]:
    # A process of its own, whose path has this folder in front: what was found once is kept by importlib.
    command = [sys.executable, "-c", LOOK.format(folder=str(folder))]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def outline(folder: Path, *modules: str, namespace: bool) -> Path:
    for module in modules:
        path = folder.joinpath(*module.split("."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text("raise RuntimeError('imported')\n")
        parent = path.parent
        while not namespace and parent != folder:
            (parent / "__init__.py").write_text("raise RuntimeError('imported')\n")
            parent = parent.parent
    return folder


@pytest.mark.parametrize("namespace", [True, False])
def test_a_whole_stack_is_found_without_importing_it(namespace: bool, tmp_path: Path) -> None:
    assert look(outline(tmp_path, *MODULES, namespace=namespace)) == ["[True, True, True, True]", "[]"]


def test_a_part_of_the_stack_is_told_from_the_rest(tmp_path: Path) -> None:
    found = look(outline(tmp_path, "lava.utils.loihi2_profiler", "nxcore", namespace=False))
    assert found == ["[False, True, False, True]", "[]"]


def test_modules_that_are_none() -> None:
    assert importable("json.decoder") and not importable("json.decoder.deeper")
    assert not importable("json.nowhere") and not importable("nowhere.at.all")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, False),
        ({"SLURM": "1"}, False),
        ({"SLURM": "1", "PARTITION": "oheogulch"}, True),
        ({"SLURM": "1", "BOARD": "ncl-og-01"}, True),
        ({"PARTITION": "oheogulch"}, False),
        ({"NOSLURM": "1"}, False),
        ({"NOSLURM": "1", "NXSDKHOST": "10.1.2.3"}, False),
        ({"NOSLURM": "1", "NXSDKHOST": "10.1.2.3", "HOST_BINARY": "nxcore/bin/nx_driver_server"}, True),
        ({"NXSDKHOST": "10.1.2.3", "HOST_BINARY": "nxcore/bin/nx_driver_server"}, False),
    ],
)
def test_a_board_that_the_environment_names(environment: dict[str, str], named: bool, tmp_path: Path) -> None:
    sinfo = tmp_path / "sinfo"
    sinfo.write_text("#!/bin/sh\n")
    sinfo.chmod(0o755)
    assert board_is_named({"PATH": str(tmp_path), **environment}) == named


def test_slurm_without_its_command_names_no_board(tmp_path: Path) -> None:
    assert not board_is_named({"PATH": str(tmp_path), "SLURM": "1", "BOARD": "ncl-og-01"})


@pytest.mark.usefixtures("no_board")
def test_each_missing_thing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.backends.loihi2.stack.importable", lambda name: False)
    assert missing() == (LAVA, EXTENSION, NEUROCORES, NXCORE, BOARD, DRIVER)
    monkeypatch.setattr("burstchip.backends.loihi2.stack.importable", lambda name: name != "nxcore")
    assert missing() == (NXCORE, BOARD, DRIVER)


def test_where_nothing_else_is_missing_burstchip_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.backends.loihi2.stack.importable", lambda name: True)
    monkeypatch.setattr("burstchip.backends.loihi2.stack.board_is_named", lambda: True)
    assert missing() == (DRIVER,)


@pytest.mark.usefixtures("no_board")
def test_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.backends.loihi2.stack.importable", lambda name: False)
    required = (
        "Lava with its Loihi2HwCfg: the package lava-nc 0.10.0, for Python 3.10; "
        "the Lava extension for Loihi, lava-loihi (lava-nc looks for its module lava.utils.loihi2_profiler); "
        "process models for neurocores (module lava.magma.core.model.nc.model, which lava-nc names but does "
        "not hold); the driver of the chip (module nxcore); "
        "a board: SLURM=1 with PARTITION or BOARD where sinfo answers, or NOSLURM=1 with NXSDKHOST and "
        "HOST_BINARY; "
        "code of burstchip that drives a board: it was not written, because it could not be tested without "
        "the stack; a dry run writes what it would send"
    )
    access = (
        "Intel gives the Lava extension for Loihi, and access to boards, to members of its Neuromorphic "
        "Research Community: join at neuromorphic.intel.com or write to inrc_interest@intel.com; the README "
        "of lava-nc links to a page for members on how to get started with the extension"
    )
    assert access == ACCESS
    assert str(refuse_sending()) == (
        "error[BC570]: this machine cannot send to a Loihi 2\n"
        f"  required: {required}    given: deploy without --dry-run    "
        f"hint: --dry-run writes what would be sent. {access}"
    )
    with pytest.raises(BurstchipError) as caught:
        require_backend("loihi2")
    found = caught.value.diagnostics[0]
    assert (found.id, found.required) == ("BC551", f"{required}; ({access})")
