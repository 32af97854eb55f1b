"""The fields of a whole file as a `Network`."""

from __future__ import annotations

from collections.abc import Mapping

from burstchip.frontend.fields import Entries, Fields, Items
from burstchip.frontend.language import VERSION
from burstchip.frontend.plasticity import Learning, read_plasticity
from burstchip.frontend.populations import read_populations
from burstchip.frontend.probes import Unread, read_probes
from burstchip.frontend.projections import Surroundings, is_present, read_projections
from burstchip.frontend.protocol import read_protocol
from burstchip.frontend.report import Report
from burstchip.frontend.signals import read_signals
from burstchip.frontend.task import read_task
from compiler.ir.network import Network
from hw_models.neurons.model import NeuronModel


def elaborate(
    root: Fields,
    models: Mapping[str, NeuronModel],
    parameters: Mapping[str, object],
    seed: int | None,
    report: Report,
) -> Network | None:
    """The network; None where `report` has an error. Checks everything that one value says about another."""
    version = root.get("burstchip", int)
    if version is not None and version != VERSION:
        report.add(
            "BC021",
            root.nodes["burstchip"],
            f"version {version} of the language is not supported",
            required=f"burstchip: {VERSION}",
            hint="update burstchip" if version > VERSION else None,
        )
    step = root.number("step")
    populations = read_populations(root.get("populations", Entries), models, step, report)
    plasticity = read_plasticity(root.get("plasticity", Entries), step, report)
    around = Surroundings(populations, None if root.lost("plasticity") else plasticity, step)
    listed = root.get("projections", Items) or Items((), ())
    projections = read_projections(listed, around, report)
    given = [fields for _, fields, _ in listed.of(Fields)]
    present = [fields for fields in given if is_present(fields)]
    named = {name for fields in present if (name := fields.get("name", str)) is not None}
    absent = len(given) - len(present)
    unread = Unread(
        len(listed.values) - absent - len(projections), None if root.lost("projections") else frozenset(named)
    )
    probed = root.get("probes", Items) or Items((), ())
    probes = read_probes(probed, populations, projections, unread, plasticity, report)
    task_fields = root.get("task", Fields)
    task = None if task_fields is None else read_task(task_fields, populations, step, report)
    taken: dict[tuple[str, str], str] = {}
    if task_fields is not None and (presented := task_fields.get("input", str)) is not None:
        taken[presented, "rate"] = "the task, which presents its samples"
    followed = root.get("protocol", Fields)
    protocol = None if followed is None else read_protocol(followed, populations, step, report)
    if protocol is not None:
        taken |= protocol.taken
    signals = read_signals(root.get("signals", Entries), populations, taken, step, report)
    _warn_of_unused(root, plasticity, report)
    if report.failed:
        return None
    assert step is not None
    return Network(
        name=root.get("name", str) or "",
        step=step,
        seed=seed if seed is not None else root.get("seed", int) or 0,
        populations=tuple(n.population for n in populations.neurons.values() if n.population is not None),
        projections=tuple(projections),
        plasticity=tuple(learning.plasticity for learning in plasticity.values() if learning is not None),
        probes=probes,
        signals=(*signals, *(protocol.signals if protocol is not None else ())),
        task=task,
        protocol=None if protocol is None else protocol.protocol,
        target=root.get("target", str) or "loihi2",
        parameters=parameters,
        models=models,
        place=report.place(root.at),
    )


def _warn_of_unused(root: Fields, plasticity: Mapping[str, Learning | None], report: Report) -> None:
    """A plasticity is read by projections; those that could not be read count too."""
    used = {
        fields.get("learn", str)
        for _, fields, _ in (root.get("projections", Items) or Items((), ())).of(Fields)
    }
    entries = root.get("plasticity", Entries) or Entries(())
    for key, _ in entries.values:
        if key.text not in used:
            report.add(
                "BC141",
                key,
                f"no projection learns by plasticity '{key.text}'",
                required=f"learn: {key.text} in a projection",
                severity="warning",
            )
