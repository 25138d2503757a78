"""Whether a server that runs already is on this machine, and which process it is."""

from __future__ import annotations

import os
import socket

import pytest

from harness.servers.this_machine import is_here, listener


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:6333", True),
        ("http://localhost:6333", True),
        ("http://[::1]:6333", True),
        ("postgresql://postgres@/postgres?host=%2Ftmp", True),
        ("http://192.0.2.7:6333", False),  # RFC 5737: of nobody
        ("http://no-such-host.invalid:6333", False),
    ],
)
def test_where_an_address_is(url: str, here: bool) -> None:
    assert is_here(url) == here


def test_an_address_of_this_machines_own_network_is_here() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.7", 9)
            )  # nothing is sent; the kernel picks the address it would send from
        except OSError:
            pytest.skip("this machine has no network")
        own = probe.getsockname()[0]
    assert is_here(f"http://{own}:6333")


def test_the_process_that_listens_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listener(f"http://127.0.0.1:{port}") == os.getpid()
    assert listener(f"http://127.0.0.1:{port}") is None
    assert listener("http://127.0.0.1") is None
