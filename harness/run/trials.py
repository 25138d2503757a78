"""The trials of a run, one after the other, within its budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.results.result import Measurement
from harness.run.budget import Budget, shortened, windows_s
from harness.run.recorder import Recorder
from harness.run.sessions import record_session
from harness.scenario.plan import Session, trial_sessions
from harness.scenario.specs import Scenario


def run_trials(recorder: Recorder, cache: Path) -> None:
    """Runs every trial that the budget allows; the others are taken off the plan, with a note."""
    scenario, start_s = recorder.scenario, time.perf_counter()
    share: float | None = 1.0
    budget: Budget | None = None
    if scenario.budget_s:
        budget = Budget(scenario.budget_s, windows_s(scenario, recorder.planned(0)), scenario.trials)
        share = budget.first()
    longest_s = 0.0
    for trial in range(scenario.trials):
        trial_start_s = time.perf_counter()
        if trial and budget and share:
            share = budget.next(trial, trial_start_s - start_s, longest_s, share)
        if share is None:
            recorder.leave_out(_of_trials_from(trial))
            recorder.note(_trials_left_out(scenario, trial))
            return
        if share < 1.0:
            recorder.note(
                f"budget_s ({scenario.budget_s:g} s) is short: the windows of trial {trial + 1} were "
                f"{share:.0%} of their length, for every engine alike; raise it for narrower intervals"
            )
        if not _run_trial(recorder, cache, trial, share, start_s):
            return
        longest_s = max(longest_s, time.perf_counter() - trial_start_s)


def _run_trial(recorder: Recorder, cache: Path, trial: int, share: float, start_s: float) -> bool:
    """Runs the sessions of a trial; whether all were begun before the budget was used up."""
    scenario = recorder.scenario
    sessions = [each for each in trial_sessions(scenario, trial) if each.label not in recorder.absent]
    for number, session in enumerate(sessions):
        if scenario.budget_s and time.perf_counter() - start_s > scenario.budget_s:
            _leave_out_sessions(recorder, trial, sessions[number:], len(sessions))
            return False
        record_session(recorder, session, cache, shortened(scenario, share))
    return True


def _leave_out_sessions(recorder: Recorder, trial: int, sessions: Sequence[Session], of: int) -> None:
    """Takes the rest of a trial, and every trial after it, off the plan, with a note that says whose cells they are."""
    unwanted = {(each.label, repr(each.index)) for each in sessions}

    def is_left_out(cell: Measurement) -> bool:
        belongs = (cell.engine, repr(cell.params.get("index"))) in unwanted
        return cell.trial > trial or (cell.trial == trial and belongs)

    recorder.leave_out(is_left_out)
    engines = ", ".join(sorted({each.label for each in sessions}))
    recorder.note(
        f"budget_s ({recorder.scenario.budget_s:g} s) was used up within trial {trial + 1}: {len(sessions)} of its "
        f"{of} sessions were left out (of {engines}), and every later trial; raise it to measure them"
    )


def _of_trials_from(first: int) -> Callable[[Measurement], bool]:
    return lambda cell: cell.trial >= first


def _trials_left_out(scenario: Scenario, trials: int) -> str:
    only = "" if trials > 1 else ", though one trial does not show how much figures vary"
    return (
        f"only {trials} of {scenario.trials} trials were run{only}: another would have exceeded budget_s "
        f"({scenario.budget_s:g} s); raise it for narrower intervals"
    )
