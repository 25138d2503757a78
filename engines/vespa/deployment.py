"""Deployment: one application, the only one that a self-hosted Vespa can hold, with a schema for each collection."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from secrets import token_hex
from typing import Any
from xml.etree import ElementTree

import orjson

from engines.base import EngineError
from engines.http.client import HttpError
from engines.server.endpoint import Endpoint, variable
from engines.server.names import PREFIX
from engines.vespa.client import Client
from engines.vespa.package import CONTAINER, package
from engines.vespa.params import IndexParams

_PORT = 19071
_TENANT = "/application/v2/tenant/default"
_ACTIVE = f"{_TENANT}/application/default/environment/prod/region/default/instance/default"
_OLDEST = (8, 500)
_DEPLOY_S = 300.0  # to prepare an application, and then to make every service use it
_PAUSE_S = 0.25
# An application without any schema could not be deployed, and without an application nothing listens.
_NONE = f"{PREFIX}idle"
IDLE = {_NONE: f"schema {_NONE} {{\n    document {_NONE} {{\n    }}\n}}\n"}


class ConfigServer:
    """The config server of a Vespa."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = Client(endpoint, _DEPLOY_S, Content_Type="application/zip")

    @classmethod
    def of(cls, vespa: Endpoint) -> ConfigServer:
        """At BAKEOFF_VESPA_CONFIG_URL, else at port 19071 of the host that answers queries."""
        if os.environ.get(variable("vespa-config", "URL")):
            return cls(Endpoint.of("vespa-config"))
        host = f"[{vespa.host}]" if ":" in vespa.host else vespa.host
        return cls(replace(vespa, url=f"{'https' if vespa.secure else 'http'}://{host}:{_PORT}"))

    def check(self) -> None:
        """Raises EngineError unless a config server of a supported version answers."""
        try:
            answer = self._get("/state/v1/version")
        except HttpError:
            raise
        except EngineError as error:
            raise EngineError(
                f"{error} The config server's address is {variable('vespa-config', 'URL')}"
            ) from error
        version = str(answer.get("version", "")) if isinstance(answer, dict) else ""
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < _OLDEST:
            raise EngineError(
                f"vespa: {self._endpoint.url} runs version {version or 'unknown'}; "
                f"{'.'.join(map(str, _OLDEST))} or later is needed"
            )

    def schemas(self) -> list[str]:
        """The names of the schemas deployed. Raises EngineError where another application is, and leaves it."""
        try:
            services = self._client.send("GET", f"{_ACTIVE}/content/services.xml")
        except HttpError as error:
            if error.status == 404:
                return []
            raise
        root = ElementTree.fromstring(services)
        if not any(container.get("id") == CONTAINER for container in root.iter("container")):
            raise EngineError(
                f"vespa: {self._endpoint.url} holds an application that is not Bakeoff's, which a benchmark would "
                "replace with all its documents; use a Vespa of its own"
            )
        return [document.get("type", "") for document in root.iter("document")]

    def current(self, collection: str) -> str | None:
        """The schema that holds a collection; None where there is none."""
        return next((name for name in self.schemas() if name.startswith(f"{collection}_")), None)

    def create(self, collection: str, text: Any, params: IndexParams) -> str:
        """Replaces a collection by an empty one and returns its schema's name; text(name): the schema.

        A new name each time: a schema never has to change its fields, which Vespa allows but for a few, and what
        is left of the former documents can never be found.
        """
        name = f"{collection}_{token_hex(4)}"
        self._deploy({**self._others(collection), name: text(name)}, params)
        return name

    def drop(self, collection: str, params: IndexParams) -> None:
        """Removes a collection and its documents; does nothing where there is none."""
        if self.current(collection) is not None:
            self._deploy(self._others(collection) or IDLE, params)

    def _others(self, collection: str) -> dict[str, str]:
        names = [name for name in self.schemas() if not name.startswith((f"{collection}_", _NONE))]
        return {name: self.text(name) for name in names}

    def text(self, name: str) -> str:
        """A schema as it was deployed."""
        return self._client.send("GET", f"{_ACTIVE}/content/schemas/{name}.sd").decode()

    def _deploy(self, schemas: dict[str, str], params: IndexParams) -> None:
        body = package(schemas, params)
        answer = orjson.loads(self._client.send("POST", f"{_TENANT}/prepareandactivate", body))
        restarts = answer.get("configChangeActions", {}).get("restart", [])
        if restarts:
            raise EngineError(
                f"vespa: {self._endpoint.url} must be restarted before it obeys the new application, whose machines "
                "differ; give all scenarios of one Vespa the same `hosts`, or start from an empty one"
            )
        self._converge(int(answer["session-id"]))

    def _converge(self, generation: int) -> None:
        """Waits until every service has the application of this generation."""
        deadline, last = time.monotonic() + _DEPLOY_S, "no answer"
        while time.monotonic() < deadline:
            try:
                answer = self._get(f"{_ACTIVE}/serviceconverge")
                if answer["converged"] and answer["currentGeneration"] >= generation:
                    return
                last = f"at generation {answer['currentGeneration']} of {generation}"
            except HttpError as error:  # while services start
                last = str(error)
            time.sleep(_PAUSE_S)
        raise EngineError(
            f"vespa: the application is not in use after {_DEPLOY_S:g} s ({last}); see vespa.log"
        )

    def _get(self, target: str) -> Any:
        answer = self._client.send("GET", target)
        try:
            return orjson.loads(answer)
        except orjson.JSONDecodeError:
            raise EngineError(
                f"vespa: {self._endpoint.url}{target} does not answer in JSON; is that a config server?"
            ) from None

    def close(self) -> None:
        self._client.close()
