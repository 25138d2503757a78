"""How listings are turned into numbers, as users write it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.scenario.strict import PositiveInt, StrictModel

TextKind = Literal["hashed", "wordllama", "none"]


class FeatureOptions(StrictModel):
    """What of a catalogue the model reads, and how finely.

    text: the kind of text vectors. text_dim: how long those of "hashed" are. min_count: how often a word of a category
    must occur to have a code. min_taken: how often a listing must have been taken in training to have an id.
    """

    text: TextKind = "hashed"
    text_dim: Annotated[int, Field(ge=1, le=4096)] = 256
    min_count: PositiveInt = 2
    min_taken: PositiveInt = 1
