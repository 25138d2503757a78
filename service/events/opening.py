"""The events of a service, by what the configuration calls them."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigurationError
from service.database.errors import StoreError
from service.database.opening import is_url, open_database
from service.events.sql import TABLES, SqlEvents

_FILE = "events.sqlite"


def open_events(store: str | None, folder: Path, *, made: bool = True) -> SqlEvents:
    """Those in the database at the URL `store`, or in a file in the service's folder.

    made: whether the file is made where it is not there. Raises ConfigurationError where they cannot be opened.
    """
    place = store if store is not None and is_url(store) else str(folder / _FILE)
    if not made and not is_url(place) and not Path(place).is_file():
        raise ConfigurationError(
            f"{place}: is not there; name the folder of a service that has been started with --data"
        )
    try:
        return SqlEvents(open_database(place, TABLES))
    except StoreError as error:
        raise ConfigurationError(str(error)) from error
