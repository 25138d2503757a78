"""A real node of OpenSearch with its k-NN plugin, as a process.

The native libraries of the plugin's FAISS engine are published in the distribution only: here it is Lucene's that runs.
"""

from __future__ import annotations

import random
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import java

_POM = Path(__file__).parent / "opensearch_node" / "pom.xml"
# What the plugin's gRPC classes refer to and no artifact on Maven Central has. They are looked at when the node starts,
# and never used, for there is no gRPC server: empty interfaces do.
_MISSING = (
    "org/opensearch/transport/grpc/spi/QueryBuilderProtoConverter",
    "org/opensearch/transport/grpc/spi/QueryBuilderProtoConverterRegistry",
    "org/opensearch/protobufs/QueryContainer",
    "org/opensearch/protobufs/QueryContainer$QueryContainerCase",
)
_VECTORS = "jdk.incubator.vector"
_HEAP = "1g"
_SETTINGS = """\
network.host: 127.0.0.1
transport.port: 0
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
"""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a node that keeps its files in `folder`. Raises UnavailableError with the reason and the remedy."""
    runtime, plugin = java.runtime(21), folder / "plugin"
    jars = unpack(plugin)
    settings = folder / "config" / "opensearch.yml"
    settings.parent.mkdir()
    settings.write_text(_SETTINGS, "utf-8")
    command = [
        runtime,
        f"-Xms{_HEAP}",
        f"-Xmx{_HEAP}",
        "-XX:+UseG1GC",  # the server's memory limit counts garbage, and knows how to be rid of it under G1 only
        "--enable-native-access=ALL-UNNAMED",
        *(["--add-modules", _VECTORS] if java.has_module(runtime, _VECTORS) else []),
        "-cp",
        f"{jars}/*:{plugin}/*:{plugin}",
        "org.codelibs.opensearch.runner.OpenSearchRunner",
        *("-basePath", folder, "-confPath", settings.parent),
        *("-numOfNode", "1", "-clusterName", "bakeoff"),
        # It looks for a free port from the next one on, up to 9299; not all from the same.
        *("-baseHttpPort", str(random.randrange(9200, 9280))),
        *("-pluginTypes", "org.opensearch.knn.plugin.KNNPlugin"),
    ]
    log = folder / "output.log"
    with java.process(command, folder, log) as child:
        yield java.await_url(child, log, re.compile(r"HttpServerTransport\] publish_address \{([\d.:]+)\}"))


def unpack(plugin: Path) -> Path:
    """Writes the plugin's files to a folder; it and its jars belong on the class path. Returns the folder of the
    node's jars.
    """
    jars = java.artifacts(_POM)
    for archive in jars.glob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(plugin)
    for name in _MISSING:
        file = plugin / f"{name}.class"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_interface(name))
    return jars


def _interface(name: str) -> bytes:
    """A class file of Java 21 (JVM specification, chapter 4) that holds an interface without members."""
    names = [b"\x01" + struct.pack(">H", len(text)) + text.encode() for text in (name, "java/lang/Object")]
    pool = [names[0], b"\x07" + struct.pack(">H", 1), names[1], b"\x07" + struct.pack(">H", 3)]
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, 65, len(pool) + 1)
    public_abstract_interface = 0x0601
    return head + b"".join(pool) + struct.pack(">7H", public_abstract_interface, 2, 4, 0, 0, 0, 0)
