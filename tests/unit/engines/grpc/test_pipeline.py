"""Queries over gRPC of which many are in flight: answers and their tokens, failures, time-outs, closing."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from select import select
from typing import Any

import grpc
import pytest

from engines.base import EngineError
from engines.grpc.pipeline import Pipeline
from engines.server.pipelined import AT_ONCE

Reply = Callable[[int, Any], bytes]  # what a request, a number, is answered with; given gRPC's context, too


@contextmanager
def serving(reply: Reply, port: int = 0) -> Iterator[tuple[grpc.Server, int]]:
    class AnyMethod(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: reply(int(request), context))

    with ThreadPoolExecutor(100) as threads:
        server = grpc.server(threads, handlers=[AnyMethod()])
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield server, port
        finally:
            server.stop(None).wait()


@contextmanager
def flying(port: int, timeout_s: float = 60.0) -> Iterator[Pipeline]:
    settings = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", settings) as channel:
        call = channel.unary_unary("/any/Method")
        with closing(Pipeline(call, told, (("who", "we"),), timeout_s)) as pipeline:
            yield pipeline


def told(error: grpc.RpcError) -> EngineError:
    return EngineError(f"{error.code().name}: {error.details()}")


def send(pipeline: Pipeline, number: int) -> None:
    pipeline.send(number, b"%d" % number)


def collected(pipeline: Pipeline, count: int, wait_s: float = 20.0) -> dict[int, bytes | str]:
    """What comes within the time, each token once. What has come is never left without the file telling of it."""
    found: dict[int, bytes | str] = {}
    deadline = time.monotonic() + wait_s
    while len(found) < count and time.monotonic() < deadline:
        if select([pipeline], [], [], 0.05)[0]:
            answers = pipeline.collect()
            assert len(answers) <= AT_ONCE
            for token, answer in answers:
                assert token not in found
                found[token] = str(answer) if isinstance(answer, EngineError) else answer
    assert not pipeline.collect()
    return found


def test_answers_belong_to_their_tokens_however_late_they_come() -> None:
    def reply(number: int, context: Any) -> bytes:
        assert ("who", "we") in context.invocation_metadata()
        time.sleep(random.random() * 0.05)
        return b"answer %d" % number

    with serving(reply) as (_, port), flying(port) as pipeline:
        for turn in range(3):
            tokens = range(1000 * turn, 1000 * turn + 200)
            for token in tokens:
                send(pipeline, token)
            assert collected(pipeline, 200) == {token: b"answer %d" % token for token in tokens}
            assert not select([pipeline], [], [], 0)[0]


def test_many_that_have_come_together_are_handed_over_in_parts() -> None:
    with serving(lambda number, context: b"%d" % number) as (_, port), flying(port) as pipeline:
        for token in range(4 * AT_ONCE):
            send(pipeline, token)
        time.sleep(1.0)
        for _ in range(4):
            assert select([pipeline], [], [], 10)[0]
            assert len(pipeline.collect()) == AT_ONCE
        assert not select([pipeline], [], [], 0)[0]


def test_failures_belong_to_their_tokens_too() -> None:
    def reply(number: int, context: Any) -> bytes:
        if number % 3 == 0:
            return b"fine"
        code = grpc.StatusCode.NOT_FOUND if number % 3 == 1 else grpc.StatusCode.UNAVAILABLE
        return context.abort(code, f"no {number}")  # type: ignore[no-any-return]

    with serving(reply) as (_, port), flying(port) as pipeline:
        for number in range(60):
            send(pipeline, number)
        expected = {
            number: (b"fine", f"NOT_FOUND: no {number}", f"UNAVAILABLE: no {number}")[number % 3]
            for number in range(60)
        }
        assert collected(pipeline, 60) == expected


def test_what_is_never_answered_is_given_up_and_the_rest_goes_on() -> None:
    release = threading.Event()

    def reply(number: int, context: Any) -> bytes:
        if number == 3:
            release.wait(20)
        return b"fine"

    with serving(reply) as (_, port), flying(port, timeout_s=0.5) as pipeline:
        for number in range(6):
            send(pipeline, number)
        found = collected(pipeline, 6)
        assert str(found.pop(3)).startswith("DEADLINE_EXCEEDED")
        assert found == dict.fromkeys((0, 1, 2, 4, 5), b"fine")
        send(pipeline, 9)
        assert collected(pipeline, 1) == {9: b"fine"}
        release.set()


def test_a_server_that_goes_ends_each_once_and_one_that_is_back_is_asked_again() -> None:
    release = threading.Event()

    def reply(number: int, context: Any) -> bytes:
        if number < 100:
            release.wait(20)
        return b"fine"

    with serving(reply) as (server, port), flying(port) as pipeline:
        for number in range(40):
            send(pipeline, number)
        assert collected(pipeline, 1, wait_s=0.3) == {}
        stopped = server.stop(None)
        found = collected(pipeline, 40)
        assert len(found) == 40
        assert all(isinstance(answer, str) for answer in found.values())
        for number in range(100, 140):
            send(pipeline, number)
        found = collected(pipeline, 40)
        assert len(found) == 40
        assert all(str(answer).startswith("UNAVAILABLE") for answer in found.values())
        release.set()
        stopped.wait()
        with serving(reply, port):
            deadline = time.monotonic() + 30
            answer: bytes | str = ""
            while answer != b"fine" and time.monotonic() < deadline:
                send(pipeline, 200)
                answer = collected(pipeline, 1)[200]
            assert answer == b"fine"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_closing_in_flight_leaves_nothing_behind() -> None:
    release, over = threading.Event(), list[int]()

    def reply(number: int, context: Any) -> bytes:
        context.add_callback(lambda: over.append(number))
        release.wait(20)
        return b"late"

    with serving(reply) as (_, port), flying(port) as pipeline:
        for number in range(50):
            send(pipeline, number)
        assert collected(pipeline, 1, wait_s=0.3) == {}
        bell = pipeline.fileno()
        before = open_files()
        pipeline.close()
        assert open_files() == before - 1
        pipeline.close()  # again: nothing
        deadline = time.monotonic() + 10
        while len(over) < 50 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert sorted(over) == list(range(50))  # the server is told
        other = os.eventfd(0, os.EFD_NONBLOCK)  # has the number that the pipeline had
        try:
            assert other == bell
            release.set()
            time.sleep(0.2)
            with pytest.raises(BlockingIOError):  # calls that end now ring nobody else's bell
                os.eventfd_read(other)
        finally:
            os.close(other)


def test_a_new_one_on_the_same_channel_begins_afresh() -> None:
    with (
        serving(lambda number, context: b"%d" % number) as (_, port),
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        call = channel.unary_unary("/any/Method")
        first = Pipeline(call, told, (), 60.0)
        for number in range(50):
            send(first, number)
        first.close()
        with closing(Pipeline(call, told, (), 60.0)) as second:
            send(second, 77)
            assert collected(second, 1) == {77: b"77"}
