"""What holds for every command: help, exit codes, start-up, and whose fault is shown how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = (
    "new",
    "check",
    "compile",
    "run",
    "train",
    "predict",
    "verify",
    "errors",
    "precision",
    "report",
    "deploy",
    "doctor",
    "schema",
    "explain",
    "import",
    "export",
)
BURSTCHIP = (sys.executable, "-m", "burstchip")


def test_help_names_every_command(burstchip) -> None:
    done = burstchip("--help")
    assert done.code == 0
    assert all(f" {command} " in done.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, burstchip) -> None:
    done = burstchip(command, "--help")
    assert done.code == 0 and f"burstchip {command}" in done.out


def test_version(burstchip) -> None:
    from importlib.metadata import version

    done = burstchip("--version")
    assert (done.code, done.out.strip()) == (0, version("burstchip"))


@pytest.mark.parametrize(
    "arguments",
    [("chekc",), ("check",), ("check", "a.yaml", "--sed", "3"), ("run", "a", "--steps", "many", "-o", "b")],
)
def test_a_wrong_command_line_is_exit_code_2(arguments: tuple[str, ...], burstchip) -> None:
    done = burstchip(*arguments)
    assert done.code == 2 and done.out == "" and "Usage: burstchip" in done.err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['burstchip', '--help']\n"
        "from burstchip.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = 'numpy numba xarray pint sklearn matplotlib pydantic yaml h5py pandas'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_foreign_package_in_front_is_named(tmp_path: Path) -> None:
    # A module rather than a package: an editable installation finds our submodules in a foreign package.
    (tmp_path / "compiler.py").write_text("")
    done = subprocess.run(
        [*BURSTCHIP, "check", "net.yaml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: `import compiler` finds {tmp_path / 'compiler.py'}, which is not burstchip's own\n"
    )
    assert "Traceback" not in done.stderr


def test_a_bug_keeps_its_traceback(burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("burstchip.frontend.network_schema", broken)
    monkeypatch.setattr(sys, "argv", ["burstchip", "schema"])
    from burstchip.cli.main import main

    with pytest.raises(ZeroDivisionError, match="a bug"):
        main()


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m burstchip schema | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        executable="/bin/sh",
    )
    assert done.stdout == "{\n" and done.stderr == ""


def test_output_that_the_terminal_cannot_show_is_replaced(tmp_path: Path) -> None:
    name = tmp_path / "Größe.yaml"
    done = subprocess.run(
        [*BURSTCHIP, "check", str(name)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"BC001" in done.stderr


def test_a_file_name_that_is_no_text_is_no_bug(tmp_path: Path) -> None:
    done = subprocess.run([*BURSTCHIP, "check", os.fsencode(tmp_path) + b"/\xff.yaml"], capture_output=True)
    assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_memory_that_does_not_suffice_is_one_line(
    burstchip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("burstchip.compilation.check_file", exhausted)
    (tmp_path / "net.yaml").write_text("burstchip: 1\n")
    done = burstchip("check", "net.yaml", "--json")
    assert done.code == 2 and done.json["diagnostics"][0]["id"] == "BC683"
    assert done.err.startswith("error[BC683]: the memory does not suffice") and "Traceback" not in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(burstchip, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_BURSTCHIP_COMPLETE", f"source_{shell}")
    done = burstchip()
    assert done.code == 0 and f"complete_{shell}" in done.out
