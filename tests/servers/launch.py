"""Real servers for the tests: one that runs already, else one that is started here, at most once each."""

from __future__ import annotations

import importlib
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from engines.server.endpoint import variable

# Engine -> module with `running(folder)`, a context manager that starts the server and yields its URL. It raises
# UnavailableError, with the reason, where it cannot run here.
LAUNCHERS = {
    "elasticsearch": "tests.servers.elasticsearch",
    "milvus": "tests.servers.milvus",
    "opensearch": "tests.servers.opensearch",
    "pgvector": "tests.servers.pgvector",
    # No servers: nothing real can be had without a container registry. They check every request against the client's
    # own models or the engine's own grammar, and answer exactly.
    "qdrant": "tests.servers.qdrant_stand_in",
    "vespa": "tests.servers.vespa_stand_in",
}


class UnavailableError(Exception):
    """The server cannot be had on this machine; the message says what is missing and how to get it."""


class Servers:
    """The servers of one test run; adapters find them through the environment."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._reasons: dict[str, str] = {}

    def require(self, engine: str) -> None:
        """Sees to it that BAKEOFF_<ENGINE>_URL names a running server. Raises UnavailableError."""
        if os.environ.get(variable(engine, "URL")):
            return
        if engine not in self._reasons:
            try:
                os.environ[variable(engine, "URL")] = self._start(engine)
                return
            except UnavailableError as error:
                self._reasons[engine] = str(error)
        raise UnavailableError(self._reasons[engine])

    def _start(self, engine: str) -> str:
        if engine not in LAUNCHERS:
            raise UnavailableError(f"no server of {engine} is known; set {variable(engine, 'URL')}")
        with ExitStack() as starting:  # leaves nothing where the server cannot be had
            folder = Path(starting.enter_context(tempfile.TemporaryDirectory(prefix=f"bakeoff-{engine}-")))
            starting.callback(os.environ.pop, variable(engine, "URL"), None)
            url: str = starting.enter_context(importlib.import_module(LAUNCHERS[engine]).running(folder))
            self._stack.push(starting.pop_all())
        return url

    def close(self) -> None:
        """Stops what was started."""
        self._stack.close()
