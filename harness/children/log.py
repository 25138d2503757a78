"""What engines print, without credentials, in a file of bounded size: the beginning and the end of each session."""

from __future__ import annotations

import os
from pathlib import Path

from engines.server.redaction import redact

TOTAL_BYTES = 64 << 20  # of the whole file, apart from the least share of each session after that
_MOST, _LEAST = 1 << 20, 8 << 10  # of one session


class BoundedLog:
    """Appends one session's output to a file: its first lines as they come, its last bytes at the end.

    The share of a session shrinks as the file grows, so that the whole is bounded however many sessions there are.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        share = (TOTAL_BYTES - os.fstat(self._file).st_size) // 8
        self._room = min(_MOST, max(_LEAST, share)) // 2  # for the beginning; as much for the end
        self._left = self._room
        self._line = b""  # of the beginning, not yet ended: a credential may be in the middle
        self._tail = bytearray()
        self._dropped = 0

    def write(self, data: bytes) -> None:
        """Adds what was printed."""
        head, rest = data[: self._left], data[self._left :]
        if head:
            self._append(head)
            self._left -= len(head)
        self._tail += rest
        if len(self._tail) > 2 * self._room:  # not at every write: moving bytes costs time
            self._dropped += len(self._tail) - self._room
            del self._tail[: -self._room]

    def close(self) -> None:
        """Writes the end, after a line that says how much is left out."""
        self._dropped += max(0, len(self._tail) - self._room)
        if self._dropped:
            self._append(b"", to_the_end=True)
            self._append(f"\n[... {self._dropped:,} bytes left out of the middle ...]\n".encode())
        self._append(bytes(self._tail[-self._room :]), to_the_end=True)
        os.close(self._file)

    def _append(self, data: bytes, *, to_the_end: bool = False) -> None:
        data = self._line + data
        whole = len(data) if to_the_end else data.rfind(b"\n") + 1
        text, self._line = data[:whole].decode("utf-8", "surrogateescape"), data[whole:]
        try:
            os.write(self._file, redact(text).encode("utf-8", "surrogateescape"))
        except OSError:  # the disk is full: the rest of the output is lost
            self._left = 0
