"""A real node of Elasticsearch, as a process."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import java
from tests.servers.launch import UnavailableError

_NODE = Path(__file__).parent / "elasticsearch_node"
_VERSION = "9.5.3"  # of the POM
_VECTORS = "jdk.incubator.vector"
_HEAP = "1g"
_SETTINGS = """\
cluster.name: bakeoff
discovery.type: single-node
http.host: 127.0.0.1
http.port: 0
transport.host: 127.0.0.1
transport.port: 0
cluster.routing.allocation.disk.threshold_enabled: false
"""
_LOG = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] [%node_name]%marker %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
# Without its Java module's name: the server lies on the class path, where a module cannot require it.
_MODULE = f"""\
name=transport-netty4
description=HTTP
version={_VERSION}
elasticsearch.version={_VERSION}
java.version=21
classname=org.elasticsearch.transport.netty4.Netty4Plugin
"""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a node that keeps its files in `folder`. Raises UnavailableError with the reason and the remedy."""
    runtime = java.runtime(21)
    class_path = ":".join(str(path) for path in [folder, *lay_out(folder, _SETTINGS)])
    command = [
        runtime,
        f"-Xms{_HEAP}",
        f"-Xmx{_HEAP}",
        "-XX:+UseG1GC",  # the server's memory limit counts garbage, and knows how to be rid of it under G1 only
        "--enable-native-access=ALL-UNNAMED",
        *(["--add-modules", _VECTORS] if java.has_module(runtime, _VECTORS) else []),
        *("-cp", class_path, "StartNode", folder),
    ]
    log = folder / "output.log"
    with java.process(command, folder, log) as child:
        address = re.compile(r"HttpServerTransport\].* publish_address \{([\d.:]+)\}")
        yield java.await_url(child, log, address, "/_cluster/health?wait_for_status=yellow&timeout=5s")


def lay_out(home: Path, settings: str) -> list[Path]:
    """Writes what a node has in its home: settings, its module, its start. Returns the jars for the class path."""
    jars = sorted(java.artifacts(_NODE / "pom.xml").glob("*.jar"))
    # A server refuses to start where a module's classes are its own as well.
    module = [jar for jar in jars if jar.name.startswith(("netty-", "transport-netty4-"))]
    class_path = [jar for jar in jars if jar not in module]
    for name, text in {
        "config/elasticsearch.yml": settings,
        "config/log4j2.properties": _LOG,
        "modules/transport-netty4/plugin-descriptor.properties": _MODULE,
    }.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    for jar in module:
        shutil.copy(jar, home / "modules" / "transport-netty4")
    _compile(java.runtime(21), ":".join(map(str, class_path)), home)
    return class_path


def _compile(runtime: Path, class_path: str, folder: Path) -> None:
    compiler = [runtime, "-cp", class_path, "org.eclipse.jdt.internal.compiler.batch.Main"]
    options = ["-source", "21", "-target", "21", "-nowarn", "-cp", class_path, "-d", folder]
    command = [*compiler, *options, _NODE / "StartNode.java"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise UnavailableError(f"the node's start could not be compiled: {run.stderr.strip()}")
