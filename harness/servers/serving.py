"""Where an engine's server comes from: it runs already, is started as a process or a container, or none is needed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.base import Engine
from engines.registry import ENGINES
from engines.server.address import AddressError, parse_address, shown
from engines.server.endpoint import refusal, variable
from harness.machine.meters import Meter, OwnProcess, Unmeasured
from harness.progress import Progress, silent
from harness.scenario.specs import ContainerLimits, EngineSpec
from harness.servers.compose import compose_file
from harness.servers.hosting import ReadyServer, hosted
from harness.servers.this_machine import is_here, listener

UNSEEN = "the server runs on this machine, and which of its processes it is cannot be seen"


@dataclass(frozen=True, slots=True)
class SessionServer:
    """A session's server. settings: the environment in which the adapter finds it. facts: for the result file.

    how_it_ended: None while it runs. pids: its processes on this machine where this run did not start them. unseen: why
    its CPU time is not known apart from that of other programs; None where it is. kill_and_start: kills the server and
    starts it again on the same data; None where it was not started here.
    """

    meter: Meter
    settings: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    how_it_ended: Callable[[], str | None] = lambda: None
    pids: tuple[int, ...] = ()
    unseen: str | None = None
    kill_and_start: Callable[[], ReadyServer] | None = None


def server_kind(spec: EngineSpec, adapter_class: type[Engine]) -> str:
    """How the engine is run: `in-process`, `url`, `process` or `container`. Raises ValueError with the remedy."""
    if not adapter_class.capabilities.server:
        if spec.server != "auto":
            raise ValueError(f"server: {spec.engine} runs inside the process, remove the key")
        return "in-process"
    entry, url = ENGINES.get(spec.engine), os.environ.get(variable(spec.engine, "URL"))
    if entry is None:
        return "url"  # an engine from outside this project finds its server itself
    if url:
        try:
            parse_address(url)
        except AddressError as error:
            raise ValueError(f"server: {refusal(spec.engine, url, error)}") from None
        return "url"
    able = {"process": bool(entry.launcher), "container": compose_file(spec.engine).is_file()}
    wanted = [spec.server] if spec.server != "auto" else ["process", "container"]
    found = next((way for way in wanted if able[way]), None)
    if found is None:
        raise ValueError(
            f"server: {spec.engine} cannot be started as a {' or '.join(wanted)}; "
            f"set {variable(spec.engine, 'URL')} to a running server"
        )
    return found


@contextlib.contextmanager
def serving(
    spec: EngineSpec,
    adapter_class: type[Engine],
    limits: ContainerLimits,
    folder: Path,
    *,
    log: Path,
    progress: Progress = silent,
) -> Iterator[SessionServer]:
    """The server of one session, stopped afterwards if it was started here. Raises ServerFailedError.

    folder: where a server that is started as a process keeps its data; it need not exist. log: where what it prints
    goes.
    """
    way = server_kind(spec, adapter_class)
    if way == "in-process":
        yield SessionServer(OwnProcess())
    elif way == "url":
        yield _found(spec.engine)
    else:
        with hosted(spec.engine, way, limits, folder, log=log, progress=progress) as (server, host):
            yield SessionServer(
                server.meter,
                server.settings,
                server.facts,
                host.how_it_ended,
                server.pids,
                kill_and_start=host.kill_and_start,
            )


def _found(engine: str) -> SessionServer:
    """A server that runs already."""
    facts = {"server": {"run": "url", "url": _address(engine)}}
    url = os.environ.get(variable(engine, "URL"), "")
    try:
        pid = listener(url) if is_here(url) else None
        unseen = UNSEEN if pid is None and is_here(url) else None
    except ValueError:  # an address of another kind, of an engine from outside this project
        pid, unseen = None, UNSEEN
    return SessionServer(Unmeasured(), facts=facts, pids=(pid,) if pid else (), unseen=unseen)


def _address(engine: str) -> str:
    """Where the engine's server runs, without credentials. An engine from outside may have another kind of address."""
    url = os.environ.get(variable(engine, "URL"), "")
    try:
        return parse_address(url).url
    except AddressError:
        return shown(url)
