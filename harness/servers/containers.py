"""The life of a server's container: pulled, started, watched, always removed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import ServerFailedError
from harness.progress import Progress, silent
from harness.servers.compose import ComposeFile
from harness.servers.docker_engine import OWNER, brief, docker_client, owner_label
from harness.servers.readiness import is_ready

if TYPE_CHECKING:
    from docker.models.containers import Container
    from testcontainers.core.container import DockerContainer

LOG_LINES = 15
_LOOPBACK = "127.0.0.1"
_LOCAL = ("localhost", _LOOPBACK)
_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class RunningContainer:
    """A container that is ready. settings: the environment in which its adapter finds it."""

    id: str
    image: str
    settings: dict[str, str]
    container: Container
    # Kills what runs in it (SIGKILL) and starts it on the same data.
    kill_and_start: Callable[[], RunningContainer]

    @property
    def pid(self) -> int | None:
        """Its first process, as this machine numbers them; None where the Docker engine does not report it."""
        with contextlib.suppress(Exception):
            self.container.reload()
            return int(self.container.attrs["State"]["Pid"]) or None
        return None

    def how_it_ended(self) -> str | None:
        """None while it runs; afterwards how it ended, with the last lines of its log."""
        with contextlib.suppress(Exception):  # without an answer of the Docker engine nothing is known
            self.container.reload()
            if self.container.status != "running":
                return _why_it_ended(self.container)
        return None


@contextlib.contextmanager
def started(compose: ComposeFile, progress: Progress = silent) -> Iterator[RunningContainer]:
    """A ready container of this compose file, gone afterwards whatever happens. Raises ServerFailedError."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # Testcontainers' reaper would be one more image to pull; the owner's label serves the same purpose.
    testcontainers_config.ryuk_disabled = True
    client = docker_client()
    try:
        _pull(client, compose, progress)
        container = DockerContainer(compose.service.image, **_options(compose))
        container.with_envs(**compose.service.environment)
        _publish(container, compose.service.container_ports)
        if compose.service.command:
            container.with_command(compose.service.command)
        progress(f"starting {compose.engine}", 0, None)
        with _removed_afterwards(container, compose):
            yield _ready(container, compose)
    finally:
        client.close()


@contextlib.contextmanager
def _removed_afterwards(container: DockerContainer, compose: ComposeFile) -> Iterator[None]:
    from docker.errors import APIError

    try:
        try:
            _start(container)
        except APIError as error:
            raise ServerFailedError(
                f"{compose.engine}: {compose.service.image} cannot be started: {brief(error)}"
            ) from None
        yield
    finally:
        container.stop()


def _start(container: DockerContainer) -> None:
    """With the Docker engine's own limits on resources where it may not raise them, as one without root's rights."""
    from docker.errors import APIError

    try:
        container.start()
    except APIError as error:
        if "rlimit" not in str(error.explanation):
            raise
        container.stop()
        container._kwargs.pop("ulimits")
        container.start()


def _here(container: DockerContainer) -> bool:
    """Whether its published ports are this machine's."""
    from testcontainers.core.config import ConnectionMode

    client = container.get_docker_client()
    return client.get_connection_mode() is ConnectionMode.docker_host and client.host() in _LOCAL


def _publish(container: DockerContainer, ports: Sequence[int]) -> None:
    """To this machine only, if Docker runs on it: the servers ask for no password."""
    bound = (_LOOPBACK,) if _here(container) else None
    container.ports.update(dict.fromkeys(map(str, ports), bound))  # type: ignore[arg-type]  # Docker's client takes it


def _options(compose: ComposeFile) -> dict[str, Any]:
    from docker.types import Ulimit

    service = compose.service
    limits = {name: value if isinstance(value, dict) else {"soft": value, "hard": value}
              for name, value in service.ulimits.items()}  # fmt: skip
    return {
        "labels": {OWNER: owner_label(os.getpid())},
        "nano_cpus": int(service.cpus * 1e9),
        "mem_limit": service.mem_limit,
        "memswap_limit": service.mem_limit,  # no swap: it would hide that memory is short
        "shm_size": service.shm_size,
        "ulimits": [Ulimit(name=name, **bounds) for name, bounds in limits.items()],
    }


def _pull(client: Any, compose: ComposeFile, progress: Progress) -> None:
    """Makes sure that the image is there, telling how much of it has come."""
    from docker.errors import APIError, ImageNotFound

    image = compose.service.image
    with contextlib.suppress(ImageNotFound):
        client.images.get(image)
        return
    layers: dict[str, dict[str, tuple[int, int]]] = {"Downloading": {}, "Extracting": {}}
    try:
        for event in client.api.pull(image, stream=True, decode=True):
            if "error" in event:
                raise ServerFailedError(_refused(compose, event["error"]))
            detail = event.get("progressDetail") or {}
            if "total" in detail and (phase := event.get("status", "")) in layers:
                layers[phase][event["id"]] = (detail["current"], detail["total"])
                done, total = (sum(part) for part in zip(*layers[phase].values(), strict=True))
                progress(f"{phase.lower()} {image} (MiB)", done / 2**20, total / 2**20)
    except APIError as error:
        raise ServerFailedError(_refused(compose, brief(error))) from None


def _refused(compose: ComposeFile, reason: str) -> str:
    name = f"BAKEOFF_IMAGE_{compose.engine.upper()}"
    return f"{compose.engine}: image {compose.service.image} cannot be pulled: {reason}. Set {name} to one that can"


def _ready(container: DockerContainer, compose: ComposeFile) -> RunningContainer:
    """Waits until the server answers. Raises ServerFailedError when it ends before that, or takes too long."""
    inner, extension = container.get_wrapped_container(), compose.extension
    host = _LOOPBACK if _here(container) else container.get_container_host_ip()
    ports = {port: _host_port(container, compose, port) for port in compose.service.container_ports}
    deadline = time.monotonic() + extension.start_s
    while not is_ready(host, ports[extension.ready.port], extension.ready.path):
        inner.reload()
        if inner.status != "running":
            raise ServerFailedError(f"{compose.engine}: {_why_it_ended(inner)}")
        if time.monotonic() > deadline:
            raise ServerFailedError(
                f"{compose.engine}: not ready within {extension.start_s:g} s (start_s); {_last_log_lines(inner)}"
            )
        time.sleep(_POLL_S)

    def kill_and_start() -> RunningContainer:
        inner.kill()
        inner.wait()
        inner.start()
        return _ready(container, compose)

    return RunningContainer(
        inner.id, compose.service.image, compose.settings(host, ports), inner, kill_and_start
    )


def _host_port(container: DockerContainer, compose: ComposeFile, port: int) -> int:
    from docker.errors import APIError
    from testcontainers.core.exceptions import ContainerConnectException

    try:
        return container._get_exposed_port(port)
    except (APIError, ConnectionError, ContainerConnectException):  # it has ended already
        inner = container.get_wrapped_container()
        inner.reload()
        raise ServerFailedError(f"{compose.engine}: {_why_it_ended(inner)}") from None


def _why_it_ended(container: Container) -> str:
    state = container.attrs["State"]
    if state.get("OOMKilled"):
        cause = "it was killed for using more than its memory (limits.memory_mib)"
    else:
        cause = f"it ended with exit code {state.get('ExitCode')}"
    return f"its container does not run: {cause}; {_last_log_lines(container)}"


def _last_log_lines(container: Container) -> str:
    lines = container.logs(tail=LOG_LINES).decode(errors="replace").strip().splitlines()
    return "last log lines: " + (" | ".join(line.strip()[:300] for line in lines) or "none")
