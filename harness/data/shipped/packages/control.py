"""Debian's control format: stanzas of fields, parted by empty lines; a line that starts with a space goes on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Stanza:
    """Fields by name in lower case; lines that go on follow a line break, without their first character.

    place: file and line where it begins.
    """

    place: str
    fields: dict[str, str]

    def required(self, field: str) -> str:
        """The field's text. Raises DatasetError where it is missing or empty."""
        text = self.fields.get(field.lower(), "")
        if not text:
            raise DatasetError(f"{self.place}: the stanza has no {field}; the file is damaged")
        return text


def stanzas(name: str, content: bytes) -> Iterator[Stanza]:
    """The stanzas of a file, UTF-8 with any line ends; name: how errors call it. Raises DatasetError."""
    fields: dict[str, str] = {}
    begins, field = 0, ""
    for number, raw in enumerate(io.BytesIO(content), start=1):
        try:
            line = raw.decode().rstrip()
        except UnicodeDecodeError as error:
            raise DatasetError(f"{name}, line {number}: is no UTF-8 ({error.reason})") from error
        if not line:
            if fields:
                yield Stanza(f"{name}, line {begins}", fields)
            fields, field = {}, ""
        elif line[0] in " \t":
            if not field:
                raise DatasetError(
                    f"{name}, line {number}: goes on with no field before it; the file is damaged"
                )
            fields[field] += f"\n{line[1:]}"
        else:
            begins = begins if fields else number
            key, colon, text = line.partition(":")
            field = key.lower()
            if not colon or not key or field in fields:
                what = "the field is there twice" if colon and key else "is no 'Field: text'"
                raise DatasetError(f"{name}, line {number}: {what}, {line[:60]!r}; the file is damaged")
            fields[field] = text.strip()
    if fields:
        yield Stanza(f"{name}, line {begins}", fields)
