"""Vespa's own Java half from Maven Central: its config model, its container with the parsers of queries and documents.

There are no content nodes, which are not Java: nothing is stored and nothing found.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import java
from tests.servers.launch import UnavailableError

_SOURCES = Path(__file__).parent / "vespa"
_PROGRAM = "VespaApplication"
_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')
_NUMBER = r"-?\d+(?:\.\d+)?(?:E-?\d+)?"


class VespaModel:
    """Asks the program of VespaApplication.java."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._folder, self._packages = process, folder, 0

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer; `error` in it is what was thrown."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def unpack(self, package: bytes) -> str:
        """Writes an application package into a folder of its own and returns that."""
        self._packages += 1
        folder = self._folder / f"application{self._packages}"
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(folder)
        return str(folder)

    def serve(self, package: bytes) -> None:
        """Starts the container of an application; what `post` and `request` ask goes there."""
        answer = self.ask({"serve": self.unpack(package)})
        assert "error" not in answer, answer

    def request(self, method: str, uri: str, body: str = "") -> tuple[int, dict[str, Any]]:
        """(status, answer) to a request."""
        answer = self.ask({"method": method, "uri": uri, "body": body})
        assert "error" not in answer, answer
        return answer["status"], json.loads(answer["body"])


@contextmanager
def running(folder: Path) -> Iterator[VespaModel]:
    """The program, compiled and started. Raises UnavailableError with the reason and the remedy."""
    runtime, jars = java.runtime(17), java.artifacts(_SOURCES / "pom.xml")
    class_path = f"{folder}:{jars}/*"
    compiler = [runtime, "-cp", class_path, "org.eclipse.jdt.internal.compiler.batch.Main"]
    options = ["-source", "17", "-target", "17", "-nowarn", "-cp", ":".join(map(str, jars.glob("*.jar")))]
    command = [*compiler, *options, "-d", folder, _SOURCES / f"{_PROGRAM}.java"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise UnavailableError(f"{_PROGRAM}.java could not be compiled: {run.stderr.strip()}")
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(
            [runtime, "-Xmx1g", "-XX:+UseSerialGC", "-cp", class_path, _PROGRAM],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            yield VespaModel(process, folder)
        finally:
            process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()  # type: ignore[union-attr]


def in_our_form(yql: str) -> str:
    """Vespa's rendering of a query tree in the words that the stand-in knows."""
    parts = _STRING.split(yql)
    strings = [part.replace("\\'", "'") for part in parts[1::2]]
    text = "\0".join(parts[::2])
    for pattern, new in (
        (r" (limit|timeout) \d+", ""),
        (r"\{id: \d+\}", ""),
        (r"\bid: \d+, ", ""),
        (r"hnsw\.exploreAdditionalHits", '"hnsw.exploreAdditionalHits"'),
        (r"\bAND\b", "and"),
        (r"\bOR\b", "or"),
        (r"(\d)L\b", r"\1"),
        (rf"([=<>]) \(\(({_NUMBER})\)\)", r"\1 \2"),
        (rf"([=<>]) \(({_NUMBER})\)", r"\1 \2"),
        (rf"(\w+) >= ({_NUMBER})", r"range(\1, \2, Infinity)"),
        (rf"(\w+) <= ({_NUMBER})", r"range(\1, -Infinity, \2)"),
    ):
        text = re.sub(pattern, new, text)
    pieces = text.split("\0")
    return "".join(piece + string for piece, string in zip(pieces, [*strings, ""], strict=True))
