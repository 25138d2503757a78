"""`bakeoff ingest`: listings of files into the service's catalogue."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from harness.cli.printing.output import cache_folder, say, show
from harness.cli.service.given import given_settings
from harness.cli.service.serve import LogLines
from harness.errors import BakeoffError


def ingest(options: argparse.Namespace) -> int:
    settings = given_settings(options, ("dataset", "model", "data")).settings
    from harness.cli.printing.terminal import ProgressBar
    from service.application.ingesting import ingest_files
    from service.application.planning.plan import plan

    logging.basicConfig(format="%(levelname)s %(message)s", handlers=[LogLines()])
    with ProgressBar() as bar:
        done = ingest_files(
            plan(settings, cache=cache_folder(), progress=bar),
            [Path(one) for one in options.sources],
            options.operation,
            letters=Path(options.dead_letters) if options.dead_letters else None,
            again=options.again,
            progress=bar,
            say=say,
        )
    for error in done.errors:
        say(f"error: {error}")
    outcomes = done.figures.outcomes
    counts = ", ".join(f"{outcomes[kind]:,} {kind}" for kind in outcomes if kind != "invalid")
    files = f"{done.files:,} file{'' if done.files == 1 else 's'}"
    documents = f"{done.figures.read:,} document{'' if done.figures.read == 1 else 's'}"
    show(f"{documents} of {files}{': ' if counts else ''}{counts}")
    if invalid := outcomes["invalid"]:
        show(f"{invalid:,} could not be written; they are in {done.letters}, with the reasons")
    return BakeoffError.exit_code if invalid or done.errors else 0
