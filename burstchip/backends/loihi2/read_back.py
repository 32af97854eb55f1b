"""A program with the weights of a deployment: what lies on the chip comes back into an artifact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.loihi2.comparison import first_difference, require_unaltered
from burstchip.backends.loihi2.deployment import DeployedProjection, load_deployment
from compiler.ir.chip_program import ChipProgram, Learned, ProjectionCode
from compiler.learned_weights import learned_projection, with_weights
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC415": "a deployment of another network"})

#: What learning changes of a synapse.
_LEARNED = ("weight", "tag")


def with_deployed_weights(code: ChipProgram, folder: Path) -> ChipProgram:
    """The program with the plastic weights that a deployment of it holds; tags are dropped as at each start.

    Everything else must be as the program has it. Raises `BurstchipError` BC410 to BC412 for what is not a
    deployment, BC415 for one of another network.
    """
    deployment = load_deployment(folder)
    require_unaltered(deployment)
    plastic = {it.name: it for it in code.projections if it.learning is not None}
    difference = first_difference(
        code, deployment, ignored={(name, what) for name in plastic for what in _LEARNED}
    )
    if difference is not None:
        raise BurstchipError(
            Diagnostic(
                "BC415",
                f"'{folder}' is a deployment of another network",
                required="the network, parameters, seed and fixed weights that were deployed",
                given=f"{difference}",
                hint="compile the file that was deployed, with the same --set, --seed and --target",
            )
        )
    found = {it.name: it for it in deployment.projections}
    taken, rounded, tags = {}, 0, 0
    for name, projection in plastic.items():
        if name in found:
            taken[name], lost = learned_projection(projection, _stored(projection, found[name]))
            rounded += lost
            tags += int(np.count_nonzero(found[name].tags))
    learned = Learned(deployment.artifact_sha256, "loihi2", 0, 0, 0, rounded, tags)
    return with_weights(code, taken, learned)


def _stored(projection: ProjectionCode, found: DeployedProjection) -> NDArray[np.int64]:
    """The weights in the shape of the program's; a deployment has them in order of (pre, post)."""
    if not projection.dense:
        return found.weights
    n_post, n_pre = projection.weights.shape
    return found.weights.reshape(n_pre, n_post).T
