"""Runs one session with its server, and records what it reports."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import ServerFailedError
from harness.results.result import Measurement
from harness.run.from_engines import from_engine
from harness.run.isolation import LOG, SessionFailedError, messages
from harness.run.recorder import Recorder
from harness.run.session import KILL_SERVER, Job
from harness.scenario.plan import Session, identity, session_cells
from harness.scenario.specs import Scenario
from harness.servers.serving import SessionServer, serving
from harness.tasks.bench import Span

_SEEN_TO_END_S = 0.5  # how long it may take until the end of a server is noticed


def record_session(recorder: Recorder, session: Session, cache: Path, scenario: Scenario) -> None:
    """Runs what is missing of a session; cells it never reported are recorded as failed, with the cause.

    scenario: that of the run, with windows of the length that the budget allows.
    """
    recorded = recorder.recorded(session)
    planned = session_cells(recorder.scenario, session, recorder.filters)
    if all(identity(cell, recorder.scenario) in recorded for cell in planned):
        return
    spec = next(spec for spec in recorder.scenario.engines if spec.title == session.label)
    data = recorder.run / "engines" / f"{session.label}-server"
    recorder.tell(f"{session.label}: starting")
    try:
        with serving(
            spec,
            recorder.adapter_classes[session.label],
            recorder.scenario.limits,
            data,
            log=recorder.run / LOG,
            progress=recorder.callbacks.progress,
        ) as served:
            recorder.learn(session.label, served.facts)
            recorder.server_unseen = served.unseen
            for pid in served.pids:
                recorder.noise.count_as_own(pid)
            job = Job(
                scenario,
                session,
                recorder.run,
                {cell.key: cell for cell in recorded.values()},
                served.settings,
                served.meter,
                can_kill=served.kill_and_start is not None,
            )
            _follow(recorder, job, cache, served)
    except (SessionFailedError, ServerFailedError) as error:
        missing = [cell for cell in planned if identity(cell, recorder.scenario) not in recorded]
        for cell in missing:
            recorder.add(cell.model_copy(update={"error": from_engine(str(error))}))
        if not missing:
            recorder.note_once(f"{session.label} failed after its last cell: {from_engine(str(error))}")
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _follow(recorder: Recorder, job: Job, cache: Path, served: SessionServer) -> None:
    """Runs a session and records what it reports. Raises SessionFailedError.

    A cell during which the server ended is recorded without figures.
    """
    label = job.session.label
    # A server names its version after its index is built. Until it has, a cell waits for the next message, so that
    # none of another version than the run's is recorded.
    waiting: tuple[Measurement, Span | None] | None = None
    named = not recorder.adapter_classes[label].capabilities.server
    try:
        for kind, *values in messages(
            job, cache, recorder.scenario.cell_timeout_s, partial(_answer, recorder, served)
        ):
            if kind == "server":
                waiting, held = None, waiting  # not recorded where the server is another one
                recorder.learn_server(label, *values)
                waiting, named = held, True
            if waiting is not None:
                recorder.record(*waiting)
                waiting = None
            if kind == "cell":
                cell = _while_alive(served.how_it_ended, *values)
                if named:
                    recorder.record(*cell)
                else:
                    waiting = cell
            elif kind == "left":
                recorder.note_left(label, *values)
            elif kind == "at":
                recorder.tell(values[0])
    except SessionFailedError as error:
        if waiting is not None:
            recorder.record(*waiting)
        end = served.how_it_ended()
        raise SessionFailedError(f"{error}; {end}") if end else error from None
    if waiting is not None:
        recorder.record(*waiting)


def _answer(recorder: Recorder, served: SessionServer, question: str) -> Any:
    """The answer to a session's question: settings and meter of its server, or why there are none."""
    assert question == KILL_SERVER
    assert served.kill_and_start is not None
    try:
        hosted = served.kill_and_start()
    except ServerFailedError as error:
        return from_engine(str(error))
    for pid in hosted.pids:
        recorder.noise.count_as_own(pid)
    return hosted.settings, hosted.meter


def _while_alive(
    how_it_ended: Callable[[], str | None], cell: Measurement, span: Span | None
) -> tuple[Measurement, Span | None]:
    """A cell and its window; without figures where its server ended before the cell did."""
    end = how_it_ended()
    if end is None and (cell.error or cell.metrics.get("errors")):
        time.sleep(_SEEN_TO_END_S)
        end = how_it_ended()
    if end is None:
        return cell, span
    error = "; ".join(filter(None, (cell.error or cell.reasons.get("errors"), end)))
    return cell.model_copy(
        update={"metrics": {}, "reasons": {}, "samples": None, "error": from_engine(error)}
    ), None
