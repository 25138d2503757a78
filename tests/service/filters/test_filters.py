"""Random filters bring about no failure, violation or missing hit; `python -m tests.service.filters` tries more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.filters.trial import served, tried
from tests.service.launch import Service
from tests.service.relay import relayed

NUMBERS = range(500)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("filters"), "faiss") as service:
        yield service


def test_random_filters(shop: Service) -> None:
    outcome = tried(shop.url, NUMBERS)
    assert outcome.faults == []
    assert sum(outcome.counts.values()) == len(NUMBERS)
    assert set(outcome.counts) == {
        "answered: approximate",
        "answered: exact",
        "answered: nothing matches",
        "answered: as deep as it may be, or with nonsense that is none",
        "refused: malformed",
        "refused: nothing can match",
    }
    assert not [line for line in shop.said if "Traceback" in line]


def misses(body: dict[str, Any]) -> tuple[int, Any]:
    return 200, body | {"hits": body["hits"][1:]}


def swaps(body: dict[str, Any]) -> tuple[int, Any]:
    """Has the nearest hit replaced by one that is farther, the same one for all."""
    return 200, body | {"hits": [*body["hits"][1:], {"id": "599"}]}


def repeats(body: dict[str, Any]) -> tuple[int, Any]:
    return 200, body | {"hits": [*body["hits"][:-1], body["hits"][0]]}


def falls_back(body: dict[str, Any]) -> tuple[int, Any]:
    return 200, body | {"fallback": "late"}


def fails(body: dict[str, Any]) -> tuple[int, Any]:
    return 500, body


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (misses, "found 9 of 10"),
        (swaps, "violation: listing 599 does not match"),
        (swaps, "missed a hit"),
        (repeats, "duplicates"),
        (falls_back, "fallback: late"),
        (fails, "status 500"),
    ],
)
def test_each_fault_is_noticed(shop: Service, fault: Any, told: str) -> None:
    def change(_method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
        return fault(body) if status == 200 and len(body.get("hits", ())) > 1 else (status, body)

    with relayed(shop.url, change) as url:
        faults = tried(url, NUMBERS[:60]).faults
    assert [fault for fault in faults if told in fault], faults


def test_what_is_refused_although_it_matches_is_noticed(shop: Service) -> None:
    def change(_method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
        return (422, {"errors": []}) if status == 200 else (status, body)

    with relayed(shop.url, change) as url:
        faults = tried(url, NUMBERS[:60]).faults
    assert [fault for fault in faults if "refused () though" in fault]


def test_no_answer_is_noticed() -> None:
    outcome = tried("http://127.0.0.1:1", NUMBERS[:3])
    assert len(outcome.faults) == 3
    assert all("no answer after" in fault for fault in outcome.faults)
