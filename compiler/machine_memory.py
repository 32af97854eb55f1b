"""How much memory this process may still take, asked before work that would not fit begins."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

#: Of the memory that is free this much is left for everything else.
SPARED = 0.1


def available_memory(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that can still be taken: what the machine has free, and what limits of groups and process leave.

    None where the system does not say. `proc` and `cgroups` are where Linux mounts its accounts.
    """
    found = [_free(proc), _left_of_process(proc), *_left_of_groups(proc, cgroups)]
    known = [bytes_ for bytes_ in found if bytes_ is not None]
    return int(min(known) * (1 - SPARED)) if known else None


def as_bytes(count: float) -> str:
    """A number of bytes as people read it: 3.2 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} PiB"


def _free(proc: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in (proc / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    # Elsewhere than on Linux, all there is.
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _left_of_process(proc: Path) -> int | None:
    """What this process may still map, where `ulimit -v` or a batch system set a limit."""
    if sys.platform == "win32":
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    with suppress(OSError, ValueError, IndexError):
        mapped = int((proc / "self" / "statm").read_text().split()[0]) * resource.getpagesize()
        return max(0, limit - mapped)
    return None


def _left_of_groups(proc: Path, cgroups: Path) -> list[int]:
    """What each control group that this process is in, and each above it, leaves of its limit."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, name = line.split(":", 2) if line.count(":") >= 2 else ("", "-", "")
        if controllers == "":
            root, limit, used = cgroups, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root, limit, used = cgroups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        folder = root / name.lstrip("/")
        # A process in a container sees its own group as the root.
        for group in (folder, *folder.parents):
            with suppress(OSError, ValueError):
                left.append(max(0, int((group / limit).read_text()) - _used(group, used)))
            if group == root:
                break
    return left


def _used(group: Path, name: str) -> int:
    """Bytes of a group that cannot be freed: files that are merely kept in memory do not count."""
    used = int((group / name).read_text())
    with suppress(OSError, ValueError, IndexError):
        for line in (group / "memory.stat").read_text().splitlines():
            if line.startswith(("inactive_file ", "total_inactive_file ")):
                return used - int(line.split()[1])
    return used
