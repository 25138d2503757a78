"""The settings that a service is started with: no limit is ever reached, and nothing is done to the engine's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines.base import Schema
from engines.http_service.params import IndexParams

MOST = 1_000_000  # of anything that one request may ask for
BODY_BYTES = 1 << 30
LONGEST_MS = 600_000  # of a request, the most that a service allows
_LONGEST_KEYWORD = 100_000  # characters


def settings(schema: Schema, params: IndexParams, data: Path) -> dict[str, Any]:
    """The keys of the service's file. Fields are called by their aliases, for some names are words of its API.

    Admission and breaker are open, for every answer is to be the engine's: one that comes late is a late answer, not a
    popular listing in its place. Nor is recall judged meanwhile, which asks the engine what nobody asked for.
    """
    long_s = LONGEST_MS / 1000
    return {
        "port": 0,
        "data": str(data),
        "engine": params.engine,
        "index": params.index,
        "search": params.search,
        "deadline_ms": LONGEST_MS,
        "write_deadline_ms": LONGEST_MS,
        "catalogue": {
            "dim": schema.dim,
            "metric": schema.metric,
            "fields": {
                schema.aliases[field.name]: {"kind": field.kind, "optional": field.optional}
                for field in schema.fields
            },
            "longest_keyword": _LONGEST_KEYWORD,
        },
        "limits": {
            "body_bytes": BODY_BYTES,
            "bulk_bytes": BODY_BYTES,
            "bulk_lines": MOST,
            "k": MOST,
            "conditions": MOST,
            "values": MOST,
        },
        "retrieval": {
            "oversample": 1,
            "most": MOST,
            "queue": MOST,
            "late_s": long_s,
            "breaker": {"window": MOST, "failures": MOST},
            "variants": {"default": {"mode": "approximate", "reranker": "none"}},
        },
        "telemetry": {"recall_share": 0},
        "admission": {
            "target_s": long_s,
            "first": MOST,
            "most": MOST,
            "queue": MOST,
            "patience_s": long_s,
        },
    }
