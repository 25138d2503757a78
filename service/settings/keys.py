"""API keys: a file says who holds one and what it is good for; the keys themselves are kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from harness.errors import ConfigurationError
from harness.scenario.strict import Listed, Name, StrictModel, read_yaml, validated

_BEGINNING = "bk_"
_KEY = re.compile(_BEGINNING + r"[A-Za-z0-9_-]{20,}")
Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Key(StrictModel):
    """A key: `sha256` is of the key's text, in hex. Keys are drawn at random, so that no slower hash is needed."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Listed, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _File(StrictModel):
    keys: Annotated[list[Key], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that are known."""

    keys: Sequence[Key]

    def find(self, text: str) -> Key | None:
        """The key of this text. Takes as long whatever the text is, and compares with every key."""
        digest = _digest(text)
        found = None
        for key in self.keys:
            if hmac.compare_digest(digest, key.sha256):
                found = key
        return found


def read_keys(path: Path) -> KeyRing:
    """Raises ConfigurationError with every problem of the file."""
    data = read_yaml(path, "keys: [{name: shop, scopes: [read], sha256: ...}]")
    keys = validated(_File, data, str(path)).keys
    problems = [
        f"{path}: keys[{place}].{field} {getattr(key, field)!r} occurs before; give each key its own"
        for field in ("name", "sha256")
        for place, key in enumerate(keys)
        if any(getattr(key, field) == getattr(other, field) for other in keys[:place])
    ]
    if problems:
        raise ConfigurationError(problems)
    return KeyRing(keys)


def new_key(name: str, scopes: Sequence[str]) -> tuple[str, str]:
    """A key's text, to be given to its holder once, and its entry for the file. Raises ConfigurationError."""
    text = f"{_BEGINNING}{secrets.token_urlsafe(32)}"
    values = {"name": name, "scopes": list(scopes), "sha256": _digest(text)}
    key = validated(Key, values, "key")
    return text, f"  - {{name: {key.name}, scopes: [{', '.join(key.scopes)}], sha256: {key.sha256}}}"


def without_keys(text: str) -> str:
    """A text without the keys in it, such as one that a caller has put where it does not belong."""
    return _KEY.sub("***", text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
