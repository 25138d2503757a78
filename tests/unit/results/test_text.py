"""Texts from engines: nothing in them reaches a terminal or a page as a command."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.results.result import Measurement
from harness.results.text import visible, visible_in
from harness.run.from_engines import LONGEST, error_text, from_engine


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb", "a\\x0db"),
        ("\u202eevil\u2069", "\\u202eevil\\u2069"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\ufffe\U0001ffff", "\\ufffe\\U0001ffff"),
        ("line\nline\ttab", "line\nline\ttab"),
        ("größe 東京 क्\u200dष 👩\u200d🔬 \\x1b", "größe 東京 क्\u200dष 👩\u200d🔬 \\x1b"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@settings(deadline=None)
@given(st.text(st.characters(codec=None, categories=None)))
def test_what_is_visible_stays_so_and_can_be_written(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    shown.encode("utf-8")
    assert not set(shown) & set(map(chr, [*range(9), 11, 12, 13, *range(14, 32), *range(127, 160)]))


CELL = Measurement(engine="e", adapter="e", task="t", kind="search", params={"index": {"note": "\x1b"}})


def test_a_cell_is_cleaned_but_for_what_the_plan_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_X_PASSWORD", "hush-hush")
    said = CELL.model_copy(
        update={
            "error": "\x1b[31mno: hush-hush \ud800",
            "metrics": {"cpu_s": math.nan, "rss_bytes": math.inf, "queries": 1.0, "p99": None},
            "reasons": {"p99": "hush-hush"},
            "flags": ["\u202e"],
        }
    )
    cell = from_engine(said)
    assert cell.error == "\\x1b[31mno: *** \\ud800"
    assert cell.metrics == {"cpu_s": None, "rss_bytes": None, "queries": 1.0, "p99": None}
    assert cell.reasons["p99"] == "***"
    assert "nan" in cell.reasons["cpu_s"]
    assert "inf" in cell.reasons["rss_bytes"]
    assert cell.flags == ["\\u202e"]
    assert cell.key == CELL.key
    assert from_engine(CELL) == CELL


def test_texts_are_bounded_only_after_credentials_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_X_PASSWORD", "hush-hush")
    text = from_engine("x" * (LONGEST - 4) + "hush-hush" * 2)
    assert "hush" not in text
    assert text == "x" * (LONGEST - 4) + "***"
    assert from_engine("x" * (LONGEST + 7)).endswith("... (7 more characters)")


def test_values_within_values_are_cleaned() -> None:
    assert from_engine({"a\x07": ["\x1b", 1, True, None, math.nan, ("\x00",)]}) == {
        "a\\x07": ["\\x1b", 1, True, None, "nan", ("\\x00",)]
    }


def test_an_exception_without_a_message_is_told_all_the_same() -> None:
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    assert error_text(UnspeakableError()) == "UnspeakableError: its message cannot be had (ZeroDivisionError)"
    assert error_text(ValueError("no\x1b")) == "ValueError: no\\x1b"


def test_parts_of_a_result_are_made_visible() -> None:
    cell = CELL.model_copy(update={"error": "\x9b"})
    shown = visible_in([{"cell": cell}])[0]["cell"]
    assert (shown.error, shown.params) == ("\\x9b", {"index": {"note": "\\x1b"}})
    assert visible_in(("a", {"b": "\x07"}, {1, 2}, None)) == ("a", {"b": "\\x07"}, {1, 2}, None)
