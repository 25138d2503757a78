"""Addresses of servers, taken apart: what can be shown, and what is a credential."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

# Query parameters of an address that hold no secret: settings of libpq. Everything else after a ? may be a key.
SETTINGS = (
    *("application_name", "connect_timeout", "dbname", "host", "hostaddr", "options", "port", "sslmode"),
    *("sslrootcert", "target_session_attrs", "user"),
)
_TOKEN = 16  # characters from which on a user without a password is taken for a token
_END = "/?#"  # what ends the part with user and host (RFC 3986, section 3.2)


class AddressError(ValueError):
    """A text that is no address of a server. The message does not repeat it."""


@dataclass(frozen=True, slots=True)
class Address:
    """url: scheme://host:port/path?settings, without credentials. user, password: as they are, not percent-encoded."""

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_address(text: str) -> Address:
    """Takes an address apart. Raises AddressError where that cannot be done in one way only."""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise AddressError("it holds white space or control characters")
    scheme, separator, rest = text.partition("://")
    if not separator or not _is_scheme(scheme):
        raise AddressError("it has no scheme")
    authority, after = _split_authority(rest)
    if "@" in after:
        raise AddressError(
            "an @ stands after a /, ? or #; write these four as %40, %2F, %3F and %23 in user and password"
        )
    path, question, query = after.partition("?")
    if "#" in after:
        raise AddressError("nothing may stand after a #")
    if any(name not in SETTINGS for name, _ in _parameters(query)):
        raise AddressError(
            "after the ? stands something that is not a setting of a connection, such as sslmode"
        )
    credentials, sign, place = authority.rpartition("@")
    _check_place(scheme, place, path)
    user, colon, password = credentials.partition(":")
    return Address(
        url=f"{scheme}://{place}{path}{question}{query}",
        user=_decoded(user) if sign else None,
        password=_decoded(password) if colon else None,
    )


def shown(text: str) -> str:
    """The part of a text that cannot hold a credential. The text may be an address, or be meant as one."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    elif ":" in scheme or "@" in scheme:
        scheme = "***"
    _, sign, rest = rest.rpartition("@")
    place, after = _split_authority(rest)
    host, colon, port = place.rpartition(":")
    if colon and not port.isdecimal() and not place.endswith("]"):
        place, after = f"{host.partition(':')[0]}:***", ""  # it may be a password without the @ after it
    path, question, _ = after.partition("#")[0].partition("?")
    return f"{scheme}{separator}{'***@' if sign else ''}{place}{path}{'?***' if question else ''}"


def secrets_of(text: str) -> Iterator[str]:
    """Every part of a text that may be a credential, as written and decoded. The text may be an address, or be meant
    as one.
    """
    rest = text.partition("://")[2] or text
    credentials, sign, _ = rest.rpartition("@")
    if sign:
        user, colon, password = credentials.partition(":")
        if colon or len(user) >= _TOKEN:
            yield from (password or user, unquote(password or user))
    _, question, query = rest.partition("?")
    if question:
        for part in query.split("#"):
            for name, value in _parameters(part):
                if name not in SETTINGS:
                    yield from (value or name, unquote(value or name))


def _is_scheme(text: str) -> bool:
    return text[:1].isalpha() and text.isascii() and all(c.isalnum() or c in "+-." for c in text)


def _split_authority(rest: str) -> tuple[str, str]:
    end = min((place for sign in _END if (place := rest.find(sign)) >= 0), default=len(rest))
    return rest[:end], rest[end:]


def _parameters(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _check_place(scheme: str, place: str, path: str) -> None:
    """Raises AddressError unless `place` is a host with an optional port, or a path says where the server is."""
    try:
        parts = urlsplit(f"{scheme}://{place}")
        parts.port  # noqa: B018 - Python checks the port only when it is read
    except ValueError:
        raise AddressError(
            "after the host and a : no port follows; write @ : / ? # within user and password percent-encoded"
        ) from None
    if not parts.hostname and not path.strip("/"):
        raise AddressError("it names no host")


def _decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise AddressError("user and password are not UTF-8 once their percent-encoding is undone") from None
