"""Texts without secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

_SECRETS = ("PASSWORD", "API_KEY")


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """A text, such as a client's error, without the credentials that the environment holds."""
    environ = os.environ if environ is None else environ
    for name, value in environ.items():
        if name.startswith("BAKEOFF_") and name.endswith(_SECRETS) and value:
            text = text.replace(value, "***")
        elif name.startswith("BAKEOFF_") and name.endswith("_URL") and (secret := urlsplit(value).password):
            text = text.replace(secret, "***").replace(unquote(secret), "***")
    return text
