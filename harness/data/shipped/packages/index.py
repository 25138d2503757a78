"""Gets a package index: from the cache, else from the first source that has it whole.

The index of a distribution changes with its point releases, so that no digest of it can be known beforehand. Its own
`InRelease`, where a source has it, says what the files must be.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.children.leftovers import temporary_folder
from harness.data.shipped.packages.apt import Apt
from harness.data.shipped.packages.manifest import Index, PackagesManifest
from harness.data.shipped.packages.reading import Package, read_packages
from harness.data.shipped.sources import MIRROR, Https, Mirror, MissingError, Source, UnavailableError
from harness.data.stored.store import no_room, throttled
from harness.errors import DatasetError
from harness.progress import Progress

_RELEASE = "InRelease"
_UNPACK: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress, "": bytes}
_DIGEST = re.compile(r"^ ([0-9a-f]{64}) +\d+ (\S+)$", re.MULTILINE)
_ABOUT = re.compile(r"^(Label|Version|Date): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PackageIndex:
    """The packages, and what was read to have them, in words: release and checksums."""

    packages: list[Package]
    read: str


def package_index(spec: PackagesManifest, cache: Path, progress: Progress) -> PackageIndex:
    """The index that the manifest names; what was fetched is kept in `cache`.

    Raises DatasetError that lists every source with what was wrong.
    """
    kept = cache / f"{spec.name}-{spec.index.suite}-{spec.index.component}-{spec.index.architecture}"
    tried = []
    with temporary_folder() as scratch:
        for source in _in_turn(spec, kept, scratch, throttled(progress)):
            progress(f"read the package index ({source.label})", 0, None)
            try:
                files = _fetch(source, spec.index)
                index = _read(files, spec.index)
            except (UnavailableError, DatasetError) as error:
                tried.append(f"{source.label}: {error}{_removed(source, kept)}")
                continue
            if not isinstance(source, _Kept):
                _keep(files, kept)
            return index
    names = " and ".join(f"{name}.xz" for name in _names(spec.index))
    raise DatasetError(
        f"dataset '{spec.name}' could not be had. Tried:\n"
        + "".join(f"  - {attempt}\n" for attempt in tried)
        + f"Use --dataset fashion-mnist or synthetic, or put {names} of {spec.index.suite} into a folder and set "
        f"{MIRROR} to it."
    )


class _Kept(Mirror):
    """What an earlier call has fetched."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), ["."])
        self.label = f"cache {folder}"


def _in_turn(spec: PackagesManifest, kept: Path, scratch: Path, progress: Progress) -> Iterator[Source]:
    suite = f"dists/{spec.index.suite}"
    yield _Kept(kept)
    yield Mirror(os.environ.get(MIRROR), [spec.name, suite, f"debian/{suite}", "."])
    yield Apt(spec.index, scratch, progress)
    yield Https(f"{spec.index.https.rstrip('/')}/{suite}/", progress)


def _names(index: Index) -> tuple[str, str]:
    """The two files of an index, as `InRelease` calls them."""
    return (
        f"{index.component}/binary-{index.architecture}/Packages",
        f"{index.component}/i18n/Translation-en",
    )


def _fetch(source: Source, index: Index) -> dict[str, bytes]:
    """The decompressed files by name, checked against the release where the source has it."""
    files: dict[str, bytes] = {}
    with suppress(MissingError):  # a folder may have the two files only
        files[_RELEASE] = source.get(_RELEASE)
    expected = {name: digest for digest, name in _DIGEST.findall(_text(files))}
    for name in _names(index):
        files[name] = _decompressed(source, name)
        digest = hashlib.sha256(files[name]).hexdigest()
        if expected and expected.get(name) != digest:
            said = f"{expected[name][:12]}..." if name in expected else "nothing of it"
            raise UnavailableError(
                f"{name} has the wrong content: sha256 {digest[:12]}... of {len(files[name]):,} bytes, "
                f"{_RELEASE} says {said}"
            )
    return files


def _decompressed(source: Source, name: str) -> bytes:
    """The first of the forms that the source has: compressed or not, in its folder or not."""
    for form in (name, Path(name).name):
        for ending, unpack in _UNPACK.items():
            try:
                content = source.get(form + ending)
            except MissingError:
                continue
            try:
                return unpack(content)
            except (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
                raise UnavailableError(
                    f"{form}{ending} is cut off or damaged ({len(content):,} bytes: {error})"
                ) from error
    raise UnavailableError(f"no {name}.xz in it, neither as .gz nor without")


def _read(files: dict[str, bytes], index: Index) -> PackageIndex:
    packages, translation = (files[name] for name in _names(index))
    about = dict(_ABOUT.findall(_text(files)))
    release = " ".join(about[key] for key in ("Label", "Version") if key in about)
    read = ", ".join(
        f"{name} sha256 {hashlib.sha256(content).hexdigest()[:16]}"
        for name, content in (("Packages", packages), ("Translation-en", translation))
    )
    return PackageIndex(
        packages=read_packages(packages, translation, index.component, index.architecture),
        read=f"{release} of {about['Date']}: {read}" if release and "Date" in about else read,
    )


def _text(files: dict[str, bytes]) -> str:
    """The release's own file, "" where the source had none."""
    return files.get(_RELEASE, b"").decode(errors="replace")


def _removed(source: Source, kept: Path) -> str:
    """Removes what the cache holds damaged, so that it is fetched again. Returns a note for the message."""
    if not isinstance(source, _Kept) or not kept.exists():
        return ""
    shutil.rmtree(kept, ignore_errors=True)
    return "; removed"


def _keep(files: dict[str, bytes], folder: Path) -> None:
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        for name, content in files.items():
            path = partial / f"{name}.gz" if name != _RELEASE else partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if name == _RELEASE else gzip.compress(content, 1, mtime=0))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except OSError as error:
        raise no_room(error, folder) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
