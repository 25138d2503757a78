"""The stalling engine for the open loop's figures: a server in C (stall.h) in a process of its own, and its clients."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from engines.base import Capabilities, Hits
from harness.calibration.null_engine import NullEngine

SERVICE_NS, PERIOD_NS, STALL_NS = 1_000_000, 5_000_000_000, 200_000_000
ANSWER = struct.Struct("<QQQ")  # token, received_ns, answered_ns: an answer's three "hits"
_HERE = Path(__file__).parent


def compile_c(name: str, folder: Path) -> Path:
    """Compiles tests/perf/`name`.c into `folder`. Raises RuntimeError where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("no C compiler (cc) is installed")
    target = folder / name
    subprocess.run([compiler, "-O2", "-o", str(target), str(_HERE / f"{name}.c")], check=True)
    return target


def true_latency_ns(scheduled_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What a request due at each moment has to wait: the rest of the stall it falls into, and the service."""
    phase = scheduled_ns % PERIOD_NS
    waiting = np.where(phase >= PERIOD_NS - STALL_NS, PERIOD_NS - phase, 0)
    return waiting + SERVICE_NS


class StallServer:
    """Runs the server while entered."""

    def __init__(
        self, program: Path, *arguments: str, service_ns: int = SERVICE_NS, stall_ns: int = STALL_NS
    ) -> None:
        self._command = [str(program), str(service_ns), str(PERIOD_NS), str(stall_ns), *arguments]

    def __enter__(self) -> Self:
        command = self._command
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class StallEngine(NullEngine):
    """Asks the server over loopback TCP, with one connection a thread as client libraries keep them."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port, self._local = port, threading.local()
        self._connections: list[socket.socket] = []

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        try:
            connection = self._local.connection
        except AttributeError:
            connection = self._local.connection = socket.create_connection(("127.0.0.1", self._port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
        connection.sendall(b"a query\0")
        return Hits(ANSWER.unpack(connection.recv(ANSWER.size, socket.MSG_WAITALL)), (0.0, 0.0, 0.0))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


class PipelinedStallEngine(NullEngine):
    """Asks the server over one connection, without waiting for the answers."""

    capabilities = Capabilities(pipelined=True)

    def __init__(self, port: int) -> None:
        super().__init__()
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.setblocking(False)
        self._rest = b""

    def submit(self, token: int, vector: Any, k: int, where: Any = None) -> None:
        self._connection.send(token.to_bytes(8, "little"))  # 8 bytes go whole or not at all

    def fileno(self) -> int:
        return self._connection.fileno()

    def collect(self) -> list[tuple[int, Hits | Exception]]:
        try:
            data = self._rest + self._connection.recv(1 << 16)
        except BlockingIOError:
            return []
        whole = len(data) - len(data) % ANSWER.size
        self._rest = data[whole:]
        return [(answer[0], Hits(answer, (0.0, 0.0, 0.0))) for answer in ANSWER.iter_unpack(data[:whole])]

    def close(self) -> None:
        self._connection.close()
