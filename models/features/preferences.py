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


def said_words(
    choices: Sequence[Mapping[str, str | Sequence[str]]], vocabularies: Mapping[str, Vocabulary]
) -> tuple[Int32, Int32, npt.NDArray[np.int64], dict[str, int]]:
    """The distinct known words of u users, end to end: the place of each one's column and its code, int32.

    Then int64[u + 1], where those of each user begin, and how many words are unknown, by column. Raises
    ConfigurationError naming each unknown column and each value that is no word once, with the first user.
    """
    columns = {name: place for place, name in enumerate(vocabularies)}
    problems: dict[str, str] = {}
    unknown: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    starts = [0]
    for user, choice in enumerate(choices):
        for name, said in choice.items():
            if name not in columns:
                known = ", ".join(columns) or "none"
                problems.setdefault(
                    name, f"preferences[{user}]: the model has no category '{name}' (it has: {known})"
                )
                continue
            words = _words(said)
            if words is None:
                must = "must be a word or a list of words"
                problems.setdefault(name, f"preferences[{user}].{name} {must}, got {shown(said)}")
                continue
            codes = [vocabularies[name].codes.get(word, 0) for word in words]
            found += [(columns[name], code) for code in codes if code]
            if 0 in codes:
                unknown[name] = unknown.get(name, 0) + codes.count(0)
        starts.append(len(found))
    if problems:
        raise ConfigurationError(list(problems.values()))
    pairs = np.array(found, np.int32).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], np.array(starts, np.int64), unknown


def _words(said: Any) -> list[str] | None:
    """The distinct words in the order said; "" is none."""
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, Sequence | np.ndarray) or not all(isinstance(word, str) for word in words):
        return None
    return [word for word in dict.fromkeys(words) if word]
