"""`burstchip schema`: the YAML language for editors."""

from __future__ import annotations

from burstchip.cli.console import output


def schema() -> None:
    """Print the JSON Schema of the YAML language, for editors that check and complete by it."""
    with output() as out:
        import json

        from burstchip.frontend import network_schema

        out.text(json.dumps(network_schema(), indent=2))
