"""What on a server is ours: only what an adapter has marked as made by it is ever dropped.

An address may be that of somebody's cluster, and a name there may be a foreign collection's or its alias.
"""

from __future__ import annotations

from engines.base import EngineError

# Stored with the collection and what it holds (`engines.values.contents`): as metadata, description, comment, mapping.
MARK = "bakeoff"


class ForeignError(EngineError):
    """A collection of this name was not made by this harness, and is left as it is."""

    def __init__(self, server: str, name: str, found: str) -> None:
        """server: its name and address. found: what is there, in a few words."""
        super().__init__(
            f"{server}: {name} is {found}, and was not made by this harness; it is left as it is. Use another server, "
            "or rename or remove it by hand"
        )
