"""Numbers and facts of a run as a reader meets them, the same in figures, tables and text."""

from __future__ import annotations

from burstchip.report.json_files import Summary

EMULATION_ONLY = "emulation only"


def percent(fraction: float) -> str:
    """A fraction in percent, to 0.01 points below 10 % and 0.1 points above; the space does not break."""
    if fraction == 0:
        return "0\N{NO-BREAK SPACE}%"
    value = 100 * fraction
    return f"{value:.2f}\N{NO-BREAK SPACE}%" if value < 10 else f"{value:.1f}\N{NO-BREAK SPACE}%"


def number(value: float, digits: int = 4) -> str:
    """A number to this many significant digits, without needless zeros, with thousands grouped."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e7:
        return f"{float(f'{value:.{digits}g}'):,.10g}"
    return f"{value:.{digits - 1}e}"


def count(of: int, what: str) -> str:
    """A number of things, `what` in the singular."""
    return f"{of:,} {what}{'' if of == 1 else 's'}"


def plasticity(form: str) -> str:
    """How the network learned: the form of its plastic weights, with its mark where no chip can do it."""
    if form == "none":
        return "no plasticity"
    return f"weight form {form}{f' ({EMULATION_ONLY})' if form in ('carry', 'mixed') else ''}"


def setting(summary: Summary) -> str:
    """What a result was measured with; given with every result."""
    return (
        f"{summary.task}, {count(summary.epochs, 'epoch')} · {summary.setting} · "
        f"{plasticity(summary.weight_form)} · backend {summary.backend}"
    )
