"""How values are stored in Vespa where it cannot store them as they are."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import orjson

from engines.base import Batch, EngineError, Schema, Vectors
from engines.columns import Keywords, Nullable, Tags, decoded, occurring
from engines.filters import INT64
from engines.values.columns import normalized
from engines.values.words import words

NAMESPACE = "bakeoff"  # of every document's id
TEXT = "text"  # the field with the words, beside the schema's f0, f1, ...
# What a string of Vespa may not contain: control characters, lone surrogates, Unicode's noncharacters.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\\" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17)
) + "]")  # fmt: skip

_PLAIN = re.compile("[a-z]+")
_MARK = "qx"  # what begins a word of other characters than a to z
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # for hexadecimal digits


def lowest(alias: str) -> str:
    """The attribute that marks the lowest integer, which Vespa takes for a missing value."""
    return f"{alias}_lowest"


def known(alias: str) -> str:
    """The attribute that tells whether an item has a value: Vespa has one for what is missing, such as false."""
    return f"{alias}_known"


def encoded(word: str) -> str:
    """A word as it is stored and asked for: itself, but for what Vespa refuses, the empty word and backslashes.

    No two words are encoded alike. Vespa takes an empty string for no value.
    """
    return _ILLEGAL.sub(lambda found: f"\\{ord(found[0]):x}\\", word) if word else "\\"


def term(word: str) -> str:
    """A word as it is indexed and asked for: itself where it is of the letters a to z.

    Vespa would split others by its own rules or remove their accents, so they are encoded in these letters. No two
    words become alike.
    """
    if _PLAIN.fullmatch(word) and not word.startswith(_MARK):
        return word
    return _MARK + word.encode("utf-8", "surrogatepass").hex().translate(_LETTERS)


def stored(vectors: Vectors, schema: Schema) -> Vectors:
    """Vectors as they are indexed: of length 1 where cosines are asked for, which `prenormalized-angular` wants.

    `prepared` has checked that their numbers are finite.
    """
    return normalized(vectors) if schema.metric == "cosine" else vectors


def _stored(value: str | list[str] | None) -> str | list[str] | None:
    if isinstance(value, list):
        return [encoded(word) for word in value] or None
    return None if value is None else encoded(value)


class Documents:
    """Rows of a batch as Vespa's documents. Raises EngineError for numbers that JSON cannot carry."""

    def __init__(self, batch: Batch, schema: Schema, rows: slice) -> None:
        self.ids: list[int] = batch.ids[rows].tolist()
        self._columns: dict[str, list[Any]] = {"id": self.ids}
        fields = {field.name: field for field in schema.fields}
        self._lacking = any(field.can_lack for field in schema.fields)
        for name, alias in schema.aliases.items():
            column = batch.attributes[name][rows]
            values, numbers = decoded(column), occurring(column)
            if fields[name].can_lack:
                self._columns[known(alias)] = [value not in (None, []) for value in values]
            if isinstance(column, Keywords | Tags):
                values = [_stored(value) for value in values]
            elif numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
                raise EngineError(f"vespa: '{name}' holds NaN or an infinite number; remove it")
            elif numbers.dtype.kind == "i":  # of a missing one the value is 0
                held = column.values if isinstance(column, Nullable) else numbers
                self._columns[lowest(alias)] = (held == INT64[0]).tolist()
            self._columns[alias] = values
        if schema.text is not None:
            texts = batch.attributes[schema.text][rows]
            assert isinstance(texts, Keywords)
            self._columns[TEXT] = [" ".join(map(term, words(text))) for text in texts.decode()]
        # Hexadecimal digits are exact, and cost a fraction of decimal ones on both sides.
        self._cells = stored(batch.vectors[rows], schema).astype(">f4").tobytes().hex()
        self._width = 8 * schema.dim

    def body(self, row: int) -> bytes:
        """The document of a row, in Vespa's JSON."""
        fields: dict[str, Any] = {name: column[row] for name, column in self._columns.items()}
        if self._lacking:
            fields = {name: value for name, value in fields.items() if value is not None}
        start = row * self._width
        fields["embedding"] = {"values": self._cells[start : start + self._width]}
        return orjson.dumps({"fields": fields})
