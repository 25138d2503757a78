"""Listings as engines take them: column by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.base import Batch
from engines.columns import Keywords
from engines.values.columns import column_of
from service.catalogue.listing import Listing
from service.catalogue.schema import CatalogueSchema


def as_batch(listings: Sequence[Listing], schema: CatalogueSchema) -> Batch:
    """A row for each listing, under its number; the text that the engine's schema names is that of `schema.texts`."""
    engine = schema.engine
    columns = {
        field.name: column_of([listing.attributes[field.name] for listing in listings], field.kind)
        for field in engine.fields
    }
    if engine.text is not None:
        columns[engine.text] = Keywords.encode([searched(listing, schema) for listing in listings])
    numbers = np.fromiter((listing.number for listing in listings), np.int64, len(listings))
    vectors = np.empty((len(listings), engine.dim), np.float32)
    for row, listing in enumerate(listings):
        vectors[row] = listing.vector
    return Batch(numbers, vectors, columns)


def searched(listing: Listing, schema: CatalogueSchema) -> str:
    """The text of a listing that is searched, one detail a line."""
    return "\n".join(listing.details[name] for name in schema.texts if name in listing.details)
