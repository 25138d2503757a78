"""Where an index comes from: the order of sources, and what is told of each that fails. A real server, on loopback."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from harness.data.shipped import sources
from harness.data.shipped.packages.index import package_index
from harness.errors import DatasetError
from harness.progress import silent
from tests.unit.data.packages.example_index import PACKAGES, manifest, put

SUITE = "dists/bookworm"
NAMES = ["adventure", "editor", "libcave"]


class Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No mirror, no proxy, no apt-get, unless a test brings them."""
    monkeypatch.delenv(sources.MIRROR, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PATH", str(tmp_path / "none"))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serves the folder `served`."""
    Quiet.asked.clear()
    (tmp_path / "served").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def names(cache: Path, **changes: object) -> list[str]:
    return [one.name for one in package_index(manifest(**changes), cache, silent).packages]


def failure(cache: Path, **changes: object) -> str:
    with pytest.raises(DatasetError) as caught:
        package_index(manifest(**changes), cache, silent)
    return str(caught.value)


def test_a_download_is_kept_so_that_the_next_asks_nobody(address: str, tmp_path: Path) -> None:
    put(tmp_path / "served" / SUITE)
    index = package_index(manifest(https=address), tmp_path / "cache", silent)
    assert [one.name for one in index.packages] == NAMES
    assert index.read.startswith("Debian 12.99 of Sat, 01 Aug 2026 10:00:00 UTC: Packages sha256 ")
    Quiet.asked.clear()
    assert package_index(manifest(https=address), tmp_path / "cache", silent) == index
    assert Quiet.asked == []


@pytest.mark.parametrize("inside", [".", "small", SUITE, f"debian/{SUITE}"])
@pytest.mark.parametrize("ending", [".xz", ".gz", ""])
def test_a_mirror_folder_comes_before_the_network(
    inside: str, ending: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mirror" / inside, ending=ending)
    monkeypatch.setenv(sources.MIRROR, str(tmp_path / "mirror"))
    assert names(tmp_path / "cache", https=address) == NAMES
    assert Quiet.asked == []


def test_the_two_files_alone_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = put(tmp_path / "whole", signed=False)
    (tmp_path / "mirror").mkdir()
    for file in files.rglob("*.xz"):
        shutil.copy(file, tmp_path / "mirror")
    monkeypatch.setenv(sources.MIRROR, str(tmp_path / "mirror"))
    assert names(tmp_path / "cache") == NAMES


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("missing", "main/binary-amd64/Packages.xz: HTTP 404"),
        ("unsigned", "InRelease: HTTP 404"),
        ("cut off", "main/binary-amd64/Packages.xz is cut off or damaged ("),
        ("other", "main/binary-amd64/Packages has the wrong content: sha256 "),
        ("unlisted", "InRelease says nothing of it"),
        ("damaged", "Packages, line 1: the stanza has no Filename; the file is damaged"),
    ],
)
def test_a_damaged_download_is_told_and_never_kept(
    fault: str, told: str, address: str, tmp_path: Path
) -> None:
    suite = tmp_path / "served" / SUITE
    put(suite, "Package: a\nArchitecture: all\n" if fault == "damaged" else PACKAGES)
    packages, release = suite / "main/binary-amd64/Packages.xz", suite / "InRelease"
    match fault:
        case "missing":
            packages.unlink()
        case "unsigned":
            release.unlink()
        case "cut off":
            packages.write_bytes(packages.read_bytes()[:-20])
        case "other":
            shutil.copy(put(tmp_path / "other", PACKAGES + "\n") / "main/binary-amd64/Packages.xz", packages)
        case "unlisted":
            release.write_text(release.read_text().replace("binary-amd64", "binary-arm64"))
    message = failure(tmp_path / "cache", https=address)
    assert told in message
    assert f"  - {address}/{SUITE}/: " in message
    assert not list(tmp_path.glob("cache/*"))


def test_a_damaged_cache_is_removed_told_and_fetched_again(address: str, tmp_path: Path) -> None:
    put(tmp_path / "served" / SUITE)
    assert names(tmp_path / "cache", https=address) == NAMES
    kept = next((tmp_path / "cache").rglob("Packages.gz"))
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-9])
    message = failure(tmp_path / "cache")
    assert "Packages.gz is cut off or damaged" in message
    assert "; removed" in message
    assert not kept.exists()
    assert names(tmp_path / "cache", https=address) == NAMES
    assert kept.read_bytes() == whole


def test_if_all_fail_one_error_lists_every_source_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv(sources.MIRROR, str(tmp_path / "mirror"))
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        message = failure(tmp_path / "cache", https=address)
    for line, told in zip(
        message.splitlines(),
        [
            "dataset 'small' could not be had. Tried:",
            "cache ",
            f"mirror {tmp_path / 'mirror'}: no main/binary-amd64/Packages.xz in it",
            "apt-get (file:///nowhere): apt-get is not installed",
            f"{address}/{SUITE}/: InRelease: [Errno 111] Connection refused",
            "Use --dataset fashion-mnist or synthetic, or put main/binary-amd64/Packages.xz and "
            f"main/i18n/Translation-en.xz of bookworm into a folder and set {sources.MIRROR} to it.",
        ],
        strict=True,
    ):
        assert told in line


def test_apt_get_brings_an_index_and_tells_what_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its archive is a folder without a signature, first refused for that, then allowed."""
    monkeypatch.undo()
    monkeypatch.delenv(sources.MIRROR, raising=False)
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is not installed here")
    put(tmp_path / "archive" / SUITE)
    archive = f"file://{tmp_path / 'archive'}"
    assert f"apt-get ({archive}): apt-get: E: " in failure(tmp_path / "cache", apt=archive)
    (tmp_path / "apt.conf").write_text(
        'APT::Get::AllowUnauthenticated "true"; Acquire::AllowInsecureRepositories "true";'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    (tmp_path / "archive" / SUITE / "InRelease").rename(tmp_path / "archive" / SUITE / "Release")
    assert names(tmp_path / "cache", apt=archive) == NAMES
