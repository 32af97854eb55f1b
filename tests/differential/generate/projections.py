"""Projections: all kinds of connectivity, weight formats, signs, exponents and delays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from generate.conductances import RELEASE, is_opened
from generate.plasticities import PlasticityStructure
from generate.populations import PopulationStructure
from generate.quantities import between, quantity

#: The longest delay of the chip, in steps.
LONGEST_DELAY = 63
#: The integers of weights, by their sign.
_INTEGERS = {0: (-256, 255), 1: (0, 255), -1: (-255, 0)}
KINDS = ("dense", "dense", "one_to_one", "probability", "in_degree", "pairs", "weighted_pairs", "file")


@dataclass(frozen=True)
class ProjectionStructure:
    """One projection as all members have it.

    `connectivity` is as in YAML, without the weights of `weighted_pairs` and `file`, whose (source, target)
    pairs are in `pairs`. The limit is such that weights get `exponent`; where it is not written
    (`is_limited`), the greatest weight stands for it. Weights are of one sign where `sign` is 1 or -1.
    `delays` are the least and the greatest, in steps.
    """

    name: str
    source: PopulationStructure
    output: str
    target: PopulationStructure
    port: str
    kind: str
    connectivity: Any
    pairs: tuple[tuple[int, int], ...]
    exponent: int
    is_limited: bool
    sign: int
    weight_bits: int
    delays: tuple[int, int]
    learn: PlasticityStructure | None = None
    #: The delays that the pairs give, in steps; none where they give none.
    pair_delays: tuple[int, ...] = ()
    autapses: bool = True
    sign_mode: str | None = None
    #: Whether the zeros of a file are synapses.
    zeros: bool = False
    #: Whether weights are the chip's integers at `exponent`.
    integers: bool = False

    @property
    def limit(self) -> float:
        """The greatest magnitude of a weight, in mV or as a fraction."""
        mantissa = 128 if self.learn is not None and self.learn.form == "carry" else 256
        # Short of the power of two, so that no rounding of the text takes it beyond.
        message = {"burst_error": 64, "release": RELEASE}.get(self.output, 1)
        return 0.99 * mantissa * message * self.target.weight_unit(self.port) * 2.0**self.exponent

    @property
    def weight_dimension(self) -> str:
        """The unit of the weights."""
        if is_opened(self.port):
            return "leak"
        return (
            ""
            if self.integers
            or self.port in ("dendrite", "modulator", "spikes", "synapses")
            or self.target.is_generated
            else "mV"
        )


def ports_for(source: PopulationStructure, target: PopulationStructure) -> tuple[str, ...]:
    """Where a projection of a source may end: what sends in every step has no spikes for a detector."""
    return tuple(port.name for port in target.neuron.ports if not (port.events and source.neuron.continuous))


@st.composite
def projection_structures(
    draw: st.DrawFn,
    name: str,
    source: PopulationStructure,
    target: PopulationStructure,
    learn: PlasticityStructure | None,
) -> ProjectionStructure:
    """A projection between two populations, which may be the same."""
    output = draw(st.sampled_from(source.outputs))
    port = draw(st.sampled_from(ports_for(source, target)))
    kind = draw(st.sampled_from([k for k in KINDS if k != "one_to_one" or source.size == target.size]))
    recurrent = source == target and kind != "one_to_one" and source.size > 1
    autapses = not (recurrent and draw(st.booleans()))
    connectivity, pairs = draw(_connectivity(kind, source.size, target.size, autapses))
    listed = bool(pairs) and kind != "file" and draw(st.booleans())
    times = st.lists(st.integers(1, 9), min_size=len(pairs), max_size=len(pairs))
    integers = bool(target.counted) and (learn is None or learn.form == "chip") and draw(st.booleans())
    wide = () if learn is not None or integers else (16, 12, 9)
    bits = st.sampled_from((8, 8, 8, *range(8, 0, -1), *wide))
    if learn is not None and learn.form == "carry":
        bits = st.just(8)
    is_limited = not integers and draw(st.sampled_from((True, True, False)))
    exponents = _exponents(source, output, target, port)
    if not is_limited:
        # The greatest mantissa is smaller with fewer bits, and the greatest exponent would not do.
        exponents = tuple(exponent for exponent in exponents if exponent < 7)
    sign = 1 if is_opened(port) else draw(st.sampled_from((0, 0, 1, -1)))
    signs = (None, "mixed", *(("excitatory",) if sign == 1 else ("inhibitory",) if sign == -1 else ()))
    if is_opened(port):
        signs = (None, "excitatory")
    carries = learn is not None and learn.form == "carry"
    return ProjectionStructure(
        name,
        source,
        output,
        target,
        port,
        kind,
        connectivity,
        pairs,
        draw(st.sampled_from(exponents)),
        is_limited,
        sign,
        draw(bits),
        draw(_delays()),
        learn,
        tuple(draw(times)) if listed else (),
        autapses,
        None if carries else draw(st.sampled_from(signs)),
        kind == "file" and draw(st.booleans()),
        integers,
    )


def _exponents(
    source: PopulationStructure, output: str, target: PopulationStructure, port: str
) -> tuple[int, ...]:
    width = source.neuron.program.outputs[output]
    greatest = max(width.high, -width.low)
    if greatest > 1:
        # Graded messages are larger than events, and the sum must stay within 32 bits.
        return (-3, -8, -6, -5, -4, -2, -1, 0, 1) if greatest < 1000 else (-1, -2, 0, 1)
    if target.model == "burst_unit" and port == "soma":
        return (6, 7, 5, -8, -1, 0, 2, 4, 5, 6, 7)
    return (0, -1, 1, -8, -5, -4, -3, -2, -1, 0, 0, 1, 2, 3, 7)


def _delays() -> st.SearchStrategy[tuple[int, int]]:
    one = st.just((1, 1))
    some = st.integers(2, 9).map(lambda d: (d, d))
    apart = st.tuples(st.integers(1, 4), st.integers(1, 6)).map(lambda ends: (ends[0], sum(ends)))
    longest = st.sampled_from(((LONGEST_DELAY, LONGEST_DELAY), (1, LONGEST_DELAY)))
    return st.one_of(one, one, some, apart, longest)


@st.composite
def _connectivity(
    draw: st.DrawFn, kind: str, n_pre: int, n_post: int, autapses: bool
) -> tuple[Any, tuple[tuple[int, int], ...]]:
    if kind in ("dense", "one_to_one"):
        return kind, ()
    if kind == "probability":
        return {"probability": draw(st.sampled_from((0.1, 0.3, 0.5, 0.9, 1)))}, ()
    if kind == "in_degree":
        return {"in_degree": draw(st.integers(1, n_pre if autapses else n_pre - 1))}, ()
    pair = st.tuples(st.integers(0, n_pre - 1), st.integers(0, n_post - 1))
    if not autapses:
        pair = pair.filter(lambda ends: ends[0] != ends[1])
    pairs = sorted(draw(st.sets(pair, min_size=1, max_size=min(40, n_pre * n_post))))
    if len(pairs) < 10:
        pairs = draw(st.permutations(pairs))
    return {"pairs": [list(ends) for ends in pairs]} if kind == "pairs" else None, tuple(pairs)


@st.composite
def projections(
    draw: st.DrawFn, it: ProjectionStructure, step_ms: float
) -> tuple[dict[str, Any], dict[str, list[list[float]]]]:
    """The mapping of one projection in YAML, and the matrices of the files that it names."""
    keys: dict[str, Any] = {
        "name": it.name,
        "from": f"{it.source.name}.{it.output}",
        "to": f"{it.target.name}.{it.port}",
        "connectivity": it.connectivity,
    }
    if it.is_limited:
        keys["limit"] = quantity(it.limit, it.weight_dimension)
    if it.integers:
        keys["weight_exp"] = it.exponent
    files: dict[str, list[list[float]]] = {}
    if it.pairs and it.connectivity is None:
        low, high = {0: (-1, 1), 1: (0, 1), -1: (-1, 0)}[it.sign]
        # A zero in a file is no synapse.
        weights = between(low, high).map(lambda share: (share or 0.5 * (low + high) or 0.5) * 0.99 * it.limit)
        if it.integers:
            low, high = _INTEGERS[it.sign]
            weights = st.integers(low, high).map(lambda weight: float(weight or low or high))
        listed = {ends: draw(weights) for ends in it.pairs}
        if not it.is_limited and not it.integers:
            listed[it.pairs[0]] = 0.99 * it.limit * (it.sign or 1)
        if it.kind == "file":
            matrix = [[listed.get((i, j), 0.0) for i in range(it.source.size)] for j in range(it.target.size)]
            files[f"{it.name}.safetensors"] = matrix
            keys["connectivity"] = {"file": f"{it.name}.safetensors", "tensor": "w"}
            if it.zeros:
                keys["connectivity"]["zeros"] = "synapses"
        else:
            pairs = [[*ends, quantity(weight, it.weight_dimension)] for ends, weight in listed.items()]
            keys["connectivity"] = {"pairs": pairs}
    else:
        keys["weight"] = draw(_weights(it))
    if it.pair_delays:
        rows = zip(keys["connectivity"]["pairs"], it.pair_delays, strict=True)
        keys["connectivity"] = {"pairs": [[*row, quantity(steps * step_ms, "ms")] for row, steps in rows]}
    if it.sign_mode is not None:
        keys["sign_mode"] = it.sign_mode
    if not it.autapses:
        keys["autapses"] = "no"
    if it.weight_bits != 8 or draw(st.booleans()):
        keys["weight_bits"] = it.weight_bits
    least, greatest = (quantity(delay * step_ms, "ms") for delay in it.delays)
    if not it.pair_delays and (it.delays != (1, 1) or draw(st.booleans())):
        keys["delay"] = least if least == greatest else {"uniform": [least, greatest]}
    if it.learn is not None:
        keys["learn"] = it.learn.name
    return keys, files


@st.composite
def _weights(draw: st.DrawFn, it: ProjectionStructure) -> Any:
    if it.integers:
        low, high = sorted((draw(st.integers(*_INTEGERS[it.sign])), draw(st.integers(*_INTEGERS[it.sign]))))
        return draw(st.sampled_from((low, high, {"uniform": [low, high]})))
    # The text of a number may be a little more than the number.
    most, unit = 0.99 * it.limit, it.weight_dimension
    if it.sign:
        low, high = sorted(
            it.sign * end for end in (draw(between(0, 0.5, (0.0,))), draw(between(0.5, 1, (1.0,))))
        )
    else:
        low, high = -draw(between(0.01, 1, (1.0,))), draw(between(0.01, 1, (1.0,)))
    if not it.is_limited:
        low, high = (-1.0, high) if it.sign == -1 or (it.sign == 0 and draw(st.booleans())) else (low, 1.0)
        return {"uniform": [quantity(low * most, unit), quantity(high * most, unit)]}
    form = draw(st.sampled_from(("uniform", "uniform", "normal", "constant")))
    if form == "constant":
        return quantity(draw(st.sampled_from((low, high))) * most, unit)
    if form == "uniform":
        return {"uniform": [quantity(low * most, unit), quantity(high * most, unit)]}
    # No draw may have the other sign, where there is one: six standard deviations are beyond them all.
    mean, sd = (low + high) / 2, (high - low) / (12 if it.sign else 6)
    return {"normal": {"mean": quantity(mean * most, unit), "sd": quantity(sd * most, unit)}}
