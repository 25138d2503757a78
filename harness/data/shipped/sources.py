"""Places to get a dataset's files from: a mirror folder, HTTPS, a Debian package.

HTTPS by the standard library: download libraries check digests of archives, but only the decompressed content is the
same in every source; and none limits the time to the first byte with the name look-up included.
"""

from __future__ import annotations

import http.client
import os
import queue
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

from harness.children.start import dying_with_us
from harness.data.shipped.listings_manifest import DebianPackage
from harness.progress import Progress

MIRROR = "BAKEOFF_DATA_MIRROR"
_CONNECT_S = 8.0  # until the first byte: name look-up, connection, TLS, redirects
_STALL_S = 10.0  # without a byte
_APT_S = 180.0
_CHUNK_BYTES = 1 << 18
PATIENCE = (  # of apt-get
    "-o",
    "Acquire::Retries=0",
    "-o",
    "Acquire::http::Timeout=10",
    "-o",
    "Acquire::https::Timeout=10",
)


class UnavailableError(Exception):
    """A source does not have a file, or has it damaged; the message says why."""


class MissingError(UnavailableError):
    """A folder is there, and has no file of that name."""


class Source(Protocol):
    """One place to get files from."""

    label: str

    def get(self, name: str) -> bytes:
        """The file of that name, still compressed. Raises UnavailableError."""


class Mirror:
    """A folder with the archives, or with an unpacked package."""

    def __init__(self, folder: str | None, inside: Sequence[str]) -> None:
        self._folder = folder
        self._inside = inside
        self.label = f"mirror {folder}" if folder else f"mirror folder ({MIRROR})"

    def get(self, name: str) -> bytes:
        if not self._folder:
            raise UnavailableError("not set")
        if not Path(self._folder).is_dir():
            raise UnavailableError("no such folder")
        for inside in self._inside:
            path = Path(self._folder, inside, name)
            if path.is_file():
                try:
                    return path.read_bytes()
                except OSError as error:
                    raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error
        raise MissingError(f"no {name} in it")


class Https:
    """Files below one address. HTTP will do, too, since the content is checked by its digest."""

    def __init__(self, address: str, progress: Progress) -> None:
        self.label = address
        self._address = address
        self._progress = progress

    def get(self, name: str) -> bytes:
        url = urljoin(self._address, name)
        try:
            response = _within(_CONNECT_S, lambda: urllib.request.urlopen(url, timeout=_STALL_S))
            with response:
                return self._read(response, name)
        except urllib.error.HTTPError as error:
            error.close()
            raise UnavailableError(f"{name}: HTTP {error.code} {error.reason}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: not an address
            reason = getattr(error, "reason", None) or error
            raise UnavailableError(f"{name}: {reason}") from error

    def _read(self, response: http.client.HTTPResponse, name: str) -> bytes:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        data = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            data += chunk
            self._progress(f"download {name}, KiB", len(data) / 1024, total and total / 1024)
        if total is not None and len(data) != total:
            raise UnavailableError(f"{name}: cut off after {len(data):,} of {total:,} bytes")
        return bytes(data)


def _within(limit_s: float, call: Callable[[], http.client.HTTPResponse]) -> http.client.HTTPResponse:
    """Calls in a thread that is left behind when late: a name look-up has no time-out of its own.

    Raises TimeoutError, or what the call raised.
    """
    outcome: queue.SimpleQueue[http.client.HTTPResponse | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(call())
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, whatever it is
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        result = outcome.get(timeout=limit_s)
    except queue.Empty:
        raise TimeoutError(f"no answer within {limit_s:g} s") from None
    if isinstance(result, BaseException):
        raise result
    return result


class Debian:
    """A Debian package, downloaded and unpacked without installing it: needs neither root nor its lists."""

    def __init__(self, package: DebianPackage, scratch: Path, progress: Progress) -> None:
        self.label = f"Debian package {package.package}"
        self._package = package
        self._root = scratch / "root"
        self._scratch = scratch
        self._progress = progress

    def get(self, name: str) -> bytes:
        if not self._root.exists():
            self._progress(f"download {self._package.package} (apt-get)", 0, None)
            self._download()
            archive = next(self._scratch.glob("*.deb"))
            run_quietly(self._scratch, "dpkg", "-x", str(archive), str(self._root))
        try:
            return (self._root / self._package.folder / name).read_bytes()
        except OSError as error:
            raise UnavailableError(f"holds no {self._package.folder}/{name}") from error

    def _download(self) -> None:
        try:
            run_quietly(self._scratch, "apt-get", *PATIENCE, "download", self._package.package)
        except UnavailableError as error:
            if "locate package" not in str(error):
                raise
            # A fresh container has no package lists. Lists of our own need no root.
            (self._scratch / "lists").mkdir()
            own = (
                "-o",
                f"Dir::State::Lists={self._scratch}/lists",
                "-o",
                f"Dir::Cache={self._scratch}/cache",
            )
            run_quietly(self._scratch, "apt-get", *PATIENCE, *own, "update")
            run_quietly(self._scratch, "apt-get", *PATIENCE, *own, "download", self._package.package)


def run_quietly(folder: Path, *command: str) -> None:
    """Runs a program of the package manager in `folder`. Raises UnavailableError with what it wrote of errors."""
    try:
        subprocess.run(
            dying_with_us(command),
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=_APT_S,
        )
    except FileNotFoundError as error:
        raise UnavailableError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{command[0]} took longer than {_APT_S:g} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("E:")] or [
            error.stderr.strip()
        ]
        raise UnavailableError(f"{command[0]}: {'; '.join(lines)}") from error
