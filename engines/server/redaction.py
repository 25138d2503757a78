"""Texts without the credentials that the environment holds, in whatever form a library or server repeats them."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from engines.server.address import secrets_of

HIDDEN = "***"
_SHORT = 4  # a shorter secret would be found in any text, so it must stand alone
_CORE = 6  # the fewest characters of Base64 that identify a secret
_LONG = 8  # the fewest characters of a value that, under a name of another program's, is taken for a secret
_FOREIGN = re.compile(r"(?i)(TOKEN|SECRET|API_?KEY|ACCESS_KEY|PRIVATE_KEY|SECRET_KEY|PASSWD|PASSPHRASE)$")
_ENCODED = "%\\&+"  # without one of these, a text holds nothing in the notation of URLs, Python, JSON or HTML
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


def redact(text: str, environ: Mapping[str, str] | None = None, also: Iterable[str] = ()) -> str:
    """A text, such as a client's error, without credentials.

    These are the values of BAKEOFF_..._API_KEY and of variables whose names end in PASSWORD, the part of
    BAKEOFF_..._URL before an @ and its query, long values of variables that other programs keep credentials in
    (..._TOKEN, ..._SECRET, ..._API_KEY and the like), and those in `also`. Each is found as it is, percent-encoded,
    escaped as in Python, JSON or HTML, in hexadecimal digits, and within Base64.
    """
    environ = os.environ if environ is None else environ
    found = [span for secret in _secrets(environ, also) for span in _spans(text, secret)]
    if not found:
        return text
    parts, position = [], 0
    for start, end in _joined(sorted(found)):
        parts += [text[position:start], HIDDEN]
        position = end
    return "".join([*parts, text[position:]])


def _secrets(environ: Mapping[str, str], also: Iterable[str]) -> set[str]:
    secrets = set(also)
    for name, value in environ.items():
        if name.endswith("PASSWORD") or (name.startswith("BAKEOFF_") and name.endswith("_API_KEY")):
            secrets |= {value, unquote(value)}
        elif name.startswith("BAKEOFF_") and name.endswith("_URL"):
            secrets.update(secrets_of(value))
        elif _FOREIGN.search(name) and len(value) >= _LONG:
            secrets.add(value)
    return {stripped for secret in secrets if (stripped := secret.strip())}


def _spans(text: str, secret: str) -> Iterator[tuple[int, int]]:
    """The spans of a text that hold a secret, in any of these forms."""
    encoded = any(sign in text for sign in _ENCODED) or any(sign.isspace() for sign in secret)
    if encoded or secret in text:
        yield from (match.span() for match in _pattern(secret).finditer(text))
    if len(secret) >= _SHORT:
        digits = secret.encode("utf-8", "surrogatepass").hex()
        yield from (match.span() for match in re.finditer(digits, text, re.IGNORECASE | re.ASCII))
    for core in _cores(secret):
        if encoded or core in text:
            for match in _pattern(core).finditer(text):
                start, end = match.span()
                while start and text[start - 1] in _BASE64:
                    start -= 1
                while end < len(text) and text[end] in _BASE64 | {"="}:
                    end += 1
                yield start, end


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


@lru_cache(256)
def _pattern(secret: str) -> re.Pattern[str]:
    """Finds a secret of which every character may be encoded in one of the usual ways."""
    body = "".join(_forms(part) for part in re.findall(r"\s+|\S", secret))
    return re.compile(rf"(?<!\w){body}(?!\w)" if len(secret) < _SHORT else body)


def _forms(part: str) -> str:
    """A pattern of one character, or of a run of white space, in its encodings."""
    if part.isspace():
        return r"(?:\s|\+|%(?:25)*(?:20|09|0[aAdD])|\\+[ntr])+"
    code, data = ord(part), part.encode("utf-8", "surrogatepass")
    escapes = [f"x{code:02x}"] if code < 0x100 else []
    escapes += [f"u{code:04x}"] if code < 0x10000 else [f"U{code:08x}", _surrogates(code)]
    forms = [
        "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in data),
        *(rf"\\+(?i:{escape})" for escape in escapes),
        rf"&(?:amp;)*\#(?:0*{code}|(?i:x0*{code:x}));",
    ]
    if code >= 0x80:
        forms.append("".join(rf"\\+(?i:x{byte:02x})" for byte in data))
        if code < 0x100:
            forms.append(rf"%(?:25)*(?i:{code:02x})")
    names = {'"': "quot", "'": "apos", "&": "amp", "<": "lt", ">": "gt"}
    if part in names:
        forms.append(f"&(?:amp;)*{names[part]};")
    plain = r"\\+" if part == "\\" else (rf"\\*{re.escape(part)}" if part in "'\"/" else re.escape(part))
    return f"(?:{'|'.join([*forms, plain])})"


def _surrogates(code: int) -> str:
    """The surrogate pair of a character outside the basic plane, as JSON escapes it."""
    high, low = divmod(code - 0x10000, 0x400)
    return rf"u{0xD800 + high:04x}\\+u{0xDC00 + low:04x}"


@lru_cache(256)
def _cores(secret: str) -> tuple[str, ...]:
    """The characters of Base64 that depend on this secret alone, not on the text before and after it.

    Three, for it may begin at any of the three bytes that four characters stand for.
    """
    data = secret.encode("utf-8", "surrogatepass")
    found = set()
    for before in range(3):
        text = b64encode(bytes(before) + data).decode()
        core = text[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
        if len(core) >= _CORE:
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return tuple(found)
