"""How commands print: any text on any terminal, whoever reads it, and without credentials or control characters."""

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

# What stands for a character of ours where the terminal's encoding has none; of others the code is shown.
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
    """Lets standard output and error take every text, whatever their encoding, and be closed."""
    codecs.register_error(_ERRORS, _replacement)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:  # closed by who started this: its descriptor would be that of the next file
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replacement(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    part = error.object[error.start : error.end]
    return "".join(
        _PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode() for character in part
    ), error.end


def encodable(text: str) -> str:
    """The text as standard output will show it, so that what is aligned stays so."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return visible(text).encode(encoding, _ERRORS).decode(encoding)


def say(text: str, secrets: Iterable[str] = ()) -> None:
    """Writes a message to standard error. It never fails: there would be nobody to tell."""
    with contextlib.suppress(OSError, ValueError):
        print(visible(redact(text, also=secrets)), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Writes what a command was asked for to standard output. Raises OSError, but not where the reader (head, less)
    has gone: that changes neither what else is to be done nor the exit code.
    """
    show_formatted(visible(redact(text)))


def show_formatted(text: str) -> None:
    """The same for a text with control characters of our own."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _forget_output()
    except OSError:
        _forget_output()  # else Python tries again at the end, and says so
        raise


def _forget_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def cache_folder() -> Path:
    """Where datasets and exact answers are kept."""
    return Path(os.environ.get("BAKEOFF_CACHE", ".cache"))
