"""What engines print is kept without credentials and within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.children.log import BoundedLog


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_credential_is_hidden_however_it_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setenv("BAKEOFF_X_PASSWORD", "hush-hush")
    said = b"one\nlogged in with hush-hush \xff\ntwo hush-hush"
    log = BoundedLog(tmp_path / "log")
    for start in range(0, len(said), size):
        log.write(said[start : start + size])
    assert (tmp_path / "log").read_bytes() == b"one\nlogged in with *** \xff\n"
    log.close()
    assert (tmp_path / "log").read_bytes() == b"one\nlogged in with *** \xff\ntwo ***"


def test_long_output_keeps_beginning_and_end(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "log")
    log.write(b"first\n")
    for _ in range(64):
        log.write(b"x" * (1 << 16))
    log.write(b"\nlast")
    log.close()
    kept = (tmp_path / "log").read_bytes()
    assert kept.startswith(b"first\nxxx")
    assert kept.endswith(b"xxx\nlast")
    assert kept.count(b" bytes left out of the middle ...]\n") == 1
    assert len(kept) < (1 << 20) + 100
