"""The package for an index: its README has no link that leads nowhere there."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / ".ci" / "package"
PAGES, FILES = "https://example.org/blob/v1", "https://example.org/raw/v1/"


@pytest.fixture(scope="module")
def package() -> ModuleType:
    loader = SourceFileLoader("package", str(SCRIPT))
    specification = spec_from_loader("package", loader)
    assert specification is not None
    module = module_from_spec(specification)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("see [time](docs/time.md#steps).", "see [time](https://example.org/blob/v1/docs/time.md#steps)."),
        ("![five digits](docs/a.png)", "![five digits](https://example.org/raw/v1/docs/a.png)"),
        ("[the paper](#the-paper)", "[the paper](#the-paper)"),
        ("[doi](https://doi.org/1)", "[doi](https://doi.org/1)"),
        ("`w[i](j)` stays", "`w[i](j)` stays"),
    ],
)
def test_links(text: str, wanted: str, package: ModuleType) -> None:
    assert package.absolute(text, PAGES, FILES) == wanted


def test_every_link_of_the_readme_leads_to_a_file_of_the_repository(package: ModuleType) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    made = package.absolute(text, PAGES, FILES)
    targets = re.findall(r"\]\(([^()\s]+)\)", made)
    assert len(targets) > 20
    for target in targets:
        if target.startswith("#"):
            continue
        assert target.startswith("https://"), target
        for base in (PAGES, FILES.rstrip("/")):
            if target.startswith(base):
                assert (ROOT / target.removeprefix(base + "/").partition("#")[0]).exists(), target
    assert made.count(PAGES) > 15 and made.count(FILES) >= 1


def test_without_addresses_it_says_how_it_is_used(tmp_path: Path) -> None:
    for arguments in ([], ["docs", "raw", str(tmp_path)]):
        done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
        assert done.returncode == 1 and "Usage: package PAGES FILES FOLDER" in done.stderr
    assert not list(tmp_path.iterdir())
