"""The requests and the answer of a recommendation, as every application under test takes and gives them."""

from __future__ import annotations

import json
import random
from typing import Any

HITS, DIM = 20, 256
_WORDS = ("vintage", "linen", "shirt", "oversized", "black", "cotton", "summer", "dress", "with", "pockets")


def history() -> bytes:
    """A history of 20 ids and a filter, about 600 bytes."""
    rng = random.Random(1)
    return json.dumps(
        {
            "history": [f"listing-{rng.randrange(10**8):09}" for _ in range(HITS)],
            "k": HITS,
            "where": {
                "all": [
                    {"eq": {"category": "dresses"}},
                    {"in": {"size": ["S", "M"]}},
                    {"range": {"price": {"gte": 10.0, "lt": 60.0}}},
                ]
            },
        }
    ).encode()


def vector() -> bytes:
    """A vector of 256 numbers, about 2.5 KB."""
    rng = random.Random(2)
    return json.dumps({"vector": [round(rng.gauss(0, 1), 5) for _ in range(DIM)], "k": HITS}).encode()


def rows() -> list[tuple[str, float, str, dict[str, Any]]]:
    """What an application finds before it builds its answer: id, score, title and five attributes of each hit."""
    rng = random.Random(3)
    return [
        (
            f"listing-{rng.randrange(10**8):09}",
            rng.random(),
            " ".join(rng.choices(_WORDS, k=12)),
            {
                "brand": rng.choice(_WORDS),
                "category": "dresses",
                "size": rng.choice(["S", "M"]),
                "price": round(rng.uniform(10, 60), 2),
                "listed_at_ms": 1_700_000_000_000 + rng.randrange(10**9),
            },
        )
        for _ in range(HITS)
    ]
