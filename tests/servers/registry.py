"""A container registry with one small image, on loopback: Docker pulls from it as from any other."""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def _layer(size: int) -> bytes:
    """A tar file with one file of noise, which does not compress."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = size
        archive.addfile(entry, io.BytesIO(os.urandom(size)))
    return buffer.getvalue()


@contextmanager
def listening(size: int, *, refuses: bool = False) -> Iterator[str]:
    """Serves an image with `size` bytes; its name with host and port. refuses: nobody may have it."""
    tar = _layer(size)
    layer = gzip.compress(tar, 1)
    machine = platform.machine()
    config = json.dumps(
        {
            "architecture": _MACHINES.get(machine, machine),
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)}],
        }
    ).encode()
    found = {
        "/v2/": (b"{}", "application/json"),
        "/v2/tiny/manifests/1": (manifest, _MANIFEST),
        f"/v2/tiny/manifests/{_digest(manifest)}": (manifest, _MANIFEST),
        f"/v2/tiny/blobs/{_digest(config)}": (config, "application/octet-stream"),
        f"/v2/tiny/blobs/{_digest(layer)}": (layer, "application/octet-stream"),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content, kind = found.get(self.path, (b"", ""))
            self.send_response(403 if refuses else 200 if kind else 404)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.send_header("Content-Type", kind)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - as http.server calls it

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}/tiny:1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
