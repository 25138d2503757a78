"""The HTTP client over TLS: trusted, not trusted, and where there is none."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engines.base import EngineError
from engines.http.client import HttpClient
from engines.server.endpoint import Endpoint
from tests.servers.certificates import self_signed
from tests.unit.engines.http.stub import OK, client_of, stub


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of a server on 127.0.0.1, signed by itself."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@contextmanager
def secured(certificate: tuple[Path, Path]) -> Iterator[str]:
    """A server that speaks TLS and answers every request, one connection at a time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(client, server_side=True) as tls:
                    while tls.recv(1 << 16):
                        tls.sendall(OK)
            except OSError:
                client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_tls_with_a_trusted_certificate(certificate: tuple[Path, Path]) -> None:
    with secured(certificate) as url:
        client = HttpClient(Endpoint(url, ca_certs=certificate[0]), timeout_s=5)
        assert [client.post("/", b"") for _ in range(2)] == [b"fine"] * 2
        client.close()


def test_tls_with_a_certificate_of_nobody(certificate: tuple[Path, Path]) -> None:
    with (
        secured(certificate) as url,
        client_of(url) as client,
        pytest.raises(EngineError, match=r"not trusted.*CA_CERTS"),
    ):
        client.warm()


def test_tls_where_there_is_none() -> None:
    with (
        stub([b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as server,
        client_of(server.url.replace("http", "https")) as client,
    ):
        server._request = lambda sock: sock.recv(1 << 16)  # type: ignore[method-assign]
        with pytest.raises(EngineError, match=r"no TLS.*http://"):
            client.warm()
