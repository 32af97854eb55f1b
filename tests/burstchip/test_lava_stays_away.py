"""Lava is imported by those modules of its backend that run inside its child process, and by nothing else."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
inside = tuple(f"burstchip.backends.lava.{name}" for name in ("child", "network", "processes"))
skipped = 0
for package in ("hw_models", "compiler", "burstchip", "benchmarks"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if module.name.startswith(inside) and not module.ispkg:
            skipped += 1
        elif not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            assert "lava" not in sys.modules, module.name
print(skipped)
"""


def test_no_other_module_imports_lava() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 7
