"""Gets a dataset's files from the cache, else from one source after another, and checks them by digest."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from harness.children.leftovers import temporary_folder
from harness.data.shipped.listings_manifest import RemoteFile, Sources
from harness.data.shipped.sources import MIRROR, Debian, Https, Mirror, Source, UnavailableError
from harness.data.stored.store import no_room, throttled
from harness.errors import DatasetError
from harness.progress import Progress


def fetch(
    name: str, files: Sequence[RemoteFile], sources: Sources, folder: Path, progress: Progress
) -> dict[str, bytes]:
    """The decompressed content by file name, checked against its digest; the archives are kept in `folder`.

    A source is left at its first failure, and the next one asked for what is still missing. Raises
    DatasetError that lists every source with what was wrong.
    """
    found: dict[str, bytes] = {}
    tried = _from_cache(files, folder, found)
    with temporary_folder() as scratch:
        for source in _in_turn(name, sources, scratch, throttled(progress)):
            try:
                for file in files:
                    if file.name not in found:
                        archive = source.get(file.name)
                        found[file.name] = decompress(archive, file)
                        _keep(archive, folder / file.name)
            except UnavailableError as error:
                tried.append(f"{source.label}: {error}")
            if len(found) == len(files):
                return found
    raise DatasetError(
        f"dataset '{name}' could not be had. Tried:\n"
        + "".join(f"  - {attempt}\n" for attempt in tried)
        + f"Use --dataset synthetic, or put {', '.join(file.name for file in files)} into a folder and set "
        f"{MIRROR} to it."
    )


def decompress(archive: bytes, file: RemoteFile) -> bytes:
    """The content of a gzip archive. Raises UnavailableError if it is cut off or is not what was expected."""
    try:
        content = gzip.decompress(archive)
    except EOFError as error:
        raise UnavailableError(f"{file.name} is cut off after {len(archive):,} bytes") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnavailableError(f"{file.name} is no intact gzip file ({error})") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise UnavailableError(
            f"{file.name} has the wrong content: sha256 {digest[:12]}... of {len(content):,} bytes, "
            f"expected {file.sha256[:12]}..."
        )
    return content


def _from_cache(files: Sequence[RemoteFile], folder: Path, found: dict[str, bytes]) -> list[str]:
    """Adds what the cache holds intact; removes what it holds damaged. Returns messages for the user."""
    if not any((folder / file.name).exists() for file in files):
        return [f"cache {folder}: empty"]
    tried = []
    for file in files:
        path = folder / file.name
        try:
            found[file.name] = decompress(path.read_bytes(), file)
        except FileNotFoundError:
            tried.append(f"cache {folder}: no {file.name}")
        except UnavailableError as error:
            path.unlink()
            tried.append(f"cache {folder}: {error}; removed")
    return tried


def _keep(archive: bytes, path: Path) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(archive)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise no_room(error, path.parent) from error


def _in_turn(name: str, sources: Sources, scratch: Path, progress: Progress) -> Iterator[Source]:
    debian = sources.debian
    yield Mirror(os.environ.get(MIRROR), [".", name, *([debian.folder] if debian else [])])
    for address in sources.https:
        yield Https(address, progress)
    if debian:
        yield Debian(debian, scratch, progress)
