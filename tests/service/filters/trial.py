"""Filters put to a service over HTTP, and its answers held against the oracle."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from engines.columns import Column, Keywords, Tags, decoded
from engines.filters import Filter, matches
from engines.values.columns import column_of
from harness.oracle.exact import exact_neighbours
from tests.service.filters.generated import FLOATS, INTEGERS, WORDS, generated
from tests.service.launch import Service, running

DIM, ROWS, K = 8, 600, 10
LATE_S = 20.0  # an answer that takes longer hangs; the service's own deadline is shorter
_BEYOND = "qdrant takes the bounds of a range as float64, which cannot hold"
SETTINGS = f"""
deadline_ms: 10000
admission: {{target_s: 5}}
catalogue:
  dim: {DIM}
  metric: l2
  fields:
    brand: keyword
    stock: integer
    price: float
    new: boolean
    colours: tags
    size: {{kind: keyword, optional: true}}
    weight: {{kind: float, optional: true}}
    count: {{kind: integer, optional: true}}
    used: {{kind: boolean, optional: true}}
retrieval: {{exact_below: 60, late_s: 5, variants: {{default: {{reranker: none}}}}}}
"""


@dataclass(frozen=True)
class Catalogue:
    """vectors: float32[ROWS, DIM]; columns: the attributes of each row, whose number is the listing's id."""

    vectors: np.ndarray
    columns: Mapping[str, Column]


def catalogue() -> Catalogue:
    """Random listings, with every value that is awkward."""
    rng = np.random.default_rng(0)
    brands = [WORDS[row % len(WORDS)] for row in range(ROWS)]
    columns: dict[str, Column] = {
        "brand": Keywords.encode(brands),
        "stock": np.array([INTEGERS[row % len(INTEGERS)] for row in range(ROWS)], np.int64),
        "price": np.array([FLOATS[row % len(FLOATS)] for row in range(ROWS)], np.float64),
        "new": rng.random(ROWS) < 0.5,
        "colours": Tags.encode([rng.choice(WORDS, rng.integers(4)).tolist() for _ in range(ROWS)]),
        "size": column_of([WORDS[row % 5] if row % 3 else None for row in range(ROWS)], "keyword"),
        "weight": column_of([FLOATS[row % len(FLOATS)] if row % 4 else None for row in range(ROWS)], "float"),
        "count": column_of(
            [INTEGERS[row % len(INTEGERS)] if row % 5 else None for row in range(ROWS)], "integer"
        ),
        "used": column_of([row % 2 == 0 if row % 7 > 2 else None for row in range(ROWS)], "boolean"),
    }
    return Catalogue(rng.standard_normal((ROWS, DIM)).astype(np.float32), columns)


@contextmanager
def served(folder: Path, engine: str, **environment: str) -> Iterator[Service]:
    """A service with the catalogue, its index being this engine's; rules, relaxing and re-ranking are off."""
    (folder / "service.yaml").write_text(SETTINGS)
    made = catalogue()
    columns = {name: decoded(column) for name, column in made.columns.items()}
    documents = [
        {"id": str(row), "vector": made.vectors[row].tolist()}
        | {name: column[row] for name, column in columns.items()}
        for row in range(ROWS)
    ]
    with running(folder, "--config", "service.yaml", "--engine", engine, **environment) as service:
        put = service.ask("POST", "/v1/listings:bulk?wait=searchable", documents)
        assert (put.status, put.body["failed"], put.body["searchable"]) == (200, 0, True), put.body
        yield service


@dataclass
class Outcome:
    """counts: filters by what came of them; faults: what was wrong, with the number of the filter."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def tried(url: str, numbers: Iterable[int], *, exact: bool = True, threads: int = 4) -> Outcome:
    """Asks with the filters of these numbers, every other one exactly, and judges each answer.

    exact: whether the index can be asked so; where it cannot, answers may be short.
    """
    made, outcome, here = catalogue(), Outcome(), threading.local()
    parts = urlsplit(url)
    opened: list[http.client.HTTPConnection] = []

    def one(number: int) -> None:
        if not hasattr(here, "connection"):
            here.connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=LATE_S)
            opened.append(here.connection)
        where, data = generated(number)
        mode = "approximate" if not exact else "exact" if number % 2 else "auto"
        vector = np.random.default_rng(number).standard_normal(DIM).astype(np.float32)
        body = {"vector": vector.tolist(), "k": K, "where": data, "mode": mode, "short": "short"}
        began = time.monotonic()
        try:
            here.connection.request(
                "POST", "/v1/recommendations", json.dumps(body), {"content-type": "application/json"}
            )
            reply = here.connection.getresponse()
            answer = json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            here.connection.close()
            took = time.monotonic() - began
            outcome.faults.append(f"{number}: no answer after {took:.1f} s: {error!r}: {json.dumps(data)}")
            return
        kind, faults = judged(made, where, vector, mode, (reply.status, answer))
        outcome.counts[kind] += 1
        outcome.faults += [f"{number}: {fault}: {json.dumps(data)[:2000]}" for fault in faults]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, numbers))
    for connection in opened:
        connection.close()
    return outcome


def judged(
    made: Catalogue, where: Filter | None, vector: np.ndarray, mode: str, reply: tuple[int, dict[str, Any]]
) -> tuple[str, list[str]]:
    """What kind of answer it is, and what is wrong with it. where: None where the filter may be refused as none.

    reply: status and body.
    """
    status, answer = reply
    if status in (400, 422):
        if where is None:
            return "refused: malformed", []
        count = int(np.count_nonzero(matches(where, made.columns, ROWS)))
        told = "; ".join(error["detail"] for error in answer.get("errors", ()))
        if _BEYOND in told:
            return "refused: beyond the engine", []
        faults = [f"refused ({told}) though {count} match"] if count else []
        return "refused: nothing can match", faults
    if status != 200:
        return f"status {status}", [f"status {status}: {answer}"]
    faults = [f"{name}: {answer[name]}" for name in ("fallback", "relaxed") if answer.get(name)]
    if where is None:
        return "answered: as deep as it may be, or with nonsense that is none", faults
    allowed = matches(where, made.columns, ROWS)
    found = [int(hit["id"]) for hit in answer["hits"]]
    truth = exact_neighbours(made.vectors, vector[None], K, "l2", [where], made.columns)
    nearest = [row for row in truth.ids[0].tolist() if row >= 0]
    faults += [f"violation: listing {row} does not match" for row in found if not allowed[row]]
    if len(set(found)) != len(found):
        faults.append(f"duplicates: {found}")
    if len(found) < len(nearest) and mode != "approximate":
        faults.append(
            f"{mode} ({answer['mode']}) found {len(found)} of {len(nearest)}, {answer.get('short')}"
        )
    elif "exact" in (mode, answer["mode"]) and _farther(made.vectors, vector, found, nearest):
        faults.append(f"{mode} missed a hit: {found}, nearest are {nearest}")
    return f"answered: {answer['mode']}" if found else "answered: nothing matches", faults


def _farther(vectors: np.ndarray, vector: np.ndarray, found: list[int], nearest: list[int]) -> bool:
    """Whether the hits are farther than the nearest, beyond what float32 can tell apart."""
    far, near = (
        np.sort(np.linalg.norm(vectors[rows].astype(np.float64) - vector, axis=1))
        for rows in (found, nearest)
    )
    return bool(np.any(far > near * (1 + 1e-5)))
