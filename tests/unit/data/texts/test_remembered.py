"""What was worked out for each word."""

from __future__ import annotations

import pytest

from harness.data.texts import remembered as room
from harness.data.texts.remembered import Remembered


def test_a_word_is_worked_out_once() -> None:
    asked: list[str] = []

    def value_of(word: str) -> int:
        asked.append(word)
        return len(word)

    known = Remembered(value_of)
    assert [known[word] for word in ("coat", "hat", "coat", "coat")] == [4, 3, 4, 4]
    assert asked == ["coat", "hat"]


def test_it_holds_no_more_than_it_may_and_answers_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST", 100)
    known = Remembered(int)
    held = []
    for number in range(1000):
        assert known[str(number)] == number
        held.append(len(known))
    assert max(held) == 100
    assert known["0" * 1000 + "7"] == 7
    assert max(map(len, known)) <= 64
