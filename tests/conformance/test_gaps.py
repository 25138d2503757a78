"""Tags, several keywords of one item, and values that items lack: each operator alone and nested, before and after
writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engines.abilities import Lookup
from engines.base import Schema
from engines.columns import decoded
from engines.filters import Eq, Filter
from tests.conformance.gaps import (
    COLOUR,
    LACKING,
    LACKING_FILTERS,
    LONG,
    ROWS,
    TAG_FILTERS,
    TAGGED,
    lacking_row,
    tagged_row,
)
from tests.conformance.model import Model
from tests.conformance.subjects import Subject


def write(model: Model, numbers: list[int], rows: list[dict[str, Any]], seed: int = 0) -> None:
    vectors = np.random.default_rng(seed).integers(-9, 9, (len(numbers), 4))
    model.upsert(numbers, vectors, **{name: [row[name] for row in rows] for name in rows[0]})


def check(model: Model, filters: list[Filter]) -> None:
    model.settle()
    queries = np.random.default_rng(1).integers(-9, 9, (2, 4)).astype(np.float32)
    for where in filters:
        model.check_exact(queries, ROWS, where)


@pytest.mark.ability("missing")
def test_items_that_lack_values(subject: Subject) -> None:
    model = Model(LACKING, subject.created(LACKING))
    write(model, list(range(ROWS)), [lacking_row(number) for number in range(ROWS)])
    check(model, LACKING_FILTERS)
    # What had a value loses it, what had none gets one.
    write(model, list(range(20)), [lacking_row(number + 1) for number in range(20)], seed=2)
    nothing = {field.name: "b0" if field.name == "brand" else None for field in LACKING.fields}
    write(model, [30, 31], [nothing, nothing], seed=3)
    model.delete([32, 40])
    check(model, LACKING_FILTERS[:10] + LACKING_FILTERS[-6:])
    model.engine.close()


@pytest.mark.ability("tags")
def test_items_with_several_tags(subject: Subject) -> None:
    model = Model(TAGGED, subject.created(TAGGED))
    write(model, list(range(ROWS)), [tagged_row(number) for number in range(ROWS)])
    check(model, TAG_FILTERS)
    many = [*(f"tag {number}" for number in range(200)), LONG]
    write(model, list(range(20)), [tagged_row(number + 1) for number in range(20)], seed=2)
    write(model, [30, 31], [{COLOUR: [], "brand": "b0"}, {COLOUR: many, "brand": "b0"}], seed=3)
    model.delete([32, 40])
    check(
        model,
        [*TAG_FILTERS[:3], *TAG_FILTERS[-8:], Eq(COLOUR, "tag 0"), Eq(COLOUR, "tag 199"), Eq(COLOUR, LONG)],
    )
    model.engine.close()


@pytest.mark.once_per_engine
@pytest.mark.ability("missing")
@pytest.mark.parametrize(("schema", "row"), [(LACKING, lacking_row), (TAGGED, tagged_row)])
def test_what_is_fetched_lacks_what_was_lacking(subject: Subject, schema: Schema, row: Any) -> None:
    engine = subject.created(schema)
    if not engine.capabilities.lookup or any(
        f.kind == "tags" and not engine.capabilities.tags for f in schema.fields
    ):
        pytest.skip("the engine does not declare it")
    assert isinstance(engine, Lookup)
    rows = [row(number) for number in range(24)]
    write(Model(schema, engine), list(range(24)), rows)
    engine.refresh()
    found = engine.get(np.arange(24))
    assert found.ids.tolist() == list(range(24))
    for field in schema.fields:
        values = decoded(found.attributes[field.name])
        expected = [one[field.name] for one in rows]
        if field.kind == "tags":
            values, expected = [sorted(words) for words in values], [sorted(words) for words in expected]
        assert values == expected
    engine.close()


@pytest.mark.once_per_engine
@pytest.mark.ability("persistent")
@pytest.mark.ability("missing")
@pytest.mark.parametrize(
    ("schema", "row", "filters"), [(LACKING, lacking_row, LACKING_FILTERS), (TAGGED, tagged_row, TAG_FILTERS)]
)
def test_what_is_opened_again_lacks_it_still(
    subject: Subject, schema: Schema, row: Any, filters: list[Filter]
) -> None:
    engine = subject.created(schema)
    if any(f.kind == "tags" and not engine.capabilities.tags for f in schema.fields):
        pytest.skip("the engine does not declare tags")
    model = Model(schema, engine)
    write(model, list(range(24)), [row(number) for number in range(24)])
    engine.refresh()
    engine.close()
    model.engine = subject.engine()
    model.engine.open(schema)
    check(model, filters[:12])
    model.engine.close()
