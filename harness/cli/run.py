"""`bakeoff run`: measures a scenario and writes result, report and decision."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from engines.meant import choices
from harness.cli.printing.failures import by_cause
from harness.cli.printing.output import cache_folder, say, show
from harness.cli.results import refusing_damage, show_report
from harness.cli.run_folder import Latest, existing_folder, new_folder, remove_if_empty
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.results.result import RunResult
    from harness.scenario.specs import Scenario


def run(options: argparse.Namespace) -> int:
    from harness.cli.printing.terminal import ProgressBar
    from harness.run.absent import left_out
    from harness.run.recorder import Callbacks
    from harness.run.runner import check_engines, run_scenario

    scenario = asked_scenario(options)
    heading = [f"{scenario.name}: {scenario.description or scenario.dataset}"]
    if options.dataset and not any(spec.from_dataset for spec in scenario.filters):
        scenario, told = _with_brought_filters(scenario)
        heading.insert(0, told)
    use_servers(options.url, scenario)
    if note := left_out(scenario, check_engines(scenario))[1]:  # now, and not after minutes
        say(note)
    if options.resume:
        folder = existing_folder(options.out, options.runs)
    else:
        folder = new_folder(options.out, options.runs, scenario.name)
    heading.append(f"Results: {folder}")
    latest = Latest(folder)

    def begin() -> None:  # nothing is told of a run that has no data
        say("\n".join(heading))
        _tell(latest.link())

    try:
        with ProgressBar() as bar:
            callbacks = Callbacks(progress=bar, time_left=bar.expect, folder_ready=begin)
            result = run_scenario(
                scenario, folder, cache_folder(), resume=options.resume, callbacks=callbacks
            )
    except KeyboardInterrupt:
        if (folder / "result.json").exists():
            say(f"What was measured is saved. Go on with the same command and: --out {folder} --resume")
        raise
    finally:
        remove_if_empty(folder)
    # A resumed run holds cells that were read from a file, which may have been damaged.
    with refusing_damage(str(folder)) if options.resume else nullcontext():
        show_report(folder, result, page=options.page)
    report = folder / "report.html" if options.page else f"bakeoff report {folder}"
    # A line each, so that a terminal folds neither path.
    show(f"\nReport:   {report}\nDecision: {folder / 'decision.json'}")
    if result.measurements and all(cell.error for cell in result.measurements):
        _tell(latest.link_back())
    return exit_code(result)


def _tell(text: str | None) -> None:
    if text:
        say(text)


def exit_code(result: RunResult) -> int:
    """1 where cells are missing, or an engine was left out or has not a single cell without an error; says which and
    why.
    """
    from harness.run.runner import result_summary

    summary = result_summary(result)
    if summary["failed"]:
        say(
            f"{summary['failed']} of {summary['cells']} cells failed or are unsupported; the report says why."
        )
    for line in by_cause(summary["dead"]):
        say(f"error: {line}")
    if summary["left_out"]:
        say(f"error: {summary['left_out']}")
    if not summary["complete"]:
        say(f"error: {result.notes[-1]}")
    return 1 if summary["dead"] or summary["left_out"] or not summary["complete"] else 0


def asked_scenario(options: argparse.Namespace) -> Scenario:
    """The scenario that a command line names, with what it changes of it. Raises ConfigurationError."""
    from harness.data.catalogue import with_metric
    from harness.paths import find_scenario
    from harness.scenario.specs import load_scenario

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
        changes["rows"] = None  # the scenario's numbers of rows and queries are meant for its own dataset
        changes["queries"] = options.queries
    if options.engines is not None:
        known = [spec.title for spec in scenario.engines]
        if unknown := [name for name in options.engines if name not in known]:
            raise ConfigurationError(
                [
                    f"--engines: '{name}' is not in {path} ({choices(name, known, 'it has')})"
                    for name in unknown
                ]
            )
        changes["engines"] = [spec for spec in scenario.engines if spec.title in options.engines]
    scenario = scenario.model_copy(update=changes)
    # Asked for now, so that what is refused is so before a folder has been made.
    return scenario.model_copy(update={"dataset": with_metric(scenario.named_dataset, options.metric)})


def _with_brought_filters(scenario: Scenario) -> tuple[Scenario, str]:
    """Whoever brings filters with their data wants them measured, also by a scenario that was made for other data.

    With a line that tells so.
    """
    from harness.scenario.specs import FilterSpec

    names = {spec.name for spec in scenario.filters}
    added = FilterSpec(name="dataset" if "dataset" not in names else "from-dataset", from_dataset=True)
    known = ", ".join(spec.name for spec in scenario.filters)
    told = f"Filters: {known}, and those that the data set brings ({added.name}:...), which --dataset adds"
    return scenario.model_copy(update={"filters": (*scenario.filters, added)}), told


def use_servers(urls: Sequence[str], scenario: Scenario) -> None:
    """Lets the adapters find the servers named by --url. Credentials in a URL are seen by other users of the machine
    anyway; in results and messages they are not.
    """
    from engines.server.address import AddressError, parse_address, shown
    from engines.server.endpoint import variable

    engines = sorted({spec.engine for spec in scenario.engines})
    for given in urls:
        engine, sign, url = given.partition("=")
        try:
            if not sign or engine not in engines:
                raise AddressError("no engine of the scenario stands before a =")
            parse_address(url)
        except AddressError as error:
            raise ConfigurationError(
                f"--url must be ENGINE=URL with an engine of {scenario.name} ({', '.join(engines)}), "
                f"such as {engines[0]}=http://host:port, got {shown(given)!r}: {error}"
            ) from None
        os.environ[variable(engine, "URL")] = url
