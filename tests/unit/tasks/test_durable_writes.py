"""What the durability task writes, and what it expects to be left: as if the writes were done one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engines.base import Batch, Capabilities
from harness.data.dataset import Attribute, Dataset
from harness.tasks.durability.durable_writes import Last, planned

ROWS = 120
EVERYTHING = Capabilities(persistent=True)


def dataset() -> Dataset:
    vectors = np.random.default_rng(0).standard_normal((ROWS, 3)).astype(np.float32)
    return Dataset(
        "d", "l2", vectors, vectors[:1], "f", (Attribute("n", "integer", "real"),), {"n": np.arange(ROWS)}
    )


def done(steps: Any) -> dict[int, tuple[bytes, int]]:
    """The items that a faithful engine holds after the steps."""
    held: dict[int, tuple[bytes, int]] = {}
    for step in steps:
        if isinstance(step, Batch):
            held |= content(step)
        else:
            for id_ in step.tolist():
                del held[id_]
    return held


def content(batch: Batch) -> dict[int, tuple[bytes, int]]:
    numbers = batch.attributes["n"].tolist()  # type: ignore[union-attr]
    vectors = [vector.tobytes() for vector in batch.vectors]
    return dict(zip(batch.ids.tolist(), zip(vectors, numbers, strict=True), strict=True))


@pytest.mark.parametrize("last", ["upsert", "delete"])
@pytest.mark.parametrize(("size", "rows"), [(50, 120), (7, 100), (50, 50), (500, 40), (1, 30)])
def test_what_is_left_is_what_the_writes_lead_to(last: Last, size: int, rows: int) -> None:
    data = dataset()
    writes = planned(data, size, rows, EVERYTHING, last)
    upserts = [step for step in writes.steps if isinstance(step, Batch)]
    assert isinstance(writes.steps[-1], Batch) == (last == "upsert")
    assert done(writes.steps) == content(writes.left)
    written = [id_ for batch in upserts for id_ in batch.ids.tolist()]
    assert set(written) == set(range(rows))
    assert max(map(len, upserts)) <= max(size, rows // 10)
    again = len(written) - rows
    assert (again > 0, len(writes.gone) > 0) == (
        True,
        True,
    )  # some are updated, some deleted, whatever the sizes
    assert not set(content(writes.gone)) & set(content(writes.left))
    original = content(Batch(np.arange(ROWS), data.vectors, {"n": data.columns["n"]}))
    assert content(writes.gone) == {id_: original[id_] for id_ in writes.gone.ids.tolist()}
    changed = [id_ for id_, held in content(writes.left).items() if held != original[id_]]
    assert len(changed) == again
    assert len(writes) == rows


@pytest.mark.parametrize(
    ("can", "changes"), [("update", (True, False)), ("delete", (False, True)), ("", (False, False))]
)
def test_an_engine_is_asked_only_for_what_it_can_do(can: str, changes: tuple[bool, bool]) -> None:
    able = Capabilities(persistent=True, update=can == "update", delete=can == "delete")
    writes = planned(dataset(), 50, 100, able, "delete")
    upserted = sum(len(step) for step in writes.steps if isinstance(step, Batch))
    assert (upserted > 100, len(writes.gone) > 0) == changes
    assert done(writes.steps) == content(writes.left)


def test_a_single_item_is_written() -> None:
    writes = planned(dataset(), 50, 1, EVERYTHING, "upsert")
    assert done(writes.steps) == content(writes.left)
    assert (len(writes), len(writes.gone)) == (1, 0)
