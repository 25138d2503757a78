"""What a user may say about the columns of their files; whatever is not said is inferred, or has a default name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.scenario.strict import Listed, StrictModel

TimeUnit = Literal["s", "ms", "us", "ns"]
Names = Annotated[tuple[str, ...], Listed]


class ItemOptions(StrictModel):
    """How the columns of a file of items are read. A column keeps its name, and may be category and text at once.

    id: the column of ids. categories, numbers, texts: columns to read as such, whatever is inferred. listed: the
    column that says when an item was listed, and unit: of its values where they are numbers. leave_out: columns not
    to read.
    """

    id: str = "item_id"
    categories: Names = ()
    numbers: Names = ()
    texts: Names = ()
    listed: str | None = None
    unit: TimeUnit | None = None
    leave_out: Names = ()


class InteractionOptions(StrictModel):
    """How the columns of a file of interactions are read.

    time: None where the file has no times; its rows are then taken as they follow each other. unit: of times that are
    numbers. event and weight: columns that need not exist under their default names. events: what one event of each
    kind weighs; other kinds are left out. Without it every event weighs 1.
    """

    user: str = "user_id"
    item: str = "item_id"
    time: str | None = "timestamp"
    unit: TimeUnit | None = None
    event: str = "event"
    weight: str = "weight"
    events: dict[str, Annotated[float, Field(ge=1e-6, le=1e6)]] = Field(default_factory=dict)
