"""The files of the page, and the headers that keep it to itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_INDEX = "index.html"
# Everything of the page's own address; scripts and styles only as files, so that no text becomes one.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:{pictures}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file, its media type, and the headers that it is served with."""

    content: bytes
    media_type: str
    headers: Mapping[str, str]


def page_files(*, pictures_elsewhere: bool) -> Mapping[str, PageFile]:
    """By path, `/` the page itself. pictures_elsewhere: whether listings name addresses of pictures."""
    headers = {
        "content-security-policy": _POLICY.format(pictures=" https: http:" if pictures_elsewhere else ""),
        "cache-control": "no-cache",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return {
        "/" if path.name == _INDEX else f"/page/{path.name}": PageFile(
            path.read_bytes(), _KINDS[path.suffix], headers
        )
        for path in sorted(_FOLDER.iterdir())
        if path.suffix in _KINDS
    }
