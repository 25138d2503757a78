"""Addresses of servers: taken apart without a doubt or refused, and shown without credentials."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.base import EngineError
from engines.server.address import AddressError, parse_address, secrets_of, shown
from engines.server.endpoint import Endpoint

SECRET = "hush-Hush7"


@pytest.mark.parametrize(
    ("text", "url", "user", "password"),
    [
        ("http://host:6333", "http://host:6333", None, None),
        ("https://[::1]:9200/prefix", "https://[::1]:9200/prefix", None, None),
        ("https://me:p@ss@host:1", "https://host:1", "me", "p@ss"),
        ("https://me:p%40s%2Fs%3A%25@host", "https://host", "me", "p@s/s:%"),
        ("https://me:a:b@host/x", "https://host/x", "me", "a:b"),
        ("https://me:100%@host", "https://host", "me", "100%"),
        ("https://token@host", "https://host", "token", None),
        ("postgresql:///db?host=%2Ftmp%2Fx", "postgresql:///db?host=%2Ftmp%2Fx", None, None),
        ("postgresql://me@h/db?sslmode=require", "postgresql://h/db?sslmode=require", "me", None),
    ],
)
def test_what_is_clear_is_taken_apart(text: str, url: str, user: str | None, password: str | None) -> None:
    address = parse_address(text)
    assert (address.url, address.user, address.password) == (url, user, password)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"https://me:{SECRET}/{SECRET}@host:1", "percent|%2F"),
        (f"https://me:1/{SECRET}@host", "%2F"),
        (f"https://me:{SECRET}?{SECRET}@host", "%3F"),
        (f"https://me:{SECRET}#{SECRET}@host", "%23"),
        (f"me:{SECRET}@host:6333", "no scheme"),
        (f"{SECRET}:{SECRET}@host", "no scheme"),
        ("host:6333", "no scheme"),
        (f"http://host:{SECRET}", "no port follows"),
        (f"http://me:{SECRET}/x", "no port follows"),
        ("http://host:99999", "no port follows"),
        (f"http://host:6333?api_key={SECRET}", "after the [?]"),
        (f"http://host:6333/?{SECRET}", "after the [?]"),
        (f"postgresql://host/db?sslmode=require&password={SECRET}", "after the [?]"),
        (f"http://host/#{SECRET}", "after a #"),
        ("http://", "no host"),
        ("http://me:x@", "no host"),
        ("http://h ost", "white space"),
        ("http://host\n", "white space"),
        ("http://[::1", "no port follows"),
        ("http://me:%ff@host", "UTF-8"),
    ],
)
def test_what_is_not_is_refused_without_a_word_of_the_secret(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        parse_address(text)
    with pytest.raises(EngineError, match="BAKEOFF_X_URL is no address such as http://host:port") as raised:
        Endpoint.of("x", {"BAKEOFF_X_URL": text})
    assert SECRET not in str(raised.value)
    assert SECRET not in shown(text)


def test_what_is_shown_still_tells_which_server() -> None:
    assert shown(f"qdrant=https://me:{SECRET}@db.example:6333/x?api_key={SECRET}") == (
        "qdrant=https://***@db.example:6333/x?***"
    )
    assert shown("pgvector=localhost") == "pgvector=localhost"
    assert shown("http://[::1]:9200/p") == "http://[::1]:9200/p"
    assert shown(f"x{SECRET}:y://host") == "***://host"


def test_a_user_alone_is_a_token_where_it_is_long() -> None:
    assert list(secrets_of("https://me@host")) == []
    assert set(secrets_of("https://0123456789abcdef@host")) == {"0123456789abcdef"}
    assert set(secrets_of("http://h?sslmode=require&k%2Dy=a%20b&flag#rest")) == {"a b", "flag", "rest"}


def test_variables_come_before_what_stands_in_the_url() -> None:
    given = {"BAKEOFF_X_URL": f"https://me:{SECRET}@host", "BAKEOFF_X_USER": "you"}
    endpoint = Endpoint.of("x", given)
    assert (endpoint.url, endpoint.user, endpoint.password) == ("https://host", "you", SECRET)
    assert SECRET not in repr(endpoint)


@settings(deadline=None)
@given(st.text(alphabet="ab:/?#@%&=[].0123456789 \x00\u202eé", max_size=40))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    for candidate in (text, f"http://{text}"):
        shown(candidate)
        try:
            address = parse_address(candidate)
        except AddressError:
            continue
        again = parse_address(address.url)
        assert (again.url, again.user, again.password) == (address.url, None, None)
