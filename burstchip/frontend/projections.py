"""Projections: synapses from an output of one population to a port of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from burstchip.frontend.addresses import outputs, ports, resolve, short
from burstchip.frontend.connectivity import Ends, carries_weights, read_connectivity
from burstchip.frontend.convolution import shared_weight
from burstchip.frontend.distributions import read_delay, read_weights
from burstchip.frontend.fields import AddressText, Amount, Fields, Items
from burstchip.frontend.plasticity import Learning
from burstchip.frontend.populations import Neurons, Populations
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import has_dimension
from burstchip.frontend.tree import Node
from compiler.ir.connectivity import Connectivity, Convolved, carries_delays
from compiler.ir.network import WEIGHT_BITS, Endpoint, Projection
from compiler.ir.values import Constant
from hw_models.diagnostics import nearest
from hw_models.neurons.model import Dimension
from hw_models.program.widths import FLAG


@dataclass(frozen=True)
class Surroundings:
    """What a projection is read against."""

    populations: Populations
    #: None where the file's could not be read.
    plasticity: Mapping[str, Learning | None] | None
    step: float | None


def is_present(fields: Fields) -> bool:
    """Whether a projection is a part of the network."""
    return fields.get("present", str) not in ("no", "false")


def read_projections(items: Items, around: Surroundings, report: Report) -> list[Projection]:
    """All present projections that could be made out; reports the rest, and names that are given twice."""
    found: list[Projection] = []
    for _, fields, node in items.of(Fields):
        projection = _projection(fields, node, around, report)
        if projection is None or not is_present(fields):
            continue
        if projection.name in around.populations.neurons:
            report.add(
                "BC147",
                fields.nodes.get("name", node),
                f"{fields.label} has the name of a population",
                required="a name of its own",
                hint=f"for example {projection.name}_synapses",
            )
        twin = next((other for other in found if set(other.parts) & set(projection.parts)), None)
        if twin is not None:
            line = twin.place.line if twin.place else 0
            report.add(
                "BC137",
                fields.nodes.get("name", node),
                f"{fields.label} has the same name as an earlier projection",
                required="a different name for each projection",
                given=f"'{projection.name}', also in line {line}",
                hint="give it a 'name'",
            )
        found.append(projection)
    return found


def _projection(fields: Fields, node: Node, around: Surroundings, report: Report) -> Projection | None:
    source = _endpoint(fields, "from", "output", around, report)
    target = _endpoint(fields, "to", "port", around, report)
    pre = around.populations.neurons[source.population] if source else None
    post = around.populations.neurons[target.population] if target else None
    _check_events(fields, source, target, pre, post, report)
    # Integers of the chip carry no unit.
    exponent = fields.get("weight_exp", int)
    dimension = _weight_dimension(post, target) if exponent is None else "number"
    opens = dimension == "conductance"
    if opens and _in_leaks(fields):
        dimension = "leak"
    limit = _limit(fields, dimension, report)
    autapses = _autapses(fields, source, target, report)
    ends = Ends(pre, post, dimension, around.step, autapses)
    connectivity = read_connectivity(fields, ends, report)
    weight = read_weights(fields.values.get("weight"), dimension, fields.name_of("weight"), report)
    _check_weights_once(fields, connectivity, report)
    if isinstance(connectivity, Convolved):
        weight = shared_weight(fields, connectivity, weight, report)
    delay = read_delay(fields.values.get("delay"), around.step, fields.name_of("delay"), report)
    if delay is None and not fields.given("delay") and around.step is not None:
        delay = Constant(around.step)
    if fields.given("delay") and carries_delays(connectivity):
        report.add(
            "BC145",
            fields.nodes["delay"],
            f"{fields.name_of('delay')} is not read: the pairs give the delays",
            required="delays in one place",
            hint="remove 'delay'",
        )
    learn = _learn(fields, post, around, report)
    bits = _bits(fields, report)
    if (
        source is None
        or target is None
        or pre is None
        or post is None
        or connectivity is None
        or delay is None
    ):
        return None
    assert pre.model is not None and post.model is not None
    name = f"{short(source, outputs(pre.model))}->{short(target, ports(post.model))}"
    return Projection(
        name=fields.get("name", str) or name,
        source=source,
        target=target,
        connectivity=connectivity,
        weight=weight,
        delay=delay,
        limit=None if limit is None else limit.value,
        weight_bits=bits,
        learn=learn,
        autapses=autapses,
        sign_mode=_sign_mode(fields, learn, around, report, opens=opens),
        place=report.place(node),
        places={key: report.place(value) for key, value in fields.nodes.items()},
        weight_exp=exponent,
        in_leaks=dimension == "leak",
    )


def _in_leaks(fields: Fields) -> bool:
    """Whether the first weight or limit that is written is a multiple of the leak."""

    def first(written: object) -> Dimension | None:
        if isinstance(written, Amount):
            # A time among pairs is a delay.
            return None if written.quantity.dimension == "time" else written.quantity.dimension
        if isinstance(written, Fields) and written.get("unit", str) is not None:
            # That of the weights in a file.
            return "leak" if str(written.values["unit"]).strip() == "leak" else None
        inside: Iterable[object] = written.values.values() if isinstance(written, Fields) else ()
        if isinstance(written, Items):
            inside = written.values
        return next(filter(None, map(first, inside)), None)

    asked = (fields.values.get(key) for key in ("weight", "limit", "connectivity"))
    return next(filter(None, map(first, asked)), None) == "leak"


def _bits(fields: Fields, report: Report) -> int:
    bits = fields.get("weight_bits", int) or WEIGHT_BITS
    narrow = [key for key in ("learn", "weight_exp") if fields.given(key)]
    if bits > WEIGHT_BITS and narrow:
        report.add(
            "BC149",
            fields.nodes["weight_bits"],
            f"{fields.name_of('weight_bits')} is above {WEIGHT_BITS} beside '{narrow[0]}'",
            required=f"at most {WEIGHT_BITS} bits where weights learn or are the chip's integers",
            given=f"'{bits}'",
            hint="only weights that are fixed, in physical units, are split over two projections",
        )
    return bits


def _sign_mode(
    fields: Fields, learn: str | None, around: Surroundings, report: Report, *, opens: bool
) -> Literal["mixed", "excitatory", "inhibitory"] | None:
    learning = (around.plasticity or {}).get(learn or "")
    carries = learning is not None and learning.plasticity.form == "carry"
    if opens and (carries or fields.get("sign_mode", str) not in (None, "excitatory")):
        report.add(
            "BC156",
            fields.nodes["sign_mode" if fields.given("sign_mode") else "learn"],
            f"the weights of {fields.label} are conductances, which are not below 0",
            required="sign_mode: excitatory, and no plasticity of the form carry",
            hint="the reversal potential of the port says whether they excite or inhibit",
        )
    if opens:
        return "excitatory"
    if fields.given("sign_mode") and carries:
        report.add(
            "BC148",
            fields.nodes["sign_mode"],
            f"{fields.name_of('sign_mode')} is not read: weights of the form carry have both signs",
            required="a plasticity of the form chip",
            hint="remove 'sign_mode'",
        )
    return cast('Literal["mixed", "excitatory", "inhibitory"] | None', fields.get("sign_mode", str))


def _autapses(fields: Fields, source: Endpoint | None, target: Endpoint | None, report: Report) -> bool:
    """Whether neurons may connect to themselves; reports the key where none could."""
    apart = source is not None and target is not None and source.population != target.population
    if apart and fields.given("autapses"):
        report.add(
            "BC146",
            fields.nodes["autapses"],
            f"{fields.name_of('autapses')} is not read: source and target are different populations",
            required="a projection from a population to itself",
            hint="remove 'autapses'",
        )
    return fields.get("autapses", str) not in ("no", "false") or apart


def _endpoint(fields: Fields, key: str, what: str, around: Surroundings, report: Report) -> Endpoint | None:
    address = fields.get(key, AddressText)
    if address is None:
        return None
    return resolve(address, what, around.populations, fields.name_of(key), report)


def _check_events(
    fields: Fields,
    source: Endpoint | None,
    target: Endpoint | None,
    pre: Neurons | None,
    post: Neurons | None,
    report: Report,
) -> None:
    """Report what sends a message in every step to a port that looks for spikes."""
    if source is None or target is None or not pre or not post or not pre.model or not post.model:
        return
    looks = any(port.events and port.name == target.port for port in post.model.ports)
    if looks and source.port in pre.model.continuous:
        report.add(
            "BC157",
            fields.nodes["from"],
            f"{fields.label}: '{source.population}.{source.port}' has no spikes for "
            f"'{target.population}.{target.port}'",
            required="an output that emits events",
            given="a message in every step",
        )


def _weight_dimension(post: Neurons | None, target: Endpoint | None) -> Dimension | None:
    if post is None or post.model is None or target is None:
        return None
    return next(port.weight_dimension for port in post.model.ports if port.name == target.port)


def _limit(fields: Fields, dimension: Dimension | None, report: Report) -> Amount | None:
    amount = fields.get("limit", Amount)
    label = fields.name_of("limit")
    if amount is None or (dimension is not None and not has_dimension(amount, dimension, label, report)):
        return None
    if amount.value <= 0:
        report.add("BC103", amount.node, f"{label} is out of range", required="a magnitude above 0")
        return None
    return amount


def _check_weights_once(fields: Fields, connectivity: Connectivity | None, report: Report) -> None:
    if connectivity is None:
        return
    if carries_weights(connectivity) and fields.given("weight"):
        report.add(
            "BC133",
            fields.nodes["weight"],
            f"{fields.name_of('weight')} is not read: the connectivity gives the weights",
            required="weights in one place",
            hint="remove 'weight'",
        )
    elif not carries_weights(connectivity) and not fields.given("weight"):
        report.add(
            "BC133",
            fields.at,
            f"{fields.label} has no weights",
            required="'weight', or weights in the connectivity",
            hint="add for example weight: 1 mV",
        )


def _instead(missing: Sequence[str], learning: Learning) -> str | None:
    """What a rule may read of any target that spikes."""
    followed = learning.plasticity.postsynaptic
    if missing == [followed]:
        return f"y0 and traces y1 to y3 follow the output '{followed}' of the target"
    if learning.plasticity.rules:
        return f"to read a trace of its events, define {missing[0]} under 'traces'"
    return None


def _learn(fields: Fields, post: Neurons | None, around: Surroundings, report: Report) -> str | None:
    """The plasticity that the projection names; reports one that cannot work here."""
    name = fields.get("learn", str)
    if name is None or around.plasticity is None:
        return None
    at = fields.nodes["learn"]
    label = fields.name_of("learn")
    if name not in around.plasticity:
        known = tuple(around.plasticity)
        report.add(
            "BC140",
            at,
            f"{label}: unknown plasticity '{name}'",
            required=f"one of {', '.join(known)}" if known else "a name under 'plasticity'",
            hint=nearest(name, known) or ("none is defined" if not known else None),
        )
        return None
    learning = around.plasticity[name]
    if learning is not None and post is not None and post.model is not None:
        sent, followed = post.model.program.outputs, learning.plasticity.postsynaptic
        missing = [output for output in learning.third_factors if output not in sent]
        if learning.events and followed not in sent:
            missing.append(followed)
        elif learning.events and sent[followed] != FLAG:
            report.add(
                "BC142",
                fields.nodes["to"],
                f"{fields.label} cannot learn: '{post.name}.{followed}' sends graded messages, not events",
                required="'postsynaptic' of one of "
                + ", ".join(output for output, width in sent.items() if width == FLAG),
                given=f"'{followed}' in plasticity '{name}'",
            )
        if missing:
            report.add(
                "BC142",
                fields.nodes["to"],
                f"{fields.label} cannot learn: '{post.name}' does not send {' and '.join(missing)}",
                required=f"a target that sends what plasticity '{name}' reads, such as a burst_unit",
                given=f"a population of model '{post.model.name}'",
                hint=_instead(missing, learning),
            )
    return name
