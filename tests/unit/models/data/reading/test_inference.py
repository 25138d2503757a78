from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.reading.inference import Evidence, Kind, infer
from tests.unit.models.data.made import quick


def _evidence(
    kind: Kind, counts: Any, words: float = 1.0, name: str = "column", missing: int = 0
) -> Evidence:
    held = np.asarray(counts, np.int64)
    return Evidence(name, kind, kind, int(held.sum()) + missing, held, words if kind == "string" else 0.0)


@pytest.mark.parametrize(
    ("evidence", "read_as"),
    [
        (_evidence("string", [500, 300, 200], 2.0), ("category",)),  # light blue, dark blue, off white
        (_evidence("string", np.full(50_000, 2), 2.8), ("category", "text")),  # names of products
        (_evidence("string", np.full(50_000, 2)), ("category",)),  # brands
        (_evidence("string", np.full(50_000, 2), 24.0), ("text",)),  # descriptions that variants share
        (_evidence("string", np.ones(1000), 5.0), ("text",)),  # titles
        (_evidence("string", np.ones(1000), 1.0), ()),  # hashes
        (_evidence("string", [400, 600], 24.0), ("category",)),  # two texts of a shop about its service
        (_evidence("string", [400], missing=600), ("category",)),  # a badge that some have
        (_evidence("string", [400]), ()),
        (_evidence("string", []), ()),
        (_evidence("boolean", [1, 9]), ("category",)),
        (_evidence("integer", [30, 30, 40]), ("category",)),  # sizes
        (_evidence("integer", np.full(300, 20)), ("number",)),  # prices in cents
        (_evidence("integer", np.full(300, 20), name="Seller_ID"), ("category",)),
        (_evidence("integer", np.ones(300), name="row_id"), ()),
        (_evidence("integer", np.ones(5)), ("number",)),  # prices in a small catalogue
        (_evidence("integer", [5], missing=5), ()),
        (_evidence("float", np.ones(300)), ("number",)),
        (_evidence("float", [300]), ()),
        (_evidence("time", np.ones(300)), ()),
        (_evidence("other", []), ()),
    ],
)
def test_a_column_is_read_as_its_values_suggest(evidence: Evidence, read_as: tuple[str, ...]) -> None:
    found, why = infer(evidence)
    assert found == read_as
    assert why


@quick
@given(
    st.sampled_from(get_args(Kind)),
    st.lists(st.integers(1, 1000), max_size=60),
    st.floats(1, 100),
    st.sampled_from(["price", "item_id", "colour_code"]),
    st.integers(0, 100),
)
def test_nothing_is_read_that_tells_no_items_apart(
    kind: Kind, counts: list[int], words: float, name: str, missing: int
) -> None:
    evidence = _evidence(kind, counts, words, name, missing)
    read_as, why = infer(evidence)
    assert why
    if len(counts) == 0 or (len(counts) == 1 and missing == 0):
        assert read_as == ()
    if "text" in read_as:
        assert kind == "string"
    if "number" in read_as:
        assert kind in ("integer", "float")
        assert len(counts) > 1
