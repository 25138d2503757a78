"""Listings are put, patched, removed and read, each write once and in its order."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.service.held import VARIABLE
from tests.service.launch import Service, running
from tests.service.shop import DIM, document

SEARCHABLE = "?wait=searchable"


def nearest(service: Service, vector: list[float], **more: Any) -> list[str]:
    reply = service.ask("POST", "/v1/recommendations", {"vector": vector, "k": 5, "short": "short", **more})
    assert reply.status == 200, reply.body
    return [hit["id"] for hit in reply.body["hits"]]


def test_a_listing_lives_and_is_sold(service: Service) -> None:
    vector = [0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0]
    where = {"brand": "Lemaire"}
    put = service.ask("PUT", f"/v1/listings/life{SEARCHABLE}", document(vector=vector, brand="Lemaire"))
    assert put.status == 200
    assert put.body == {"id": "life", "version": 1, "outcome": "written", "searchable": True}
    assert put.headers["etag"] == '"1"'
    assert nearest(service, vector, where=where) == ["life"]

    patched = service.ask("PATCH", f"/v1/listings/life{SEARCHABLE}", {"price": 99.0, "brand": "Toteme"})
    assert (patched.status, patched.body["version"]) == (200, 2)
    assert nearest(service, vector, where=where) == []
    assert nearest(service, vector, where={"brand": "Toteme", "price": {"gte": 99}}) == ["life"]

    found = service.ask("GET", "/v1/listings/life?vector=true")
    assert (found.status, found.headers["etag"]) == (200, '"2"')
    assert found.body["attributes"] == {
        "brand": "Toteme", "price": 99.0, "stock": 1, "new": True, "colours": [], "size": None
    }  # fmt: skip
    assert found.body["details"] == {"title": "A linen shirt", "seller": "anna"}
    assert found.body["vector"] == vector
    assert "vector" not in service.ask("GET", "/v1/listings/life").body

    sold = service.ask("DELETE", f"/v1/listings/life{SEARCHABLE}")
    assert sold.body == {"id": "life", "version": 3, "outcome": "removed", "searchable": True}
    assert nearest(service, vector, where={"brand": "Toteme"}) == []
    assert service.ask("GET", "/v1/listings/life").status == 404
    assert service.ask("DELETE", "/v1/listings/life").status == 404
    assert service.ask("PATCH", "/v1/listings/life", {"price": 1.0}).status == 404


def test_tags_and_values_come_and_go(service: Service) -> None:
    vector, path = [0.0, 0.0, 7.0, 0.0, 0.0, 0.0, 7.0, 0.0], f"/v1/listings/tagged{SEARCHABLE}"

    def found(colours: Any, **more: Any) -> bool:
        where = {"brand": "Rick", "colours": colours, **more}
        return nearest(service, vector, where=where) == ["tagged"]

    whole = document(vector=vector, brand="Rick", colours=["red", "é", "red"], size=38)
    assert service.ask("PUT", path, whole).body["searchable"]
    assert service.ask("GET", "/v1/listings/tagged").body["attributes"]["colours"] == ["red", "é"]
    assert found("red")
    assert found(["blue", "é"])
    assert found({"all": ["é", "red"]}, size={"gte": 30})
    assert not found("blue")
    assert not found({"all": ["red", "blue"]})
    assert service.ask("PATCH", path, {"colours": ["blue"], "size": None}).body["searchable"]
    assert found("blue", size={"exists": False})
    assert not found("red")
    assert not found("blue", size=38)
    assert found("blue", **{"not": {"size": 38}})
    assert service.ask("PATCH", path, {"colours": None}).body["searchable"]
    assert found({"exists": False})
    assert service.ask("PATCH", path, {"colours": []}).body["outcome"] == "unchanged"
    assert service.ask("DELETE", "/v1/listings/tagged").status == 200


def test_repeated_writes_change_nothing(service: Service) -> None:
    first = service.ask("PUT", "/v1/listings/again", document())
    second = service.ask("PUT", "/v1/listings/again", document())
    assert (first.body["outcome"], second.body["outcome"]) == ("written", "unchanged")
    assert first.body["version"] == second.body["version"] == 1


def test_late_writes_do_not_undo_newer_ones(service: Service) -> None:
    assert service.ask("PUT", "/v1/listings/late", document(version=20, price=2.0)).status == 200
    late = service.ask("PUT", "/v1/listings/late", document(version=10, price=1.0))
    assert (late.status, late.body["version"], late.body["type"]) == (409, 20, "/docs#stale")
    assert service.ask("DELETE", "/v1/listings/late?version=15").status == 409
    assert service.ask("DELETE", "/v1/listings/late?version=30").status == 200
    assert service.ask("PUT", "/v1/listings/late", document(version=25)).status == 409
    assert service.ask("GET", "/v1/listings/late").status == 404
    assert service.ask("PUT", "/v1/listings/late", document(version=31)).status == 200


def test_writes_may_expect_a_version(service: Service) -> None:
    path = "/v1/listings/match"
    assert service.ask("PUT", path, document(), {"If-Match": '"1"'}).status == 412
    assert service.ask("PUT", path, document(), {"If-None-Match": "*"}).status == 200
    again = service.ask("PUT", path, document(price=1.0), {"If-None-Match": "*"})
    assert (again.status, again.body["version"]) == (412, 1)
    assert "has version 1, which is not what the request expects" in again.body["detail"]
    assert service.ask("PATCH", path, {"price": 3.0}, {"If-Match": '"1"'}).headers["etag"] == '"2"'
    assert service.ask("PATCH", path, {"price": 4.0}, {"If-Match": '"1"'}).status == 412
    assert service.ask("DELETE", path, headers={"If-Match": '"1"'}).status == 412
    assert service.ask("DELETE", path, headers={"If-Match": '"2"'}).status == 200


def test_ids_of_any_printable_characters(service: Service) -> None:
    for written, key in (
        ("a%2Fb", "a/b"),
        ("%C3%A9%20%25", "é %"),
        ("a%2Fsimilar", "a/similar"),
        ("x%3Ay", "x:y"),
    ):
        assert service.ask("PUT", f"/v1/listings/{written}", document()).body["id"] == key
        assert service.ask("GET", f"/v1/listings/{written}").body["id"] == key


def test_many_at_once_each_with_its_result(service: Service) -> None:
    lines = [
        {"id": "bulk-1", **document()},
        {"id": "bulk-2", **document(price="cheap", colour="red")},
        "not an object",
        {**document()},
        {"id": "bulk-3", **document(vector=[0.0])},
        {"id": "bulk-1", **document(version=7)},
    ]
    body = service.ask("POST", f"/v1/listings:bulk{SEARCHABLE}", lines).body
    assert (body["lines"], body["failed"], body["searchable"]) == (6, 4, True)
    results = body["results"]
    assert [result["line"] for result in results] == [1, 2, 3, 4, 5, 6]
    assert [result.get("version") for result in results] == [1, None, None, None, None, 7]
    assert {error["field"] for error in results[1]["problem"]["errors"]} == {"price", "colour"}
    assert results[3]["problem"]["errors"][0]["field"] == "id"
    assert service.ask("GET", "/v1/listings/bulk-2").status == 404

    patches = b"\n".join(
        [b'{"id": "bulk-1", "price": 3.5}', b"{broken", b"", b'{"id": "nobody", "price": 1.0}']
    )
    kind = {"content-type": "application/x-ndjson"}
    reply = service.ask("POST", "/v1/listings:bulk?operation=patch", headers=kind, raw=patches)
    assert [result.get("problem", {}).get("status") for result in reply.body["results"]] == [None, 400, 404]
    removed = json.dumps({"id": "bulk-1"}).encode()
    reply = service.ask("POST", "/v1/listings:bulk?operation=remove", headers=kind, raw=removed)
    assert reply.body["results"][0]["outcome"] == "removed"


def test_what_is_wrong_with_a_document_is_told_whole_and_nothing_is_written(service: Service) -> None:
    wrong = document(
        price=None,
        stock=1.5,
        new="yes",
        title=7,
        vector=[1.0] * (DIM - 1),
        colour="red",
        id="other",
        version=0,
    )
    reply = service.ask("PUT", "/v1/listings/wrong", wrong)
    assert reply.status == 422
    assert reply.fields == {"id", "version", "stock", "new", "title", "vector", "colour", "price"}
    assert service.ask("GET", "/v1/listings/wrong").status == 404
    without = service.ask("PUT", "/v1/listings/wrong", document(vector=None))
    assert without.fields == {"vector"}
    assert "no model" in without.body["detail"]


def test_a_bulk_without_lines_waits_for_all_that_was_written(folder: Path) -> None:
    held = folder / "held"
    catalogue = {"catalogue": {"dim": 2, "metric": "l2"}, "engine": "tests.service.held:HeldWrites"}
    (folder / "own.yaml").write_text(json.dumps(catalogue))
    lines = [{"id": f"waited-{row}", "vector": [row, 1.0]} for row in range(3)]
    with running(folder, "--config", "own.yaml", **{VARIABLE: str(held)}) as service:
        held.touch()
        assert service.ask("POST", "/v1/listings:bulk", lines).body["failed"] == 0
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(service.ask, "POST", f"/v1/listings:bulk{SEARCHABLE}", [])
            time.sleep(0.5)  # an answer that does not wait is there long before
            assert not waiting.done()
            held.unlink()
            assert waiting.result().body == {"lines": 0, "failed": 0, "results": [], "searchable": True}
        about = service.ask("GET", "/v1/service").body
        assert (about["listings"], about["index"]["applied"]) == (3, 3)
        assert service.ask("POST", "/v1/listings:bulk?operation=remove", lines[:1]).body["failed"] == 1
        assert (
            service.ask("POST", "/v1/listings:bulk?operation=remove", [{"id": "waited-0"}]).body["failed"]
            == 0
        )
        assert service.ask("GET", "/v1/service").body["listings"] == 2
