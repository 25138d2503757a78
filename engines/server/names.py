"""What collections are called on a server."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

PREFIX = "bakeoff_"  # every collection's name begins with it


def collection_name(path: Path) -> str:
    """What the collection of an engine with this directory is called on a server, in letters, digits and `_`.

    It depends on the directory's name alone, so that a scenario's next run drops what a killed one left behind.
    """
    return f"{PREFIX}{crc32(path.name.encode()):08x}"
