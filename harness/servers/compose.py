"""An engine's `docker/<engine>/compose.yaml` as the harness reads it: one service, and what `x-bakeoff` adds.

The same file stands the engine up by hand (`docker compose up`), so there is one description of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from engines.server.endpoint import variable
from harness.errors import ConfigurationError
from harness.paths import shipped
from harness.scenario.specs import ContainerLimits
from harness.scenario.strict import validated

_REFERENCE = re.compile(r"\$\{(\w+):-([^}]*)\}")
_HEAP_SHARE = 0.5  # of a container's memory, for a JVM; the rest is for files and native memory


class _Lenient(BaseModel):
    """Part of a compose file. Keys that only `docker compose` uses are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Service(_Lenient):
    """What is run. ports: "127.0.0.1:host:container"; only the container's is used here."""

    image: str
    ports: Annotated[list[str], Field(min_length=1)]
    environment: dict[str, str] = {}
    command: list[str] | None = None
    ulimits: dict[str, dict[str, int] | int] = {}
    shm_size: str | None = None
    cpus: float
    mem_limit: str

    @property
    def container_ports(self) -> list[int]:
        """The ports the service listens on, inside."""
        return [int(port.rpartition(":")[2]) for port in self.ports]


class Ready(_Lenient):
    """How it shows that it is up: `path` answers 200 at the container's `port`, or the port can be connected to."""

    port: int
    path: str | None = None


class Extension(_Lenient):
    """settings: KEY -> template for BAKEOFF_<ENGINE>_<KEY>, with {host} and {port_<container port>}."""

    settings: dict[str, str]
    ready: Ready
    data: str
    start_s: Annotated[float, Field(gt=0)] = 120.0


class _ComposeYaml(_Lenient):
    services: dict[str, Service]
    extension: Annotated[Extension, Field(alias="x-bakeoff")]


class ComposeFile(_Lenient):
    """One engine's container."""

    engine: str
    service: Service
    extension: Extension

    def settings(self, host: str, ports: Mapping[int, int]) -> dict[str, str]:
        """The environment in which the adapter finds the server. ports: container port -> host port."""
        known = {"host": host, **{f"port_{inner}": outer for inner, outer in ports.items()}}
        return {
            variable(self.engine, key): template.format(**known)
            for key, template in self.extension.settings.items()
        }


def compose_file(engine: str) -> Path:
    """Where an engine's compose file is, whether it exists or not."""
    return shipped("docker") / engine / "compose.yaml"


def read_compose(
    engine: str, limits: ContainerLimits, environ: Mapping[str, str] | None = None
) -> ComposeFile:
    """An engine's container under these limits; BAKEOFF_IMAGE_<ENGINE> replaces the image.

    Raises ConfigurationError naming file, key and value.
    """
    path = compose_file(engine)
    values = dict(os.environ if environ is None else environ) | {
        "BAKEOFF_CPUS": f"{limits.cpus:g}",
        "BAKEOFF_MEMORY_MIB": str(limits.memory_mib),
        "BAKEOFF_HEAP_MIB": str(int(limits.memory_mib * _HEAP_SHARE)),
    }
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}; {engine} comes without a container"
        ) from error
    text = _REFERENCE.sub(lambda match: values.get(match[1]) or match[2], text)
    data: Any = yaml.safe_load(text)
    file = validated(_ComposeYaml, data, str(path))
    if engine not in file.services:
        raise ConfigurationError(f"{path}: services must hold one called {engine}")
    return ComposeFile(engine=engine, service=file.services[engine], extension=file.extension)
