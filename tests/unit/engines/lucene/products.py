"""Elasticsearch and OpenSearch, for tests of what their adapters have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engines.base import Schema
from engines.lucene.adapter import LuceneIndex
from engines.registry import load
from tests.servers.fake_elasticsearch import Answer, Handle, node, serving

SCHEMA = Schema(3, "l2")
VERSIONS = {"elasticsearch": ("9.5.3", None), "opensearch": ("3.5.0", "opensearch")}


@dataclass(frozen=True, slots=True)
class Product:
    """adapter: its class. server: the module that asks for everything but queries. version, distribution: as a node
    gives them.
    """

    name: str
    adapter: Any
    server: ModuleType
    version: str
    distribution: str | None

    def node(self, **more: Answer) -> Handle:
        return node(self.version, self.distribution, **more)

    @contextmanager
    def adapted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: Handle, **index: Any
    ) -> Iterator[LuceneIndex[Any]]:
        """An adapter to a server that answers as `handle` says."""
        header = None if self.distribution else "Elasticsearch"
        with serving(handle, product=header) as url:
            monkeypatch.setenv(f"BAKEOFF_{self.name.upper()}_URL", url)
            engine = self.adapter(tmp_path, self.adapter.IndexParams(**index))
            try:
                yield engine
            finally:
                engine.close()


def product(name: str) -> Product:
    """Raises MissingClientError."""
    return Product(name, load(name), import_module(f"engines.{name}.server"), *VERSIONS[name])
