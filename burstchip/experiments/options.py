"""Which options of the command an experiment reads, by its kind."""

from __future__ import annotations

from collections.abc import Sequence

from burstchip.experiments.experiment import (
    Description,
    OwnDescription,
    ProtocolDescription,
    describe,
)
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC714": "an option that an experiment does not read"})

#: Why, and the options that are read beside those that every experiment reads.
_READ = {
    Description: ("it runs a network", ("--backend", "--threads", "--step", "--errors")),
    OwnDescription: ("it simulates a model of its own", ("--data",)),
    ProtocolDescription: (
        "it follows a protocol",
        ("--backend", "--threads", "--step", "--errors", "--variant", "--jobs", "--dask", "--resume"),
    ),
}


def refuse_unread(name: str, given: Sequence[str]) -> None:
    """Raise `BurstchipError` for options, such as "--step 1ms", that mean nothing to an experiment.

    BC714 names each; BC710 is that of an unknown experiment.
    """
    why, read = _READ[type(describe(name))]
    problems = [
        Diagnostic(
            "BC714",
            f"'{name}' does not read {option.split()[0]}: {why}",
            required=f"no {option.split()[0]}",
            given=option,
            hint=f"--set, --seeds and {', '.join(read)} are read",
        )
        for option in given
        if option.split()[0] not in read
    ]
    if problems:
        raise BurstchipError(problems)
