"""The Docker engine: its client, its errors in one line, and which containers belong to which run."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Any

import psutil

from harness.errors import ServerFailedError

OWNER = "io.bakeoff.owner"  # label: which process a container belongs to


def owner_label(pid: int) -> str:
    """A process's identity, which differs from that of a later process with the same id."""
    return f"{socket.gethostname()} {pid} {psutil.Process(pid).create_time():.2f}"


def docker_client() -> Any:
    """A client of the Docker engine. Raises ServerFailedError where none answers."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(version="auto")  # asks the engine for its version
    except DockerException as error:
        # The system's own words, where its client wraps them: (2, 'No such file or directory') of its socket.
        system = re.search(r"Error\(\d+, '([^']+)'\)", str(error))
        why = system[1] if system else brief(error)
        raise ServerFailedError(
            f"no Docker engine answers ({why}). Start one, or set BAKEOFF_<ENGINE>_URL to a running server"
        ) from None
    return client


def brief(error: BaseException) -> str:
    """An error in one line; of the Docker engine's errors only the explanation, without the request."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())[:300]


def remove_containers() -> int:
    """Removes containers of runs that were killed; how many. Does nothing where no Docker engine answers."""
    try:
        client = docker_client()
    except ServerFailedError:
        return 0
    removed = 0
    for container in client.containers.list(all=True, filters={"label": OWNER}):
        host, pid, _ = container.labels[OWNER].rsplit(" ", 2)
        if host != socket.gethostname() or _alive(int(pid), container.labels[OWNER]):
            continue
        with contextlib.suppress(Exception):  # someone else may be removing it
            container.remove(force=True, v=True)
            removed += 1
    client.close()
    return removed


def _alive(pid: int, owner: str) -> bool:
    """Whether the owner still runs; one that has ended and was not waited for by its parent does not."""
    try:
        return owner_label(pid) == owner and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
