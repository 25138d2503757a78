"""What was worked out for each word, so that it is not worked out again; texts repeat their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Word = TypeVar("Word", str, bytes)
Value = TypeVar("Value")

_LONGEST, _MOST = 64, 1 << 18  # letters of a word, words; beyond that texts are not made of words that return


class Remembered(dict[Word, Value]):
    """A look-up that works out what it does not hold. It is emptied when it is full."""

    def __init__(self, value_of: Callable[[Word], Value]) -> None:
        super().__init__()
        self._value_of: Callable[[Word], Value] = value_of

    def __missing__(self, word: Word) -> Value:
        value = self._value_of(word)
        if len(word) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[word] = value
        return value
