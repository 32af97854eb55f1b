"""Integers of a width, for tests that draw many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from drawn.integers import corners


@pytest.fixture(scope="session")
def draw_integers() -> Callable[..., Any]:
    """`corners`."""
    return corners
