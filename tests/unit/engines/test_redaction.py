"""Credentials are found in a text in every form in which libraries and servers repeat them."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engines.server.redaction import redact

PASSWORD = "p@ss/w\"o'rd\\ ü&+<%100"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "repr of repr": lambda text: repr(repr(text)),
    "ascii": ascii,
    "bytes": lambda text: repr(text.encode()),
    "json": json.dumps,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").lower() if text.islower() else quote(text),
    "percent, slashes kept": quote,
    "form": quote_plus,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "html": html.escape,
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "white space folded": lambda text: " ".join(text.split()),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "basic": lambda text: "Basic " + b64encode(f"elastic:{text}".encode()).decode(),
    "basic of another user": lambda text: b64encode(f"another-user:{text}".encode()).decode(),
    "base64 for URLs": lambda text: urlsafe_b64encode(f"me:{text}".encode()).decode(),
    "base64 within a URL": lambda text: quote(b64encode(f"u:{text}".encode()).decode(), safe=""),
    "base64 of more": lambda text: b64encode(f"xx{text} and more".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [PASSWORD, "correct horse battery", "hunter22", "päßwörter", "🔑🔑key🔑"])
def test_every_form_of_a_password_is_hidden(form: str, secret: str) -> None:
    said = FORMS[form](secret)
    for environment in (
        {"BAKEOFF_X_PASSWORD": secret},
        {"BAKEOFF_X_API_KEY": secret},
        {"PGPASSWORD": secret},
        {"BAKEOFF_X_URL": f"https://me:{quote(secret, safe='')}@host:1"},
        {"BAKEOFF_X_URL": f"http://host?api_key={quote(secret, safe='')}"},
    ):
        shown = redact(f"it said <{said}> to me", environment)
        assert said not in shown
        assert shown.startswith("it said <")
        assert shown.endswith("> to me")
        assert len(shown) <= len("it said <> to me") + len("Basic ***") + 4, shown
    assert redact(f"it said <{said}> to me", {}) == f"it said <{said}> to me"


@pytest.mark.parametrize(
    "url",
    [
        "https://me:p@ssword9@host",
        "https://me:p@ss/word9@host",
        "https://me:p@ss?word9@host",
        "me:p@ssword9@host:6333",
        "me:p@ss/word9@host",
    ],
)
def test_passwords_of_addresses_that_are_refused_are_known(url: str) -> None:
    password = url.rpartition("@")[0].partition("//")[2] or url.rpartition("@")[0]
    password = password.partition(":")[2]
    assert redact(f"cannot use {password} there", {"BAKEOFF_X_URL": url}) == "cannot use *** there"


@pytest.mark.parametrize(
    "name",
    [
        "MY_TOKEN",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "CLIENT_SECRET",
        "X_PASSWD",
        "my_passphrase",
        "APIKEY",
    ],
)
def test_credentials_of_other_programs_are_hidden(name: str) -> None:
    assert redact("it said sk-0123456789", {name: "sk-0123456789"}) == "it said ***"
    assert redact("it said true", {name: "true"}) == "it said true"  # a switch, as it seems


def test_what_is_no_secret_stays() -> None:
    environment = {
        "KEYBOARD": "a-long-layout",
        "TOKENIZERS_PARALLELISM": "only-localhost",
        "BAKEOFF_PGVECTOR_URL": "postgresql://postgres:x1@localhost/db?sslmode=disable",
        "BAKEOFF_PGVECTOR_USER": "postgres",
        "BAKEOFF_PGVECTOR_PASSWORD": "",
        "HOME": "/home/me",
    }
    said = 'a-long-layout, only-localhost, role "postgres" of db on localhost, sslmode disable, x12, ax1, /home/me'
    assert redact(said, environment) == said
    assert redact("the password x1 is wrong", environment) == "the password *** is wrong"


def test_a_token_in_the_place_of_a_user_is_hidden() -> None:
    environment = {"BAKEOFF_X_URL": "https://0123456789abcdef0123@host"}
    assert redact("bad token 0123456789abcdef0123", environment) == "bad token ***"


def test_secrets_that_overlap_leave_nothing() -> None:
    environment = {
        "BAKEOFF_A_PASSWORD": "abcdef",
        "BAKEOFF_B_PASSWORD": "defghi",
        "BAKEOFF_C_PASSWORD": "abc-long",
    }
    assert redact("xabcdefghix abc-long", environment) == "x***x ***"


# A short secret is looked for only where it stands alone; one of white space is none.
@settings(deadline=None)
@given(st.text(min_size=4, max_size=30).filter(lambda text: len(text.strip()) >= 4), st.text(max_size=30))
@example("%%%%", "%25")
@example("\\\\\\\\", "\\")
def test_no_secret_survives_any_surroundings(secret: str, around: str) -> None:
    secret = secret.encode("utf-8", "ignore").decode().strip()
    if len(secret) < 4:
        return
    environment = {"BAKEOFF_X_PASSWORD": secret}
    said = f"{around}{secret}{around}"
    shown = redact(said, environment)
    assert secret not in shown.replace("***", "\x00") or secret in "***"
    redact(around, environment)
