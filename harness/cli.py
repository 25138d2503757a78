"""The command line. The only module that prints or exits."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.errors import BakeoffError, ConfigurationError, GateFailedError

if TYPE_CHECKING:
    from harness.result import RunResult
    from harness.scenario import Scenario

EXIT_CODES = "Exit codes: 0 fine, 1 failed, 99 a threshold or the gate failed, 104 invalid configuration."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except BakeoffError as error:
        for line in str(error).splitlines():
            _say(f"error: {line}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("error: interrupted; what was measured is saved. Go on with: bakeoff run ... --resume")
        return BakeoffError.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BakeoffError.exit_code


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _run(options: argparse.Namespace) -> int:
    from harness.runner import Listener, point_latest, result_summary, run_scenario
    from harness.terminal import ProgressBar

    scenario = _scenario(options)
    run = _run_folder(options, scenario.name)
    run.parent.mkdir(parents=True, exist_ok=True)
    _say(f"{scenario.name}: {scenario.description or scenario.dataset} -> {run}")
    with ProgressBar() as bar:
        listener = Listener(progress=bar, created=lambda: point_latest(run))
        result = run_scenario(scenario, run, _cache(), resume=options.resume, listener=listener)
    _write_report(run)
    _print_summary(result)
    summary = result_summary(result)
    print(f"\nReport: {run / 'report.html'}   Decision: {run / 'decision.json'}")
    if summary["failed"]:
        _say(
            f"{summary['failed']} of {summary['cells']} cells failed or are unsupported; the report says why."
        )
    for label in summary["dead"]:
        _say(f"error: engine {label}: every cell failed")
    return 1 if summary["dead"] else 0


def _scenario(options: argparse.Namespace) -> Scenario:
    from harness.paths import find_scenario
    from harness.scenario import load_scenario

    path = find_scenario(options.scenario)
    scenario = load_scenario(path)
    given = {
        "dataset": options.dataset,
        "rows": options.rows,
        "queries": options.queries,
        "trials": options.trials,
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if options.dataset and options.rows is None:
        changes["rows"] = None  # a slice that suits the scenario's own dataset says nothing about another
        changes["queries"] = options.queries
    if options.engines:
        wanted = options.engines.split(",")
        known = [spec.title for spec in scenario.engines]
        if unknown := [name for name in wanted if name not in known]:
            raise ConfigurationError(
                f"--engines: {', '.join(unknown)} not in {path} (it has: {', '.join(known)})"
            )
        changes["engines"] = [spec for spec in scenario.engines if spec.title in wanted]
    for key in ("rows", "queries", "trials"):
        if changes.get(key) is not None and changes[key] < 1:
            raise ConfigurationError(f"--{key} must be at least 1, got {changes[key]}")
    return scenario.model_copy(update=changes)


def _run_folder(options: argparse.Namespace, name: str) -> Path:
    from datetime import UTC, datetime

    runs = Path(options.runs)
    if options.resume:
        run = Path(options.out) if options.out else runs / "latest"
        if not (run / "result.json").exists():
            raise ConfigurationError(
                f"--resume: {run} holds no result.json; give the run's folder with --out"
            )
        return run.resolve()
    run = Path(options.out) if options.out else runs / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if (run / "result.json").exists():
        raise ConfigurationError(
            f"--out: {run} holds a run already; add --resume to go on with it, or name another"
        )
    return run


def _cache() -> Path:
    return Path(os.environ.get("BAKEOFF_CACHE", ".cache"))


def _report(options: argparse.Namespace) -> int:
    from harness.result import read_result

    run = Path(options.run)
    result = read_result(run)
    print(_write_report(run))
    _print_summary(result)
    return 0


def _write_report(run: Path) -> Path:
    from reports.html import write_report

    return write_report(run)


def _print_summary(result: RunResult) -> None:
    from rich.console import Console

    from reports.tables import summary_table

    Console(width=None if sys.stdout.isatty() else 120).print(summary_table(result))


def _gate(options: argparse.Namespace) -> int:
    from harness.result import read_result
    from reports.gate import compare, to_junit, to_markdown, to_text

    report = compare(
        read_result(Path(options.baseline)),
        read_result(Path(options.current)),
        tolerance=options.tolerance / 100,
        force=tuple(options.force or ()),
    )
    print(to_text(report))
    for target, render in ((options.markdown, to_markdown), (options.junit, to_junit)):
        if target:
            with Path(target).open("a" if render is to_markdown else "w", encoding="utf-8") as file:
                file.write(render(report))
    if report.failed:
        raise GateFailedError("the gate failed; see above")
    return 0


def _data(options: argparse.Namespace) -> int:
    from harness.dataset import describe, load_dataset
    from harness.terminal import ProgressBar

    if options.action == "list":
        from harness.dataset import list_datasets

        for name, summary in list_datasets():
            print(f"{name:16} {summary}")
        return 0
    with ProgressBar() as bar:
        dataset = load_dataset(options.dataset, cache=_cache() / "datasets", progress=bar)
    print(describe(dataset))
    return 0


def _engines(options: argparse.Namespace) -> int:
    from harness.engine_info import describe_engines

    print(describe_engines(options.engine))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from harness.calibrate import calibrate

    print(json.dumps(calibrate(quick=options.quick), indent=2))
    return 0


class _Parser(argparse.ArgumentParser):
    """Subcommands' parsers are of this class too."""

    def error(self, message: str) -> NoReturn:
        """A wrong command line is an invalid configuration."""
        self.print_usage(sys.stderr)
        _say(f"error: {message}. See: {self.prog} --help")
        sys.exit(ConfigurationError.exit_code)


