"""Exceptions of client libraries that cannot be shown, or not as they are: the load goes on and tells them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.data.queries.workload import Workload
from harness.load.clients import describe
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.schedules import constant
from harness.results.samples import ERROR, OK, Samples
from harness.results.text import LONGEST_MESSAGE, message_of, visible
from harness.run.from_engines import LONGEST, error_text, from_engine
from tests.unit.load.load_engines import Calling, echo, numbered

WORKLOAD = numbered(20)
Raise = Callable[[], str]


class Sly(str):
    """A text that overrides what is done with texts."""

    def split(self, *_: Any) -> Any:
        raise ZeroDivisionError

    def __len__(self) -> int:
        raise ZeroDivisionError

    __format__ = __str__ = __getitem__ = isprintable = split  # type: ignore[assignment]


def saying(message: Any) -> Exception:
    """An exception whose text is what `message` is, or raises."""

    class ClientError(Exception):
        def __str__(self) -> str:
            return message() if callable(message) else message  # type: ignore[no-any-return]

    return ClientError()


def unspeakable() -> str:
    raise ZeroDivisionError


ERRORS = {
    "plain": ("out of luck", "ClientError: out of luck"),
    "silent": ("", "ClientError"),
    "several lines": ("a\n  b\r\n\tc", "ClientError: a b c"),
    "cannot be shown": (unspeakable, "ClientError: its message cannot be had (ZeroDivisionError)"),
    "no text": (lambda: 7, "ClientError: its message cannot be had (TypeError)"),
    "lone surrogates": ("\ud800 \udcff", "ClientError: \\ud800 \\udcff"),
    "control characters": ("\x1b[2J\x07\u202e", "ClientError: \\x1b[2J\\x07\\u202e"),
    "a text of its own kind": (Sly("sly"), "ClientError: sly"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_any_exception_is_told_in_one_line(name: str) -> None:
    message, told = ERRORS[name]
    text = describe(saying(message))
    assert text == told
    assert type(text) is str


@pytest.mark.parametrize("told", [describe, error_text])
def test_a_message_of_100_mb_is_cut_before_anything_is_made_of_it(told: Callable[[Exception], str]) -> None:
    message = "\x1b " * 50_000_000
    start_s = time.process_time()
    text = told(saying(message))
    cut_s = time.process_time() - start_s
    assert 0 < len(text) <= LONGEST + 100
    start_s = time.process_time()
    visible(message[: 10 * LONGEST_MESSAGE])
    assert cut_s < time.process_time() - start_s  # against escaping a part of it


def test_no_part_of_a_password_is_left_where_a_message_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_X_PASSWORD", "hush-hush-hush")
    for length in range(470, 500):
        assert "hush" not in describe(ValueError("x" * length + "hush-hush-hush" + "y" * 600))
    assert describe(ValueError("x" * 600)) == f"ValueError: {'x' * 488}"


def test_what_is_left_out_of_a_long_text_is_counted() -> None:
    assert from_engine("x" * (LONGEST_MESSAGE + 10)).endswith(
        f"... ({LONGEST_MESSAGE + 10 - LONGEST:,} more characters)"
    )
    assert message_of(ValueError("x" * LONGEST_MESSAGE * 2)) == "x" * LONGEST_MESSAGE


def _closed(engine: Calling, workload: Workload) -> Samples:
    return closed_loop(engine, workload, clients=2, duration_s=10, max_queries=40)


def _open(engine: Calling, workload: Workload) -> Samples:
    return open_loop(engine, workload, constant(1000, 0.04), clients=4)


@pytest.mark.parametrize("load", [_closed, _open])
@pytest.mark.parametrize("name", ERRORS)
def test_the_load_goes_on_after_any_exception(
    load: Callable[[Calling, Workload], Samples], name: str
) -> None:
    message, told = ERRORS[name]

    def answer(number: int) -> Any:
        if number % 2:
            raise saying(message)
        return echo(number)

    samples = load(Calling(answer), WORKLOAD)
    assert len(samples) == 40
    assert (samples.status == ERROR).tolist() == (samples.query % 2 == 1).tolist()
    assert set(samples.errors) == {told}


@pytest.mark.parametrize("load", [_closed, _open])
def test_a_load_without_exceptions_tells_none(load: Callable[[Calling, Workload], Samples]) -> None:
    samples = load(Calling(echo), WORKLOAD)
    assert (samples.status == OK).all() and not samples.errors
