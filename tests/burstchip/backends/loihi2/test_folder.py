"""A folder appears whole or not at all, and nothing else is ever replaced."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from burstchip.backends.loihi2 import folder as folder_
from burstchip.backends.loihi2.deploy import write_deployment
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError


def message(code: ChipProgram, path: Path, *, overwrite: bool = False) -> str:
    with pytest.raises(BurstchipError) as caught:
        write_deployment(code, path, overwrite=overwrite)
    return str(caught.value).replace(str(path), "FOLDER")


def test_the_manifest_names_every_file_and_the_artifact(small: ChipProgram, tmp_path: Path) -> None:
    write_deployment(small, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["artifact_sha256"] == artifact_sha256(small)
    files = {path.name for path in (tmp_path / "out").iterdir()} - {"manifest.json"}
    assert manifest["files"] == {
        name: hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() for name in files
    }
    assert "input_axons" in manifest["assumed"] and "neurocores" not in manifest["assumed"]


def test_an_empty_folder_is_taken(small: ChipProgram, tmp_path: Path) -> None:
    write_deployment(small, tmp_path)
    assert (tmp_path / "manifest.json").exists()


def test_another_deployment_is_replaced_on_request(small: ChipProgram, tmp_path: Path) -> None:
    path = tmp_path / "out"
    write_deployment(small, path)
    (path / "core-0099.json").write_text("{}")
    assert message(small, path) == (
        "error[BC413]: folder 'FOLDER' holds another deployment\n"
        "  required: an empty or new folder    given: one with core-0000.json, core-0000.safetensors, "
        "core-0001.json    hint: --overwrite replaces it"
    )
    write_deployment(small, path, overwrite=True)
    assert not (path / "core-0099.json").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_anything_else_is_never_replaced(overwrite: bool, small: ChipProgram, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "manifest.json").write_text("{}")
    assert message(small, tmp_path, overwrite=overwrite) == (
        "error[BC413]: folder 'FOLDER' holds something else\n"
        "  required: an empty or new folder    given: one with manifest.json, thesis.tex    "
        "hint: name another folder"
    )


def test_a_write_that_fails_leaves_what_was_there(
    small: ChipProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    write_deployment(small, path)
    before = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(folder_.Path, "rename", refused)
    with pytest.raises(OSError, match="No space"):
        write_deployment(small, path, overwrite=True)
    assert {entry.name: entry.read_bytes() for entry in path.iterdir()} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
