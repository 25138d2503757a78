"""How listings are turned into numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TextKind = Literal["hashed", "wordllama", "none"]


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """What of a catalogue the model reads, and how finely.

    text: the kind of text vectors. text_dim: how long those of "hashed" are. min_count: how often a word of a category
    must occur to have a code. min_taken: how often a listing must have been taken in training to have an id.
    """

    text: TextKind = "hashed"
    text_dim: int = 256
    min_count: int = 2
    min_taken: int = 1
