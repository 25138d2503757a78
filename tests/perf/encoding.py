"""Encoding listings and users on one core, beside the plainest way to do the same.

Made-up listings like H&M's: twelve categories, a name of three words and a description of 25, drawn by rank.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from models.data.items import Categories, Items
from models.encoding.encoder import Encoder
from models.encoding.weights import ListingWeights, Residual, TowerWeights, UserWeights
from models.features.encoder import FeatureEncoder
from models.features.features import Features, Float32, Sizes
from models.features.texts.hashed import HashedText, bucket
from tests.perf.table import show

ROWS, VOCABULARY, BATCH, ROUNDS = 20_000, 12_000, 1024, 5
WORDS = (10_000, 132, 19, 30, 50, 8, 20, 299, 10, 5, 57, 21)  # of each category
DIM, PARTS, HIDDEN = 128, 1, 256
WIDTH = DIM // PARTS


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; times are the processor's, so that other work counts less."""
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        items = listings(rng)
        features = FeatureEncoder.fit(items, np.ones(ROWS, np.int64))
        encoder = Encoder(features, towers(features.sizes, rng))
        return [*_listings(encoder, items), *_users(encoder, items, rng)]


def listings(rng: np.random.Generator) -> Items:
    """A catalogue of ROWS listings."""
    vocabulary = np.array(
        ["".join(rng.choice(list("abcdefghijklmnop"), 6)) for _ in range(VOCABULARY)], object
    )

    def texts(length: int) -> Any:
        ranks = np.minimum(rng.zipf(1.3, (ROWS, length)), VOCABULARY) - 1
        return np.array([" ".join(row) for row in vocabulary[ranks]], object)

    categories = {
        f"category_{place}": Categories(
            rng.integers(0, count, ROWS).astype(np.int32), tuple(f"{number:05}" for number in range(count))
        )
        for place, count in enumerate(WORDS)
    }
    ids = np.array([f"{row:010}" for row in range(ROWS)], object)
    price = {"price": rng.lognormal(3, 1, ROWS)}
    return Items(ids, categories, price, {"name": texts(3), "description": texts(25)})


def towers(sizes: Sizes, rng: np.random.Generator) -> TowerWeights:
    """Weights that nothing was learnt in."""

    def made(*shape: int) -> Float32:
        return (rng.standard_normal(shape) * 0.1).astype(np.float32)

    def layer() -> Residual:
        return Residual(made(PARTS, WIDTH, HIDDEN), made(PARTS, HIDDEN), made(PARTS, HIDDEN, WIDTH))

    tables = tuple(made(count, DIM) for count in sizes.categories)
    listing = ListingWeights(
        made(sizes.ids, DIM), tables, made(sizes.numbers, DIM), made(sizes.text, DIM), layer()
    )
    return TowerWeights(
        listing,
        UserWeights(made(PARTS, WIDTH), made(PARTS), made(DIM), layer(), 24),
        np.zeros(sizes.ids, np.float32),
        0.0,
    )


def _listings(encoder: Encoder, items: Items) -> list[dict[str, Any]]:
    features, text = encoder.features, encoder.features.text
    assert isinstance(text, HashedText)
    parts = [items.take(slice(first, first + BATCH)) for first in range(0, ROWS - BATCH + 1, BATCH)]
    encoded = [features.encode(part) for part in parts]
    naive = plainly(features, text, parts[0])
    np.testing.assert_allclose(naive.text, encoded[0].text, atol=1e-3)
    np.testing.assert_array_equal(naive.categories, encoded[0].categories)
    count, one = len(parts) * BATCH, items.take(slice(0, 1))
    read = _best(lambda: [features.encode(part) for part in parts]) / count
    plain = _best(lambda: plainly(features, text, parts[0]), rounds=2) / BATCH
    passed = _best(lambda: [encoder.listing.vectors(part) for part in encoded]) / count
    alone = _best(lambda: [features.encode(one) for _ in range(200)]) / 200
    return [
        _rate("features of listings / row by row", read, plain, "at least 40,000"),
        _rate(
            "listings through features and tower / row by row to features",
            read + passed,
            plain,
            "at least 20,000",
        ),
        _rate(f"listings through the tower alone, {DIM} dimensions", passed),
        {"name": "features of one listing", "ours": alone * 1e6, "unit": "us", "note": "at most 100"},
    ]


def plainly(features: FeatureEncoder, text: HashedText, items: Items) -> Features:
    """The same row by row: a look-up a category, and a vector added up a word."""
    place = {number: row for row, number in enumerate(text.buckets.tolist())}
    columns = [
        (features.categories[name].codes, column.decode()) for name, column in items.categories.items()
    ]
    codes, vectors = (
        np.zeros((len(items), len(columns)), np.int32),
        np.zeros((len(items), text.dim), np.float32),
    )
    for row in range(len(items)):
        for column, (known, held) in enumerate(columns):
            codes[row, column] = known.get(held[row] or "", 0)
        joined = " ".join(column[row] for column in items.texts.values())
        counts = Counter(bucket(word.encode()) for word in re.findall(r"[^\W_]+", joined.lower()))
        weight = 0.0
        for number in counts:
            if number in place:
                vectors[row] += text.matrix[place[number]]
                weight += float(text.squares[place[number]])
        vectors[row] /= np.sqrt(weight) or 1.0
    return Features(np.zeros(len(items), np.int32), codes, np.zeros((len(items), 2), np.float32), vectors)


def _users(encoder: Encoder, items: Items, rng: np.random.Generator) -> list[dict[str, Any]]:
    vectors = encoder.listings(items).vectors
    rows = []
    for length, said in ((2, False), (24, False), (24, True)):
        took: list[int] = []
        choice = {"category_1": "00007", "category_3": "00001"}
        for _ in range(3000):
            history, ages = rng.integers(0, ROWS, length), rng.random(length) * 100
            start = time.thread_time_ns()
            declared = encoder.preferences([choice]).vectors if said else None
            encoder.user.one(vectors[history], ages, declared)
            took.append(time.thread_time_ns() - start)
        middle, tail = (float(np.percentile(took, share)) / 1e6 for share in (50, 99))
        name = f"one user of {length} listings{', and what they declare' if said else ''}"
        limits = f"p99 {tail:.2f}; at most 0.2 and 1"
        rows.append({"name": f"{name}, median", "ours": middle, "unit": "ms", "note": limits})
    return rows


def _best(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of a few rounds, in seconds of the processor."""
    took = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        took.append(time.process_time() - start)
    return min(took)


def _rate(name: str, ours_s: float, reference_s: float | None = None, note: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "ours": 1 / ours_s, "unit": "listings/s", "note": note}
    if reference_s is not None:
        row |= {"reference": 1 / reference_s, "ratio": reference_s / ours_s}
    return row


if __name__ == "__main__":
    show(figures())
