"""Dead letters are whole lines, whatever happens to who writes them."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path
from threading import Thread

import pytest

from harness.errors import ConfigurationError
from service.catalogue.schema import Problem
from service.ingestion.letters import DeadLetters, Letter, LettersError
from service.ingestion.record import as_text


def letter(line: int, text: str = "{") -> Letter:
    return Letter("a.ndjson", {"line": line}, {"text": text}, [Problem("document", "is no JSON")])


def lines(path: Path) -> list[int]:
    return [json.loads(line)["line"] for line in path.read_text().splitlines()]


def test_a_line_that_was_not_ended_goes_and_those_before_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "letters.ndjson"
    DeadLetters(path).add([letter(1), letter(2)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    DeadLetters(path).add([letter(3)])
    assert lines(path) == [1, 3]


def test_what_a_full_disk_took_half_of_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = DeadLetters(tmp_path / "letters.ndjson")
    letters.add([letter(1)])

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(LettersError, match=r"letters\.ndjson: .* free some space"):
            letters.add([letter(2)])
    letters.add([letter(3)])
    assert lines(letters.path) == [1, 3]


def test_one_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "letters.ndjson")
    with letters.path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        whole = b'{"time": "", "line": 1}\n'
        other.write(whole[:10])
        other.flush()
        waiting = Thread(target=letters.add, args=[[letter(2)]])
        waiting.start()
        waiting.join(0.1)
        other.write(whole[10:])
        other.flush()
        fcntl.flock(other, fcntl.LOCK_UN)
        waiting.join()
    assert lines(letters.path) == [1, 2]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "letters.ndjson")
    letters.add([letter(1)])
    letters.path.rename(tmp_path / "former.ndjson")
    letters.add([letter(2)])
    assert (lines(tmp_path / "former.ndjson"), lines(letters.path)) == ([1], [2])


@pytest.mark.parametrize("content", ['{"id": "a"}\n', '{"id": "a"}'])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "listings.ndjson"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"listings\.ndjson: holds no dead letters; name another"):
        DeadLetters(path)
    assert path.read_text() == content


def test_the_first_letter_may_have_been_begun_only(tmp_path: Path) -> None:
    path = tmp_path / "letters.ndjson"
    path.write_text('{"ti')
    DeadLetters(path).add([letter(1)])
    assert lines(path) == [1]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file.letters\.ndjson: cannot be written"):
        DeadLetters(tmp_path / "file" / "letters.ndjson")


def test_a_number_that_json_does_not_know_is_kept_as_text(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "letters.ndjson")
    letters.add([Letter("a.parquet", {"row": 1}, {"document": {"price": float("nan")}}, [])])
    assert (
        json.loads(letters.path.read_text(), parse_constant=pytest.fail)["text"]
        == '{"document": {"price": NaN}}'
    )


@pytest.mark.parametrize("text", ["half a pair \ud800", "\0", "ü"])
def test_any_text_is_kept(tmp_path: Path, text: str) -> None:
    letters = DeadLetters(tmp_path / "letters.ndjson")
    letters.add([letter(1, text)])
    assert json.loads(letters.path.read_text())["text"] == text


def test_what_is_no_text_is_kept_too() -> None:
    assert as_text(b"\xff\xfe") == {"base64": "//4="}
    assert as_text("ü".encode()) == {"text": "ü"}
