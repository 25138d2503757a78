"""What refresh() of Elasticsearch and OpenSearch waits for, against a node whose merges are told late or never."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.servers.fake_elasticsearch import Answer
from tests.unit.engines.lucene.products import SCHEMA, VERSIONS, Product

WHOLE = {"_shards": {"total": 1, "failed": 0}}


class Look(NamedTuple):
    """What a node tells of an index at one time: merges that run, merges that wait, segments."""

    running: int
    waiting: int
    segments: int


class Node:
    """Answers a refresh() of an index that holds something; each question for its merges is the next look."""

    def __init__(self, product: Product, looks: list[Look]) -> None:
        self.product, self.looks, self.seen = product, looks, 0
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, body: bytes) -> Answer:
        path = path.partition("?")[0]
        self.asked.append(path.rpartition("/")[2])
        if path.startswith("/_nodes"):
            pool = {"active": 0, "queue": self._look.waiting}
            told = {"version": self.product.version, "thread_pool": {"merge": pool}}
            return 200, {"nodes": {"n": told}}
        if "/_stats/" in path:
            return 200, WHOLE | {"_all": {"total": self._stats(path)}}
        answer = self.product.node()(method, path, body)
        return 200, WHOLE | {"count": 6} | answer[1]

    @property
    def _look(self) -> Look:
        return self.looks[min(max(self.seen, 1), len(self.looks)) - 1]

    def _stats(self, path: str) -> dict[str, Any]:
        self.seen += "merge" in path
        look = self._look
        return {
            "merges": {"current": look.running},
            "segments": {"count": look.segments},
            "store": {"size_in_bytes": 5},
        }


RUNNING = [Look(1, 0, 3), Look(1, 0, 3), Look(0, 0, 1), Look(0, 0, 1)]
WAITING = [Look(0, 1, 3), Look(0, 1, 3), Look(0, 0, 1), Look(0, 0, 1)]
TOLD_LATE = [Look(0, 0, 3), Look(1, 0, 3), Look(0, 0, 1), Look(0, 0, 1)]
NEVER_TOLD = [Look(0, 0, 3), Look(0, 0, 1), Look(0, 0, 1)]
QUIET = [Look(0, 0, 1), Look(0, 0, 1)]


@pytest.mark.parametrize(
    ("product", "looks"),
    [
        *((name, looks) for name in VERSIONS for looks in (RUNNING, TOLD_LATE, NEVER_TOLD, QUIET)),
        ("elasticsearch", WAITING),  # OpenSearch tells of no queue
    ],
    ids=[
        *(f"{name}-{case}" for name in VERSIONS for case in ("running", "told-late", "never-told", "quiet")),
        "elasticsearch-waiting",
    ],
    indirect=["product"],
)
def test_refresh_does_not_trust_the_first_look_at_merges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: Product, looks: list[Look]
) -> None:
    """A merge that has been decided on runs a moment later; until then a node tells of none."""
    monkeypatch.setattr(product.server, "_POLL_S", 0.001)
    node = Node(product, looks)
    with product.adapted(tmp_path, monkeypatch, node, force_merge=False) as engine:
        engine.create(SCHEMA)
        node.asked.clear()
        engine.refresh()
    assert node.seen == len(looks)
    looked = [at for at, part in enumerate(node.asked) if part.startswith("merge")]
    assert "_refresh" in node.asked[looked[-2] : looked[-1]]  # what was merged last is what is searched
    assert node.asked[-1] == "_flush"
