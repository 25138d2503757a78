"""A real node of OpenSearch with its k-NN plugin, as a process.

The native libraries of the plugin's FAISS engine are published in the distribution only: here it is Lucene's that runs.
"""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import java

_POM = Path(__file__).parent / "opensearch_node" / "pom.xml"
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
    runtime, jars = java.runtime(21), java.artifacts(_POM)
    plugin = folder / "plugin"
    for archive in jars.glob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(plugin)
    settings = folder / "config" / "opensearch.yml"
    settings.parent.mkdir()
    settings.write_text(_SETTINGS, "utf-8")
    command = [
        runtime,
        f"-Xms{_HEAP}",
        f"-Xmx{_HEAP}",
        "-XX:+UseSerialGC",
        "--enable-native-access=ALL-UNNAMED",
        *(["--add-modules", _VECTORS] if java.has_module(runtime, _VECTORS) else []),
        "-cp",
        f"{jars}/*:{plugin}/*",
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
