"""`bakeoff soak`: a service under load for minutes, and whether it kept its promises."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.cli.printing.output import say, show
from harness.cli.run_folder import new_folder, remove_if_empty
from harness.errors import ConfigurationError, GateFailedError


def soak(options: argparse.Namespace) -> int:
    from harness.cli.printing.terminal import ProgressBar
    from harness.soak.load.plan import Plan
    from harness.soak.running import Load, judge_load
    from harness.soak.running import soak as run_soak

    if options.load:
        return _told(Path(options.load), judge_load(Path(options.load)))
    if find_spec("locust") is None:
        raise ConfigurationError(
            "the load needs locust. Install it with: make install, or pip install 'bakeoff[load]'"
        )
    load = Load(
        options.reads, options.writes, options.minutes * 60, options.users, options.workers, options.seed
    )
    if problems := Plan("", load.reads_per_s, load.writes_per_s, load.seconds).problems():
        raise ConfigurationError(problems)
    serve = [
        part
        for name in ("dataset", "engine", "decision", "config")
        if (value := getattr(options, name))
        for part in (f"--{name}", value)
    ]
    folder = new_folder(options.out, "runs", "soak").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    say(
        f"{load.reads_per_s:g} questions and {load.writes_per_s:g} writes a second for {load.seconds:g} s -> {folder}"
    )
    try:
        with ProgressBar() as bar:
            result = run_soak(folder, load, serve, bar)
    finally:
        remove_if_empty(folder)
    return _told(folder, result)


def _told(folder: Path, result: dict[str, Any]) -> int:
    """Shows each promise, writes the page, and returns the exit code."""
    from reports.soak.page import quantity, verdict, write_report

    words = {True: "kept", False: "BROKEN", None: "not judged"}
    for one in result["promises"]:
        limit = f"at {'least' if one['least'] else 'most'} {quantity(one['limit'], one['unit'])}"
        note = f" ({one['note']})" if one["note"] else ""
        show(
            f"{words[one['kept']]:<10} {quantity(one['value'], one['unit']):>8}, {limit}: {one['what']}{note}"
        )
    show(f"\n{verdict(result['promises'])}.\nReport: {write_report(folder, result)}")
    return GateFailedError.exit_code if any(one["kept"] is False for one in result["promises"]) else 0
