"""Where a server listens and who asks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engines.base import EngineError

REQUEST_TIMEOUT_S = 60.0  # of one request; a server that is silent for longer has failed it
_SECRETS = ("PASSWORD", "API_KEY")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens and who asks. url: scheme://host:port, never with credentials.

    Credentials come from the environment only and are in no repr.
    """

    url: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    ca_certs: Path | None = None  # a file of certificates to trust instead of the system's

    @classmethod
    def of(cls, engine: str, environ: Mapping[str, str] | None = None) -> Endpoint:
        """From BAKEOFF_<ENGINE>_URL, _USER, _PASSWORD, _API_KEY and _CA_CERTS.

        A user and password within the URL are taken out of it. Raises EngineError where the URL is missing or
        malformed, naming the variable.
        """
        environ = os.environ if environ is None else environ
        given = {
            key: environ.get(variable(engine, key)) or None for key in ("URL", "USER", "CA_CERTS", *_SECRETS)
        }
        url, name = given["URL"], variable(engine, "URL")
        if url is None:
            raise EngineError(
                f"{engine}: no server is known; set {name}=http://host:port to use one that runs"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise EngineError(f"{engine}: {name} is no URL ({error}); write it as http://host:port") from None
        if not parts.scheme or not (parts.hostname or parts.path):
            raise EngineError(f"{engine}: {name} is no URL such as http://host:port, got {clean(url)!r}")
        ca_certs = given["CA_CERTS"]
        if ca_certs is not None and not Path(ca_certs).is_file():
            raise EngineError(f"{engine}: {variable(engine, 'CA_CERTS')}: there is no file {ca_certs}")
        del port  # only asked for so that a malformed one is noticed here
        return cls(
            url=clean(url),
            user=given["USER"] or _decoded(parts.username),
            password=given["PASSWORD"] or _decoded(parts.password),
            api_key=given["API_KEY"],
            ca_certs=None if ca_certs is None else Path(ca_certs),
        )

    @property
    def host(self) -> str:
        """The host's name or address."""
        return urlsplit(self.url).hostname or ""

    def port(self, default: int) -> int:
        """The port, or `default` where the URL has none."""
        return urlsplit(self.url).port or default

    @property
    def secure(self) -> bool:
        """Whether the URL asks for TLS."""
        return urlsplit(self.url).scheme in ("https", "grpcs")


def variable(engine: str, key: str) -> str:
    """The environment variable of one of an engine's settings: BAKEOFF_MILVUS_URL."""
    return f"BAKEOFF_{engine.upper().replace('-', '_')}_{key}"


def clean(url: str) -> str:
    """A URL without user and password."""
    return re.sub(r"//[^/@]*@", "//", url)


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)