def _parser() -> argparse.ArgumentParser:
    from importlib import metadata

    parser = _Parser(
        prog="bakeoff",
        description="Measures vector engines on your data, filters and write load; says which to pick, and how surely.",
        epilog=f"Start with: bakeoff run quick\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bakeoff {metadata.version('bakeoff')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_run, _add_report, _add_gate, _add_data, _add_engines, _add_calibrate):
        add(commands)
    return parser


def _add(
    commands: Any, name: str, command: Callable[[argparse.Namespace], int], summary: str, examples: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"Examples:\n{examples}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=command)
    return parser


def _add_run(commands: Any) -> None:
    parser = _add(
        commands,
        "run",
        _run,
        "measure a scenario's engines and write result, report and decision",
        "  bakeoff run quick\n"
        "  bakeoff run quick --dataset path/to/my-data      (vectors.npy, attributes.parquet, queries.npy)\n"
        "  bakeoff run standard --engines faiss-hnsw,qdrant --trials 5\n"
        "  bakeoff run standard --resume                    (go on with runs/latest)",
    )
    parser.add_argument("scenario", help="a scenario's name (quick, standard, filters, smoke) or a YAML file")
    parser.add_argument(
        "--dataset", metavar="REF", help="a dataset's name, a folder, a .parquet or an .hdf5 file"
    )
    parser.add_argument("--rows", type=int, metavar="N", help="only the first N items")
    parser.add_argument("--queries", type=int, metavar="N", help="only the first N queries")
    parser.add_argument("--trials", type=int, metavar="N", help="how often everything is measured")
    parser.add_argument("--engines", metavar="A,B", help="only these of the scenario's engines, by label")
    parser.add_argument("--out", metavar="DIR", help="the run's folder (default: runs/<scenario>-<time>)")
    parser.add_argument("--runs", metavar="DIR", default="runs", help="where runs are kept (default: runs)")
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run (--out, or the latest)"
    )


def _add_report(commands: Any) -> None:
    parser = _add(
        commands,
        "report",
        _report,
        "write report.html and decision.json of a run again, from its result.json alone",
        "  bakeoff report runs/latest",
    )
    parser.add_argument("run", help="the run's folder")


def _add_gate(commands: Any) -> None:
    parser = _add(
        commands,
        "gate",
        _gate,
        "compare a run with a baseline and fail on a regression outside tolerance and noise",
        "  bakeoff gate runs/baseline runs/latest\n"
        '  bakeoff gate baseline/result.json runs/latest --markdown "$GITHUB_STEP_SUMMARY" --junit gate.xml\n'
        "  bakeoff gate runs/a runs/b --force hardware      (compare although the machines differ)",
    )
    parser.add_argument("baseline", help="the run to compare with: its folder or result.json")
    parser.add_argument("current", help="the run to judge")
    parser.add_argument(
        "--tolerance", type=float, default=10.0, metavar="PERCENT", help="accepted loss (default: 10)"
    )
    parser.add_argument(
        "--force",
        action="append",
        choices=("scenario", "dataset", "hardware"),
        help="compare although this differs",
    )
    parser.add_argument("--markdown", metavar="FILE", help="append the verdict as Markdown")
    parser.add_argument("--junit", metavar="FILE", help="write the verdict as JUnit XML")


def _add_data(commands: Any) -> None:
    parser = _add(
        commands,
        "data",
        _data,
        "list the datasets that come with it, or describe one as it was understood",
        "  bakeoff data list\n  bakeoff data describe fashion-mnist\n  bakeoff data describe path/to/my-data",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="the datasets that come with it")
    describe = actions.add_parser("describe", help="what a dataset holds; checks every row")
    describe.add_argument("dataset", help="a name, a folder, a .parquet or an .hdf5 file")


def _add_engines(commands: Any) -> None:
    parser = _add(
        commands,
        "engines",
        _engines,
        "list the engines: installed or how to install them, what they can do, their parameters",
        "  bakeoff engines\n  bakeoff engines faiss",
    )
    parser.add_argument("engine", nargs="?", help="only this one, with its parameters")


def _add_calibrate(commands: Any) -> None:
    parser = _add(
        commands,
        "calibrate",
        _calibrate,
        "measure this machine and the load generator itself, and print the figures as JSON",
        "  bakeoff calibrate\n  bakeoff calibrate --quick",
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of up to a minute")


if __name__ == "__main__":
    sys.exit(main())
