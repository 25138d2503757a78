"""Runs the sessions of a scenario and takes down what they report, saving after every cell."""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engines.base import Engine
from harness.calibration.calibrate import client_bound
from harness.machine.noise import NoiseMonitor
from harness.progress import Progress, silent
from harness.results.result import Measurement, RunResult, write_result
from harness.run.from_engines import from_engine
from harness.run.isolation import SessionFailedError, messages
from harness.run.session import Job
from harness.scenario.plan import Filters, Session, identity, session_cells, trial_sessions
from harness.scenario.specs import Scenario
from harness.servers.containers import ServerFailedError
from harness.servers.serving import serving
from harness.tasks.index import Span

_NOTICED_S = 0.5  # within which a server that has just died is known to have
MAX_STEAL = 0.05  # share of CPU time taken by the hypervisor beyond which a cell is flagged


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom a run tells: `progress` on the way, `created` once its folder holds a result file."""

    progress: Progress = silent
    created: Callable[[], None] = lambda: None


@dataclass
class Recorder:
    """Collects the cells of a run, completes each with the machine's noise, and saves."""

    scenario: Scenario
    kinds: Mapping[str, type[Engine]]  # by label
    run: Path
    result: RunResult
    filters: Filters
    listener: Listener
    noise: NoiseMonitor = field(init=False)
    ceilings: dict[str, float] = field(init=False)  # what one client process can do, by executor
    total: int = field(init=False)

    def __post_init__(self) -> None:
        planned = [
            cell
            for trial in range(self.scenario.trials)
            for session in trial_sessions(self.scenario, trial)
            for cell in session_cells(self.scenario, session, self.filters)
        ]
        self.total = len(planned)

    def run_session(self, session: Session, cache: Path) -> None:
        """Runs what is missing of a session; cells it never reported are recorded as failed, with the cause."""
        known = {identity(cell, self.scenario): cell for cell in self.result.measurements}
        planned = session_cells(self.scenario, session, self.filters)
        if all(identity(cell, self.scenario) in known for cell in planned):
            return
        spec = next(spec for spec in self.scenario.engines if spec.title == session.label)
        data = self.run / "engines" / f"{session.label}-server"
        self.listener.progress(f"{session.label}: starting", len(self.result.measurements), self.total)
        try:
            with serving(
                spec, self.kinds[session.label], self.scenario.limits, data, self.listener.progress
            ) as served:
                self.result.engines[session.label] |= served.facts
                job = Job(
                    self.scenario,
                    session,
                    self.run,
                    {cell.key: cell for cell in known.values()},
                    served.settings,
                    served.meter,
                )
                self.follow(job, cache, served.fate)
        except (SessionFailedError, ServerFailedError) as error:
            have = {identity(cell, self.scenario) for cell in self.result.measurements}
            lost = [cell for cell in planned if identity(cell, self.scenario) not in have]
            self.result.measurements.extend(
                cell.model_copy(update={"error": from_engine(str(error))}) for cell in lost
            )
            self.save()
        finally:
            shutil.rmtree(data, ignore_errors=True)

    def follow(self, job: Job, cache: Path, fate: Callable[[], str | None]) -> None:
        """Runs a session and takes down what it reports. Raises SessionFailedError.

        fate: what became of the server. With it gone, nothing counts that was measured since the last cell.
        """
        label = job.session.label
        try:
            for kind, *values in messages(job, cache, self.scenario.cell_timeout_s):
                if kind == "cell":
                    self.record(*_while_alive(fate, *values))
                elif kind == "left":
                    self.note_left(label, *values)
                elif kind == "server":
                    server, query_path = values
                    self.result.engines[label] |= {
                        "version": from_engine(f"{server} through {self.kinds[label].version()}"),
                        "query_path": query_path,
                    }
                else:
                    self.listener.progress(values[0], len(self.result.measurements), self.total)
        except SessionFailedError as error:
            end = fate()
            raise SessionFailedError(f"{error}; {end}") if end else error from None

    def record(self, cell: Measurement, span: Span | None) -> None:
        """Adds one cell, with the noise of its window, and saves."""
        if span is not None:
            cell = self._with_noise(cell, span)
        self.result.measurements.append(cell)
        self.save()
        self.listener.progress(f"{cell.engine}: {cell.task}", len(self.result.measurements), self.total)

    def _with_noise(self, cell: Measurement, span: Span) -> Measurement:
        noise = self.noise.window(*span)
        flags = list(cell.flags)
        if noise.steal_share is not None and noise.steal_share > MAX_STEAL:
            flags.append(f"steal {noise.steal_share:.1%}")
        load = cell.params.get("load", {})
        ceiling_qps = self.ceilings.get(str(cell.executor), math.inf)
        if client_bound(cell.metrics.get("throughput_qps") or 0.0, load.get("processes", 1), ceiling_qps):
            flags.append("client-bound")
        measured = {name: getattr(noise, name) for name in ("steal_share", "hiccup_p99_us", "hiccup_max_us")}
        return cell.model_copy(
            update={
                "metrics": cell.metrics | measured,
                "reasons": cell.reasons | noise.reasons,
                "flags": flags,
            }
        )

    def note_left(self, label: str, commands: Sequence[str]) -> None:
        """Adds a remark on processes that an engine has left behind, once for each command."""
        for command in dict.fromkeys(commands):
            text = f"{label} left a process behind when its session ended, it was ended then: {command}"
            if text not in self.result.notes:
                self.note(text)

    def note(self, text: str) -> None:
        """Adds a remark on the run as a whole."""
        self.result.notes.append(text)

    def save(self) -> None:
        """Writes the result file."""
        write_result(self.run, self.result)

    def finish(self) -> None:
        """Marks the run as complete and tidies up after the engines."""
        with contextlib.suppress(OSError):  # there is none, or something is left to be looked at
            (self.run / "engines").rmdir()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.result = self.result.model_copy(update={"finished_at": now})
        self.save()


def _while_alive(
    fate: Callable[[], str | None], cell: Measurement, span: Span | None
) -> tuple[Measurement, Span | None]:
    """A cell and its window, or without figures where its server did not live to the end of it."""
    end = fate()
    if end is None and (cell.error or cell.metrics.get("errors")):
        time.sleep(_NOTICED_S)
        end = fate()
    if end is None:
        return cell, span
    error = f"{cell.error}; {end}" if cell.error else end
    return cell.model_copy(
        update={"metrics": {}, "reasons": {}, "samples": None, "error": from_engine(error)}
    ), None
