"""A certificate for servers of the tests on 127.0.0.1."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Files of a certificate, signed by itself, and its key; skips the test where openssl is missing."""
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bakeoff"
    command = ["openssl", *options.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", "cert.pem", "-keyout", "key.pem"]
    try:
        subprocess.run([*command, *files], cwd=folder, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl makes the certificate. Install it with: apt-get install openssl")
    return folder / "cert.pem", folder / "key.pem"
