"""Documents made into changes, and changes made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engines.base import Vectors
from engines.values.shown import shown
from harness.errors import ConfigurationError
from service.catalogue.checks import id_problem
from service.catalogue.listing import (
    HIGHEST_VERSION,
    Absent,
    Change,
    Conflict,
    Fields,
    Outcome,
    Patch,
    Put,
    Remove,
)
from service.catalogue.schema import VECTOR, InvalidDocumentError, Problem
from service.catalogue.store import Store
from service.writing.destination import Destination, Encoder

Operation = Literal["put", "patch", "remove"]
_ATTEMPTS = 10  # at a patch whose vector has to follow, while others write the same listing
_AT_ONCE = 1000  # changes of one caller in a transaction: others wait for no more


@dataclass(frozen=True, slots=True)
class Wish:
    """A write as it is asked for. expected: the version that the listing must have, as in `Put`."""

    operation: Operation
    id: str
    document: Mapping[str, Any]
    expected: int | None = None


def carry_out(into: Destination, wishes: Sequence[Wish]) -> list[Outcome | list[Problem]]:
    """What came of each wish, in order, or what is wrong with it. Blocks. Raises StoreError."""
    outcomes: list[Outcome | list[Problem]] = []
    for first in range(0, len(wishes), _AT_ONCE):
        outcomes += _some(into, wishes[first : first + _AT_ONCE])
    return outcomes


def _some(into: Destination, wishes: Sequence[Wish]) -> list[Outcome | list[Problem]]:
    made = _with_vectors(into, wishes, [_read(into, wish) for wish in wishes])
    changes = [one for one in made if not isinstance(one, list)]
    outcomes: Iterator[Outcome | list[Problem]]
    if into.encoder is not None and any(isinstance(one, Patch) for one in changes):
        outcomes = iter(_patched(into.store, into.encoder, changes))
    else:
        outcomes = iter(into.store.write(changes))
    return [one if isinstance(one, list) else next(outcomes) for one in made]


def _read(into: Destination, wish: Wish) -> Change | list[Problem]:
    """A put may lack its vector still: it is then a patch, to be completed."""
    operation, document = wish.operation, dict(wish.document)
    problems = []
    if problem := id_problem(wish.id):
        problems.append(Problem("id", problem))
    if document.pop("id", wish.id) != wish.id:
        problems.append(
            Problem("id", f"differs from the address's, {shown(wish.id)}; leave it out of the body")
        )
    given, version = "version" in document, document.pop("version", None)
    if given and (type(version) is not int or not 1 <= version <= HIGHEST_VERSION):
        text = f"must be a whole number from 1 to {HIGHEST_VERSION}, got {shown(version)}"
        problems.append(Problem("version", text))
    fields = Fields()
    if operation == "remove":
        problems += [Problem(name, "is not taken by a removal; leave it out") for name in document]
    else:
        try:
            fields = into.store.schema.read(document, partial=operation == "patch")
        except InvalidDocumentError as error:
            problems += error.problems
    if operation == "put" and VECTOR not in document and into.encoder is None:
        problems.append(Problem(VECTOR, "is missing, and no model is here that would make it"))
    if problems:
        return problems
    if operation == "remove":
        return Remove(wish.id, expected=wish.expected, version=version)
    kind = Patch if operation == "patch" or fields.vector is None else Put
    return kind(wish.id, fields, expected=wish.expected, version=version)


def _with_vectors(
    into: Destination, wishes: Sequence[Wish], read: list[Change | list[Problem]]
) -> list[Change | list[Problem]]:
    """Those of the wishes' puts completed that came without a vector."""
    puts = {
        place: one
        for place, (wish, one) in enumerate(zip(wishes, read, strict=True))
        if wish.operation == "put" and isinstance(one, Patch)
    }
    if not puts or into.encoder is None:
        return read
    patches = list(puts.values())
    documents = [{**one.fields.details, **one.fields.attributes} for one in patches]
    vectors = _encoded(into.encoder, [one.id for one in patches], documents)
    made = list(read)
    for (place, patch), vector in zip(puts.items(), vectors, strict=True):
        if isinstance(vector, list):
            made[place] = vector
            continue
        fields = replace(patch.fields, vector=vector, model=into.encoder.label)
        made[place] = Put(patch.id, fields, expected=patch.expected, version=patch.version)
    return made


def _encoded(
    encoder: Encoder, ids: Sequence[str], documents: Sequence[Mapping[str, object]]
) -> list[Vectors | list[Problem]]:
    """A vector of each, or what is wrong with it: one that cannot be encoded keeps no other from being written."""
    try:
        return list(encoder.vectors(ids, documents))
    except ConfigurationError as error:
        if len(ids) == 1:
            return [[Problem(VECTOR, text) for text in error.problems]]
        return [_encoded(encoder, [id_], [one])[0] for id_, one in zip(ids, documents, strict=True)]


def _patched(store: Store, encoder: Encoder, changes: Sequence[Change]) -> list[Outcome | list[Problem]]:
    """Changes made, those of one listing in their order. A patch of what the model reads has the vector follow.

    Where others write a listing meanwhile, its patch is tried again.
    """
    outcomes: list[Outcome | list[Problem]] = [Absent()] * len(changes)
    tries = [0] * len(changes)
    pending = list(range(len(changes)))
    while pending:
        first = {changes[place].id: place for place in reversed(pending)}
        followed = _followed(store, encoder, [changes[place] for place in first.values()])
        writing: dict[int, Change] = {}
        done = set()
        for place, one in zip(first.values(), followed, strict=True):
            if isinstance(one, list):
                outcomes[place] = one
                done.add(place)
            else:
                writing[place] = one
        for (place, change), outcome in zip(
            writing.items(), store.write(list(writing.values())), strict=True
        ):
            outcomes[place] = outcome
            tries[place] += 1
            overtaken = isinstance(outcome, Conflict) and change.expected != changes[place].expected
            if not overtaken or tries[place] == _ATTEMPTS:
                done.add(place)
        pending = [place for place in pending if place not in done]
    return outcomes


def _followed(store: Store, encoder: Encoder, changes: Sequence[Change]) -> list[Change | list[Problem]]:
    """Changes, the patches with the vectors that they make necessary, and then for the version these were made of; or
    what is wrong with one.
    """
    made: list[Change | list[Problem]] = list(changes)
    reading = {
        place: change
        for place, change in enumerate(changes)
        if isinstance(change, Patch)
        and change.fields.vector is None
        and encoder.columns & {*change.fields.attributes, *change.fields.details}
    }
    held = store.get({patch.id for patch in reading.values()}) if reading else {}
    # A vector that was given is the caller's to change.
    encoded = {place: held[one.id] for place, one in reading.items() if one.id in held and held[one.id].model}
    documents = [
        {**now.details, **now.attributes, **reading[place].fields.details, **reading[place].fields.attributes}
        for place, now in encoded.items()
    ]
    vectors = _encoded(encoder, [now.id for now in encoded.values()], documents) if encoded else ()
    for (place, now), vector in zip(encoded.items(), vectors, strict=True):
        if isinstance(vector, list):
            made[place] = vector
            continue
        patch = reading[place]
        expected = now.version if patch.expected is None else patch.expected
        fields = replace(patch.fields, vector=vector, model=encoder.label)
        made[place] = replace(patch, fields=fields, expected=expected)
    return made
