"""Where files come from: the order, and what is told of each source that fails. A real server, on loopback."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.data.shipped import sources
from harness.data.shipped.fetch import fetch
from harness.data.shipped.listings_manifest import DebianPackage, RemoteFile, Sources
from harness.errors import DatasetError
from harness.progress import silent

CONTENT = {"one.gz": b"first file " * 5000, "two.gz": b"second file"}
FILES = [RemoteFile(name=name, sha256=hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()]
ARCHIVES = {name: gzip.compress(data) for name, data in CONTENT.items()}


class Server:
    """Serves ARCHIVES; `faults` says per file what goes wrong. `asked` lists the requests."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                fault = served.faults.get(name, "")
                served.asked.append(name)
                body = ARCHIVES[name]
                if fault == "missing":
                    self.send_error(404)
                    return
                if fault == "other":
                    body = gzip.compress(b"something else")
                if fault == "html":
                    body = b"<html>sign in</html>"
                self.send_response(200)
                if fault != "truncated":
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if fault in ("cut off", "truncated") else body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/data/"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(sources.MIRROR, raising=False)
    server = Server()
    yield server
    server.close()


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(ARCHIVES[name])
    return folder


def test_the_cache_comes_first(server: Server, tmp_path: Path) -> None:
    cache = put(tmp_path / "cache", *CONTENT)
    assert fetch("d", FILES, Sources(https=(server.address,)), cache, silent) == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("inside", [".", "d", "usr/share/d"])
def test_the_mirror_comes_before_the_network(
    inside: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mirror" / inside, *CONTENT)
    monkeypatch.setenv(sources.MIRROR, str(tmp_path / "mirror"))
    where = Sources(https=(server.address,), debian=DebianPackage(package="none-such", folder="usr/share/d"))
    assert fetch("d", FILES, where, tmp_path / "cache", silent) == CONTENT
    assert server.asked == []
    assert {path.name for path in (tmp_path / "cache").iterdir()} == set(CONTENT)


def test_the_next_source_is_asked_only_for_what_is_missing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sources.MIRROR, str(put(tmp_path / "mirror", "one.gz")))
    seen: list[tuple[str, float, float | None]] = []
    where = Sources(https=(server.address,))
    assert fetch("d", FILES, where, tmp_path / "cache", lambda *report: seen.append(report)) == CONTENT
    assert server.asked == ["two.gz"]
    size = len(ARCHIVES["two.gz"]) / 1024
    assert seen[-1] == ("download two.gz, KiB", size, size)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("cut off", "one.gz: cut off after"),
        ("truncated", "one.gz is cut off after"),
        ("other", "one.gz has the wrong content: sha256"),
        ("html", "one.gz is no intact gzip file"),
        ("missing", "one.gz: HTTP 404"),
    ],
)
def test_a_damaged_download_is_told_and_never_kept(
    fault: str, told: str, server: Server, tmp_path: Path
) -> None:
    server.faults["one.gz"] = fault
    with pytest.raises(DatasetError) as caught:
        fetch("d", FILES, Sources(https=(server.address,)), tmp_path / "cache", silent)
    assert told in str(caught.value) and server.address in str(caught.value)
    assert not list(tmp_path.rglob("*.gz*"))


def test_after_a_damaged_download_the_next_source_serves(server: Server, tmp_path: Path) -> None:
    server.faults["two.gz"] = "cut off"
    other = Server()
    try:
        where = Sources(https=(server.address, other.address))
        assert fetch("d", FILES, where, tmp_path / "cache", silent) == CONTENT
    finally:
        other.close()
    assert (server.asked, other.asked) == (["one.gz", "two.gz"], ["two.gz"])


def test_a_damaged_cache_is_removed_told_and_fetched_again(server: Server, tmp_path: Path) -> None:
    cache = put(tmp_path / "cache", *CONTENT)
    (cache / "one.gz").write_bytes(ARCHIVES["one.gz"][:-9])
    server.faults["one.gz"] = "missing"
    with pytest.raises(DatasetError, match="removed") as caught:
        fetch("d", FILES, Sources(https=(server.address,)), cache, silent)
    assert "one.gz is cut off" in str(caught.value)
    assert not (cache / "one.gz").exists()
    server.faults.clear()
    assert fetch("d", FILES, Sources(https=(server.address,)), cache, silent) == CONTENT
    assert (cache / "one.gz").read_bytes() == ARCHIVES["one.gz"]


def test_if_all_fail_one_error_lists_every_source_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sources.MIRROR, str(tmp_path / "nowhere"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        where = Sources(https=(address,), debian=DebianPackage(package="dataset-d", folder="usr/share/d"))
        with pytest.raises(DatasetError) as caught:
            fetch("d", FILES, where, tmp_path / "cache", silent)
    lines = str(caught.value).splitlines()
    for line, told in zip(
        lines[1:],
        [
            f"cache {tmp_path / 'cache'}: empty",
            f"mirror {tmp_path / 'nowhere'}: no such folder",
            f"{address}: one.gz: [Errno 111] Connection refused",
            "Debian package dataset-d: apt-get is not installed",
            "Use --dataset synthetic, or put one.gz, two.gz into a folder and set BAKEOFF_DATA_MIRROR to it.",
        ],
        strict=True,
    ):
        assert told in line


def test_a_server_that_never_answers_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sources.MIRROR, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sources, "_CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent_server:
        where = Sources(https=(f"http://127.0.0.1:{silent_server.getsockname()[1]}/",))
        with pytest.raises(DatasetError, match=r"no answer within 0\.2 s"):
            fetch("d", FILES, where, tmp_path / "cache", silent)


def test_without_package_lists_and_without_root_the_package_still_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = DebianPackage(package="dataset-fashion-mnist", folder="usr/share/datasets/fashion-mnist")
    probe = ["apt-get", "download", "--print-uris", package.package]
    if shutil.which("apt-get") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip(f"apt-get does not offer {package.package} here")
    monkeypatch.delenv(sources.MIRROR, raising=False)
    (tmp_path / "lists").mkdir()
    (tmp_path / "apt.conf").write_text(f'Dir::State::Lists "{tmp_path}/lists";')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))  # as in a fresh container
    file = RemoteFile(
        name="t10k-labels-idx1-ubyte.gz",
        sha256="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    )
    content = fetch("d", [file], Sources(debian=package), tmp_path / "cache", silent)
    assert len(content[file.name]) == 10_008


def test_a_package_that_does_not_exist_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is not installed here")
    monkeypatch.delenv(sources.MIRROR, raising=False)
    where = Sources(debian=DebianPackage(package="dataset-none-such", folder="usr/share/d"))
    with pytest.raises(DatasetError, match=r"Debian package dataset-none-such: apt-get: E: "):
        fetch("d", FILES, where, tmp_path / "cache", silent)


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sources.MIRROR, str(put(tmp_path / "mirror", *CONTENT)))
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"file/cache: cannot be written .*BAKEOFF_CACHE"):
        fetch("d", FILES, Sources(), tmp_path / "file" / "cache", silent)


def test_a_mirror_that_lacks_a_file_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sources.MIRROR, str(put(tmp_path / "mirror", "one.gz")))
    with pytest.raises(DatasetError, match=r"no two\.gz in it"):
        fetch("d", FILES, Sources(), tmp_path / "cache", silent)
