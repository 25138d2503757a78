"""Commands that show what there is: `bakeoff data`, `bakeoff engines`, `bakeoff calibrate`."""

from __future__ import annotations

import argparse
import json

from harness.cli.printing.output import cache_folder, show


def data(options: argparse.Namespace) -> int:
    from harness.cli.printing.terminal import ProgressBar
    from harness.data.catalogue import load_dataset, with_metric
    from harness.data.describe import describe
    from harness.oracle.resolution import sampled_resolution

    if options.action == "list":
        from harness.data.catalogue import list_datasets

        for name, summary in list_datasets():
            show(f"{name:16} {summary}")
        return 0
    from harness.cli.describing import described

    ref = with_metric(options.dataset, options.metric)
    with ProgressBar() as bar:
        bar("reading", 0, None)
        if (text := described(ref)) is not None:
            show(text)
            return 0
        dataset = load_dataset(ref, cache=cache_folder() / "datasets", progress=bar)
        bar("describe", 0, None)
        text = describe(dataset)
        notes = sampled_resolution(dataset).notes
    show("\n".join([text, *(f"note         {note}" for note in notes)]))
    return 0


def engines(options: argparse.Namespace) -> int:
    from harness.cli.engine_info import describe_engines

    show(describe_engines(options.engine))
    return 0


def show_calibration(options: argparse.Namespace) -> int:
    from harness.calibration.calibrate import calibrate

    show(json.dumps(calibrate(quick=options.quick), indent=2))
    return 0
