"""Facts as every command words them."""

from __future__ import annotations


def weight_form(form: str) -> str:
    """The form of the weights that learn, marked where no chip has it; given with every result."""
    if form == "none":
        return "no plasticity"
    return f"weight form {form}{' (emulation only)' if form in ('carry', 'mixed') else ''}"
