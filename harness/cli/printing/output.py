"""How commands print: any text on any terminal, into any pipe, without credentials or control characters."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from engines.server.redaction import redact
from harness.results.text import visible

# Replacements for characters that we use and the terminal's encoding may lack; of others the code is shown.
_PLAIN = {
    "✔": "*",
    "–": "-",
    "×": "x",
    "·": "|",
    "…": "~",
    "≥": ">=",
    "≤": "<=",
    "≈": "~",
    "∞": "inf",
    "→": "->",
}
_ERRORS = "bakeoff.plain"


def prepare_streams() -> None:
    """Makes standard output and error accept every text, whatever their encoding, and also where they are closed."""
    codecs.register_error(_ERRORS, _replacement)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:  # closed by the caller: the next file opened would get its descriptor
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replacement(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    part = error.object[error.start : error.end]
    return "".join(
        _PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode() for character in part
    ), error.end


def encodable(text: str) -> str:
    """The text as standard output will show it, so that columns stay aligned."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return visible(text).encode(encoding, _ERRORS).decode(encoding)


def say(text: str, secrets: Iterable[str] = ()) -> None:
    """Writes a message to standard error. It never raises: a failure could not be reported anywhere."""
    with contextlib.suppress(OSError, ValueError):
        print(visible(redact(text, also=secrets)), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Writes what a command was asked for to standard output. Raises OSError, but not where the reader (head, less)
    has ended: the command goes on, and its exit code stays the same.
    """
    show_formatted(visible(redact(text)))


def show_formatted(text: str) -> None:
    """The same for a text with control characters of our own."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _forget_output()
    except OSError:
        _forget_output()  # else Python tries again at the end, and reports the failure
        raise


def show_bytes(parts: Iterable[bytes]) -> None:
    """Writes a file's bytes to standard output, part by part; no more are made once the reader has ended.

    Raises OSError as `show` does.
    """
    try:
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
    except OSError:
        _forget_output()
        raise


def _forget_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def cache_folder() -> Path:
    """Where datasets and exact answers are kept."""
    return Path(os.environ.get("BAKEOFF_CACHE", ".cache"))
