"""H&M's catalogue and purchases, from files in a folder; their terms forbid to ship them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from harness.data.shipped.sources import MIRROR
from harness.errors import ConfigurationError
from models.data.interactions import Interactions
from models.data.items import Items
from models.data.reading.interaction_file import interactions_of
from models.data.reading.item_file import items_of
from models.data.reading.options import InteractionOptions, ItemOptions
from models.data.reading.table import Table, csv_table, parquet_table

CATEGORIES = (
    "product_code",
    "prod_name",
    "product_type_name",
    "product_group_name",
    "graphical_appearance_name",
    "colour_group_name",
    "perceived_colour_value_name",
    "perceived_colour_master_name",
    "department_name",
    "index_name",
    "section_name",
    "garment_group_name",
)
TEXTS = ("prod_name", "detail_desc")
ID, _USER, _TIME = "article_id", "customer_id", "t_dat"
PURCHASES = InteractionOptions(user=_USER, item=ID, time=_TIME)
_ARTICLES = ("articles.parquet", "articles.csv")
_PURCHASES = (
    "transactions_last_week.parquet",
    "transactions.parquet",
    "transactions_train.parquet",
    "transactions_train.csv",
)


def read_hm(
    folder: Path | None = None, catalogue: Literal["sold", "all"] = "sold"
) -> tuple[Items, Interactions]:
    """The articles and who bought which, on which day; a quantity above one is one purchase.

    folder: where the files are, None for the data mirror or the folder `hm` in it. catalogue: the articles that the
    purchases name, or all. Raises ConfigurationError where there are no such files, or they are not H&M's.
    """
    articles, purchases = _files(folder)
    items = items_of(*_catalogue(articles))
    bought = interactions_of(_purchases(purchases), items, PURCHASES)
    return (items, bought) if catalogue == "all" else only_taken(items, bought)


def only_taken(items: Items, interactions: Interactions) -> tuple[Items, Interactions]:
    """The items that somebody took, in their order, and the interactions with them."""
    rows = np.unique(interactions.items)
    number = np.full(len(items), -1, np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    return items.take(rows), replace(interactions, items=number[interactions.items])


def _files(folder: Path | None) -> tuple[Path, Path]:
    mirror = os.environ.get(MIRROR)
    if folder is None and not mirror:
        raise ConfigurationError(
            f"H&M's files are not shipped, their terms forbid it; name the folder that holds {_ARTICLES[0]} and "
            f"{_PURCHASES[0]}, or its parent with {MIRROR}"
        )
    places = [folder] if folder is not None else [Path(str(mirror), "hm"), Path(str(mirror))]
    found = [
        [place / name for place in places for name in names if (place / name).is_file()]
        for names in (_ARTICLES, _PURCHASES)
    ]
    lacking = [
        f"{places[0]}: holds none of {', '.join(names)}"
        for files, names in zip(found, (_ARTICLES, _PURCHASES), strict=True)
        if not files
    ]
    if lacking:
        raise ConfigurationError(lacking)
    return found[0][0], found[1][0]


def _catalogue(path: Path) -> tuple[Table, ItemOptions]:
    wanted = tuple(dict.fromkeys((ID, *CATEGORIES, *TEXTS)))
    table = csv_table(path, wanted, wanted) if path.suffix == ".csv" else parquet_table(path)
    others = tuple(name for name in table.names if name not in wanted)
    return table, ItemOptions(id=ID, categories=CATEGORIES, texts=TEXTS, leave_out=others)


def _purchases(path: Path) -> Table:
    columns = (_USER, ID, _TIME)
    return csv_table(path, columns, columns) if path.suffix == ".csv" else parquet_table(path)
