"""Input that cannot be carried out is answered with what to change, and never with a bug."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.service.launch import Service
from tests.service.shop import DIM, document

VECTOR = [1.0] * DIM
PLAIN = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"vector": VECTOR, "k": 0}, {"k"}),
        ({"vector": VECTOR, "k": 1_000_000}, {"k"}),
        ({"vector": VECTOR, "k": 10**400}, {"k"}),
        ({"vector": VECTOR, "k": 3.5}, {"k"}),
        ({"vector": VECTOR[1:]}, {"vector"}),
        ({"vector": [0.0] * DIM}, {"vector"}),
        ({"vector": [1e300] * DIM}, {"vector"}),
        ({"vector": ["1"] * DIM}, {"vector[0]"}),
        ({"vector": VECTOR, "history": ["a"]}, {"body"}),
        ({}, {"body"}),
        ({"history": ["a"] * 31}, {"history"}),
        ({"history": [""]}, {"history[0]"}),
        ({"history": ["a", "b\0", "\n"]}, {"history[1]", "history[2]"}),
        ({"user": "b\0"}, {"user"}),
        ({"history": ["a"], "user": "b"}, {"history"}),
        ({"history": [{"id": "a", "at_ms": -1}]}, {"history[0].at_ms"}),
        ({"history": [], "preferences": {"size": "M"}}, {"preferences"}),
        ({"vector": VECTOR, "filter": {}, "wehre": {}}, {"filter", "wehre"}),
        ({"vector": VECTOR, "where": {"colour": "red", "brand": 3}}, {"where"}),
        ({"vector": VECTOR, "where": {"price": {"gte": 9, "lt": 1}}}, {"where"}),
        ({"vector": VECTOR, "where": {"or": [{"stock": number} for number in range(30)]}}, {"where"}),
        ({"vector": VECTOR, "where": "brand = 'Zara'"}, {"where"}),
        ({"vector": VECTOR, "where": {"colours": {"all": []}}}, {"where"}),
        ({"vector": VECTOR, "where": {"size": {"exists": 1}}}, {"where"}),
        ({"vector": VECTOR, "where": {"colours": {"all": ["a"] * 21}}}, {"where"}),
        ({"vector": VECTOR, "variant": "b"}, {"variant"}),
        ({"vector": VECTOR, "seen": "a"}, {"seen"}),
        ([VECTOR], {"body"}),
        (None, {"body"}),
    ],
)
def test_questions_that_cannot_be_answered(service: Service, body: Any, fields: set[str]) -> None:
    reply = service.ask("POST", "/v1/recommendations", raw=json.dumps(body).encode(), headers=PLAIN)
    assert reply.status == 422, reply.body
    assert reply.fields == fields
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["status"] == 422
    assert reply.body["request_id"] == reply.headers["x-request-id"]
    assert len(reply.body["detail"]) < 2000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"vector": [NaN]}',
        b'{"k": Infinity}',
        b"\xff\xfe",
        b'{"k":1}{"k":2}',
        b"[" * 9000,
        b"nul",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/recommendations"),
        ("POST", "/v1/search"),
        ("PUT", "/v1/listings/x"),
        ("PATCH", "/v1/listings/x"),
        ("POST", "/v1/listings:bulk"),
    ],
)
def test_what_is_no_json(service: Service, method: str, path: str, raw: bytes) -> None:
    reply = service.ask(method, path, raw=raw, headers=PLAIN)
    assert (reply.status, reply.body["type"]) == (400, "/docs#malformed")
    assert ("the body is empty" in reply.body["detail"]) == (not raw)


@pytest.mark.parametrize(
    ("method", "path", "status", "fields"),
    [
        ("GET", "/v1/listings/nowhere", 404, set()),
        ("GET", "/v1/listings/%00", 422, {"id"}),
        ("GET", "/v1/listings/%FF", 422, {"id"}),
        ("GET", f"/v1/listings/{'x' * 201}", 422, {"id"}),
        ("GET", "/v1/listings/a?vector=perhaps", 422, {"vector"}),
        ("GET", "/v1/listings/a?verctor=true&k=1", 422, {"verctor", "k"}),
        ("GET", "/v1/listings/a/similar?k=none", 422, {"k"}),
        ("GET", "/v1/listings/a/similar?k=1&k=2", 422, {"k"}),
        ("GET", "/v1/listings/a/similar?mode=quick", 422, {"mode"}),
        ("GET", "/v1/listings/a/similar?where=" + quote('{"colour": 1}'), 422, {"where"}),
        ("GET", "/v1/listings/a/similar?where=%7B", 422, {"where"}),
        ("DELETE", "/v1/listings/nowhere", 404, set()),
        ("DELETE", "/v1/listings/a?version=new", 422, {"version"}),
        ("DELETE", "/v1/listings/a?wait=forever", 422, {"wait"}),
        ("GET", "/v1/listings", 404, set()),
        ("GET", "/v2/anything", 404, set()),
        ("GET", "/v1/service/", 404, set()),  # what ends in a slash is another address
        ("PUT", "/v1/listings/a/", 404, set()),
        ("GET", "/v1/recommendations", 405, set()),
        ("POST", "/v1/listings/a", 405, set()),
    ],
)
def test_addresses(service: Service, method: str, path: str, status: int, fields: set[str]) -> None:
    reply = service.ask(method, path)
    assert reply.status == status, reply.body
    assert reply.fields == fields
    assert reply.body["status"] == status


def test_every_method_of_an_address_is_named(service: Service) -> None:
    assert service.ask("POST", "/v1/listings/a").headers["allow"] == "PUT, PATCH, DELETE, GET"
    assert service.ask("DELETE", "/v1/search").headers["allow"] == "POST"


def test_of_very_many_problems_the_first_are_named(service: Service) -> None:
    where = {"or": [{"brand": [number] * 50} for number in range(10)]}
    body = service.ask("POST", "/v1/recommendations", {"vector": VECTOR, "where": where}).body
    assert len(body["errors"]) == 51
    assert body["errors"][-1]["detail"] == "450 more problems of these kinds"


def test_bodies_have_a_size_and_a_kind(service: Service) -> None:
    large = json.dumps(document(title="x" * 30_000)).encode()
    assert service.ask("PUT", "/v1/listings/large", raw=large, headers=PLAIN).status == 413
    assert service.ask("POST", "/v1/listings:bulk", raw=b" " * 200_001, headers=PLAIN).status == 413
    lines = [{"id": str(line)} for line in range(51)]
    assert "of which 50 are allowed" in service.ask("POST", "/v1/listings:bulk", lines).body["detail"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert service.ask("POST", "/v1/search", raw=b"text=a", headers=form).status == 415


def test_a_body_that_grows_without_end_is_cut_off(service: Service) -> None:
    parts = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)

    def chunks() -> Any:
        for _ in range(100):
            yield b" " * 1000

    try:
        connection.request("POST", "/v1/search", chunks(), PLAIN, encode_chunked=True)
        status = connection.getresponse().status
    except ConnectionError:  # it need not wait until all has been sent
        status = 413
    finally:
        connection.close()
    assert status == 413


def test_clients_that_go_away_or_speak_something_else(service: Service) -> None:
    parts = urlsplit(service.url)
    head = b"POST /v1/recommendations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n"
    for sent in (b"", b"nonsense\r\n\r\n", head + b'\r\n{"vector": [', b"\x16\x03\x01\x00"):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(sent)
    assert service.ask("GET", "/readyz").body == {"status": "ready"}
