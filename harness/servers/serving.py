"""Where an engine's server comes from: one that runs already, a process, a container, or none is needed."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from engines.base import Engine
from engines.registry import ENGINES
from engines.server.address import AddressError, parse_address, shown
from engines.server.endpoint import refusal, variable
from engines.server.launched import Launched
from harness.machine.meters import Container, Meter, OwnProcess, ProcessTree, Unmeasured
from harness.progress import Progress, silent
from harness.scenario.specs import ContainerLimits, EngineSpec
from harness.servers.compose import compose_file, read_manifest
from harness.servers.containers import ServerFailedError, started


def _no_fate() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Served:
    """A session's server. settings: the environment in which the adapter finds it. facts: for the result file.

    fate: None while it runs, else what became of it.
    """

    meter: Meter
    settings: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    fate: Callable[[], str | None] = _no_fate


def source(spec: EngineSpec, kind: type[Engine]) -> str:
    """How the engine is run: `in-process`, `url`, `process` or `container`. Raises ValueError with the remedy."""
    if not kind.capabilities.server:
        if spec.server != "auto":
            raise ValueError(f"server: {spec.engine} runs inside the process, remove the key")
        return "in-process"
    entry, url = ENGINES.get(spec.engine), os.environ.get(variable(spec.engine, "URL"))
    if entry is None:
        return "url"  # an engine from outside this project knows itself where its server is
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
    spec: EngineSpec, kind: type[Engine], limits: ContainerLimits, folder: Path, progress: Progress = silent
) -> Iterator[Served]:
    """The server of one session, stopped afterwards if it was started here. Raises ServerFailedError.

    folder: where a server that is started as a process keeps its data; it need not exist.
    """
    way = source(spec, kind)
    if way == "in-process":
        yield Served(OwnProcess())
    elif way == "url":
        yield Served(
            Unmeasured(),
            facts={"server": {"run": way, "url": _address(spec.engine)}},
        )
    elif way == "process":
        with _launched(spec.engine, limits, folder) as launched:
            settings = {variable(spec.engine, key): value for key, value in launched.settings.items()}
            facts = {"server": {"run": way, "limits": "none; its settings follow cpus and memory"}}
            fate = partial(_process_fate, launched.pid)
            yield Served(ProcessTree(launched.pid, launched.data), settings, facts, fate)
    else:
        manifest = read_manifest(spec.engine, limits)
        with started(manifest, progress) as container:
            facts = {"server": {"run": way, "image": container.image, **limits.model_dump()}}
            meter = Container(container.id, manifest.extension.data)
            yield Served(meter, container.settings, facts, container.fate)


def _address(engine: str) -> str:
    """Where the engine's server runs, without credentials. An engine from outside may have another kind of address."""
    url = os.environ.get(variable(engine, "URL"), "")
    try:
        return parse_address(url).url
    except AddressError:
        return shown(url)


def _process_fate(pid: int) -> str | None:
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
