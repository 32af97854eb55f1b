from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.compilation import check_file
from burstchip.templates import all_templates, write_template
from hw_models.diagnostics import BurstchipError

NAMES = [template.name for template in all_templates()]


def test_digits_and_mnist_are_there() -> None:
    assert {"digits", "mnist"} <= set(NAMES)


def test_each_says_in_one_line_what_it_is_for() -> None:
    for template in all_templates():
        assert 20 < len(template.doc) <= 120
        assert template.text.startswith(f"# {template.doc}\n")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["chip", "carry"])
def test_each_compiles_alone_in_an_empty_folder(name: str, form: str, tmp_path: Path) -> None:
    path = write_template(name, tmp_path / "new" / "folder")
    assert [entry.name for entry in path.parent.iterdir()] == ["network.yaml"]
    result = check_file(path, {"weight_form": form})
    assert result.errors == 0, result.diagnostics
    assert result.code is not None and result.code.weight_form == form


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = write_template("digits", tmp_path)
    path.write_text("mine")
    with pytest.raises(BurstchipError) as caught:
        write_template("digits", tmp_path)
    assert str(caught.value) == (
        f"error[BC621]: '{path}' exists already\n"
        "  required: a folder without a network.yaml, or a new one    given: one with a network.yaml"
        "    hint: choose another folder; nothing was changed"
    )
    assert path.read_text() == "mine"


def test_the_nearest_name_is_offered(tmp_path: Path) -> None:
    with pytest.raises(BurstchipError, match=r"BC620.*'digit'(?s:.*)did you mean: digits"):
        write_template("digit", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BurstchipError, match=r"BC621.*is a file"):
        write_template("digits", tmp_path / "file")
    with pytest.raises(BurstchipError, match=r"BC622(?s:.*)Not a directory"):
        write_template("digits", tmp_path / "file" / "below")
