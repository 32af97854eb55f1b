"""What would not fit in memory is refused before anything is drawn, with what it would take."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from burstchip.compilation import check_file
from burstchip.frontend import load_network
from compiler.cost import compile_cost, require_room_to_compile
from compiler.machine_memory import as_bytes, available_memory
from hw_models.diagnostics import BurstchipError

NETWORK = """burstchip: 1
name: large
step: 1 ms
populations:
  noise: {{model: poisson_source, size: {size}, rate: 10 Hz}}
  cells: {{model: lif, size: {size}}}
projections:
  - {{name: w, from: noise, to: cells.soma, weight: 1 mV, delay: 62 ms{connectivity}}}
"""


def written(folder: Path, size: int, connectivity: str = "") -> Path:
    key = f", connectivity: {connectivity}" if connectivity else ""
    (folder / "large.yaml").write_text(NETWORK.format(size=size, connectivity=key))
    return folder / "large.yaml"


@pytest.mark.parametrize(
    ("connectivity", "synapses"),
    [
        ("", "281,474,976,710,656"),
        ("{probability: 0.5}", "140,737,488,355,328"),
        ("{in_degree: 16777216}", "281,474,976,710,656"),
    ],
)
def test_the_largest_network_is_refused_at_once(tmp_path: Path, connectivity: str, synapses: str) -> None:
    result = check_file(written(tmp_path, 1 << 24, connectivity))
    (message,) = [it for it in result.diagnostics if it.severity == "error"]
    assert (message.id, message.message) == ("BC680", "network 'large' does not fit in memory")
    assert message.given is not None and message.given.endswith(f"33,554,432 neurons and {synapses} synapses")
    assert message.hint is not None and message.hint.startswith(f"'w' has {synapses} synapses: fewer neurons")
    assert message.place is not None and message.place.line == 8


def test_a_network_is_held_against_the_bytes_that_there_are(tmp_path: Path) -> None:
    network = load_network(written(tmp_path, 1000))
    cost = compile_cost(network)
    assert (cost.neurons, cost.synapses) == (2000, 1_000_000)
    require_room_to_compile(network, cost.bytes)
    require_room_to_compile(network, None)
    with pytest.raises(BurstchipError) as caught:
        require_room_to_compile(network, 10 << 20)
    (message,) = caught.value.diagnostics
    assert message.required == "at most 10.0 MiB, which is available"
    assert message.given == "71.6 MiB for 2,000 neurons and 1,000,000 synapses"
    few = load_network(written(tmp_path, 1000, "one_to_one"))
    assert compile_cost(few).synapses == 1000


def test_a_limit_of_the_process_is_part_of_what_is_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("MemAvailable: 500 kB\n")
    (tmp_path / "self" / "statm").write_text("10 5 3 1 0 2 0\n")
    limit = 10 * resource.getpagesize() + 100_000
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, resource.RLIM_INFINITY))
    assert available_memory(tmp_path, tmp_path) == int(100_000 * 0.9)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    assert available_memory(tmp_path, tmp_path) == 0


def test_available_memory_is_what_machine_and_groups_leave(tmp_path: Path) -> None:
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 900 kB\nMemAvailable: 500 kB\n")
    assert available_memory(proc, cgroups) == int(500 * 1024 * 0.9)
    (proc / "self" / "cgroup").write_text("0::/a/b\n4:memory:/old\n")
    (cgroups / "a" / "b").mkdir(parents=True)
    (cgroups / "a" / "b" / "memory.max").write_text("max\n")
    (cgroups / "a" / "memory.max").write_text("300000\n")
    (cgroups / "a" / "memory.current").write_text("100000\n")
    assert available_memory(proc, cgroups) == int(200000 * 0.9)
    (cgroups / "a" / "memory.stat").write_text("anon 1\ninactive_file 50000\n")
    assert available_memory(proc, cgroups) == int(250000 * 0.9)
    (cgroups / "memory" / "old").mkdir(parents=True)
    (cgroups / "memory" / "old" / "memory.limit_in_bytes").write_text("4000\n")
    (cgroups / "memory" / "old" / "memory.usage_in_bytes").write_text("5000\n")
    assert available_memory(proc, cgroups) == 0
    assert as_bytes(1023) == "1023 bytes" and as_bytes(3 << 50) == "3.0 PiB"
