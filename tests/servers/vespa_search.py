"""Queries as the stand-in for Vespa answers them: every parameter checked, every document compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np

from tests.conformance.bm25 import bm25
from tests.servers.vespa_store import Schema
from tests.servers.vespa_yql import QueryError, Reader

DURATION = re.compile(r"\d+(\.\d+)?(s|ms)?")
_MATCHING = {
    "postFilterThreshold": (0, 1),
    "approximateThreshold": (0, 1),
    "filterFirstThreshold": (0, 1),
    "filterFirstExploration": (0, 1),
    "explorationSlack": (0, 1),
    "targetHitsMaxAdjustmentFactor": (1, 1e9),
}


def found(
    asked: dict[str, Any], schemas: Mapping[str, Schema], most: int, *, degraded: bool
) -> dict[str, Any]:
    """The root of the answer to a query's parameters. Raises QueryError for what Vespa would not take."""
    query = Reader(asked.pop("yql")).read()
    schema = schemas.get(query.source)
    if schema is None:
        raise QueryError(f"Could not resolve source ref '{query.source}'.")
    hits, profile = asked.pop("hits", 10), asked.pop("ranking.profile", "default")
    vector, summary = asked.pop("input.query(q)", None), asked.pop("presentation.summary", None)
    _check_rest(asked, most, hits, profile, summary)
    table = schema.table
    passing = np.flatnonzero(query.passes(table))
    scores = np.zeros(len(passing))
    if query.near is not None:
        if profile != "nearest" or query.near_arguments != ("embedding", "q"):
            raise QueryError(f"no tensor query({query.near_arguments[1]}) in the rank profile {profile}")
        if not isinstance(vector, list) or len(vector) != schema.dim:
            raise QueryError(f"'input.query(q)' must be a tensor of type tensor<float>(x[{schema.dim}])")
        scores = relevance(table.columns["embedding"][passing], np.array(vector, np.float32), schema.distance)
    elif profile == "words":
        if "text" not in schema.types:
            raise QueryError(f"schema {query.source} has no rank profile words")
        texts = [text.split() for text in table.columns["text"]]
        scores = bm25(query.words, texts)[passing]
    best = np.argsort(-scores, kind="stable")[:hits]
    coverage: dict[str, Any] = {"coverage": 100, "documents": table.rows, "full": True, "nodes": 1}
    if degraded:
        coverage |= {"coverage": 50, "degraded": {"timeout": True}, "full": False}
    root: dict[str, Any] = {"id": "toplevel", "relevance": 1.0, "fields": {"totalCount": len(passing)}}
    root["coverage"] = {**coverage, "results": 1, "resultsFull": int(not degraded)}
    ids = table.columns["id"][passing] if len(passing) else np.empty(0, np.int64)
    if len(best):
        root["children"] = [
            {
                "id": f"index:items/0/{int(ids[row]):024x}",
                "relevance": float(scores[row]),
                "source": "items",
                "fields": {"id": int(ids[row])},
            }
            for row in best.tolist()
        ]
    return root


def _check_rest(asked: dict[str, Any], most: int, hits: Any, profile: Any, summary: Any) -> None:
    if type(hits) is not int or not 0 <= hits <= most:
        raise QueryError(f"{hits} hits requested, more than the configured limit")
    if profile not in ("nearest", "words", "unranked", "default") or summary not in (None, "ids"):
        raise QueryError(f"invalid rank profile '{profile}' or summary '{summary}'")
    if not DURATION.fullmatch(str(asked.pop("timeout", "1s"))):
        raise QueryError("Could not parse timeout")
    if asked.pop("ranking.softtimeout.enable", True) not in (True, False):
        raise QueryError("'ranking.softtimeout.enable' must be a boolean")
    for key, value in asked.items():
        low, high = _MATCHING.get(key.removeprefix("ranking.matching."), (1, 0))
        if not low <= value <= high:
            raise QueryError(f"'{key}' is not known or cannot be {value!r}")


def most_hits(files: Mapping[str, bytes]) -> int:
    """How many hits a query may ask for: 400 unless the application's query profile says otherwise."""
    name = "search/query-profiles/default.xml"
    profile = ElementTree.fromstring(files[name]) if name in files else None
    field = None if profile is None else profile.find("field[@name='maxHits']")
    return 400 if field is None else int(field.text or 0)


def relevance(cells: np.ndarray, query: np.ndarray, distance: str) -> np.ndarray:
    """The first phase of the three rank profiles, over Vespa's own distances; float64[n]."""
    asked = query.astype(np.float64)
    if distance == "euclidean":
        return np.asarray(-((cells - asked) ** 2).sum(axis=1))
    products = cells @ asked
    if distance == "dotproduct":
        return np.asarray(products)
    # For vectors of length 1 only: the query's length stands for both. A query of zeros counts as of length 1.
    return np.asarray(np.clip(products / (asked @ asked or 1.0), -1, 1))
