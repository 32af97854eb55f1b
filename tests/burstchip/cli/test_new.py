from __future__ import annotations

from pathlib import Path


def test_list_names_the_templates_a_line_each(burstchip) -> None:
    done = burstchip("new", "--list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["digits", "mnist"]


def test_new_writes_one_file(tmp_path: Path, burstchip) -> None:
    done = burstchip("new", "digits", "mine")
    assert done.code == 0
    assert done.out == "mine/network.yaml written; now: burstchip train mine/network.yaml --out mine/run\n"
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")] == [Path("mine/network.yaml")]


def test_new_overwrites_nothing(burstchip) -> None:
    burstchip("new", "digits", "mine")
    done = burstchip("new", "mnist", "mine")
    assert done.code == 2 and "error[BC621]: 'mine/network.yaml' exists already" in done.err


def test_new_needs_a_template_and_a_folder(burstchip) -> None:
    for arguments, missing in (((), "a template and a folder are"), (("digits",), "a folder is")):
        done = burstchip("new", *arguments)
        assert done.code == 2
        assert done.err.startswith(f"error[BC611]: {missing} missing\n")


def test_list_stands_alone(burstchip) -> None:
    done = burstchip("new", "digits", "mine", "--list")
    assert done.code == 2 and "BC611" in done.err
