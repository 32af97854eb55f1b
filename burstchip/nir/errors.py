"""What can be wrong with a NIR file, each with the file and the node as its place."""

from __future__ import annotations

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC800": "a NIR file cannot be read",
        "BC801": "a NIR file is larger than what is read",
        "BC802": "a NIR node of a kind that burstchip does not have",
        "BC803": "a NIR node without what its kind requires",
        "BC804": "an edge of a NIR graph that joins nothing",
        "BC805": "NIR nodes whose shapes do not fit",
        "BC806": "a NIR node whose numbers no neuron can have",
        "BC807": "a NIR graph that no network can say",
        "BC808": "what was assumed, folded or left out of a NIR file",
        "BC810": "a population that NIR cannot say",
        "BC811": "a projection that NIR cannot say",
        "BC812": "what a NIR file leaves out of a network",
    }
)


def wrong(
    id: str, file: str, node: str, message: str, required: str, given: str, hint: str | None = None
) -> BurstchipError:
    """An error about a node of a file; `node` is "" for the file as a whole."""
    where = f"{file}: node '{node}': " if node else f"{file}: "
    return BurstchipError(Diagnostic(id, f"{where}{message}", required=required, given=given, hint=hint))
