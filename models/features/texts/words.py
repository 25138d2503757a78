"""Words of a text, fast: most texts are ASCII, where a table of bytes finds them."""

from __future__ import annotations

import unicodedata

# Capital letters to small ones, everything but letters and digits to a space.
_ASCII = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256))
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA")  # how the names of their characters begin


class _Characters(dict[int, str]):
    """What becomes of each character of other texts, found out when it is first seen."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character)[0] not in "LMN":
            kept = " "
        else:
            unspaced = unicodedata.name(character, "").startswith(_UNSPACED)
            kept = f" {character} " if unspaced else character
        self[code] = kept
        return kept


_characters = _Characters()


def words(text: str) -> list[bytes]:
    """The words of a text, lower-cased, in UTF-8, in their order: runs of letters, marks and digits.

    Text that is not ASCII is brought into its normal form first (NFKC), so that a word is written in one way. Of
    Chinese and Japanese, which put no spaces between words, each character is a word. Half of a surrogate pair is no
    character and separates words.
    """
    if text.isascii():
        return text.encode().translate(_ASCII).split()
    return unicodedata.normalize("NFKC", text).lower().translate(_characters).encode().split()
