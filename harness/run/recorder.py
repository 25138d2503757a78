"""Records the cells of a run, and what was found out about its engines, saving after every cell."""

from __future__ import annotations

import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engines.base import Engine
from harness.machine.noise import NoiseMonitor
from harness.progress import Progress, silent
from harness.results.result import Measurement, RunResult
from harness.results.writing import ResultWriter
from harness.run.budget import window_lengths_s
from harness.run.from_engines import from_engine
from harness.run.isolation import SessionFailedError
from harness.run.resuming import NOT_MEASURED
from harness.run.time_left import TimeLeft
from harness.scenario.cells import WorkloadNames
from harness.scenario.plan import Session, identity, session_cells, trial_sessions
from harness.scenario.specs import Scenario
from harness.tasks.bench import Span


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What a run calls: `progress` on the way, `time_left` with the seconds it will still take, about, whenever that is
    known better, `folder_ready` once its folder holds a result file.
    """

    progress: Progress = silent
    time_left: Callable[[float], None] = lambda _left_s: None
    folder_ready: Callable[[], None] = lambda: None


@dataclass
class Recorder:
    """Collects the cells of a run, completes each with the machine's noise, and saves."""

    scenario: Scenario
    adapter_classes: Mapping[str, type[Engine]]  # by label
    run: Path
    result: RunResult
    filters: WorkloadNames
    callbacks: Callbacks
    noise: NoiseMonitor = field(init=False)
    absent: set[str] = field(init=False, default_factory=set)  # labels of engines that are left out
    server_unseen: str | None = None  # why the CPU time of the session's server is not known apart
    _writer: ResultWriter = field(init=False)
    _planned: dict[str, Measurement] = field(init=False)  # by identity
    _recorded: dict[str, dict[str, Measurement]] = field(init=False)  # by session, then identity
    _measured: set[str] = field(init=False)  # engines with a cell that did not fail
    _left: TimeLeft = field(init=False)
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._writer = ResultWriter(self.run, self.result)
        self._planned = {
            identity(cell, self.scenario): cell
            for trial in range(self.scenario.trials)
            for session in trial_sessions(self.scenario, trial)
            for cell in session_cells(self.scenario, session, self.filters)
        }
        self._recorded, self._measured = defaultdict(dict), set()
        for cell in self.result.measurements:
            self._index(cell)
        self._began_s = time.perf_counter()
        self._left = TimeLeft(window_lengths_s(self.scenario), self._began_s)
        self._plan_time()

    def recorded(self, session: Session) -> dict[str, Measurement]:
        """The cells of a session that are recorded so far, by identity; it grows with them."""
        return self._recorded[_session_key(session.label, session.trial, session.index)]

    def learn_server(self, label: str, server: str, query_path: str) -> None:
        """Keeps the name and version of an engine's server. Raises as `learn` does."""
        version = from_engine(f"{server} through {self.adapter_classes[label].version()}")
        self.learn(label, {"server_version": server, "version": version, "query_path": query_path})

    def learn(self, label: str, facts: Mapping[str, Any]) -> None:
        """Keeps what was found out about an engine. Raises SessionFailedError where its server is another one than that
        of the cells that it has already.
        """
        known = self.result.engines[label]
        measured = label in self._measured
        for key in ("server", "server_version"):
            if measured and key in facts and known.get(key, facts[key]) != facts[key]:
                raise SessionFailedError(
                    f"its server is another one than that of the cells measured before: "
                    f"{known[key]} then, {facts[key]} now; measure it in a new run"
                )
        if any(known.get(key) != value for key, value in facts.items()):
            known |= facts
            self._writer.save_header(self.result)

    def record(self, cell: Measurement, span: Span | None) -> None:
        """Adds one cell, with the noise of its window, and saves it."""
        if span is not None:
            cell = self._with_noise(cell, span)
        self.add(cell)
        self.tell(f"{cell.engine}: {cell.task}")

    def add(self, cell: Measurement) -> None:
        """Adds one cell as it is, and saves it."""
        self._writer.save_cell(cell)
        self.result.measurements.append(cell)
        self._index(cell)
        self._left.done(cell, time.perf_counter())
        self._tell_time()

    def _index(self, cell: Measurement) -> None:
        if cell.error is None:
            self._measured.add(cell.engine)
        session = _session_key(cell.engine, cell.trial, cell.params.get("index", {}))
        self._recorded[session][identity(cell, self.scenario)] = cell

    def tell(self, text: str) -> None:
        """Reports progress: what is being done, and how many cells are recorded."""
        self.callbacks.progress(text, len(self.result.measurements), len(self._planned))

    def _plan_time(self) -> None:
        recorded = {key for session in self._recorded.values() for key in session}
        self._left.plan(cell for key, cell in self._planned.items() if key not in recorded)
        self._tell_time()

    def _tell_time(self) -> None:
        left_s = self._left.seconds()
        if self.scenario.budget_s:
            left_s = min(left_s, self._began_s + self.scenario.budget_s - time.perf_counter())
        self.callbacks.time_left(left_s)

    def _with_noise(self, cell: Measurement, span: Span) -> Measurement:
        noise = self.noise.window(*span)
        if self.server_unseen:
            noise = noise.without_foreign(self.server_unseen)
        flags = [*cell.flags, *noise.flags()]
        measured, missing = noise.metrics()
        return cell.model_copy(
            update={
                "metrics": cell.metrics | measured,
                "reasons": cell.reasons | missing,
                "flags": flags,
            }
        )

    def note_left(self, label: str, commands: Sequence[str]) -> None:
        """Adds a remark on processes that an engine has left behind, once for each command."""
        for command in dict.fromkeys(commands):
            text = f"{label} left a process behind when its session ended, it was ended then: {command}"
            self.note_once(text)

    def note_once(self, text: str) -> None:
        if text not in self.result.notes:
            self.note(text)

    def note(self, text: str) -> None:
        """Adds a remark on the run as a whole."""
        self.result.notes.append(text)
        self._writer.save_header(self.result)

    def planned(self, trial: int) -> list[Measurement]:
        """The cells of a trial as they are planned, without figures."""
        return [cell for cell in self._planned.values() if cell.trial == trial]

    def leave_out(self, unwanted: Callable[[Measurement], bool]) -> None:
        """Takes cells off the plan: the run is complete without them."""
        self._planned = {key: cell for key, cell in self._planned.items() if not unwanted(cell)}
        self._plan_time()

    def leave_out_engines(self, labels: set[str], note: str) -> None:
        """Takes every cell of these engines off the plan."""
        self.absent = labels
        self.leave_out(lambda cell: cell.engine in labels)
        self.note(note)

    def finish(self) -> None:
        """Marks the run as complete, unless a planned cell is missing: a note names it then."""
        with contextlib.suppress(OSError):  # there is no such folder, or it is not empty
            (self.run / "engines").rmdir()
        recorded = {key for session in self._recorded.values() for key in session}
        missing = [cell for key, cell in self._planned.items() if key not in recorded]
        if missing:
            first = missing[0]
            self.note(
                f"{NOT_MEASURED}{len(missing)} of {len(self._planned)} planned cells were never reported, the first "
                f"of engine {first.engine}, task {first.task}, filter {first.filter}, trial {first.trial + 1}; "
                "go on with --resume"
            )
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.result = self.result.model_copy(update={"finished_at": now})

    def close(self) -> None:
        """Writes the result as one file. Raises MeasurementError; what was measured is then in two files."""
        self._writer.close(self.result)


def _session_key(label: str, trial: int, index: Mapping[str, Any]) -> str:
    return json.dumps((label, trial, index), sort_keys=True)
