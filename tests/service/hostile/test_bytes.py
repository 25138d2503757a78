"""Bytes that no well-behaved client sends: each is answered with a 4xx, or left, and the service serves on."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.service import shop
from tests.service.launch import Service, running

HOST = b"host: 127.0.0.1\r\n"
VECTOR = json.dumps([1.0] * shop.DIM).encode()
RIGHT = b'{"vector": %s, "k": 1}' % VECTOR
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits for a head for 1 s and for a body for 2 s."""
    folder = tmp_path_factory.mktemp("hurried")
    shop.write(folder)
    settings = folder / "service.yaml"
    settings.write_text(settings.read_text().replace("limits: {", "limits: {head_s: 1, body_s: 2, "))
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as service:
        yield service
        assert not [line for line in service.said if "Traceback" in line or " ERROR " in line]


def whole(answer: bytes) -> bool:
    """Whether one answer has come with all of its body."""
    head, found, body = answer.partition(b"\r\n\r\n")
    size = head.lower().partition(b"content-length: ")[2].split(b"\r")[0]
    return bool(found) and len(body) >= int(size or 0)


def sent(service: Service, *parts: bytes, until_closed: bool = False) -> bytes:
    """What is answered to these bytes; parts come 0.2 s after each other."""
    address = urlsplit(service.url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        try:
            for place, part in enumerate(parts):
                time.sleep(0.2 if place else 0)
                connection.sendall(part)
            while until_closed or not whole(answer):
                got = connection.recv(65536)
                if not got:
                    break
                answer += got
        except ConnectionError:  # it was left before everything was sent
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part[2:5]) for part in answer.split(b"HTTP/1.")[1:]]


def post(body: bytes, *, length: object = None, more: bytes = b"", version: bytes = b"1.1") -> bytes:
    size = str(len(body) if length is None else length).encode()
    line = b"POST /v1/recommendations HTTP/" + version + b"\r\n" + HOST
    return (
        line + b"content-type: application/json\r\ncontent-length: " + size + b"\r\n" + more + b"\r\n" + body
    )


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03",  # TLS
        b"GET /v1/listings/\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
        HEALTH + b"x-a: a\0b\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        post(RIGHT, length=-5),
        post(RIGHT, length="ten"),
        post(RIGHT, length=10**30),
        post(RIGHT, more=b"content-length: 3\r\n"),
        post(RIGHT, more=b"transfer-encoding: chunked\r\n"),
        post(gzip.compress(RIGHT), more=b"content-encoding: gzip\r\n"),
        post(b'{"vector": [1e999, 1, 1, 1, 1, 1, 1, 1]}'),
        post(b'{"vector": [NaN, 1, 1, 1, 1, 1, 1, 1]}'),
        post(b'{"vector": %s, "where": {"price": {"lt": -1e999}}}' % VECTOR),
        post(b'{"vector": %s, "k": %s}' % (VECTOR, b"9" * 18_000)),
        post(b'{"vector": ' + b"[" * 9000 + b"]" * 9000 + b"}"),
    ],
)
def test_what_is_no_request_is_told_so(hurried: Service, request_: bytes) -> None:
    assert statuses(sent(hurried, request_)) == [400]
    assert hurried.ask("GET", "/healthz").status == 200


def test_a_filter_nested_very_deep(hurried: Service) -> None:
    where = b'{"not": ' * 900 + b'{"stock": 1}' + b"}" * 900
    answer = sent(hurried, post(b'{"vector": %s, "where": %s}' % (VECTOR, where)))
    assert statuses(answer) == [422]
    assert b"nested more than 20 levels" in answer


def test_of_a_name_given_twice_the_later_value_counts(hurried: Service) -> None:
    answer = sent(hurried, post(b'{"vector": %s, "k": 2, "k": 1}' % VECTOR))
    assert statuses(answer) == [200]
    wrong = sent(hurried, post(b'{"vector": %s, "k": 0, "k": 1}' % VECTOR))
    assert statuses(wrong) == [422]
    assert b"a member is there twice" in wrong


def test_an_older_http_and_several_requests_at_once(hurried: Service) -> None:
    old = sent(hurried, post(RIGHT, version=b"1.0"), until_closed=True)
    assert statuses(old) == [200]
    three = post(RIGHT) + HEALTH + b"\r\n" + HEALTH + b"connection: close\r\n\r\n"
    assert statuses(sent(hurried, three, until_closed=True)) == [200, 200, 200]


def test_a_body_longer_than_its_length_is_another_request(hurried: Service) -> None:
    answer = sent(hurried, post(RIGHT, length=len(RIGHT) - 1), until_closed=True)
    assert statuses(answer)[0] == 400


@pytest.mark.parametrize("header", [b"x-a: " + b"a" * 3_000_000, b"x-a: b\r\n" * 400_000])
def test_headers_without_end_are_left(hurried: Service, header: bytes) -> None:
    answer = sent(hurried, HEALTH, header, b"\r\n\r\n", until_closed=True)
    assert statuses(answer) in ([431], [])  # the answer may be lost where it was left while it still sent
    assert hurried.ask("GET", "/healthz").status == 200


def test_an_address_without_end_is_left(hurried: Service) -> None:
    answer = sent(hurried, b"GET /v1/listings/" + b"a" * 3_000_000, until_closed=True)
    assert statuses(answer) in ([431], [400], [])


def test_headers_that_are_long_are_served(hurried: Service) -> None:
    assert statuses(sent(hurried, HEALTH + b"x-a: " + b"a" * 30_000 + b"\r\n\r\n")) == [200]


@pytest.mark.parametrize(
    ("parts", "waited_s"),
    [
        ((b"",), 1),
        ((b"GET /hea",), 1),
        ((HEALTH, b"x-a: b\r\n", b"x-c: d\r\n"), 1),
        ((post(RIGHT, length=500),), 2),
        ((post(b"", length=500), b"{", b'"vector"'), 2),
    ],
)
def test_who_does_not_send_on_is_left(hurried: Service, parts: tuple[bytes, ...], waited_s: float) -> None:
    answer = sent(hurried, *parts, until_closed=True)
    assert statuses(answer) == [408]
    assert f"was not whole after {waited_s} s".encode() in answer
    assert hurried.ask("POST", "/v1/recommendations", raw=RIGHT).status == 200


def test_a_body_that_comes_in_pieces_is_served(hurried: Service) -> None:
    answer = sent(hurried, post(b"", length=len(RIGHT)), RIGHT[:5], RIGHT[5:20], RIGHT[20:])
    assert statuses(answer) == [200]


def test_many_parameters_keep_nobody_waiting(hurried: Service) -> None:
    query = b"&".join(b"a%d=1" % number for number in range(6000))
    answer = sent(hurried, b"GET /v1/listings/a/similar?" + query + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert statuses(answer) == [422]
