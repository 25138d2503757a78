"""Whether a server that was not started by this run is on this machine, and which process it is there."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from urllib.parse import urlsplit

import psutil

# Programs that listen for a server in a container or elsewhere, and are not the server.
_FORWARDERS = (
    "docker-proxy",
    "rootlesskit",
    "rootlessport",
    "conmon",
    "slirp4netns",
    "gvproxy",
    "ssh",
    "kubectl",
)


def is_here(url: str) -> bool:
    """Whether an address is one of this machine. One without a host is a socket in its file system."""
    host = urlsplit(url).hostname
    if not host:
        return True
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    own = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    return any(
        ipaddress.ip_address(address.partition("%")[0]).is_loopback or address in own for address in found
    )


def listener(url: str) -> int | None:
    """The process that listens at an address of this machine; None where it cannot be seen (another user's, or in a
    container) or the address names no port.
    """
    port = urlsplit(url).port
    if port is None:
        return None
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        place = connection.laddr if connection.status == psutil.CONN_LISTEN else ()
        if place and place.port == port and connection.pid:
            with contextlib.suppress(psutil.Error):
                name = psutil.Process(connection.pid).name()
                return None if name in _FORWARDERS else int(connection.pid)
    return None
