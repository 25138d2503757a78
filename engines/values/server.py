"""What engines on a server share: where it is, who may ask, what the collection is called."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload
from urllib.parse import unquote, urlsplit
from zlib import crc32

from engines.base import EngineError, Hits

REQUEST_TIMEOUT_S = 60.0  # of one request; a server that is silent for longer has failed it
PREFIX = "bakeoff_"  # of every collection; what is called so on a server is ours to drop
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


@dataclass(frozen=True, slots=True)
class Launched:
    """A server that an engine's launcher has started as a process.

    settings: KEY -> value of BAKEOFF_<ENGINE>_<KEY>, in which the adapter finds it. pid: the root of its
    process tree. data: the folder with everything it stores.
    """

    settings: Mapping[str, str]
    pid: int
    data: Path


def variable(engine: str, key: str) -> str:
    """The environment variable of one of an engine's settings: BAKEOFF_MILVUS_URL."""
    return f"BAKEOFF_{engine.upper().replace('-', '_')}_{key}"


def clean(url: str) -> str:
    """A URL without user and password."""
    return re.sub(r"//[^/@]*@", "//", url)


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """A text, such as a client's error, without the credentials that the environment holds."""
    environ = os.environ if environ is None else environ
    for name, value in environ.items():
        if name.startswith("BAKEOFF_") and name.endswith(_SECRETS) and value:
            text = text.replace(value, "***")
        elif name.startswith("BAKEOFF_") and name.endswith("_URL") and (secret := urlsplit(value).password):
            text = text.replace(secret, "***").replace(unquote(secret), "***")
    return text


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)


def collection_name(path: Path) -> str:
    """What the collection of an engine with this directory is called on a server, in letters, digits and `_`.

    From the directory's name alone, so that a scenario's next run drops what a killed one has left.
    """
    return f"{PREFIX}{crc32(path.name.encode()):08x}"


class Answer(Sequence[Any]):
    """One column of an answer that is decoded when first looked at: after the timed window, under load."""

    __slots__ = ("_column", "_reply")

    def __init__(self, reply: Reply, column: int) -> None:
        self._reply, self._column = reply, column

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._reply.columns[self._column][index]

    def __len__(self) -> int:
        return len(self._reply.columns[self._column])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._reply.columns[self._column])


class Reply:
    """A server's answer as it came, and how to read ids and scores from it."""

    __slots__ = ("_columns", "_decode", "_raw")

    def __init__(self, raw: Any, decode: Callable[[Any], tuple[Sequence[int], Sequence[float]]]) -> None:
        self._raw, self._decode = raw, decode
        self._columns: tuple[Sequence[int], Sequence[float]] | None = None

    @property
    def columns(self) -> tuple[Sequence[int], Sequence[float]]:
        """(ids, scores); decoded once."""
        if self._columns is None:
            self._columns = self._decode(self._raw)
            self._raw = None
        return self._columns


def deferred(raw: Any, decode: Callable[[Any], tuple[Sequence[int], Sequence[float]]]) -> Hits:
    """Hits that are decoded from a server's answer when they are first looked at.

    `decode` raises ValueError for an answer that it cannot read.
    """
    reply = Reply(raw, decode)
    return Hits(Answer(reply, 0), Answer(reply, 1))
