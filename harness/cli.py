"""The command line. The only module that prints or exits."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.arguments import parse
from harness.errors import BakeoffError, ConfigurationError, GateFailedError, MeasurementError, unwritable

if TYPE_CHECKING:
    from harness.result import RunResult
    from harness.scenario import Scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        options = parse(arguments)
        return COMMANDS[options.command](options)
    except BakeoffError as error:
        for line in str(error).splitlines():
            _say(f"error: {line}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("error: interrupted")
        return BakeoffError.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BakeoffError.exit_code
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _say(f"error: {what}; check the path, its permissions and the room on the disk")
        return BakeoffError.exit_code


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _run(options: argparse.Namespace) -> int:
    from harness.recorder import Listener
    from harness.runner import point_latest, result_summary, run_scenario
    from harness.terminal import ProgressBar

    scenario = _scenario(options)
    _use_servers(options.url, scenario)
    run = _run_folder(options, scenario.name)
    _make_room(run)
    _say(f"{scenario.name}: {scenario.description or scenario.dataset} -> {run}")
    try:
        with ProgressBar() as bar:
            listener = Listener(progress=bar, created=lambda: point_latest(run))
            result = run_scenario(scenario, run, _cache(), resume=options.resume, listener=listener)
    except KeyboardInterrupt:
        if (run / "result.json").exists():
            _say(f"What was measured is saved. Go on with the same command and: --out {run} --resume")
        raise
    _write_report(run)
    _print_summary(result)
    summary = result_summary(result)
    print(f"\nReport: {run / 'report.html'}   Decision: {run / 'decision.json'}")
    if summary["failed"]:
        _say(
            f"{summary['failed']} of {summary['cells']} cells failed or are unsupported; the report says why."
        )
    for label, reason in summary["dead"].items():
        _say(f"error: engine {label}: every cell failed: {reason.splitlines()[0][:300]}")
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


def _use_servers(urls: Sequence[str], scenario: Scenario) -> None:
    """Lets the adapters find the servers named by --url. Credentials in a URL are seen by other users of the machine
    anyway; in results and messages they are not.
    """
    from engines.server import clean, variable

    engines = sorted({spec.engine for spec in scenario.engines})
    for given in urls:
        engine, sign, url = given.partition("=")
        if not sign or "://" not in url or engine not in engines:
            raise ConfigurationError(
                f"--url must be ENGINE=URL with an engine of {scenario.name} ({', '.join(engines)}), "
                f"such as {engines[0]}=http://host:port, got {clean(given)!r}"
            )
        os.environ[variable(engine, "URL")] = url


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


def _make_room(run: Path) -> None:
    """Makes the folder that the run's is made in. Where nothing can be written it fails now, not after minutes."""
    from tempfile import TemporaryFile

    folder = run if run.exists() else run.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MeasurementError(f"{folder}: {unwritable(error)}, or name another with --out") from error


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

    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(summary_table(result, console.width))


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
        bar("describe", 0, None)
        text = describe(dataset)
    print(text)
    return 0


def _engines(options: argparse.Namespace) -> int:
    from harness.engine_info import describe_engines

    print(describe_engines(options.engine))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from harness.calibrate import calibrate

    print(json.dumps(calibrate(quick=options.quick), indent=2))
    return 0


COMMANDS = {
    "run": _run,
    "report": _report,
    "gate": _gate,
    "data": _data,
    "engines": _engines,
    "calibrate": _calibrate,
}


if __name__ == "__main__":
    sys.exit(main())
