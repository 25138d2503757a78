"""Interruptions that wait for what must not be cut off."""

from __future__ import annotations

import signal
import threading

import pytest

from harness.children.interrupts import postponed


def interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("fails", [False, True])
def test_a_signal_takes_effect_once_the_work_is_done(number: int, fails: bool) -> None:
    before = signal.signal(number, interrupt)
    done = []
    try:
        with pytest.raises(KeyboardInterrupt), postponed():
            signal.raise_signal(number)
            done.append("after the signal")
            if fails:
                raise RuntimeError("the work")
        assert done == ["after the signal"]
        assert signal.getsignal(number) is interrupt
        with pytest.raises(KeyboardInterrupt):  # without it the work is cut off
            signal.raise_signal(number)
            done.append("never")
        assert done == ["after the signal"]
    finally:
        signal.signal(number, before)


def test_without_a_signal_nothing_happens_and_other_threads_have_nothing_to_hold_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    done = []

    def work() -> None:
        with postponed():
            done.append(threading.current_thread())

    with postponed():
        pass
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [thread]
    assert signal.getsignal(signal.SIGINT) is before
