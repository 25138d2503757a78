"""`bakeoff encode`: the vectors of listings or of users, by a trained model and without JAX."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.printing.output import say, show
from harness.errors import ConfigurationError, noting

if TYPE_CHECKING:
    from harness.progress import Progress
    from models.encoding.encoder import EncodedListings
    from models.encoding.files.listing_files import Catalogue
    from models.encoding.files.user_files import EncodedUsers, Histories
    from models.encoding.model import Model


def encode(options: argparse.Namespace) -> int:
    from harness.cli.printing.terminal import ProgressBar
    from models.encoding.files.vector_file import require_new
    from models.encoding.model import Model

    out, model = Path(options.out), None
    problems = _misused(options)
    with noting(problems):
        require_new(out)
    with noting(problems):
        model = Model.load(Path(options.model))
    if problems or model is None:
        raise ConfigurationError(problems)
    say(f"{model.identity.label} of {model.folder}")
    with ProgressBar() as bar:
        if options.users or options.preferences:
            _users(model, options, out, bar)
        else:
            _listings(model, Path(options.listings), out, bar)
    return 0


def _misused(options: argparse.Namespace) -> list[str]:
    if not (options.listings or options.users or options.preferences):
        return ["there is nothing to encode; name a file with --listings, --users or --preferences"]
    if options.listings and options.preferences and not options.users:
        return [
            "--listings and --preferences cannot go into one file; encode one after the other, or name the histories "
            "of these listings with --users"
        ]
    return []


def _listings(model: Model, path: Path, out: Path, progress: Progress) -> None:
    from models.encoding.files.listing_files import encode_listings
    from models.encoding.files.vector_file import write_vectors

    ids, encoded = encode_listings(model, path, progress)
    _tell_listings(path, encoded)
    vectors = model.encoder.indexed(encoded.vectors, encoded.ids)
    write_vectors(out, "listings", (model.items.id, ids), vectors, identity=model.identity)
    show(f"{len(ids):,} listings, {vectors.shape[1]} dimensions: {out}")


def _users(model: Model, options: argparse.Namespace, out: Path, progress: Progress) -> None:
    from models.encoding.files.user_files import encode_users
    from models.encoding.files.vector_file import write_vectors

    interactions, preferences = (
        Path(name) if name else None for name in (options.users, options.preferences)
    )
    listings = Path(options.listings) if options.listings else None
    catalogue = None if interactions is None else _catalogue(model, listings, progress)
    encoded, histories = encode_users(model, catalogue, interactions, preferences)
    _tell_users(encoded, histories)
    write_vectors(
        out,
        "users",
        (model.interactions.user, encoded.ids),
        encoded.vectors,
        identity=model.identity,
        others={"history": encoded.history},
    )
    show(f"{len(encoded.ids):,} users, {encoded.vectors.shape[1]} dimensions: {out}")


def _catalogue(model: Model, listings: Path | None, progress: Progress) -> Catalogue:
    """What histories are made of."""
    from models.encoding.files.listing_files import Catalogue, encode_listings, published_listings

    if listings is None:
        catalogue = published_listings(model)
        say(f"histories of the {len(catalogue.ids):,} listings that the model was published with")
        return catalogue
    ids, encoded = encode_listings(model, listings, progress)
    _tell_listings(listings, encoded)
    return Catalogue(ids, encoded.vectors)


def _tell_listings(path: Path, encoded: EncodedListings) -> None:
    rows = len(encoded.ids)
    new = int((encoded.ids == 0).sum())
    say(f"{path}: {rows:,} listings, {new:,} of them without an id that the model knows")
    for what, counts in (("missing", encoded.missing), ("unknown to the model", encoded.unknown)):
        for column, count in counts.items():
            if count:
                say(f"{column}: {what} in {count:,} of {rows:,} listings")
    if encoded.ignored:
        say(f"not read by the model: {_listed(encoded.ignored)}")


def _tell_users(encoded: EncodedUsers, histories: Histories) -> None:
    for reason, count in histories.left_out.items():
        say(f"left out: {count:,} interactions {reason}")
    for note in histories.notes:
        say(note)
    for column, count in encoded.unknown.items():
        say(f"{column}: {count:,} words of preferences are unknown to the model")
    if encoded.asked_ms is not None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=encoded.asked_ms)
        say(f"ages count from the newest interaction, {moment.isoformat(timespec='seconds')}")
    none = int((encoded.history == 0).sum())
    say(
        f"{len(encoded.ids):,} users: {len(encoded.ids) - none:,} with a history, {encoded.declaring:,} with known "
        f"preferences, {encoded.nothing:,} with neither, whose vector is the model's for nobody in particular"
    )


def _listed(names: Sequence[str]) -> str:
    most = 10
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
