"""The command line: commands, options, help and examples."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from harness.cli.models.arguments import COMMANDS as OF_MODELS
from harness.cli.parsing import (
    EXIT_CODES,
    MOST_TRIALS,
    Parser,
    add_command,
    add_engine_options,
    add_metric_option,
    given,
    percent,
    whole,
)
from harness.cli.reading.arguments import COMMANDS as OF_READING
from harness.cli.service.arguments import COMMANDS as OF_SERVICE


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line (sys.argv where None) as values; `command` is its name. Raises ConfigurationError."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    from importlib import metadata

    parser = Parser(
        prog="bakeoff",
        description="Measures vector engines on your data, filters and write load; says which to pick, and how surely.",
        epilog=f"Start with: bakeoff run quick\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bakeoff {metadata.version('bakeoff')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_run,
        _add_report,
        _add_gate,
        *OF_READING,
        _add_data,
        _add_engines,
        _add_calibrate,
        *OF_MODELS,
        *OF_SERVICE,
    ):
        add(commands)
    return parser


def _add_run(commands: Any) -> None:
    parser = add_command(
        commands,
        "run",
        "measure a scenario's engines and write result, report and decision",
        "  bakeoff run quick\n"
        "  bakeoff run quick --dataset path/to/my-data      (vectors.npy, attributes.parquet, queries.npy)\n"
        "  bakeoff run standard --engines faiss-hnsw,qdrant-edge --trials 5\n"
        "  bakeoff run servers --engines qdrant --url qdrant=http://10.0.0.5:6333      (a server that runs already)\n"
        "  bakeoff run standard --resume                    (go on with runs/latest)",
    )
    parser.add_argument(
        "scenario",
        type=given,
        help="a scenario's name (quick, standard, text, servers, filters, smoke; more in scenarios/) or a YAML file",
    )
    parser.add_argument(
        "--dataset",
        type=given,
        metavar="REF",
        help="a dataset's name, a folder, a .parquet or an .hdf5 file",
    )
    add_metric_option(parser)
    parser.add_argument("--rows", type=whole(1), metavar="N", help="only the first N items")
    parser.add_argument("--queries", type=whole(1), metavar="N", help="only the first N queries")
    parser.add_argument(
        "--trials", type=whole(1, MOST_TRIALS), metavar="N", help="how often everything is measured"
    )
    add_engine_options(parser)
    parser.add_argument(
        "--out", type=given, metavar="DIR", help="the run's folder (default: runs/<scenario>-<time>)"
    )
    parser.add_argument(
        "--runs", type=given, metavar="DIR", default="runs", help="where runs are kept (default: runs)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run (--out, or the latest)"
    )
    parser.add_argument(
        "--no-report",
        dest="page",
        action="store_false",
        help="leave out report.html, which takes some seconds; bakeoff report draws it later",
    )


def _add_report(commands: Any) -> None:
    parser = add_command(
        commands,
        "report",
        "write report.html and decision.json of a run again, from its result.json alone",
        "  bakeoff report runs/latest",
    )
    parser.add_argument("run", type=given, help="the run's folder")


def _add_gate(commands: Any) -> None:
    parser = add_command(
        commands,
        "gate",
        "compare a run with one or more baselines and fail on what is worse beyond tolerance and noise",
        "  bakeoff gate runs/baseline runs/latest\n"
        "  bakeoff gate runs/monday runs/tuesday runs/wednesday runs/latest    (how runs differ is seen, not assumed)\n"
        '  bakeoff gate baseline/result.json runs/latest --markdown "$GITHUB_STEP_SUMMARY" --junit gate.xml\n'
        "  bakeoff gate runs/a runs/b --force hardware      (compare although the machines differ)",
    )
    parser.add_argument(
        "baseline",
        type=given,
        nargs="+",
        help="the runs to compare with, the newest last: folders or result.json files",
    )
    parser.add_argument("current", type=given, help="the run to judge")
    parser.add_argument(
        "--tolerance", type=percent, default=0.1, metavar="PERCENT", help="accepted loss (default: 10)"
    )
    parser.add_argument(
        "--run-offset",
        type=percent,
        default=0.05,
        metavar="PERCENT",
        help="by how much timings of whole runs differ although nothing has changed, standard deviation (default: 5); "
        "with several baselines what they show counts where it is more",
    )
    parser.add_argument(
        "--allow-inconclusive", action="store_true", help="pass where noise hides whether something is worse"
    )
    parser.add_argument(
        "--force",
        action="append",
        choices=("scenario", "dataset", "hardware", "server"),
        help="compare although this differs",
    )
    parser.add_argument("--markdown", type=given, metavar="FILE", help="append the verdict as Markdown")
    parser.add_argument("--junit", type=given, metavar="FILE", help="write the verdict as JUnit XML")


def _add_data(commands: Any) -> None:
    examples = (
        "  bakeoff data describe fashion-mnist\n  bakeoff data describe path/to/my-data\n"
        "  bakeoff data describe vectors.parquet --metric cosine\n"
        "  bakeoff data describe items.parquet                         (what bakeoff train reads, and how)\n"
        "  bakeoff data describe interactions.parquet:items=items.parquet\n"
        "  bakeoff data describe model.yaml                            (both, as the configuration says)"
    )
    parser = add_command(
        commands,
        "data",
        "list the datasets that come with it, or describe one as it was understood",
        f"  bakeoff data list\n{examples}",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_command(actions, "list", "the datasets that come with it", "  bakeoff data list")
    describe = add_command(actions, "describe", "say what a dataset holds; every row is checked", examples)
    describe.add_argument(
        "dataset",
        type=given,
        help="a name, a folder, a .parquet or an .hdf5 file; or a file of items or of interactions, or a configuration "
        "of bakeoff train",
    )
    add_metric_option(describe)


def _add_engines(commands: Any) -> None:
    parser = add_command(
        commands,
        "engines",
        "list the engines: installed or how to install them, what they can do, their parameters",
        "  bakeoff engines\n  bakeoff engines faiss",
    )
    parser.add_argument("engine", type=given, nargs="?", help="only this one, with its parameters")


def _add_calibrate(commands: Any) -> None:
    parser = add_command(
        commands,
        "calibrate",
        "measure this machine and the load generator itself, and print the figures as JSON",
        "  bakeoff calibrate\n  bakeoff calibrate --quick",
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of up to a minute")
