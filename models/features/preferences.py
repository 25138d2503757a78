"""Declared preferences as codes of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.errors import ConfigurationError
from models.features.features import Int32
from models.features.vocabulary import Vocabulary


def said_codes(
    choices: Sequence[Mapping[str, str | Sequence[str]]], vocabularies: Mapping[str, Vocabulary]
) -> tuple[Int32, npt.NDArray[np.int64], dict[str, int]]:
    """The known words of u users as codes of listings, int32[rows, columns], 0 where a listing has none.

    A user has as many listings as the column of most distinct words that the model knows: listing j takes word j of
    each column, from the first again where a column has fewer. Then int64[u + 1], where each user's listings begin, and
    how many words are unknown, by column. Raises ConfigurationError naming each unknown column and each value that is
    no word once, with the first user.
    """
    columns = {name: place for place, name in enumerate(vocabularies)}
    problems: dict[str, str] = {}
    unknown: dict[str, int] = {}
    rows: list[list[int]] = []
    starts = [0]
    for user, choice in enumerate(choices):
        known: dict[int, list[int]] = {}
        for name, said in choice.items():
            words = _words(said)
            if name not in columns:
                has = ", ".join(columns) or "none"
                problems.setdefault(
                    name, f"preferences[{user}]: the model has no category '{name}' (it has: {has})"
                )
            elif words is None:
                must = "must be a word or a list of words"
                problems.setdefault(name, f"preferences[{user}].{name} {must}, got {shown(said)}")
            else:
                codes = [vocabularies[name].codes.get(word, 0) for word in words]
                if 0 in codes:
                    unknown[name] = unknown.get(name, 0) + codes.count(0)
                known[columns[name]] = [code for code in codes if code]
        rows += _listings({place: codes for place, codes in known.items() if codes}, len(columns))
        starts.append(len(rows))
    if problems:
        raise ConfigurationError(list(problems.values()))
    return np.array(rows, np.int32).reshape(len(rows), len(columns)), np.array(starts, np.int64), unknown


def _listings(known: Mapping[int, Sequence[int]], columns: int) -> list[list[int]]:
    """The listings of one user: codes by the place of their column, each column with at least one."""
    rows = [[0] * columns for _ in range(max(map(len, known.values()), default=0))]
    for place, codes in known.items():
        for number, row in enumerate(rows):
            row[place] = codes[number % len(codes)]
    return rows


def _words(said: Any) -> list[str] | None:
    """The distinct words in the order said; "" is none."""
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, Sequence | np.ndarray) or not all(isinstance(word, str) for word in words):
        return None
    return [word for word in dict.fromkeys(words) if word]
