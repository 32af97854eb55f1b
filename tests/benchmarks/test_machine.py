from __future__ import annotations

import platform
from dataclasses import asdict
from pathlib import Path

from benchmarks.machine import machine


def test_the_machine_is_told_without_paths() -> None:
    facts = asdict(machine())

    assert facts["python"] == platform.python_version()
    assert facts["cores"] >= 1
    assert facts["vector_bits"] in (0, 128, 256, 512)
    assert all(facts[name] for name in ("system", "processor", "microarchitecture", "numpy", "numba"))
    assert not any(str(Path.home()) in str(value) for value in facts.values())
