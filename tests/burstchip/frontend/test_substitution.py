"""Parameters, overrides and choices: what they stand for, and where messages about them point."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from burstchip.frontend import LoadResult
from compiler.ir.network import Network

LoadText = Callable[..., LoadResult]

TEXT = """\
burstchip: 1
name: net
step: 1 ms
parameters:
  size: 3
  tau: 20 ms
  kind: slow
choices:
  kind:
    slow:
      cell: {model: lif, size: "${size}", tau_membrane: "${tau}"}
      weight: {uniform: [1 mV, 2 mV]}
    fast:
      cell: {model: lif, size: 1, tau_membrane: 1 ms}
      weight: 3 mV
populations:
  input: {model: poisson_source, size: 1, rate: "2${size} Hz"}
  cells: ${cell}
projections:
  - {from: input, to: cells, weight: "${weight}"}
"""


def network(result: LoadResult) -> Network:
    assert result.network is not None, "\n".join(map(str, result.diagnostics))
    return result.network


def errors(result: LoadResult) -> list[str]:
    return [str(message) for message in result.diagnostics if message.severity == "error"]


def test_whole_values_and_parts_of_texts(load_text: LoadText) -> None:
    net = network(load_text(TEXT))
    source, cells = net.populations
    assert source.parameters == {"rate": 23.0}
    assert (cells.model, cells.size, cells.parameters) == ("lif", 3, {"tau_membrane": 20.0})
    assert net.parameters == {"size": 3, "tau": "20 ms", "kind": "slow"}


def test_overrides_and_the_choices_that_follow(load_text: LoadText) -> None:
    net = network(load_text(TEXT, {"kind": "fast", "size": "4"}))
    assert net.populations[1].size == 1
    assert net.populations[0].parameters == {"rate": 24.0}
    assert net.parameters["kind"] == "fast"


def test_an_override_is_named_where_its_value_is_used(load_text: LoadText) -> None:
    (message,) = errors(load_text(TEXT, {"tau": "20 mV"}))
    assert message == (
        "net.yaml:18:10: error[BC107]: 'tau_membrane' of population 'cells' needs a time\n"
        "  18 |   cells: ${cell}\n"
        "     |          ^^^^^^^\n"
        "  required: a time (ms, s, us)    "
        "given: a voltage, '20 mV' (${tau} from --set tau=20 mV)    hint: give a time"
    )


def test_a_choice_is_named_with_the_place_of_its_value(load_text: LoadText) -> None:
    (message,) = errors(load_text(TEXT.replace("2 mV]", "2 pA]")))
    assert "net.yaml:20:39: error[BC107]" in message
    assert "given: a current, '2 pA' (${weight} from net.yaml:12:32)" in message


def test_a_part_of_a_text_is_named_with_the_text(load_text: LoadText) -> None:
    found = errors(load_text(TEXT, {"size": "x"}))
    assert any("given: '2x Hz' ('2${size} Hz', ${size} from --set size=x)" in message for message in found)


def test_unknown_override(load_text: LoadText) -> None:
    found = errors(load_text(TEXT, {"sise": "4"}))
    assert found == [
        "error[BC025]: --set sise=4: net.yaml has no parameter 'sise'\n"
        "  required: a name under 'parameters'    given: 'sise'    hint: did you mean: size"
    ]


def test_override_of_what_a_choice_defines(load_text: LoadText) -> None:
    (message,) = errors(load_text(TEXT, {"weight": "4"}))
    assert "hint: it follows from parameter 'kind': set that" in message


def test_override_that_is_no_choice(load_text: LoadText) -> None:
    (message,) = errors(load_text(TEXT, {"kind": "fasst"}))
    assert "net.yaml:7:9: error[BC028]" in message
    assert "given: 'fasst' (--set kind=fasst)    hint: did you mean: fast" in message


def test_parameters_may_refer_to_each_other(load_text: LoadText) -> None:
    net = network(load_text(TEXT.replace("tau: 20 ms", "tau: ${size}0 ms")))
    assert net.populations[1].parameters == {"tau_membrane": 30.0}


def test_a_circle_of_any_length_is_told_once(load_text: LoadText) -> None:
    text = TEXT.replace("  size: 3\n", "  size: ${a}\n  a: ${b}\n  b: ${size}\n")
    (message,) = errors(load_text(text))
    assert "BC023" in message and "given: size -> a -> b -> size" in message


def test_a_parameter_used_only_in_another_branch_is_used(load_text: LoadText) -> None:
    assert errors(load_text(TEXT.replace('"${tau}"', "5 ms").replace("1 ms}", '"${tau}"}'))) == []


@pytest.mark.parametrize("text", ["${", "${}", "${1a}", "a${b", "${a b}", "${${size}}"])
def test_malformed_references(load_text: LoadText, text: str) -> None:
    found = errors(load_text(TEXT.replace("2${size} Hz", text)))
    assert any("BC027" in message for message in found)


def test_multiplying_parameters_are_stopped(load_text: LoadText) -> None:
    lines = ["  p0: 1"] + [f"  p{i}: ${{p{i - 1}}}${{p{i - 1}}}" for i in range(1, 40)]
    text = TEXT.replace("  size: 3\n", "  size: ${p39}\n" + "\n".join(lines) + "\n")
    assert any("BC010" in message for message in errors(load_text(text)))


def test_multiplying_choices_are_stopped(load_text: LoadText) -> None:
    lines = ["      q0: [1, 1]"]
    for i in range(1, 9):
        eight = ", ".join([f'"${{q{i - 1}}}"'] * 8)
        lines.append(f"      q{i}: [{eight}]")
    text = TEXT.replace("kind: slow\n", "kind: slow\n  deep: one\n").replace(
        "choices:\n", "choices:\n  deep:\n    one:\n" + "\n".join(lines) + "\n"
    )
    text += 'probes: "${q8}"\n'
    assert any("BC010" in message for message in errors(load_text(text)))


def test_a_long_chain_is_stopped(load_text: LoadText) -> None:
    lines = ["  p0: 1"] + [f"  p{i}: ${{p{i - 1}}}" for i in range(1, 2000)]
    text = TEXT.replace("  size: 3\n", "  size: ${p1999}\n" + "\n".join(lines) + "\n")
    assert any("BC010" in message for message in errors(load_text(text)))
