"""How values are shown in messages."""

from __future__ import annotations

import json

_LONGEST = 80  # characters


def shown(value: object) -> str:
    """A value's repr, cut in the middle where it is long; lone surrogates are escaped by repr."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of integers with thousands of digits; of deep nesting
        return f"a value of type {type(value).__name__} that is too large to show"
    return _cut(text)


def _cut(text: str) -> str:
    half = _LONGEST // 2
    return (
        text
        if len(text) <= _LONGEST
        else f"{text[:half]}... ({len(text):,} characters) ...{text[-half // 2 :]}"
    )


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: it holds no lone surrogate."""
    return text.isascii() or not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def as_json(value: object) -> str:
    """A value as JSON, cut in the middle where it is long; as `shown` does where JSON has no such value."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return shown(value)
    return _cut(text) if is_unicode(text) else shown(value)
