"""`burstchip explain`: pages, the list of all, examples that can be checked, and ids that are none."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from burstchip.explanations.codes import AREAS, all_codes


def test_a_page_says_what_it_means_and_what_to_do(burstchip) -> None:
    done = burstchip("explain", "BC112")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == f"# BC112: {all_codes()['BC112'].title}"
    assert any(line.startswith("**What to do:** ") for line in lines)
    assert "This breaks it, at line 2, column 78:" in lines and "This fits:" in lines


@pytest.mark.parametrize("given", ["bc112", "112"])
def test_an_id_may_be_written_shortly(burstchip, given: str) -> None:
    assert burstchip("explain", given).out == burstchip("explain", "BC112").out


def test_several_pages_at_once(burstchip) -> None:
    done = burstchip("explain", "BC112", "BC330")
    assert [line[:7] for line in done.out.splitlines() if line.startswith("# ")] == ["# BC112", "# BC330"]


@pytest.mark.parametrize("arguments", [(), ("--list",)])
def test_the_list_names_every_id_under_its_area(burstchip, arguments: tuple[str, ...]) -> None:
    done = burstchip("explain", *arguments)
    lines = done.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == list(AREAS.values())
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(all_codes())


def test_json_has_whole_networks_and_the_list(burstchip) -> None:
    (page,) = burstchip("explain", "BC112", "--json").json["pages"]
    assert page["code"] == "BC112" and page["at"] == "2:78"
    assert page["broken"].startswith("projections:\n") and "\npopulations:\n" in page["broken"]
    assert burstchip("explain", "--json").json["codes"]["BC112"] == page["title"]


def test_an_example_is_a_file_that_check_reads(burstchip) -> None:
    for which, code in (("broken", 2), ("fits", 0)):
        Path("net.yaml").write_text(burstchip("explain", "BC112", "--example", which).out)
        done = burstchip("check", "net.yaml")
        assert done.code == code and ("net.yaml:2:78: error[BC112]" in done.err) == (which == "broken")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("BC11",), "error[BC618]: unknown message id 'BC11'"),
        (("nonsense",), "error[BC618]: unknown message id 'nonsense'"),
        (("BC112", "--list"), "error[BC611]: --list cannot be combined with CODE"),
        (("--example", "broken"), "error[BC611]: --example needs CODE"),
        (("BC112", "BC330", "--example", "fits"), "error[BC611]: --example needs one CODE"),
        (("BC112", "--example", "wrong"), "error[BC611]: unknown example 'wrong'"),
        (("BC001", "--example", "fits"), "error[BC611]: BC001 has no example"),
    ],
)
def test_what_cannot_be_explained_is_exit_code_2(burstchip, arguments: tuple[str, ...], said: str) -> None:
    done = burstchip("explain", *arguments)
    assert (done.code, done.out, done.err.splitlines()[0]) == (2, "", said)


def test_near_ids_are_named(burstchip) -> None:
    assert "BC112" in burstchip("explain", "BC1112").err


def test_explaining_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['burstchip', 'explain', 'BC112']\n"
        "from burstchip.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = 'numpy numba xarray pint sklearn matplotlib h5py rich.markdown burstchip.frontend'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def everything(descriptor: int) -> str:
    """What was written to the other end, which is closed."""
    parts = []
    # At its end a terminal is an error, and a pipe is empty.
    with suppress(OSError):
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode()


@pytest.mark.parametrize(
    ("options", "terminal", "offered"),
    [((), True, True), ((), False, False), (("--json",), True, False), (("--quiet",), True, False)],
)
def test_messages_on_a_terminal_end_with_how_to_read_more(
    tmp_path: Path, options: tuple[str, ...], terminal: bool, offered: bool
) -> None:
    ours, theirs = os.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "burstchip", "check", "absent.yaml", *options]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = everything(ours).split()
    assert done.returncode == 2 and "error[BC001]:" in said
    assert (said[-4:] == ["more:", "burstchip", "explain", "BC001"]) == offered
