"""A server that is started for one session, as a process or in a container, by a process of its own.

That process stops the server when it is asked to and when the run has ended, however that came about; it has a keeper
(harness.children) for the case that it is killed itself.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from engines.registry import ENGINES
from engines.server.endpoint import variable
from engines.server.launched import Launched
from harness.children.kept import Kept, kept
from harness.children.start import ending
from harness.machine.meters import Container, Meter, ProcessTree
from harness.progress import Progress
from harness.scenario.specs import ContainerLimits
from harness.servers.compose import read_manifest
from harness.servers.containers import ServerFailedError, started

STOP_S = 30.0  # how long a server may take to stop before everything of it is killed
_ANSWER_S = 10.0  # how long the Docker engine may take to say whether a container runs


@dataclass(frozen=True, slots=True)
class Hosted:
    """A server that is ready. settings: the environment in which the adapter finds it. facts: for the result file.

    pids: its processes on this machine that the run did not start itself (those of a container).
    """

    meter: Meter
    settings: dict[str, str]
    facts: dict[str, Any]
    pids: tuple[int, ...] = ()


@dataclass(slots=True)
class Host:
    """The process that runs a server, as the run sees it."""

    engine: str
    child: Kept
    _asked: int = field(default=0, init=False)

    def ready(self, progress: Progress) -> Hosted:
        """Waits until the server is ready. Raises ServerFailedError."""
        while True:
            try:
                kind, *values = self.child.receive(None)
            except EOFError:
                code = self.child.end().code
                raise ServerFailedError(
                    f"{self.engine}: the process that starts its server ended ({ending(code)})"
                ) from None
            if kind == "failed":
                raise ServerFailedError(values[0])
            if kind == "ready":
                hosted: Hosted = values[0]
                return hosted
            progress(*values)

    def how_it_ended(self) -> str | None:
        """None while the server runs, or where that cannot be told; else how it ended."""
        self._asked += 1
        try:
            self.child.connection.send(self._asked)
            answered = 0
            while answered != self._asked:  # an answer that came too late for the question before
                answered, text = self.child.receive(_ANSWER_S)
        except TimeoutError:
            return None
        except (EOFError, OSError):
            return "the process that runs its server has ended"
        return text  # type: ignore[no-any-return]


@contextlib.contextmanager
def hosted(
    engine: str, way: str, limits: ContainerLimits, folder: Path, *, log: Path, progress: Progress
) -> Iterator[tuple[Hosted, Host]]:
    """A server of an engine, started as `way` says: `process` or `container`. Raises ServerFailedError.

    folder: where a process keeps its data; it is removed afterwards. log: where what it prints goes.
    """
    with kept(
        f"bakeoff server {engine}",
        run_server,
        engine,
        way,
        limits,
        folder,
        log=log,
        folders=[folder],
        grace_s=STOP_S,
    ) as child:
        host = Host(engine, child)
        yield host.ready(progress), host


def run_server(engine: str, way: str, limits: ContainerLimits, folder: Path, connection: Connection) -> None:
    """What the process does: starts the server, answers whether it runs, and stops it when the connection ends."""
    ways = {"process": _process, "container": _container}

    def progress(what: str, done: float, total: float | None) -> None:
        connection.send(("progress", what, done, total))

    with contextlib.suppress(
        EOFError, ConnectionError
    ):  # the run has ended, or has no more use for the server
        try:
            with ways[way](engine, limits, folder, progress) as (ready, how_it_ended):
                connection.send(("ready", ready))
                while True:
                    number = connection.recv()
                    connection.send((number, how_it_ended()))
        except ServerFailedError as error:
            connection.send(("failed", str(error)))


_Started = Iterator[tuple[Hosted, Callable[[], str | None]]]


@contextlib.contextmanager
def _process(engine: str, limits: ContainerLimits, folder: Path, _progress: Progress) -> _Started:
    with _launched(engine, limits, folder) as launched:
        settings = {variable(engine, key): value for key, value in launched.settings.items()}
        facts = {"server": {"run": "process", "limits": "none; its settings follow cpus and memory"}}
        yield (
            Hosted(ProcessTree(launched.pid, launched.data), settings, facts),
            partial(_process_ended, launched.pid),
        )


@contextlib.contextmanager
def _container(engine: str, limits: ContainerLimits, _folder: Path, progress: Progress) -> _Started:
    manifest = read_manifest(engine, limits)
    with started(manifest, progress) as container:
        facts = {"server": {"run": "container", "image": container.image, **limits.model_dump()}}
        meter = Container(container.id, manifest.extension.data)
        yield (
            Hosted(meter, container.settings, facts, tuple(filter(None, [container.pid]))),
            container.how_it_ended,
        )


def _process_ended(pid: int) -> str | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            return None
    return f"its server has ended (process {pid})"


@contextlib.contextmanager
def _launched(engine: str, limits: ContainerLimits, folder: Path) -> Iterator[Launched]:
    module, _, name = ENGINES[engine].launcher.partition(":")
    running = getattr(importlib.import_module(module), name)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            launched = stack.enter_context(
                running(folder, cpus=max(1, round(limits.cpus)), memory_bytes=limits.memory_mib << 20)
            )
        except Exception as error:  # whatever a client library raises
            raise ServerFailedError(f"{engine}: its server cannot be started: {error}") from error
        yield launched
