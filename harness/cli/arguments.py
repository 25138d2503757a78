"""The command line: commands, options, help and examples."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from harness.cli.output import show
from harness.errors import ConfigurationError

EXIT_CODES = "Exit codes: 0 fine, 1 failed, 99 a threshold or the gate failed, 104 invalid configuration."


class _Parser(argparse.ArgumentParser):
    """Subcommands' parsers are of this class too."""

    def _print_message(self, message: str, file: Any = None) -> None:
        show(message.rstrip("\n"))

    def error(self, message: str) -> NoReturn:
        """A wrong command line is an invalid configuration, as a wrong scenario is."""
        raise ConfigurationError(f"{message}. See: {self.prog} --help")


def _given(text: str) -> str:
    """The value of an option, which may not be empty: a script's unset variable would otherwise pass for a value."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def _percent(text: str) -> float:
    """A share of 1 from `5` or `5%`."""
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value < 100:  # nor is NaN
        raise argparse.ArgumentTypeError(f"must be a number of at least 0 and below 100, got {text!r}")
    return value / 100


def _dims(text: str) -> tuple[int, ...]:
    """Numbers of dimensions from `32,64`."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"must be numbers from 1 up such as 32,64, got {text!r}")
    return tuple(int(part) for part in parts)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line (sys.argv where None) as values; `command` is its name. Raises ConfigurationError."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    from importlib import metadata

    parser = _Parser(
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
        _add_data,
        _add_engines,
        _add_calibrate,
        _add_train,
        _add_ablate,
        _add_encode,
        _add_dimensions,
        _add_evaluate,
    ):
        add(commands)
    return parser


def _add(commands: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"Examples:\n{examples}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _add_run(commands: Any) -> None:
    parser = _add(
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
        type=_given,
        help="a scenario's name (quick, standard, servers, filters, smoke) or a YAML file",
    )
    parser.add_argument(
        "--dataset",
        type=_given,
        metavar="REF",
        help="a dataset's name, a folder, a .parquet or an .hdf5 file",
    )
    parser.add_argument("--rows", type=int, metavar="N", help="only the first N items")
    parser.add_argument("--queries", type=int, metavar="N", help="only the first N queries")
    parser.add_argument("--trials", type=int, metavar="N", help="how often everything is measured")
    _add_engine_options(parser)
    parser.add_argument(
        "--out", type=_given, metavar="DIR", help="the run's folder (default: runs/<scenario>-<time>)"
    )
    parser.add_argument(
        "--runs", type=_given, metavar="DIR", default="runs", help="where runs are kept (default: runs)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run (--out, or the latest)"
    )


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engines", type=_given, metavar="A,B", help="only these of the scenario's engines, by label"
    )
    parser.add_argument(
        "--url",
        action="append",
        type=_given,
        default=[],
        metavar="ENGINE=URL",
        help="use the server that runs there (as BAKEOFF_<ENGINE>_URL does; credentials: BAKEOFF_<ENGINE>_USER, "
        "_PASSWORD, _API_KEY, _CA_CERTS); may be repeated",
    )


def _add_report(commands: Any) -> None:
    parser = _add(
        commands,
        "report",
        "write report.html and decision.json of a run again, from its result.json alone",
        "  bakeoff report runs/latest",
    )
    parser.add_argument("run", type=_given, help="the run's folder")


