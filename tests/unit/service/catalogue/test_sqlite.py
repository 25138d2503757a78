"""What SQLite does when it cannot: full, read-only, damaged or held by someone else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engines.base import Field, Schema
from harness.errors import ConfigurationError
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.database import sqlite
from service.database.errors import StoreError
from tests.unit.service.catalogue.test_store import SCHEMA, put

ROOT = Path(__file__).parents[4]


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return open_store(str(tmp_path / "catalogue.sqlite"), SCHEMA)


def test_a_commit_is_synced(store: SqlStore) -> None:
    database = store._database
    assert isinstance(database, sqlite.SqliteDatabase)
    (journal,) = database._writer.execute("pragma journal_mode").fetchone()
    (synchronous,) = database._writer.execute("pragma synchronous").fetchone()
    store.close()
    assert (journal, synchronous) == ("wal", 2)  # 2 is FULL


def test_a_full_disk_is_named_loses_nothing_and_is_recovered_from(store: SqlStore) -> None:
    database = store._database
    assert isinstance(database, sqlite.SqliteDatabase)
    store.write([put("a")])
    (pages,) = database._writer.execute("pragma page_count").fetchone()
    database._writer.execute(f"pragma max_page_count = {pages + 5}")
    with pytest.raises(StoreError, match=r"catalogue\.sqlite: .* is full: free some space"):
        store.write([put(f"{place}") for place in range(1000)])
    assert (store.count(), store.last_seq()) == (1, 1)
    assert store.get(["a", "0"]).keys() == {"a"}
    database._writer.execute("pragma max_page_count = 1000000")
    store.write([put("b")])
    assert store.count() == 2
    store.close()


def test_a_file_that_is_no_catalogue_is_named(tmp_path: Path) -> None:
    place = tmp_path / "notes.txt"
    place.write_text("these are notes, and no database at all\n" * 100)
    with pytest.raises(ConfigurationError, match=r"notes\.txt: .* name another file"):
        open_store(str(place), SCHEMA)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make its folder one that exists"):
        open_store(str(tmp_path / "none" / "catalogue.sqlite"), SCHEMA)


def test_a_damaged_file_is_named(store: SqlStore, tmp_path: Path) -> None:
    store.write([put(f"{place}") for place in range(500)])
    store.close()
    file = tmp_path / "catalogue.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:-4096] = os.urandom(len(content) - 8192)
    file.write_bytes(content)
    with pytest.raises(
        (StoreError, ConfigurationError), match=r"restore it from a backup|holds something else"
    ):
        open_store(str(file), SCHEMA).scan()


def test_another_writer_is_waited_for_and_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: SqlStore
) -> None:
    store.close()
    monkeypatch.setattr(sqlite, "_BUSY_S", 0.05)
    store = open_store(str(tmp_path / "catalogue.sqlite"), SCHEMA)
    other = sqlite3.connect(tmp_path / "catalogue.sqlite", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreError, match="another process has been writing"):
        store.write([put("a")])
    assert store.count() == 0
    other.execute("rollback")
    other.close()
    store.write([put("a")])
    store.close()


# As an account that may read the file and nothing more: root may do everything. It may not even read Python's own.
_AS_READER = """
import os, sys
from harness.errors import ConfigurationError
from service.catalogue.opening import open_store
from tests.unit.service.catalogue.test_store import SCHEMA
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    open_store(sys.argv[1], SCHEMA)
except ConfigurationError as error:
    print(error)
"""


def test_a_read_only_file_is_named_at_the_start(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own can be reached by one account only
        place = Path(folder) / "catalogue.sqlite"
        open_store(str(place), SCHEMA).close()
        place.chmod(0o444)
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", _AS_READER, str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        Path(folder).chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "readonly" in done.stdout
    assert "ones that this account can write to" in done.stdout


def test_a_password_in_a_url_is_never_shown() -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_store("postgresql://me:hidden-word@127.0.0.1:9/db?sslpassword=other-word", SCHEMA)
    assert "hidden-word" not in str(raised.value)
    assert "other-word" not in str(raised.value)
    assert "127.0.0.1:9/db" in str(raised.value)
    assert "start the server" in str(raised.value)


def test_an_older_catalogue_stays_as_it_was_when_it_is_refused(tmp_path: Path) -> None:
    place = str(tmp_path / "catalogue.sqlite")
    open_store(place, SCHEMA).close()
    other = CatalogueSchema(Schema(9, "l2", (Field("brand", "keyword"),)))
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="the dim of its vectors is 2"):
            open_store(place, other)
    open_store(place, SCHEMA).close()
