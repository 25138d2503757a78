"""Which name was meant by one that nothing has."""

from __future__ import annotations

import pytest

from engines.meant import choices, meant


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("faist", "did you mean 'faiss'?"),
        ("FAISS", "did you mean 'faiss'?"),
        ("Bruteforce", "did you mean 'BruteForce'?"),
        ("redis", ""),
        ("", ""),
    ],
)
def test_a_name_that_looks_like_a_known_one_is_told(name: str, told: str) -> None:
    assert meant(name, ["BruteForce", "faiss", "qdrant"]) == told


def test_all_that_are_known_follow() -> None:
    assert choices("faist", ["faiss", "qdrant"]) == "did you mean 'faiss'? known: faiss, qdrant"
    assert choices("x", (name for name in ("a1", "b1")), "it has") == "it has: a1, b1"
    assert choices("x", []) == "known: none"
