"""A file with everything put in reads as the file that it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.frontend import load
from burstchip.frontend.resolved import with_values, yaml_text
from burstchip.templates import write_template
from compiler.artifact import artifact_sha256
from compiler.pipeline import compile_network

NETWORK = """burstchip: 1
name: "123"
step: 1 ms
parameters: {size: 3, form: slow, drive: 20 Hz}
choices:
  form:
    slow: {cell: {model: lif, size: "${size}", tau_membrane: 30 ms, bias: [100 pA, 110 pA, 120 pA]}}
    fast: {cell: {model: lif, size: "${size}", tau_membrane: 5 ms, bias: [100 pA, 110 pA, 120 pA]}}
populations:
  input: {model: spike_list, size: 30, events: [[0, 1 ms], [1, 2 ms], [2, 3 ms], [3, 4 ms], [4, 5 ms],
      [5, 6 ms], [6, 7 ms], [7, 8 ms], [8, 9 ms], [9, 10 ms], [10, 11 ms], [11, 12 ms]]}
  more: {model: poisson_source, size: 20, rate: "${drive}"}
  cells: ${cell}
plasticity:
  growth: {every: 8 ms, trace: {name: x1, tau: 16 ms, increment: 16}, dw: "u0*2^-5*x1 - u0*2^-6*w"}
projections:
  - {from: input, to: cells, connectivity: {pairs: [[0, 0, 1 mV], [1, 2, -2 mV]]}}
  - {from: more, to: cells, weight: {uniform: [1 mV, 2 mV]}, limit: 4 mV, learn: growth}
"""


@pytest.mark.parametrize("overrides", [{}, {"form": "fast", "drive": "35.5 Hz"}])
def test_a_network_reads_as_itself(tmp_path: Path, overrides: dict[str, str]) -> None:
    (tmp_path / "net.yaml").write_text(NETWORK)
    _same(tmp_path / "net.yaml", overrides, tmp_path / "again.yaml")


@pytest.mark.parametrize("overrides", [{}, {"weight_form": "carry", "hidden_size": "7"}])
def test_a_template_reads_as_itself(tmp_path: Path, overrides: dict[str, str]) -> None:
    _same(write_template("digits", tmp_path), overrides, tmp_path / "again.yaml")


def _same(path: Path, overrides: dict[str, str], again: Path) -> None:
    first = load(path, overrides, seed=9)
    assert first.network is not None and first.resolved is not None, first.diagnostics
    text = yaml_text(with_values(first.resolved, {"seed": "9"}))
    assert "${" not in text and max(map(len, text.splitlines())) < 120
    again.write_text(text)
    second = load(again)
    assert second.network is not None, second.diagnostics
    hashes = {artifact_sha256(compile_network(network)) for network in (first.network, second.network)}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("written", "text"),
    [("a: ~", "a: ~\n"), ("a: '~'", 'a: "~"\n'), ("a: '- b'", 'a: "- b"\n'), ("a: 'b: c'", 'a: "b: c"\n')],
)
def test_values_that_need_quotes_have_them(written: str, text: str) -> None:
    from burstchip.frontend.compose import compose
    from burstchip.frontend.report import Report
    from burstchip.frontend.tree import Mapping

    root = compose(written, Report("file"))
    assert isinstance(root, Mapping) and yaml_text(root) == text
    assert yaml_text(with_values(root, {"b": "2"})) == f"{text}b: 2\n"
