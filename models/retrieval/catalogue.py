"""The listings of a model's dataset as a catalogue again, for their titles."""

from __future__ import annotations

from harness.data.user.finding import ATTRIBUTES
from models.data.items import Items
from models.data.reading.item_file import items_of
from models.data.reading.table import parquet_table
from models.encoding.model import DATASET, Model


def published_items(model: Model) -> Items:
    """By the rows of the dataset, with the columns that the model reads as it read them.

    A column that the dataset gave another name is not among them. Raises ConfigurationError where the file is damaged.
    """
    table = parquet_table(model.folder / DATASET / ATTRIBUTES)
    identifier, *columns = table.names  # ids are written first

    def there(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in columns)

    read = model.items
    options = read.model_copy(
        update={
            "id": identifier,
            "categories": there(read.categories),
            "numbers": there(read.numbers),
            "texts": there(read.texts),
            "listed": None,
            "leave_out": tuple(sorted(set(columns).difference(read.categories, read.numbers, read.texts))),
        }
    )
    return items_of(table, options)
