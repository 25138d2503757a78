"""Texts as a terminal, a file or a page can show them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")
LONGEST_MESSAGE = 1 << 16  # characters
_KEPT = "\n\t\u200c\u200d"  # the last two join and part letters in several scripts
_WITHOUT_TEXT = frozenset((float, int, bool, type(None)))
# Control characters, marks that change the direction of text, lone surrogates, separators of lines and paragraphs.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: str) -> str:
    """The text with characters escaped, as Python's repr does it, that could control a terminal, reorder the text, or
    cannot be written as UTF-8 or XML.
    """
    if text.isprintable():  # false for each of these characters
        return text
    return "".join(_escaped(character) if _is_unseen(character) else character for character in text)


def visible_in(value: T) -> T:
    """A value of JSON's kinds, or a part of a result, with every text in it as `visible` gives it."""
    return _mapped(value)  # type: ignore[no-any-return]


def message_of(error: BaseException) -> str:
    """An exception's message, at most LONGEST_MESSAGE characters of it. Never raises: client libraries have exceptions
    that cannot be shown, and some that repeat the whole request.
    """
    try:
        return head(str(error), LONGEST_MESSAGE)
    except Exception as another:  # noqa: BLE001  of a client library's own class
        return f"its message cannot be had ({type(another).__name__})"


def head(text: str, longest: int) -> str:
    """The first characters of a text, always a plain str: a subclass may override every method."""
    return str.__getitem__(text, slice(longest))


def _mapped(value: Any) -> Any:
    if _is_visible(value):  # as it is for nearly all texts; copying a large result takes long
        return value
    if isinstance(value, str):
        return visible(value)
    if names := getattr(type(value), "model_fields", None):  # of pydantic, which is slow to import
        return value.model_copy(update={name: _mapped(getattr(value, name)) for name in names})
    if isinstance(value, Mapping):
        return {_mapped(key): _mapped(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_mapped, value))
    return value


def _is_visible(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return value.isprintable()  # type: ignore[no-any-return]
    if kind in _WITHOUT_TEXT:
        return True
    if kind is dict:
        return all(map(_is_visible, value)) and all(map(_is_visible, value.values()))
    if kind is list or kind is tuple:
        return all(map(_is_visible, value))
    return hasattr(kind, "model_fields") and all(map(_is_visible, value.__dict__.values()))


def _is_unseen(character: str) -> bool:
    code = ord(character)
    no_character = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
    return no_character or (unicodedata.category(character) in _UNSEEN and character not in _KEPT)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
