"""The order of Debian's versions."""

from __future__ import annotations

import re

_PIECES = re.compile(r"(\D*)(\d*)")
_Key = tuple[tuple[tuple[int, ...], int], ...]


def version_key(version: str) -> tuple[int, _Key, _Key]:
    """Sorts versions `epoch:upstream-revision` as dpkg does."""
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch), _part(upstream), _part(revision)


def _part(text: str) -> _Key:
    """Letters come before other characters, `~` even before the end, numbers by their value."""
    return tuple(
        ((*map(_order, letters), 0), int(digits or "0")) for letters, digits in _PIECES.findall(text)
    )


def _order(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 0x110000
