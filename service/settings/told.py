"""The settings that hold, as lines to print: secrets masked, and where each comes from."""

from __future__ import annotations

from typing import Any

from engines.server.address import shown
from service.settings.reading import Read, leaves

_SECRET = ("password", "secret", "token", "api_key")  # within names of engines' parameters


def told(read: Read) -> list[str]:
    """One line a setting that is set or has a default: `port: 8080 (environment)`."""
    lines = []
    for place in leaves():
        value: Any = read.settings
        for key in place:
            value = getattr(value, key)
        if value in (None, (), {}):
            continue
        key = ".".join(place)
        lines.append(f"{key}: {_masked(key, value)} ({read.source(key)})")
    return lines


def _masked(key: str, value: Any) -> str:
    if any(word in key.lower() for word in _SECRET):
        return "***"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_masked(str(name), one)}" for name, one in value.items()) + "}"
    if isinstance(value, tuple):
        return ", ".join(_masked(key, one) for one in value)
    return shown(value) if isinstance(value, str) and "://" in value else str(value)
