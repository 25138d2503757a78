"""A service in a process of its own, on a free port of this machine, and how it is asked."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
_READY_S = 120  # on a machine that does much else


@dataclass
class Reply:
    """status, headers (lower case) and the JSON of the body."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def fields(self) -> set[str]:
        """The fields that a problem names."""
        return {error["field"] for error in self.body.get("errors", [])}


@dataclass
class Service:
    """process, the folder that it was started in, its address, and what it has said on standard error so far."""

    process: subprocess.Popen[str]
    folder: Path
    url: str
    said: list[str] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        """A request with JSON, or with the bytes `raw`."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        try:
            content = raw if raw is not None else None if body is None else json.dumps(body).encode()
            kinds = {} if content is None else {"content-type": "application/json"}
            connection.request(method, path, content, kinds | dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read()
            found = {name.lower(): value for name, value in answer.getheaders()}
            is_json = found.get("content-type", "").endswith("json")
            return Reply(answer.status, found, json.loads(text) if is_json else text.decode())
        finally:
            connection.close()

    def stop(self) -> int:
        """Asks it to end, and waits; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "harness.cli", *options]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BAKEOFF_")}
    return kept | {"PYTHONPATH": str(ROOT), "BAKEOFF_CACHE": str(folder / "cache")} | more


@contextmanager
def running(folder: Path, *options: str, **more: str) -> Iterator[Service]:
    """A service started in `folder`; more: environment variables. It is killed if it has not ended by itself."""
    process = subprocess.Popen(
        command("serve", "--port", "0", *options),
        cwd=folder,
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = Service(process, folder, "")
    assert process.stdout is not None
    assert process.stderr is not None
    reading = threading.Thread(target=lambda: service.said.extend(process.stderr or ()), daemon=True)
    reading.start()
    guard = threading.Timer(_READY_S, process.kill)
    guard.start()
    try:
        line = process.stdout.readline()
        guard.cancel()
        assert line.startswith("listening on "), f"it ended: {service.said}"
        service.url = line.split()[-1]
        yield service
    finally:
        guard.cancel()
        process.kill()
        process.wait(30)
        reading.join(30)
        process.stdout.close()
        process.stderr.close()


def refused(folder: Path, *options: str, **more: str) -> tuple[int, list[str]]:
    """Exit code and errors of a service that does not start."""
    done = subprocess.run(
        command("serve", "--port", "0", *options),
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=_READY_S,
        check=False,
    )
    assert "listening" not in done.stdout
    return done.returncode, [line for line in done.stderr.splitlines() if line.startswith("error: ")]
