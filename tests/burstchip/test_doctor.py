from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path

import pytest

from burstchip import doctor, shadowing
from hw_models.diagnostics import Diagnostic


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the head of the search path, for foreign packages."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def _package(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    return folder / name


def _problems(code: str, found: doctor.Examination) -> list[Diagnostic]:
    return [problem for problem in found.problems if problem.id == code]


def test_a_sound_environment_has_no_errors() -> None:
    found = doctor.examine()
    assert [problem for problem in found.problems if problem.severity == "error"] == []
    assert {"numpy", "numba", "typer"} <= {entry.name for entry in found.dependencies if entry.version}
    assert [entry.name for entry in found.data_sets] == ["digits", "mnist"]
    assert found.data_sets[0].usable and found.data_sets[0].state.startswith("with scikit-learn 1")


def test_all_of_it_is_plain_json() -> None:
    found = doctor.examine()
    assert json.loads(json.dumps(found.as_json()))["interpreter"] == sys.executable


def test_every_dependency_is_listed_with_the_extra_it_belongs_to() -> None:
    entries = {entry.name: entry for entry in doctor.examine().dependencies}
    assert entries["numpy"].extra is None
    assert entries["lava-nc"].extra == "lava" and entries["pytest"].extra == "dev"
    assert len(entries) == len(metadata.requires("burstchip") or [])


@pytest.mark.parametrize("name", ["compiler", "benchmarks"])
def test_a_foreign_package_in_front_is_an_error(
    name: str, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a fresh process: what was imported before would be found again by its name.
    monkeypatch.delitem(sys.modules, name, raising=False)
    place = _package(foreign, name)
    assert [package.place for package in shadowing.shadowed()] == [place]
    (problem,) = [p for p in _problems("BC630", doctor.examine()) if name in p.message]
    assert problem.severity == "error"
    assert problem.message == f"`import {name}` finds a foreign package"
    assert problem.given == str(place)


def test_a_module_file_in_front_is_found_too(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "compiler", raising=False)
    (foreign / "compiler.py").write_text("")
    assert [package.place for package in shadowing.shadowed()] == [foreign / "compiler.py"]


def test_a_folder_without_init_shadows_nothing(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (foreign / "compiler").mkdir()
    assert shadowing.shadowed() == ()


def test_a_missing_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "numba":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    (problem,) = _problems("BC631", doctor.examine())
    assert str(problem) == (
        "error[BC631]: the package numba is missing\n"
        "  required: numba    given: not installed    hint: pip install numba"
    )


def test_running_without_an_installation_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    found = doctor.examine()
    assert found.dependencies == ()
    assert _problems("BC631", found)[0].severity == "warning"


def test_the_cache_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "a").write_bytes(b"12345")
    (tmp_path / "b").write_bytes(b"123")
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path))
    cache = doctor.examine().cache
    assert (cache.files, cache.bytes, cache.writable) == (2, 8, True)


def test_a_cache_that_is_not_there_yet_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "later" / "on"))
    cache = doctor.examine().cache
    assert (cache.files, cache.writable) == (0, True)
    assert not (tmp_path / "later").exists()


def test_a_cache_that_cannot_be_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "file" / "cache"))
    (problem,) = _problems("BC633", doctor.examine())
    assert problem.severity == "error"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_without_permission_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path / "cache"))
    assert _problems("BC633", doctor.examine())
    tmp_path.chmod(0o700)


def test_data_that_is_not_there_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BURSTCHIP_DATA", raising=False)
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path))
    mnist = doctor.examine().data_sets[1]
    assert not mnist.usable
    assert "not complete" in mnist.state and "--data DIR" in mnist.state
    assert list(tmp_path.iterdir()) == []
