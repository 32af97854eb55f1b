"""Whatever a file holds, the answer is a network or messages; never a traceback."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from burstchip.frontend import LoadResult, load

HERE = Path(__file__).parent
TEXTS = [path.read_text(encoding="utf-8") for path in sorted((HERE / "valid").glob("*.yaml"))]
BROKEN = [path.read_bytes() for path in sorted((HERE / "broken").glob("*.yaml"))]

relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

SCRAPS = st.sampled_from(
    [
        *(
            "${size}",
            "${",
            "}",
            "{",
            "[",
            "]",
            ":",
            ": ",
            "- ",
            "\n",
            "\n  ",
            "\t",
            "#",
            "&a ",
            "*a",
            "!t ",
            "? ",
        ),
        *("|\n", ">", "'", '"', "---\n", "...\n", "%YAML 1.1\n", "<<: ", "null", "~", "chip", "carry"),
        *("\r", "\x85", "\u2028", "\ufeff", "\0", "\x1b[31m", "é", "\N{BRAIN}"),
        *("nan", ".inf", "1e999", "-1", "9" * 30, "2^-9999", "9**9**9", "5 ms", "0 ms", "1 mV"),
    ]
)


def check(result: LoadResult) -> None:
    errors = [message for message in result.diagnostics if message.severity == "error"]
    assert (result.network is None) == bool(errors)
    for message in result.diagnostics:
        assert str(message)
        assert message.required != "" and message.given != ""
        if message.place is not None:
            place = message.place
            assert place.line >= 1 and place.column >= 1 and place.length >= 1
            if place.text is not None:
                # The caret stands within the line or right behind it.
                assert place.column <= len(place.text) + 1
                assert "\x1b" not in place.text
    if result.network is not None:
        names = {population.name for population in result.network.populations}
        for projection in result.network.projections:
            assert {projection.source.population, projection.target.population} <= names


@relaxed
@given(data=st.binary(max_size=400))
@example(data=b"\xff\xfe\x00")
@example(data=b"a: &a [*a]")
@example(data=b"? ? ? ? a")
@example(data=b"a: 'b\n---\n")
@example(data=b"[" * 100_000)
@example(data=b"{a: " * 100_000)
@example(data=b"- " * 100_000)
@example(data=b"&a " * 1000)
@example(data=b"a: " + b"9" * 100_000)
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(data)
    check(load(path))


@relaxed
@given(
    text=st.text(max_size=300),
    overrides=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=2),
)
def test_any_text(tmp_path: Path, text: str, overrides: dict[str, str]) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    check(load(path, overrides))


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A network with a few stretches of its text replaced."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 0, 1, 2, 5, 20, 100]))
        text = text[:start] + draw(SCRAPS) + text[start + length :]
    return text


@relaxed
@given(text=mangled())
def test_mangled_networks(tmp_path: Path, text: str) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    check(load(path))


@st.composite
def shuffled(draw: st.DrawFn) -> str:
    """A network whose lines are doubled, dropped, moved and indented anew."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["drop", "double", "move", "indent", "dedent"]))
        line = lines[index]
        if what == "drop" and len(lines) > 1:
            del lines[index]
        elif what == "double":
            lines.insert(index, line)
        elif what == "move":
            lines.insert(draw(st.integers(0, len(lines))), line)
        else:
            lines[index] = "  " + line if what == "indent" else line.removeprefix("  ")
    return "\n".join(lines) + "\n"


@relaxed
@given(text=shuffled(), size=st.sampled_from(["", "0", "3", "1e9", "${size}", "[1]", "nan"]))
def test_shuffled_networks(tmp_path: Path, text: str, size: str) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(text)
    check(load(path, {"size": size}))
