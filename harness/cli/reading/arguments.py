"""Commands that read finished runs: options, help and examples."""

from __future__ import annotations

from typing import Any

from harness.cli.parsing import add_command, given

FORMATS = ("csv", "parquet", "json", "md")


def _add_results(commands: Any) -> None:
    parser = add_command(
        commands,
        "results",
        "write a run's figures as a table, a row a cell, for notebooks, spreadsheets and databases",
        "  bakeoff results runs/latest > cells.csv\n"
        "  bakeoff results runs/latest --out cells.parquet          (the format by the file's name)\n"
        "  bakeoff results runs/latest --format json | jq '.[] | select(.error)'\n"
        "  bakeoff results runs/latest --format md                  (rounded, a table for each kind of task)\n"
        "  bakeoff results runs/latest --samples --out samples.parquet     (a row a request)",
    )
    parser.add_argument("run", type=given, help="the run's folder or its result.json")
    parser.add_argument(
        "--format", choices=FORMATS, help="csv (default), parquet, json or md; else as --out is named"
    )
    parser.add_argument(
        "--samples", action="store_true", help="a row a request, with the cell that it belongs to"
    )
    parser.add_argument(
        "--out", type=given, metavar="FILE", help="the file to write (default: standard output)"
    )


def _add_compare(commands: Any) -> None:
    parser = add_command(
        commands,
        "compare",
        "show runs side by side: what differs, and what each engine did in each; as a page and as Markdown",
        "  bakeoff compare runs/before runs/after                   (versions of an engine, settings, machines)\n"
        "  bakeoff compare runs/laptop runs/server runs/cloud --out side-by-side\n"
        '  bakeoff compare baseline/result.json runs/latest >> "$GITHUB_STEP_SUMMARY"\n'
        "Whether something became worse beyond noise is what bakeoff gate judges.",
    )
    parser.add_argument("first", type=given, metavar="RUN", help="the run that the others are compared with")
    parser.add_argument("others", type=given, nargs="+", metavar="RUN", help="folders or result.json files")
    parser.add_argument(
        "--out",
        type=given,
        metavar="DIR",
        help="where the page and the text go (default: runs/compare-<time>)",
    )
    parser.add_argument(
        "--runs", type=given, metavar="DIR", default="runs", help="where runs are kept (default: runs)"
    )


COMMANDS = (_add_results, _add_compare)
