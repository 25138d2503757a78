"""What a service holds, found out by asking it: examples of its listings to make requests of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

_EXAMPLES, _TRIES = 200, 10
_NOT_NOW = (503, 504)
Ask = Callable[[str, str, Any], tuple[int, Any]]  # method, path, body -> status and the JSON of the answer


class LearningError(Exception):
    """The service cannot be put under load; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Example:
    """A listing of the service as it was when the load began."""

    id: str
    attributes: Mapping[str, Any]
    details: Mapping[str, str]
    vector: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Learned:
    """about: what the service says of itself. fields: the kind of each. texts: details whose words are searched."""

    about: Mapping[str, Any]
    fields: Mapping[str, str]
    texts: tuple[str, ...]
    examples: tuple[Example, ...]


def learn(ask: Ask, most: int = _EXAMPLES) -> Learned:
    """Up to `most` listings, newest or most popular first. Raises LearningError."""
    about = _asked(ask, "GET", "/v1/service", None)
    path, body = "/v1/recommendations", {"history": [], "short": "short"}
    status, answer = _patiently(ask, "POST", path, {**body, "k": most})
    if status != 200:  # more than this service allows, if nothing else: then as many as it gives by itself
        answer = _asked(ask, "POST", path, body)
    hits = answer["hits"]
    examples = []
    for hit in hits:
        path = f"/v1/listings/{quote(hit['id'], safe='')}?vector=true"
        status, found = _patiently(ask, "GET", path, None)
        if status == 200:  # another load may have removed it meanwhile
            vector = np.array(found["vector"], np.float32)
            examples.append(Example(found["id"], found["attributes"], found["details"], vector))
    if not examples:
        raise LearningError("the service holds no listings; start it with --dataset, or put some first")
    return Learned(about, about["fields"], tuple(about["texts"]), tuple(examples))


def _asked(ask: Ask, method: str, path: str, body: Any) -> Any:
    status, answer = _patiently(ask, method, path, body)
    if status != 200:
        remedy = "; give a key with the scopes read and write" if status in (401, 403) else ""
        said = answer.get("detail", answer) if isinstance(answer, dict) else answer
        raise LearningError(f"{method} {path} answered {status}: {said}{remedy}")
    return answer


def _patiently(ask: Ask, method: str, path: str, body: Any) -> tuple[int, Any]:
    """Asks again where a service that has only just started, or a busy machine, was too slow."""
    for _ in range(_TRIES):
        status, answer = ask(method, path, body)
        if status not in _NOT_NOW:
            break
    return status, answer
