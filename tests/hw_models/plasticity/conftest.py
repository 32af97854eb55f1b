"""Random rules and networks, the specification run step by step, and Lava as its judge."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn.rules import products, rules
from hypothesis import strategies as st

from hw_models.plasticity.engine_numpy import EpochTraces, SynapticVariables, learn
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.lava_draws import lava_draws
from hw_models.plasticity.rule import LearningRule, Product
from hw_models.plasticity.traces import history, note_spikes, spike_trace, third_factor

Case = dict[str, Any]
#: Starting Lava takes seconds on a busy machine; an answer never more than some.
PATIENCE_S = 120


@pytest.fixture(scope="session")
def any_product() -> st.SearchStrategy[Product]:
    return products(st.sampled_from(["x0", "y0", *(f"u{k}" for k in range(10))]))


@pytest.fixture(scope="session")
def any_case() -> st.SearchStrategy[Case]:
    """A connection with its rule, its inputs and its start, as `lava_judge` takes it."""

    @st.composite
    def draw_case(draw: st.DrawFn) -> Case:
        rule = draw(rules(largest_k=2))
        pre, post, epoch = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
        third_factors = draw(st.booleans())
        sign_mode = draw(st.sampled_from(["mixed", "excitatory", "inhibitory"]))
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        steps = 40
        return case(
            rule,
            random,
            (pre, post),
            epoch,
            steps,
            third_factors=third_factors,
            sign_mode=sign_mode,
            per_synapse=draw(st.booleans()),
            rate=draw(st.sampled_from([0.05, 0.3, 0.8])),
        )

    return draw_case()


def case(
    rule: LearningRule,
    random: np.random.Generator,
    shape: tuple[int, int],
    epoch: int,
    steps: int,
    *,
    third_factors: bool,
    sign_mode: str = "mixed",
    per_synapse: bool = False,
    rate: float = 0.3,
    even: bool = False,
) -> Case:
    """A random connection for this rule; with `even`, weights that Lava's first step leaves as they are."""
    pre, post = shape
    low, high = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0)}[sign_mode]
    names = ["x1", "x2"] if third_factors else ["x1", "x2", "y1", "y2", "y3"]
    traces: dict[str, float] = {}
    for name in names:
        traces[f"{name}_impulse"] = float(random.choice([0, 16, 127, 12.3, 0.999, 5.5, 130]))
        traces[f"{name}_tau"] = float(random.choice([0, 1, 2.5, 4, 16, 300]))
    values = random.integers(-140, 140, (steps, 3, post)) * random.integers(0, 2, (steps, 3, post))
    # Rare huge values: the port takes any 32-bit integer.
    huge = random.random(values.shape) < 0.03
    values[huge] = random.integers(-(2**31), 2**31, np.count_nonzero(huge))
    weights = random.integers(low, high, (post, pre), endpoint=True)
    made: Case = {
        "rule": {change.target: str(change) for change in rule.sums},
        "traces": traces,
        "epoch": epoch,
        "seed": int(random.integers(0, 10**6)),
        "third_factors": third_factors,
        "sign_mode": sign_mode,
        "w": (weights // 2 * 2 if even else weights).tolist(),
        "t": random.integers(-257, 256, (post, pre)).tolist(),
        "d": random.integers(0, 256, (post, pre)).tolist(),
        "x_spikes": (random.random((steps, pre)) < rate).astype(int).tolist(),
        "y_spikes": (random.random((steps, post)) < rate * random.integers(0, 2)).astype(int).tolist(),
        "y_values": values.tolist(),
    }
    if per_synapse:
        made["draws"] = random.integers(0, 128, (steps // epoch, post, pre)).tolist()
    return made


def simulate(case: Case) -> dict[str, list[Any]]:
    """The state after every step by the specification, in the form that `lava_judge` answers with."""
    rule = learning_rule(**case["rule"])
    x_spikes, y_spikes = np.array(case["x_spikes"], bool), np.array(case["y_spikes"], bool)
    steps, pre, post, epoch = len(x_spikes), x_spikes.shape[1], y_spikes.shape[1], case["epoch"]
    given = case["traces"]
    spec = {
        name: spike_trace(given.get(f"{name}_tau", 0), given.get(f"{name}_impulse", 0))
        for name in ("x1", "x2", "y1", "y2", "y3")
    }
    if case["third_factors"]:
        spec |= dict.fromkeys(("y1", "y2", "y3"), third_factor())
    x_specs, y_specs = [spec["x1"], spec["x2"]], [spec["y1"], spec["y2"], spec["y3"]]
    x, y = np.zeros((2, pre), np.int64), np.zeros((3, post), np.int64)
    tx, ty = np.zeros(pre, np.int64), np.zeros(post, np.int64)
    synapses = SynapticVariables(*(np.array(case[name]).T for name in "wtd"))
    # In two pieces, so that the replay from a later step is put to the test, too.
    half = steps // 2
    pieces = [lava_draws(case["seed"], 0, half, epoch), lava_draws(case["seed"], half, steps - half, epoch)]
    states: dict[str, list[Any]] = {
        name: [] for name in ("weights", "tag_1", "tag_2", "x1", "x2", "y1", "y2", "y3")
    }
    for step in range(steps):
        draws = pieces[step >= half]
        traces = draws.traces
        place = step % epoch + 1
        x = np.stack([note_spikes(x[k], tx, x_spikes[step], x_specs[k]) for k in range(2)])
        tx = np.where(x_spikes[step], place, tx)
        second = int(traces.y_second[step - traces.first_step])
        y = np.stack([note_spikes(y[k], ty, y_spikes[step], y_specs[k], second) for k in range(3)])
        ty = np.where(y_spikes[step], place, ty)
        if case["third_factors"]:
            y = np.array(case["y_values"][step])
        if place == epoch:
            number = (step + 1) // epoch
            i = number - traces.first_epoch
            r = int(traces.x_decay[i]), int(traces.x_impulse[i])
            x_history = np.stack([history(x[k], tx, x_specs[k], epoch, *r) for k in range(2)], axis=1)
            r = int(traces.y_decay[i]), int(traces.y_impulse[i])
            y_history = np.stack([history(y[k], ty, y_specs[k], epoch, *r) for k in range(3)], axis=1)
            draw: Any = int(draws.rounding[i])
            if "draws" in case:
                draw = np.array(case["draws"][number - 1]).T
            read = EpochTraces(x_history, y_history, tx, ty)
            synapses = learn(rule, synapses, read, number, draw, case["sign_mode"])
            x = x_history[-1]
            if not case["third_factors"]:
                y = y_history[-1]
            tx, ty = np.zeros_like(tx), np.zeros_like(ty)
        now = {"weights": synapses.w.T, "tag_1": synapses.t.T, "tag_2": synapses.d.T}
        now |= {"x1": x[0], "x2": x[1], "y1": y[0], "y2": y[1], "y3": y[2]}
        for name, value in now.items():
            states[name].append(value.tolist())
    return states


@pytest.fixture(scope="session")
def run_specification() -> Callable[[Case], dict[str, list[Any]]]:
    return simulate


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    return case


@pytest.fixture(scope="session")
def lava(needs_lava: None) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Put a request to `lava_judge`; skipped where Lava is not installed."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("lava_judge.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert child.stdin is not None and child.stdout is not None
    ready = selectors.DefaultSelector()
    ready.register(child.stdout, selectors.EVENT_READ)

    def ask(request: dict[str, Any]) -> Any:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        # Lava can hang without a word; then the child is ended and the test fails.
        if not ready.select(PATIENCE_S):
            child.kill()
            pytest.fail("Lava did not answer")
        return json.loads(child.stdout.readline())

    yield ask
    child.stdin.close()
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
