"""Users of files with their vectors: of their interactions, of what they declare, or of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.errors import ConfigurationError, noting
from models.data.interactions import ItemLists
from models.data.items import Items
from models.data.reading.ids import encode_ids
from models.data.reading.interaction_file import interactions_of
from models.data.reading.options import InteractionOptions
from models.data.reading.preference_file import DeclaredPreferences, read_preferences
from models.data.reading.table import parquet_table
from models.encoding.files.listing_files import Catalogue, require_finite
from models.encoding.model import Model
from models.features.features import Float32, Int32


@dataclass(frozen=True, slots=True)
class Histories:
    """What u users took. ids: object[u], of all users of the file. taken: rows of the catalogue, distinct, the latest
    last; empty for a user of whom nothing could be used. left_out, notes: as in `models.data.interactions`.
    """

    ids: npt.NDArray[np.object_]
    taken: ItemLists
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EncodedUsers:
    """u users, those with interactions first.

    vectors: float32[u, d], as an index is asked with. history: int32[u], how many listings of each user were used.
    declaring: how many users declare something that the model knows. nothing: how many have neither. unknown: how many
    of the words declared the model does not know, by category. asked_ms: the moment that ages count from, None where
    they do not count.
    """

    ids: npt.NDArray[np.object_]
    vectors: Float32
    history: Int32
    declaring: int
    nothing: int
    unknown: Mapping[str, int]
    asked_ms: int | None


def read_histories(path: Path, item_ids: npt.NDArray[np.object_], options: InteractionOptions) -> Histories:
    """The histories of a file of interactions with the listings object[n]. Weights do not count and are not read.

    Raises ConfigurationError as `models.data.reading.interaction_file.read_interactions`.
    """
    table = parquet_table(path)
    needed = [options.user, options.item, *([] if options.time is None else [options.time])]
    if options.events or "event" in options.model_fields_set:
        needed.append(options.event)
    lacking = [
        table.lacking(name, "the model's training had it: add it, or rename yours")
        for name in needed
        if name not in table.names
    ]
    if lacking:
        raise ConfigurationError(lacking)
    unweighted = options.model_dump(exclude_unset=True, exclude={"weight"})
    table = replace(
        table, names=tuple(name for name in table.names if name not in (options.weight, "weight"))
    )
    options = InteractionOptions.model_validate(unweighted)
    found = interactions_of(table, Items(item_ids), options)
    ids = encode_ids(table.read(options.user), table.label(options.user)).objects()
    return Histories(ids, _of(ids, found.user_ids, found.distinct()), found.left_out, found.notes)


def _of(ids: npt.NDArray[np.object_], listed: npt.NDArray[np.object_], lists: ItemLists) -> ItemLists:
    """The lists of these ids, empty for one that is not listed."""
    row_of = {one: row for row, one in enumerate(listed.tolist())}
    nothing = replace(lists, starts=np.append(lists.starts, lists.starts[-1]))
    return nothing.take(np.array([row_of.get(one, len(lists)) for one in ids.tolist()], np.int64))


def encode_users(
    model: Model,
    catalogue: Catalogue | None,
    interactions: Path | None,
    preferences: Path | None,
) -> tuple[EncodedUsers, Histories]:
    """The users of both files, or of one. catalogue: the listings of `interactions`; None only without these.

    Raises ConfigurationError with every problem: of either file, and user ids that are of different types.
    """
    problems: list[str] = []
    nobody = np.empty(0, object)
    histories = Histories(nobody, ItemLists.of([]))
    declared = DeclaredPreferences(nobody, ())
    user = model.interactions.user
    if interactions is not None and catalogue is not None:
        with noting(problems):
            histories = read_histories(interactions, catalogue.ids, model.interactions)
    if preferences is not None:
        with noting(problems):
            declared = read_preferences(preferences, user, tuple(model.encoder.features.categories))
    if not problems and (one := _types_differ(histories.ids, declared.user_ids)):
        problems.append(
            f"{interactions}: users are such as {shown(one[0])}, and {preferences}: such as {shown(one[1])}; store the "
            f"column '{user}' of both as strings or as integers"
        )
    if problems:
        raise ConfigurationError(problems)
    return _encoded(model, catalogue, histories, declared), histories


def _types_differ(ids: npt.NDArray[np.object_], others: npt.NDArray[np.object_]) -> Sequence[object]:
    """An example of both where one holds strings and the other integers."""
    if not len(ids) or not len(others) or isinstance(ids[0], str) == isinstance(others[0], str):
        return ()
    return ids[0], others[0]


def _encoded(
    model: Model, catalogue: Catalogue | None, histories: Histories, declared: DeclaredPreferences
) -> EncodedUsers:
    encoder = model.encoder
    everybody = list(dict.fromkeys([*histories.ids.tolist(), *declared.user_ids.tolist()]))
    ids = np.empty(len(everybody), object)
    ids[:] = everybody
    taken = _of(ids, histories.ids, histories.taken)
    choice_of = dict(zip(declared.user_ids.tolist(), declared.choices, strict=True))
    said = encoder.preferences([choice_of.get(one, {}) for one in everybody])
    asked_ms = None
    if encoder.weights.user.recency and taken.times_ms is not None and len(taken.times_ms):
        asked_ms = int(taken.times_ms.max())
    listings = np.empty((0, encoder.weights.dim), np.float32) if catalogue is None else catalogue.vectors
    asked = None if asked_ms is None else np.full(len(ids), asked_ms, np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # looked for below
        users = encoder.user.many(listings, taken, asked, said)
    require_finite(users, ids, f"{model.folder}: the vector of user")
    declares = np.diff(said.starts) > 0
    return EncodedUsers(
        ids,
        encoder.queries(users),
        np.minimum(taken.lengths, encoder.weights.user.longest).astype(np.int32),
        int(np.count_nonzero(declares)),
        int(np.count_nonzero(~declares & (taken.lengths == 0))),
        said.unknown,
        asked_ms,
    )
