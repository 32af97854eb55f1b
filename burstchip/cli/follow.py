"""`burstchip follow`: follow a network's protocol."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

from burstchip.cli.console import output
from burstchip.cli.options import (
    Backend,
    Dask,
    Jobs,
    Json,
    NetworkFile,
    Overwrite,
    Quiet,
    Resume,
    Seed,
    Seeds,
    Settings,
    Strict,
    Threads,
    out_folder,
)
from burstchip.cli.progress import progress


def follow(
    file: NetworkFile,
    out: Annotated[Path | None, out_folder()] = None,
    seed: Seed = None,
    seeds: Seeds = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    backend: Backend = "sim",
    threads: Threads = 1,
    jobs: Jobs = 1,
    dask: Dask = None,
    set_: Settings = None,
    strict: Strict = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Show a network the examples of its protocol, teach it, and write what came of it into DIR.

    Checkpoints are kept while it runs; --resume goes on from them, with the options of the start.
    """

    def left() -> str:
        from burstchip.tasks.protocol.folder import has_checkpoint

        if out is not None and has_checkpoint(out):
            return f"checkpoints are in '{out}', --resume continues from them"
        return "nothing was written"

    with output(json=json, quiet=quiet, interrupted=left) as console:
        from burstchip.backends.available import require_backend
        from burstchip.cli.checks import exclude, exclude_each_other, output_folder, settings, writing
        from burstchip.report.protocol_page import spread, write_protocol_page
        from burstchip.tasks.protocol.folder import FollowOptions, follow_into
        from burstchip.workers import Workers

        exclude_each_other(resume=resume, overwrite=overwrite)
        exclude_each_other(seed=seed is not None, seeds=seeds is not None)
        exclude_each_other(jobs=jobs > 1, dask=dask is not None)
        exclude(out is None, "an output is missing", "--out DIR", "none")
        assert out is not None
        require_backend(backend)
        output_folder(out)
        options = FollowOptions(
            file,
            out,
            seeds=(seed,) if seeds is None else tuple(range(1, seeds + 1)),
            backend=backend,
            threads=threads,
            overrides=settings(set_),
            strict=strict,
            resume=resume,
            overwrite=overwrite,
            workers=Workers(jobs, dask),
            command=shlex.join(["burstchip", *sys.argv[1:]]),
        )
        page = out / "report.html"
        with progress("following", "preparing", quiet=quiet) as advance, writing(out):
            done = follow_into(options, lambda note, steps, total: advance(steps, total, note))
            write_protocol_page(done, page, options.command)
        console.messages(done.diagnostics)
        rows = [
            (
                it.teacher if k == 0 or done.answers[k - 1].teacher != it.teacher else "",
                it.example,
                str(it.target),
                f"{spread(it.rates)} Hz",
                f"{it.right} of {len(it.rates)}",
            )
            for k, it in enumerate(done.answers)
        ]
        if rows:
            console.table(done.name, ["teacher", "example"], ["target", "rate"], "right", rows)
        right, asked = done.summary["right"], done.summary["asked"]
        console.text(f"{right} of {asked} answers are right; page: {page}")
        console.result({**done.summary, "page": str(page)})
