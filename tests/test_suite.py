"""What the suite's own options do, tried on suites of a few tests; and that `tests` is no other package."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

SMALL = """
import pytest

def test_of_no_backend():
    pass

def test_anywhere(backend):
    print("runs on", backend)

@pytest.mark.backends("sim", "plain", "lava", reason="compares integers")
def test_integers(backend):
    print("integers of", backend)
"""


@pytest.fixture
def suite(tmp_path: Path):  # type: ignore[no-untyped-def]
    """`suite(text, *options)` runs pytest on tests that have our conftest beside them; (status, output)."""
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"))

    def run(text: str, *options: str) -> tuple[int, str]:
        (tmp_path / "test_small.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "-s", *options],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, " ".join(done.stdout.split())

    return run


def test_the_simulator_is_the_default(suite) -> None:  # type: ignore[no-untyped-def]
    status, output = suite(SMALL)
    assert status == 0 and "3 passed" in output
    assert "runs on sim" in output and "integers of sim" in output


def test_a_backend_skips_what_is_not_for_it_and_says_why(suite) -> None:  # type: ignore[no-untyped-def]
    status, output = suite(SMALL, "--backend", "reference")
    assert status == 0 and "2 passed, 1 skipped" in output
    assert "runs on reference" in output and "integers of" not in output
    assert "not for backend reference: compares integers" in output


def test_a_backend_that_cannot_run_skips_all_that_takes_it(suite) -> None:  # type: ignore[no-untyped-def]
    status, output = suite(SMALL, "--backend", "loihi2", "--require-lava")
    assert status == 0 and "1 passed, 2 skipped" in output
    assert "BC551" in output and "backend 'loihi2' cannot run here" in output
    assert "not for backend loihi2: compares integers" in output


def test_there_is_no_other_backend(suite) -> None:  # type: ignore[no-untyped-def]
    status, _ = suite(SMALL, "--backend", "nengo")
    assert status == 4


@pytest.mark.parametrize(
    "test",
    [
        '@pytest.mark.backends("sim")\ndef test_this(backend): ...',
        '@pytest.mark.backends("simulator", reason="no such backend")\ndef test_this(backend): ...',
        '@pytest.mark.backends("sim", reason="does not run on any")\ndef test_this(): ...',
    ],
)
def test_a_mark_names_some_backends_and_a_reason(test: str, suite) -> None:  # type: ignore[no-untyped-def]
    status, output = suite(f"import pytest\n\n{test}\n")
    assert status == 4 and "a reason, on a test that takes the fixture `backend`" in output


FOR_WANT_OF_LAVA = """
import pytest

@pytest.fixture
def worker():
    pytest.skip("no Lava here")

def test_one():
    pytest.skip("Lava is not installed")

@pytest.mark.skipif(True, reason="needs lava-nc")
def test_two(): ...

def test_three(worker): ...

def test_four():
    pytest.importorskip("lava.no_such_module")

def test_five():
    pytest.skip("needs MNIST")

@pytest.mark.xfail(reason="Lava differs")
def test_six():
    assert False
"""


def test_where_lava_is_required_nothing_is_skipped_for_want_of_it(suite) -> None:  # type: ignore[no-untyped-def]
    status, output = suite(FOR_WANT_OF_LAVA)
    assert status == 0 and "5 skipped, 1 xfailed" in output
    status, output = suite(FOR_WANT_OF_LAVA, "--require-lava")
    assert status == 1 and "2 failed, 1 skipped, 1 xfailed, 2 errors" in output
    assert output.count("Lava is required, but this was skipped.") == 4


def test_nor_is_a_whole_module(suite) -> None:  # type: ignore[no-untyped-def]
    text = "import pytest\n\npytest.importorskip('lava.no_such_module')\n"
    assert suite(text)[0] == 5
    status, output = suite(text, "--require-lava")
    assert status == 2 and "Lava is required, but this was skipped." in output


def test_modules_of_tests_are_found_by_their_place(pytestconfig: pytest.Config) -> None:
    """lava-nc installs a package `tests`: the name `tests` means this folder, or nothing."""
    assert pytestconfig.getoption("importmode") == "importlib"
    for name, module in sys.modules.items():
        if name.partition(".")[0] == "tests":
            places = [module.__file__] if getattr(module, "__file__", None) else list(module.__path__)
            assert all(Path(str(place)).is_relative_to(TESTS) for place in places), f"{name} is {places}"


def test_no_test_imports_the_package_tests() -> None:
    found = []
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [str(node.module)]
            found += [f"{path}:{node.lineno}" for name in names if name.partition(".")[0] == "tests"]  # type: ignore[attr-defined]
    assert found == []
