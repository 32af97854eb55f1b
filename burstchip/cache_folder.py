"""Where burstchip keeps what it may fetch or compute again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder of burstchip; it need not exist.

    `BURSTCHIP_CACHE` where it is set, else what the platform provides for caches.
    """
    if chosen := os.environ.get("BURSTCHIP_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "burstchip"
