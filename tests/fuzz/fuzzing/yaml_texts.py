"""YAML: what only a text can have wrong, bytes, characters, lines and bombs."""

from __future__ import annotations

from random import Random

WAYS = (
    "bom", "tab", "crlf", "cr", "indent", "line", "join", "cut", "character", "anchors", "deep",
    "document", "directive", "long", "many", "utf16", "latin1", "comment", "block",
)  # fmt: skip


def alter_text(text: str, draw: Random) -> tuple[bytes, str]:
    """(the bytes of a text that is changed as text, what was done)."""
    how = draw.choice(WAYS)
    lines = text.split("\n")
    row = draw.randrange(len(lines))
    line = lines[row]
    at = draw.randrange(len(text) + 1)
    if how in ("utf16", "latin1"):
        return text.encode("utf-16" if how == "utf16" else "latin1", "replace"), how
    if how == "bom":
        text = "\ufeff" * draw.choice((1, 2)) + text
    elif how in ("crlf", "cr"):
        text = text.replace("\n", "\r\n" if how == "crlf" else "\r")
    elif how == "cut":
        text = text[:at]
    elif how == "character":
        text = (
            text[:at]
            + draw.choice("{}[],:#&*!|>'\"%@`-?\t\0\x07\x85\u2028\ud800é${~")
            + text[at + draw.choice((0, 1)) :]
        )
    elif how == "anchors":
        levels = draw.choice((3, 9, 30))
        bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [
            f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, levels)
        ]
        text += "\n" + "\n".join(bomb) + "\n"
    elif how == "deep":
        depth = draw.choice((20, 40, 5000, 100_000))
        text += f"\ndeep: {draw.choice('[{') * depth}\n"
    elif how == "long":
        text += f"\nlong: {'x' * draw.choice((5000, 200_000))}\n"
    elif how == "many":
        text += "".join(f"\nk{k}: {k}" for k in range(draw.choice((100, 5000))))
    elif how in ("document", "directive"):
        text = (
            text[:at] + draw.choice(("\n---\n", "\n...\n", "\n%YAML 9.9\n---\n", "\n%TAG ! x\n")) + text[at:]
        )
    else:
        lines[row] = {
            "tab": "\t" + line.lstrip(),
            "indent": " " * draw.choice((1, 3, 40)) + line,
            "line": draw.choice(lines),
            "join": line + draw.choice(lines),
            "comment": f"#{line}",
            "block": f"{line} |\n   text\n",
        }[how]
        text = "\n".join(lines)
    return text.encode("utf-8", "surrogatepass"), f"{how} at {row}"
