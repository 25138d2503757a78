"""Several words of an item in one text, as tables without lists hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATORS = ("|", ";", ",")
_LOOKED_AT = 2_000  # different values of a column, to see whether they hold several words
_FEWEST = 10  # of these that hold a separator
_SHARE = 0.2  # of these that hold it
_REPEATED = (
    0.9  # share of the words around it that other values hold, too: sentences are not made of the same parts
)


def split(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Texts as lists of what stands between the separators, without the spaces around; null where that is empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.large_list(pa.large_string())
    chunks = []
    for chunk in column.chunks:
        lists = pc.split_pattern(pc.fill_null(chunk, ""), separator).cast(kind)
        words = pc.utf8_trim_whitespace(lists.flatten())
        words = pc.if_else(pc.equal(words, ""), pa.scalar(None, words.type), words)
        offsets = pc.subtract(
            lists.offsets, lists.offsets[0]
        )  # flatten leaves out what lies before the first
        chunks.append(pa.LargeListArray.from_arrays(offsets, words))
    return pa.chunked_array(chunks, kind)


def hint_at_tags(name: str, values: Iterable[str]) -> str:
    """What to note on a column of keywords whose values seem to hold several words each; empty for others.

    values: different ones.
    """
    known = list(islice(values, _LOOKED_AT))
    for separator in _SEPARATORS:
        parts = [[word.strip() for word in value.split(separator)] for value in known if separator in value]
        if len(parts) < max(_FEWEST, _SHARE * len(known)):
            continue
        times = Counter(word for words in parts for word in words)
        times.update(value for value in known if separator not in value)
        words = [word for one in parts for word in one]
        if sum(times[word] > 1 for word in words) >= _REPEATED * len(words):
            return (
                f"seems to hold several words with {separator} between them; in dataset.yaml, "
                f'tags: {{{name}: "{separator}"}} makes tags of them'
            )
    return ""
