"""Looks at a service after a load: is every acknowledged write there, do index and catalogue agree."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_THREADS = 4


@dataclass(frozen=True, slots=True)
class Findings:
    """compared: writes that were looked for. lost: ids of those that are not as they must be.

    differences: listings in which index and catalogue differ; None where the service could not say, `problem` why.
    """

    compared: int
    lost: tuple[str, ...]
    differences: int | None
    problem: str = ""


def look(url: str, expected: Mapping[str, bool], key: str = "", timeout_s: float = 300.0) -> Findings:
    """Asks for each listing whether it is there. Raises OSError and http.client.HTTPException where nobody answers,
    ValueError where a listing is answered by neither 200 nor 404.
    """
    headers = {"authorization": f"Bearer {key}"} if key else {}
    keys = list(expected)
    parts = [keys[place::_THREADS] for place in range(_THREADS)]
    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(lambda part: _unlike(url, headers, part, expected, timeout_s), parts)
        lost = sorted(key for part in found for key in part)
    differences, problem = _differences(url, headers, timeout_s)
    return Findings(len(expected), tuple(lost), differences, problem)


def _unlike(
    url: str, headers: Mapping[str, str], keys: Sequence[str], expected: Mapping[str, bool], timeout_s: float
) -> list[str]:
    connection = _connection(url, timeout_s)
    found = []
    try:
        for key in keys:
            connection.request("GET", f"/v1/listings/{quote(key, safe='')}", headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 404):
                raise ValueError(f"{url}: asked for listing {key}, the service answered {answer.status}")
            if (answer.status == 200) != expected[key]:
                found.append(key)
    finally:
        connection.close()
    return found


def _differences(url: str, headers: Mapping[str, str], timeout_s: float) -> tuple[int | None, str]:
    connection = _connection(url, timeout_s)
    try:
        connection.request("POST", "/v1/index:check", headers=dict(headers))
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            return None, f"/v1/index:check answered {answer.status}: {body.get('detail', '')}"
        kinds = ("missing", "stale", "extra")
        return sum(len(body[kind]) for kind in kinds) + int(body["unknown_extra"]), ""
    finally:
        connection.close()


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(str(parts.hostname), parts.port, timeout=timeout_s)
