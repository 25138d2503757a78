"""The address of an engine's server and the credentials for it, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from engines.base import EngineError
from engines.server.address import AddressError, parse_address, shown

REQUEST_TIMEOUT_S = 60.0  # of one request; a server that is silent for longer has failed it


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of a server and the credentials for it. url: scheme://host:port, never with credentials.

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
        keys = ("URL", "USER", "PASSWORD", "API_KEY", "CA_CERTS")
        given = {key: environ.get(variable(engine, key)) or None for key in keys}
        url, name = given["URL"], variable(engine, "URL")
        if url is None:
            raise EngineError(
                f"{engine}: no server is known; set {name}=http://host:port to use one that runs"
            )
        try:
            address = parse_address(url)
        except AddressError as error:
            raise EngineError(f"{engine}: {refusal(engine, url, error)}") from None
        ca_certs = given["CA_CERTS"]
        if ca_certs is not None and not Path(ca_certs).is_file():
            raise EngineError(f"{engine}: {variable(engine, 'CA_CERTS')}: there is no file {ca_certs}")
        return cls(
            url=address.url,
            user=given["USER"] or address.user or None,
            password=given["PASSWORD"] or address.password or None,
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


def refusal(engine: str, url: str, error: AddressError) -> str:
    """What is wrong with an engine's address, and what helps. It shows no credential."""
    user, password, api_key = (variable(engine, key) for key in ("USER", "PASSWORD", "API_KEY"))
    return (
        f"{variable(engine, 'URL')} is no address such as http://host:port: {error}, got {shown(url)!r}; "
        f"credentials are best given in {user}, {password} or {api_key}"
    )
