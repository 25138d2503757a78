"""`bakeoff evaluate`: what users of a trained model lose by approximate answers, engine by engine."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.models.pages import show_in_report
from harness.cli.printing.output import cache_folder, say, show
from harness.cli.run import asked_scenario, exit_code, use_servers
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.progress import Progress
    from harness.results.result import RunResult
    from harness.scenario.specs import Scenario
    from models.encoding.model import Model
    from models.retrieval.held_out import HeldOut

ANSWERS = "answers"  # in a model's folder: the run that asked the engines, with their answers


def evaluate(options: argparse.Namespace) -> int:
    from harness.cli.printing.terminal import ProgressBar
    from models.encoding.model import DATASET, Model
    from models.report.page import REPORT
    from models.retrieval.engines_file import ENGINES
    from models.retrieval.held_out import read_held_out

    model = Model.load(Path(options.model))
    options.dataset = str(model.folder / DATASET)
    scenario = asked_scenario(options)
    use_servers(options.url, scenario)
    run = _run_folder(model.folder, resume=options.resume)
    with ProgressBar() as bar:
        held = read_held_out(model, cache_folder() / "datasets", bar, queries=scenario.queries)
        k = min(scenario.k, len(held.dataset.vectors))
        say(f"{model.identity.label}: {len(held.cases):,} users, {k} listings each, by {scenario.name}")
        scenario = _asking(scenario, held)
        result, interrupted = _ask(scenario, run, bar, resume=options.resume)
        whole = None if result is None else _keep(model, held, scenario, result, k=k, progress=bar)
        sections = {} if whole is None else _sections(model, held, whole)
    if whole is not None:
        show(_table(whole))
        show(f"\nFigures: {model.folder / ENGINES}")
        show_in_report(model.folder / REPORT, sections)
    if interrupted or result is None:
        if whole is not None:
            say("What was answered is judged and saved. Go on with the same command and: --resume")
        raise KeyboardInterrupt
    return exit_code(result)


def _run_folder(folder: Path, *, resume: bool) -> Path:
    """Where answers are kept. Raises ConfigurationError where there are none to go on with."""
    from harness.results.result import RESULT

    run = folder / ANSWERS
    if resume and not (run / RESULT).exists():
        raise ConfigurationError(f"--resume: {run} holds no evaluation; leave --resume out to begin one")
    return run


def _asking(scenario: Scenario, held: HeldOut) -> Scenario:
    """The scenario's engines, settings and filters, asked once for every user and not timed."""
    from harness.scenario.tasks import AnswersTask

    hits = held.hits(scenario.k)
    index = [task for task in scenario.tasks if task.builds]
    changes = {
        "k": max(hits),
        "trials": 1,
        "budget_s": None,
        "tasks": [*index, AnswersTask(task="answers", hits=hits)],
    }
    return scenario.model_copy(update=changes)


def _ask(scenario: Scenario, run: Path, progress: Progress, *, resume: bool) -> tuple[RunResult | None, bool]:
    """What the engines answered, and whether they were interrupted; None where that was before the first answers."""
    from harness.results.metrics import ANSWERS as ANSWERED
    from harness.results.result import RESULT, read_result
    from harness.run.lock import locked
    from harness.run.recorder import Callbacks
    from harness.run.runner import check_engines, run_scenario

    check_engines(scenario)  # before what an earlier evaluation left is removed
    if not resume and run.exists():
        with locked(run):
            for left in run.iterdir():
                if left.is_dir():
                    shutil.rmtree(left)
                elif left.name != ".lock":
                    left.unlink()
    try:
        return run_scenario(
            scenario, run, cache_folder(), resume=resume, callbacks=Callbacks(progress=progress)
        ), False
    except KeyboardInterrupt:
        result = read_result(run) if (run / RESULT).exists() else None
        answered = result is not None and any(cell.kind == ANSWERED for cell in result.measurements)
        return (result if answered else None), True


def _keep(
    model: Model, held: HeldOut, scenario: Scenario, result: RunResult, *, k: int, progress: Progress
) -> dict[str, Any]:
    """Judges the answers and adds them to what the model's folder says of engines; the whole of it."""
    from harness.oracle.corpus import load_corpus
    from models.report.users import ANSWERS as ANSWERS_SHOWN
    from models.report.users import chosen
    from models.retrieval.engines_file import write_engines
    from models.retrieval.measured import measured

    corpus = load_corpus(scenario, cache_folder(), progress)
    run = model.folder / ANSWERS
    content = measured(
        run,
        result,
        corpus,
        held,
        identity=model.identity,
        k=k,
        examples=chosen(held.cases, seed=0).tolist(),
        first=ANSWERS_SHOWN,
        progress=progress,
    )
    whole, dropped = write_engines(model.folder, content)
    if dropped:
        say(
            f"left out: {dropped:,} points of an earlier evaluation, of another model, other users or another k"
        )
    for name, reason in content["skipped"].items():
        say(f"filter {name}: left out: {reason}")
    return whole


def _sections(model: Model, held: HeldOut, whole: Mapping[str, Any]) -> dict[str, str]:
    """What the folder says of engines, for the model's page."""
    from models.report.retrieval import section, users
    from models.retrieval.catalogue import published_items

    return {
        section.NAME: section.section(whole),
        users.NAME: users.section(held, published_items(model), whole),
    }


def _table(whole: Mapping[str, Any]) -> str:
    """Recall, hits and what is lost at each point, as lines of text."""
    lines = [
        f"What {whole['users']:,} users lose by approximate answers: hits among {whole['k']} listings, "
        f"{whole['level']:.0%} intervals"
    ]
    for name, exact in whole["exact"].items():
        lines.append(f"\nfilter {name}: exact search finds {exact['hits']:,} of {whole['targets']:,} targets")
        rows = [_row(point) for point in whole["points"] if point["filter"] == name]
        widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
        lines += [
            "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in (_HEAD, *rows)
        ]
    failed = [
        f"failed: {_title(entry)}, filter {entry['filter']}: {entry['error']}" for entry in whole["failed"]
    ]
    return "\n".join([*lines, *failed])


_HEAD = ("engine", "recall against exact", "1/ratio", "hits", "hits lost", "short", "wrong")


def _row(point: Mapping[str, Any]) -> tuple[str, ...]:
    loss = point["loss"]
    recall, lost = loss["recall"], loss["hits_lost"]
    wrong = sum(point[key] for key in ("violations", "unknown", "repeats", "errors")) + loss["impossible"]
    return (
        _title(point),
        _shown(recall["estimate"], recall["low"], recall["high"]),
        _shown(loss["ratio"]["estimate"], None, None),
        f"{loss['engine_hits']:,}",
        _shown(lost["change"], lost["low"], lost["high"], share=True),
        f"{loss['short']:,}",
        f"{wrong:,}",
    )


def _title(point: Mapping[str, Any]) -> str:
    search = " ".join(f"{key}={value}" for key, value in point["search"].items())
    return f"{point['engine']} {search}".rstrip()


def _shown(value: float | None, low: float | None, high: float | None, *, share: bool = False) -> str:
    """A figure with its interval; shares of hits in per cent."""
    if value is None:
        return "-"
    bounds = "" if low is None or high is None else f" [{_figure(low, share)}, {_figure(high, share)}]"
    return _figure(value, share) + bounds


def _figure(value: float, share: bool) -> str:
    return f"{100 * value:.1f} %" if share else f"{value:.4f}"
