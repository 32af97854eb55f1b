"""The page that shows what a network learned, and its pictures."""

from burstchip.report.page import write_report

__all__ = ["write_report"]