def _add_gate(commands: Any) -> None:
    parser = _add(
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
        type=_given,
        nargs="+",
        help="the runs to compare with, the newest last: folders or result.json files",
    )
    parser.add_argument("current", type=_given, help="the run to judge")
    parser.add_argument(
        "--tolerance", type=_percent, default=0.1, metavar="PERCENT", help="accepted loss (default: 10)"
    )
    parser.add_argument(
        "--run-offset",
        type=_percent,
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
    parser.add_argument("--markdown", type=_given, metavar="FILE", help="append the verdict as Markdown")
    parser.add_argument("--junit", type=_given, metavar="FILE", help="write the verdict as JUnit XML")


def _add_data(commands: Any) -> None:
    parser = _add(
        commands,
        "data",
        "list the datasets that come with it, or describe one as it was understood",
        "  bakeoff data list\n  bakeoff data describe fashion-mnist\n  bakeoff data describe path/to/my-data\n"
        "  bakeoff data describe items.parquet                         (what bakeoff train reads, and how)\n"
        "  bakeoff data describe interactions.parquet:items=items.parquet\n"
        "  bakeoff data describe model.yaml                            (both, as the configuration says)",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="the datasets that come with it")
    describe = actions.add_parser("describe", help="what a dataset holds; checks every row")
    describe.add_argument(
        "dataset",
        type=_given,
        help="a name, a folder, a .parquet or an .hdf5 file; or a file of items or of interactions, or a configuration "
        "of bakeoff train",
    )


def _add_engines(commands: Any) -> None:
    parser = _add(
        commands,
        "engines",
        "list the engines: installed or how to install them, what they can do, their parameters",
        "  bakeoff engines\n  bakeoff engines faiss",
    )
    parser.add_argument("engine", type=_given, nargs="?", help="only this one, with its parameters")


def _add_calibrate(commands: Any) -> None:
    parser = _add(
        commands,
        "calibrate",
        "measure this machine and the load generator itself, and print the figures as JSON",
        "  bakeoff calibrate\n  bakeoff calibrate --quick",
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of up to a minute")


def _add_train(commands: Any) -> None:
    parser = _add(
        commands,
        "train",
        "train a two-tower model of listings and users, and judge it beside baselines",
        "  bakeoff train marketplace                (simulated listings and users; needs no data)\n"
        "  bakeoff train model.yaml\n"
        "  bakeoff train model.yaml --out trained/second\n"
        "  bakeoff train model.yaml --resume        (go on after an interruption)",
    )
    parser.add_argument(
        "configuration", type=_given, help="hm, marketplace, or a YAML file: see docs/models.md"
    )
    parser.add_argument(
        "--out", type=_given, metavar="DIR", help="the model's folder (default: trained/<name>)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with what the folder holds")


def _add_ablate(commands: Any) -> None:
    parser = _add(
        commands,
        "ablate",
        "train a model again with one thing changed at a time, and tell what each change is worth",
        "  bakeoff ablate marketplace\n"
        "  bakeoff ablate hm --only dim-64,wordllama\n"
        "  bakeoff ablate model.yaml --plan mine.yaml",
    )
    parser.add_argument(
        "configuration", type=_given, help="hm, marketplace, or a YAML file: see docs/models.md"
    )
    parser.add_argument(
        "--plan", type=_given, metavar="FILE", help="a YAML file of changes (default: those that ship)"
    )
    parser.add_argument("--only", type=_given, metavar="A,B", help="only these changes, by name")
    parser.add_argument(
        "--out", type=_given, metavar="DIR", help="where trainings are kept (default: ablations/<name>)"
    )


def _add_encode(commands: Any) -> None:
    parser = _add(
        commands,
        "encode",
        "write the vectors of listings or users by a trained model",
        "  bakeoff encode trained/mine --listings new.parquet --out new-vectors.parquet\n"
        "  bakeoff encode trained/mine --users interactions.parquet --out users.parquet\n"
        "  bakeoff encode trained/mine --users interactions.parquet --listings all.parquet --out users.parquet\n"
        "  bakeoff encode trained/mine --preferences sizes.parquet --out cold-users.parquet",
    )
    parser.add_argument("model", type=_given, help="a folder that bakeoff train has written")
    for name, told in (
        ("listings", "listings with the columns that the model reads; with --users those that they took"),
        ("users", "interactions, to encode who took something (by default of the listings in MODEL/dataset)"),
        ("preferences", "users and the words that they like by category; with --users both count"),
    ):
        parser.add_argument(f"--{name}", type=_given, metavar="FILE", help=f"a Parquet file of {told}")
    parser.add_argument("--out", type=_given, metavar="FILE", required=True, help="a new Parquet file")


def _add_dimensions(commands: Any) -> None:
    parser = _add(
        commands,
        "dimensions",
        "compare shorter and rounded vectors of a trained model: quality, bytes and engines' throughput",
        "  bakeoff dimensions trained/mine\n"
        "  bakeoff dimensions trained/mine --dims 32,64,96 --tolerance 1\n"
        "  bakeoff dimensions trained/mine --engines faiss-hnsw\n"
        "The same command goes on after an interruption.",
    )
    parser.add_argument("model", type=_given, help="a folder that bakeoff train has written")
    parser.add_argument(
        "--dims",
        type=_dims,
        default=(32, 64, 128, 256),
        metavar="N,N",
        help="dimensions beside the model's own (default: 32,64,128,256, as far as the model has them)",
    )
    parser.add_argument(
        "--tolerance",
        type=_percent,
        default=0.02,
        metavar="PERCENT",
        help="share of the hits that may be lost at most (default: 2)",
    )
    parser.add_argument(
        "--scenario",
        type=_given,
        default="dimensions",
        metavar="NAME",
        help="by what throughput is measured: a scenario's name or a YAML file (default: dimensions)",
    )
    parser.add_argument(
        "--engines", type=_given, metavar="A,B", help="only these of the scenario's engines, by label"
    )
    parser.add_argument("--trials", type=int, metavar="N", help="how often throughput is measured")
    parser.add_argument(
        "--data",
        type=_given,
        default=".",
        metavar="DIR",
        help="where relative paths in the model's configuration start from (default: here)",
    )
    parser.set_defaults(rows=None, queries=None)


def _add_evaluate(commands: Any) -> None:
    parser = _add(
        commands,
        "evaluate",
        "ask engines for a trained model's held-out users, and say what these lose by approximate answers",
        "  bakeoff evaluate trained/mine\n"
        "  bakeoff evaluate trained/mine --engines faiss-ivf,qdrant-edge\n"
        "  bakeoff evaluate trained/mine --scenario two-tower      (the settings that engines are measured at)\n"
        "  bakeoff evaluate trained/mine --resume                  (go on after an interruption)",
    )
    parser.add_argument("model", type=_given, help="a folder that bakeoff train has written")
    parser.add_argument(
        "--scenario",
        type=_given,
        default="user-loss",
        metavar="NAME",
        help="whose engines, settings and filters, and how many listings a user: a scenario's name or a YAML file "
        "(default: user-loss)",
    )
    parser.add_argument("--queries", type=int, metavar="N", help="only the first N users")
    _add_engine_options(parser)
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted evaluation of the same engines"
    )
    parser.set_defaults(rows=None, trials=None)
