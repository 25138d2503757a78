"""What comes from a topic, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.catalogue.schema import Problem
from service.ingestion.record import Record, as_text, record_of, wish_of
from service.writing.carrying import Operation

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord


def record_of_message(message: ConsumerRecord[bytes, bytes], operation: Operation) -> Record:
    """Its value is a document in JSON, its key the id where the document has none; no value asks for the removal."""
    place = {"partition": message.partition, "offset": message.offset}
    at_ms = message.timestamp if message.timestamp > 0 else None
    try:
        key = None if message.key is None else message.key.decode()
    except UnicodeDecodeError as error:
        received = as_text(message.key or b"") if message.value is None else as_text(message.value)
        return Record(place, received, [Problem("key", f"is no UTF-8: {error}")], at_ms)
    named = {} if key is None else {"key": key}
    if message.value is None:
        wish = wish_of({}, "remove", key)
        return Record(place, {**named, "document": None}, wish, at_ms)
    found = record_of(place, message.value, operation, key, at_ms)
    return Record(place, {**named, **found.received}, found.wish, at_ms)
