"""Requests made of what a service holds: near its listings, near what was just sold, filtered by their attributes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import numpy as np
import numpy.typing as npt

from harness.soak.load.checking import Sales
from harness.soak.load.learning import Example, Learned
from harness.soak.load.plan import KINDS, Plan

_NOISE = 0.05  # of a new listing's vector, relative to the length of the example's
_UNFILTERED, _BY_WORD = 0.2, 0.5  # shares of the questions; the rest asks for a range
Encode = Callable[[Any], str]  # to JSON


class Request(NamedTuple):
    """A request. body: to be sent as JSON, None for none. where: its filter. listing: the number it writes, or -1.

    kind: as it is, which for a removal with nothing on sale is a put.
    """

    kind: int
    method: str
    path: str
    body: Any
    where: dict[str, Any]
    listing: int = -1


@dataclass
class Requests:
    """Makes the requests of one worker. What a listing is follows from its number, so that nothing is kept of it."""

    plan: Plan
    worker: int
    learned: Learned
    sales: Sales
    encode: Encode

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng([self.plan.seed, self.worker])
        self._made = 0
        words = ("keyword", "tags", "boolean")
        self._words = [name for name, kind in self.learned.fields.items() if kind in words]
        self._numbers = [name for name, kind in self.learned.fields.items() if kind in ("integer", "float")]

    def id(self, number: int) -> str:
        """Of a listing of this worker."""
        return listing_id(self.plan.name, self.worker, number)

    def make(self, kind: int) -> Request:
        """The next request of a kind, a place in KINDS."""
        name = KINDS[kind]
        if name == "remove" and self.sales.on_sale:
            number = self.sales.on_sale.popleft()
            return Request(kind, "DELETE", f"{self._path(number)}?wait=searchable", None, {}, number)
        if name in ("put", "remove"):
            number, self._made = self._made, self._made + 1
            path = f"{self._path(number)}?wait=searchable"
            return Request(KINDS.index("put"), "PUT", path, self._document(number), {}, number)
        near, vector = self._near()
        where = self._filter(near)
        common = {"k": self.plan.k, "where": where, "short": "short"}
        if name == "recommend":
            return Request(kind, "POST", "/v1/recommendations", {**common, "vector": vector.tolist()}, where)
        if name == "search" and (text := self._text(near)):
            return Request(kind, "POST", "/v1/search", {**common, "text": text}, where)
        path = f"/v1/listings/{quote(near.id, safe='')}/similar"
        query = urlencode({**common, "where": self.encode(where)})
        return Request(KINDS.index("similar"), "GET", f"{path}?{query}", None, where)

    def _path(self, number: int) -> str:
        return f"/v1/listings/{quote(self.id(number), safe='')}"

    def _example(self, number: int) -> tuple[Example, npt.NDArray[np.float64]]:
        """The example that a listing of this worker is like, and its own vector."""
        rng = np.random.default_rng([self.plan.seed, self.worker, number])
        example = self.learned.examples[int(rng.integers(len(self.learned.examples)))]
        noise = rng.standard_normal(len(example.vector)).astype(np.float32)
        length = float(np.linalg.norm(example.vector)) / np.sqrt(len(example.vector))
        # In double precision, for which rounding makes the text of a number short.
        return example, np.round((example.vector + _NOISE * length * noise).astype(np.float64), 5)

    def _document(self, number: int) -> dict[str, Any]:
        example, vector = self._example(number)
        return {**example.attributes, **example.details, "vector": vector.tolist()}

    def _near(self) -> tuple[Example, npt.NDArray[np.float64]]:
        """What is asked for: half of the time exactly where a listing was that was just sold, and would be first."""
        if self.sales.recent and self._rng.random() < 0.5:
            return self._example(self.sales.recent[int(self._rng.integers(len(self.sales.recent)))])
        return self._example(int(self._rng.integers(1 << 30)))

    def _filter(self, near: Example) -> dict[str, Any]:
        """One that what is near meets."""
        drawn = self._rng.random()
        if drawn >= _UNFILTERED and self._words and (drawn < _UNFILTERED + _BY_WORD or not self._numbers):
            name = self._words[int(self._rng.integers(len(self._words)))]
            return self._condition(name, near)
        if drawn >= _UNFILTERED and self._numbers:
            name = self._numbers[int(self._rng.integers(len(self._numbers)))]
            return self._condition(name, near, "gte" if self._rng.random() < 0.5 else "lte")
        return {}

    def _condition(self, name: str, near: Example, relation: str = "") -> dict[str, Any]:
        if name not in near.attributes:
            return {}
        value = near.attributes[name]
        if value is None or value == []:
            return {name: {"exists": False}}
        if isinstance(value, list):  # of tags
            value = value[int(self._rng.integers(len(value)))]
        return {name: {relation: value} if relation else value}

    def _text(self, near: Example) -> str:
        """A few words of a listing's texts; "" where it has none."""
        words = " ".join(near.details.get(name, "") for name in self.learned.texts).split()
        if not words:
            return ""
        first = int(self._rng.integers(len(words)))
        return " ".join(words[first : first + 2])[:200]


def listing_id(name: str, worker: int, number: int) -> str:
    """The id of a worker's listing in a load of this name."""
    return f"{name}-{worker}-{number}"
