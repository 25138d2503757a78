"""A server that is started for one session, as a process or in a container, by a process of its own.

That process stops the server when it is asked to and when the run has ended, for whatever reason. If it is
killed itself, its keeper (harness.children) does so.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import psutil

from engines.registry import ENGINES
from engines.server.endpoint import variable
from engines.server.launched import Launched
from harness.children.kept import KeptChild, keep_child
from harness.children.shared_memory import remove_segments_of
from harness.children.start import ending
from harness.errors import ServerFailedError
from harness.machine.meters import Container, Meter, ProcessTree
from harness.progress import Progress
from harness.results.text import message_of
from harness.scenario.specs import ContainerLimits
from harness.servers.compose import read_compose
from harness.servers.containers import RunningContainer, started

STOP_S = 30.0  # how long a server may take to stop before everything of it is killed
RESTART_S = 180.0  # how long a server that was killed may take to be ready again
_ANSWER_S = 10.0  # how long the Docker engine may take to say whether a container runs


@dataclass(frozen=True, slots=True)
class ReadyServer:
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
    child: KeptChild
    _asked: int = field(default=0, init=False)

    def ready(self, progress: Progress) -> ReadyServer:
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
                hosted: ReadyServer = values[0]
                return hosted
            progress(*values)

    def how_it_ended(self) -> str | None:
        """None while the server runs, or where that is not known; else how it ended."""
        try:
            return self._answer("how it ended", _ANSWER_S)  # type: ignore[no-any-return]
        except TimeoutError:
            return None
        except (EOFError, OSError):
            return "the process that runs its server has ended"

    def kill_and_start(self) -> ReadyServer:
        """Kills the server (SIGKILL) and starts it again on the same data. Raises ServerFailedError."""
        try:
            answer = self._answer("kill and start", RESTART_S)
        except (TimeoutError, EOFError, OSError):
            answer = f"it was not ready again within {RESTART_S:g} s"
        if isinstance(answer, str):
            raise ServerFailedError(f"{self.engine}: killed and started again: {answer}")
        return answer  # type: ignore[no-any-return]

    def _answer(self, question: str, timeout_s: float) -> Any:
        """Raises TimeoutError, EOFError, OSError."""
        self._asked += 1
        self.child.connection.send((self._asked, question))
        while True:
            number, answer = self.child.receive(timeout_s)
            if number == self._asked:  # else an answer that came too late for the question before
                return answer


@contextlib.contextmanager
def hosted(
    engine: str, way: str, limits: ContainerLimits, folder: Path, *, log: Path, progress: Progress
) -> Iterator[tuple[ReadyServer, Host]]:
    """A server of an engine, started as `way` says: `process` or `container`. Raises ServerFailedError.

    folder: where a process keeps its data; it is removed afterwards. log: where what it prints goes.
    """
    with keep_child(
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
    ways: dict[str, Any] = {"process": _process, "container": _container}

    def progress(what: str, done: float, total: float | None) -> None:
        connection.send(("progress", what, done, total))

    # Raised when the run has ended, or does not need the server any more.
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            with ways[way](engine, limits, folder, progress) as server:
                connection.send(("ready", server.hosted))
                while True:
                    number, question = connection.recv()
                    connection.send((number, _answered(server, question)))
        except ServerFailedError as error:
            connection.send(("failed", str(error)))


class _Running(Protocol):
    """A server that was started here."""

    hosted: ReadyServer

    def how_it_ended(self) -> str | None: ...
    def kill_and_start(self) -> ReadyServer: ...


def _answered(server: _Running, question: str) -> ReadyServer | str | None:
    if question == "how it ended":
        return server.how_it_ended()
    try:
        return server.kill_and_start()
    except Exception as error:  # noqa: BLE001  whatever a launcher or the Docker engine's client raises
        return message_of(error)


class _Process:
    """A server started by its engine's launcher."""

    def __init__(self, engine: str, launched: Launched) -> None:
        self._engine, self._launched = engine, launched

    @property
    def hosted(self) -> ReadyServer:
        settings = {variable(self._engine, key): value for key, value in self._launched.settings.items()}
        facts = {"server": {"run": "process", "limits": "none; its settings follow cpus and memory"}}
        return ReadyServer(ProcessTree(self._launched.pid, self._launched.data), settings, facts)

    def how_it_ended(self) -> str | None:
        return _process_ended(self._launched.pid)

    def kill_and_start(self) -> ReadyServer:
        if self._launched.kill_and_start is None:
            raise ServerFailedError("its launcher cannot start it again")
        self._launched = self._launched.kill_and_start()
        return self.hosted


class _InContainer:
    """A server in a container."""

    def __init__(self, started: RunningContainer, facts: dict[str, Any], data: str) -> None:
        self._started, self._facts, self._data = started, facts, data

    @property
    def hosted(self) -> ReadyServer:
        meter = Container(self._started.id, self._data)
        return ReadyServer(
            meter, self._started.settings, self._facts, tuple(filter(None, [self._started.pid]))
        )

    def how_it_ended(self) -> str | None:
        return self._started.how_it_ended()

    def kill_and_start(self) -> ReadyServer:
        self._started = self._started.kill_and_start()
        return self.hosted


@contextlib.contextmanager
def _process(engine: str, limits: ContainerLimits, folder: Path, _progress: Progress) -> Iterator[_Process]:
    with _launched(engine, limits, folder) as launched:
        yield _Process(engine, launched)


@contextlib.contextmanager
def _container(
    engine: str, limits: ContainerLimits, _folder: Path, progress: Progress
) -> Iterator[_InContainer]:
    compose = read_compose(engine, limits)
    with started(compose, progress) as container:
        facts = {"server": {"run": "container", "image": container.image, **limits.model_dump()}}
        yield _InContainer(container, facts, compose.extension.data)


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
    pids: list[int] = []
    with contextlib.ExitStack() as stack:
        stack.callback(remove_segments_of, pids)  # at the very end: a killed server leaves its segments
        try:
            launched = stack.enter_context(
                running(folder, cpus=max(1, round(limits.cpus)), memory_bytes=limits.memory_mib << 20)
            )
        except Exception as error:  # whatever a client library raises
            raise ServerFailedError(f"{engine}: its server cannot be started: {message_of(error)}") from error
        pids.append(launched.pid)
        yield launched
