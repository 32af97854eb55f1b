"""The page that shows what a network learned, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burstchip.report.page import write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    # The pictures bring matplotlib with them, which nobody should wait for to learn how sure a share is.
    if name != "write_report":
        raise AttributeError(f"module 'burstchip.report' has no attribute '{name}'")
    from burstchip.report.page import write_report

    return write_report
