"""`bakeoff compare`: several runs side by side."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from harness.cli.printing.output import say, show
from harness.cli.results import refusing_damage
from harness.cli.run_folder import check_writable, new_folder, remove_if_empty
from harness.errors import ConfigurationError, noting


def compare(options: argparse.Namespace) -> int:
    from harness.results.result import read_result
    from reports.comparison.markdown import to_markdown
    from reports.comparison.page import write_comparison
    from reports.comparison.side_by_side import side_by_side

    given = [options.first, *options.others]
    results, problems = [], list[str]()
    for name, run in zip(_names(given), given, strict=True):
        with noting(problems):
            results.append((name, read_result(Path(run))))
    if problems:
        raise ConfigurationError(problems)
    folder = _folder(options)
    try:
        with refusing_damage(" and ".join(given)):
            view = side_by_side(results)
            path = write_comparison(folder, view)
    finally:
        remove_if_empty(folder)
    show(to_markdown(view).rstrip("\n"))
    say(f"The page: {path}")
    return 0


def _folder(options: argparse.Namespace) -> Path:
    """Where the page goes: --out, made if need be, which may hold an older comparison or a run; else a new folder.

    Raises ConfigurationError and MeasurementError.
    """
    if options.out is None:
        return new_folder(None, options.runs, "compare")
    folder = Path(options.out)
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"--out: {folder} is a file; name a folder")
    check_writable(folder)
    return folder


def _names(runs: Sequence[str]) -> list[str]:
    """The folder of each run, with as much of the path before it as tells them apart."""
    paths = [Path(run).resolve() for run in runs]
    folders = [path.parent if path.is_file() else path for path in paths]
    longest = max(len(folder.parts) for folder in folders)
    for depth in range(1, longest + 1):
        names = ["/".join(folder.parts[-depth:]) for folder in folders]
        if len(set(names)) == len(set(folders)):
            break
    return names
