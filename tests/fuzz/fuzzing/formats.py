"""What is altered, and the commands that then read it. Backend plain: it runs without compiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

#: A command and the outputs that it has where its exit code is 0.
Line = tuple[str, ...]
TABLES = (
    "events.csv",
    "messages.npy",
    "pairs.csv",
    "points.csv",
    "table.npy",
    "weights.safetensors",
    "tiny.npz",
    "edges.safetensors",
)


@dataclass(frozen=True)
class Format:
    """`files` are patterns of what is altered, `beside` of what it needs; `lines` draws the commands.

    They are run one after the other until one is not successful; one that begins with `-` may fail. `share`
    is that of all inputs.
    """

    name: str
    share: float
    files: tuple[str, ...]
    beside: tuple[str, ...]
    lines: Callable[[Random, str], Iterator[str]]


#: What a run of a network needs, by its name.
RUNNING = {
    "tiny": "--steps 8",
    "digits": "--steps 96",
    "files": "--steps 4 --stream given=given.npy",
    "pictures": "--steps 4 --data mnist",
}
#: Uses of an artifact, and how often each is drawn: those that draw pictures or prove take seconds.
USES = (
    (6, "run {name} {running} --backend plain -o out.nc"),
    (2, "run {name} {running} --backend plain -o out.nc --every 2 --units"),
    (2, "run {name} {running} --backend plain -o out.nc --events list"),
    (1, "certify {name}"),
    (4, "cost {name} {running} --backend plain"),
    (4, "deploy {name} --dry-run -o new_deployment"),
    (0.5, "report {name} -o page.html"),
)


def _of_artifact(draw: Random, name: str, network: str, most: int = 2) -> Iterator[str]:
    """Uses of an artifact, each of which may be refused; `network` is the name of what it was made of."""
    running = RUNNING.get(network, "--steps 4")
    uses = draw.choices(
        [use for _, use in USES], [weight for weight, _ in USES], k=draw.randrange(1, most + 1)
    )
    for use in dict.fromkeys(uses):
        yield f"-{use.format(name=name, running=running)}{draw.choice(('', '', ' --json', ' -q'))}"


def _network(draw: Random, name: str) -> Iterator[str]:
    if draw.random() < 0.7:
        yield f"check {name}{draw.choice(('', ' --strict', ' --json', ' --defaults', ' --max-error 5'))}"
    if draw.random() < 0.1:
        yield f"-export {name} -o net.nir"
    if draw.random() < 0.7:
        yield f"compile {name} -o net.burst"
        yield from _of_artifact(draw, "net.burst", name.partition(".")[0], 1)


def _artifact(draw: Random, name: str) -> Iterator[str]:
    yield from _of_artifact(draw, name, name.partition(".")[0])


def _checkpoint(draw: Random, name: str) -> Iterator[str]:
    if name.startswith("followed"):
        yield "follow protocol.yaml --backend plain --resume --out followed"
    elif draw.random() < 0.6:
        yield "train trained --resume"
    else:
        # Without the artifact of its end, the folder's weights are those of the checkpoint.
        yield "run trained --steps 8 --backend plain -o out.nc"


def _run_folder(draw: Random, name: str) -> Iterator[str]:
    uses = [
        "report trained",
        "report trained",
        "report trained",
        "run trained --steps 8 --backend plain -o out.nc",
        "predict trained --data samples.npy --backend plain -o out.csv",
        "train tiny.yaml --backend plain --from trained --out again",
        "train trained --resume",
        "train tiny.yaml --backend plain --out trained --overwrite",
        "certify trained",
        "deploy trained --dry-run -o new_deployment",
        "compile tiny.yaml --weights trained -o net.burst",
    ]
    weights = [1, 1, 1, 4, 4, 2, 4, 2, 2, 4, 4]
    yield draw.choices(uses, weights)[0]


def _followed(draw: Random, name: str) -> Iterator[str]:
    yield draw.choice(
        (
            "follow protocol.yaml --backend plain --resume --out followed",
            "follow protocol.yaml --backend plain --overwrite --out followed",
            "report followed",
        )
    )


def _recording(draw: Random, name: str) -> Iterator[str]:
    uses = (
        f"report {name} -o page.html",
        f"report {name} -o page.html --neuron cells[1]",
        f"cost whole.burst --rates {name}",
        f"deploy whole.burst --dry-run -o new_deployment --rates {name}",
    )
    for use in draw.sample(uses, draw.choice((1, 2)), counts=(1, 1, 3, 3)):
        yield f"-{use}"


def _nir(draw: Random, name: str) -> Iterator[str]:
    step, more = (
        draw.choice(("1ms", "1ms", "0.1ms")),
        draw.choice(("", " --integration exponential", " --reset subtract")),
    )
    yield f"import {name} -o net.yaml --step {step}{more}"
    yield "compile net.yaml -o net.burst"
    yield from _of_artifact(draw, "net.burst", "", 1)


def _idx(draw: Random, name: str) -> Iterator[str]:
    yield draw.choice(
        (
            "run pictures.burst --steps 4 --backend plain --data mnist -o out.nc",
            "cost pictures.burst --steps 4 --backend plain --data mnist",
        )
    )


def _table(draw: Random, name: str) -> Iterator[str]:
    if name == "given.npy":
        yield f"run files.burst --steps 4 --backend plain --stream given={name} -o out.nc"
        return
    if name == "samples.npy":
        yield f"predict trained --data {name} --backend plain -o out.json"
        return
    if name == "tiny.npz":
        if draw.random() < 0.4:
            yield f"predict trained --data {name} --backend plain -o out.csv"
            return
        yield "check tiny.yaml"
        yield draw.choice(
            (
                "run tiny.burst --steps 8 --backend plain -o out.nc",
                "train tiny.yaml --backend plain --out again",
                "train trained --resume",
            )
        )
        return
    if name == "points.csv":
        yield "check protocol.yaml"
        yield "-follow protocol.yaml --backend plain --out again"
        return
    network = {"edges.safetensors": "edges.yaml"}.get(name, "files.yaml")
    yield f"check {network}"
    yield f"compile {network} -o net.burst"
    yield from _of_artifact(draw, "net.burst", network.partition(".")[0], 1)


def _chip(draw: Random, name: str) -> Iterator[str]:
    yield f"chip {name}{draw.choice(('', ' --json'))}"
    yield draw.choice(
        (
            f"deploy whole.burst --dry-run -o new_deployment --chip {name}",
            f"cost whole.burst --steps 2 --backend plain --chip {name}",
            f"compile whole.yaml -o net.burst --print-after partition --chip {name}",
        )
    )


def _deployment(draw: Random, name: str) -> Iterator[str]:
    yield draw.choice(
        (
            "verify whole.burst --deployment sent",
            "compile whole.yaml --weights sent -o net.burst",
            "deploy whole.burst --dry-run -o sent --overwrite",
        )
    )


NETWORKS = (
    "whole.yaml",
    "whole.yaml",
    "whole.yaml",
    "pyramids.yaml",
    "files.yaml",
    "files.yaml",
    "tiny.yaml",
    "protocol.yaml",
    "protocol.yaml",
    "pictures.yaml",
    "digits.yaml",
    "and_gate.yaml",
    "burst_feedback.yaml",
    "edges.yaml",
    "poisson_lif.yaml",
    "stdp_pair.yaml",
)

FORMATS = (
    Format("yaml", 0.32, NETWORKS, (*TABLES, "given.npy", "mnist"), _network),
    Format(
        "artifact",
        0.15,
        ("whole.burst", "tiny.burst", "protocol.burst", "files.burst"),
        ("tiny.npz", "given.npy"),
        _artifact,
    ),
    Format(
        "checkpoint",
        0.07,
        ("trained/checkpoint.safetensors", "followed/seed_*/checkpoint.safetensors"),
        ("trained", "followed", "tiny.npz", "points.csv", "protocol.yaml"),
        _checkpoint,
    ),
    Format(
        "run folder", 0.1, ("trained/*",), ("trained", "tiny.yaml", "tiny.npz", "samples.npy"), _run_folder
    ),
    Format(
        "followed",
        0.02,
        ("followed/*", "followed/seed_*/*"),
        ("followed", "protocol.yaml", "points.csv"),
        _followed,
    ),
    Format("recording", 0.08, ("whole.nc", "listed.nc"), ("whole.burst",), _recording),
    Format("nir", 0.08, ("*.nir",), (), _nir),
    Format("idx", 0.03, ("mnist/*",), ("mnist", "pictures.burst"), _idx),
    Format(
        "table",
        0.08,
        (*TABLES, "given.npy", "samples.npy"),
        (
            *TABLES,
            "samples.npy",
            "given.npy",
            "files.yaml",
            "tiny.yaml",
            "protocol.yaml",
            "edges.yaml",
            "*.burst",
            "trained",
        ),
        _table,
    ),
    Format("chip", 0.03, ("small_chip.yaml",), ("whole.burst", "whole.yaml"), _chip),
    Format("deployment", 0.04, ("sent/*",), ("sent", "whole.burst", "whole.yaml"), _deployment),
)
BY_NAME = {it.name.replace(" ", "_"): it for it in FORMATS}
