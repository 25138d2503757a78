"""A real broker of Kafka, as a process; it may be stopped and started again at the same address."""

from __future__ import annotations

import base64
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import java
from tests.servers.launch import UnavailableError

_POM = Path(__file__).parent / "pom.xml"
_START_S, _STOP_S = 60.0, 30.0
_CLUSTER = base64.urlsafe_b64encode(b"bakeoff's broker").decode().rstrip("=")  # its id: 16 bytes
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={folder}/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=1
num.io.threads=2
log.cleaner.enable=false
"""


class Broker:
    """servers: its address, as clients are given it."""

    def __init__(self, folder: Path) -> None:
        self._folder, (port, controller) = folder, _free_ports(2)
        self._port = port
        self.servers = f"127.0.0.1:{port}"
        jars = java.artifacts(_POM)
        memory = ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]  # it starts sooner
        self._java = [java.runtime(17), *memory, "-cp", f"{jars}/*"]
        self._settings = folder / "server.properties"
        self._settings.write_text(_SETTINGS.format(port=port, controller=controller, folder=folder))
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", self._settings]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise UnavailableError(f"Kafka's storage could not be made: {run.stdout}{run.stderr}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once clients can connect."""
        log = self._folder / "output.log"
        with log.open("ab") as output:
            command = [*self._java, "kafka.Kafka", self._settings]
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise UnavailableError(f"Kafka did not start: {log.read_text('utf-8', 'replace')[-2000:]}")

    def stop(self, *, kill: bool = False) -> None:
        """Ends it, in order or at once; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports that are free now: Kafka has to be told its own before it starts."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """A broker that keeps its files in `folder`. Raises UnavailableError with the reason and the remedy."""
    broker = Broker(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
