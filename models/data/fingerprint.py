"""What tells data from other data: a hash of everything that a model could learn from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy.typing as npt

from models.data.interactions import Interactions
from models.data.items import Items


def fingerprint(items: Items, interactions: Interactions) -> str:
    """SHA-256, in hex, of listings and interactions, with their order."""
    digest = hashlib.sha256()

    def take(name: str, values: npt.NDArray[Any] | None) -> None:
        digest.update(f"{name} {None if values is None else (values.dtype.str, values.shape)}".encode())
        if values is None:
            return
        # JSON tells 1 from "1", and no separator can be part of a value.
        plain = json.dumps(values.tolist()).encode() if values.dtype == object else values.tobytes()
        digest.update(plain)

    take("ids", items.ids)
    for name, column in items.categories.items():
        take(f"category {name} {json.dumps(column.words)}", column.codes)
    for kind, columns in (("number", items.numbers), ("text", items.texts)):
        for name, values in columns.items():
            take(f"{kind} {name}", values)
    take("listed", items.listed_ms)
    take("user ids", interactions.user_ids)
    for name in ("users", "items", "weights", "times_ms"):
        take(name, getattr(interactions, name))
    return digest.hexdigest()
