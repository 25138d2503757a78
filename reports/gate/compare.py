"""The gate: may this run replace those baselines? Pure; `text`, `markdown` and `junit` show what it found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.errors import ConfigurationError
from harness.results.metrics import spec
from harness.results.result import RunResult
from reports.gate.counts import judge_counts
from reports.gate.findings import GateReport
from reports.gate.fingerprint import differences, version_changes
from reports.gate.judging import judge_figures
from reports.gate.matching import matched
from reports.gate.noise import ASSUMED_NOISE
from reports.gate.presence import presence_findings
from reports.gate.requirements import requirement_findings
from reports.gate.tolerance import tolerances
from reports.wording import percent

# By how much timed figures of whole runs differ although nothing has changed (standard deviation), unless stated.
RUN_OFFSET = 0.05


def compare(
    baselines: Sequence[RunResult],
    current: RunResult,
    *,
    tolerance: Mapping[str, float] | float = 0.1,
    run_offset: float = RUN_OFFSET,
    force: bool | Collection[str] = False,
) -> GateReport:
    """Compares a run with its baselines cell by cell, and with the scenario's requirements.

    baselines: one or more runs of the same work, the last of which the requirements are compared with. tolerance: the
    loss accepted, as a share (0.1: 10 %), for all metrics or by metric name with `default` for the rest. Recall's is
    absolute and 0.01 at most unless it is named. run_offset: the standard deviation by which timings of whole runs
    differ although nothing has changed, as a share; where the baselines differ by more, that counts. force: compare
    although the runs' `scenario`, `dataset`, `hardware` or `server` differ (True: whichever).
    Raises ConfigurationError where they do.
    """
    forced = _forced(baselines, current, force)
    cells = matched([*baselines, current])
    presence, comparable = presence_findings(cells)
    accepted = tolerances(tolerance)
    k = int(current.scenario.get("k", 10))
    figures = judge_figures(cells, comparable, accepted, run_offset, k)
    found = [
        *requirement_findings(baselines[-1], current),
        *presence,
        *judge_counts(cells, comparable, accepted),
        *figures.findings,
    ]
    return GateReport(
        baselines=tuple(run.name for run in baselines),
        current=current.name,
        findings=tuple(found),
        forced=tuple(forced),
        notes=(*_notes(baselines, current), *_offset_notes(figures.between, run_offset)),
    )


def _forced(baselines: Sequence[RunResult], current: RunResult, force: bool | Collection[str]) -> list[str]:
    """What differs and is compared all the same. Raises ConfigurationError for what may not differ."""
    found, refused = [], []
    for baseline in baselines:
        for name, text in differences(baseline, current).items():
            if force is True or (force and name in force):
                found.append(f"{name}: {text}")
                continue
            refused.append(
                f"{current.name}: its {name} is not that of {baseline.name} ({text}). "
                f"Compare runs of the same {name}, or add --force {name}"
            )
    if refused:
        raise ConfigurationError(refused)
    return list(dict.fromkeys(found))


def _notes(baselines: Sequence[RunResult], current: RunResult) -> list[str]:
    notes = list(dict.fromkeys(text for run in baselines for text in version_changes(run, current)))
    single = [len({cell.trial for cell in run.measurements}) < 2 for run in (*baselines, current)]
    if all(single):
        notes.append(
            f"No run has a second trial, so the noise is unknown; {ASSUMED_NOISE:.0%} a trial is assumed, and "
            "only what is far beyond that can fail. Run at least three trials."
        )
    unfinished = [run.name for run in (*baselines, current) if run.finished_at is None]
    return notes + [f"{name} is not complete; what it lacks counts as missing." for name in unfinished]


def _offset_notes(between: Mapping[str, float], stated: float) -> list[str]:
    """What the baselines show of differences between runs."""
    if not between:
        return []
    widest = max(between, key=lambda metric: between[metric])
    text = (
        f"Runs of the baseline differ by up to {percent(between[widest])} ({spec(widest).label}, standard deviation); "
        f"{percent(stated)} were stated (--run-offset)"
    )
    return [f"{text}; the larger counts for each metric."]
