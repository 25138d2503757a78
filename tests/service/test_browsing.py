"""What the page asks for besides listings: the page itself, values of fields, users, pictures."""

from __future__ import annotations

import collections
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message

import matplotlib.image
import numpy as np
import pytest

from tests.service import shop
from tests.service.launch import Service, running


@pytest.fixture(scope="module")
def showing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The shop with vectors that are pictures, a detail that is another one, and users that are made up."""
    folder = tmp_path_factory.mktemp("browsing")
    data = shop.write(folder)
    (data / "dataset.yaml").write_text("metric: cosine\nid: id\ntext: [title]\npicture: {pixels: [2, 4]}\n")
    (folder / "service.yaml").write_text(shop.SETTINGS + "simulated_users: 3\ntastes: [brand]\n")
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as started:
        yield started


def test_facets_count_what_is_on_sale(showing: Service) -> None:
    vector = [1.0] * shop.DIM
    held = [
        showing.ask("GET", f"/v1/listings/listing%2F{row}").body["attributes"] for row in range(shop.ROWS)
    ]
    brands = collections.Counter(one["brand"] for one in held)
    told = showing.ask("GET", "/v1/facets?values=3").body
    assert told["listings"] == shop.ROWS
    fields = told["fields"]
    assert [one["count"] for one in fields["brand"]["values"]] == sorted(brands.values(), reverse=True)[:3]
    assert fields["brand"]["others"] == 1
    prices = [one["price"] for one in held]
    assert (fields["price"]["least"], fields["price"]["greatest"]) == (min(prices), max(prices))
    assert {one["value"]: one["count"] for one in fields["new"]["values"]} == collections.Counter(
        one["new"] for one in held
    )
    colours = collections.Counter(word for one in held for word in one["colours"])
    assert {one["value"]: one["count"] for one in fields["colours"]["values"]} == colours
    assert fields["colours"]["missing"] == sum(not one["colours"] for one in held)
    assert fields["size"]["missing"] == sum(one["size"] is None for one in held)
    assert "missing" not in fields["brand"]
    # What is written is counted, what is removed no longer is.
    showing.ask("PUT", "/v1/listings/dear", shop.document(price=1e6, brand="Dior", vector=vector))
    there = showing.ask("GET", "/v1/facets").body
    assert there["fields"]["price"]["greatest"] == 1e6
    assert {"value": "Dior", "count": 1} in there["fields"]["brand"]["values"]
    showing.ask("DELETE", "/v1/listings/dear")
    assert showing.ask("GET", "/v1/facets?values=3").body == told


@pytest.mark.parametrize("path", ["/v1/facets?values=0", "/v1/facets?values=1e3", "/v1/users?limit=1001"])
def test_counts_are_bounded(showing: Service, path: str) -> None:
    reply = showing.ask("GET", path)
    assert (reply.status, reply.fields) == (422, {path.partition("?")[2].partition("=")[0]})
    assert "from 1 to 1,000" in reply.body["detail"]


def test_simulated_users_are_named_so_and_can_be_asked_for(showing: Service, service: Service) -> None:
    told = showing.ask("GET", "/v1/users?limit=2").body
    assert (told["total"], len(told["users"])) == (3, 2)
    for user in told["users"]:
        assert user["id"].startswith("simulated ")
        brand = user["id"].partition(": ")[2]
        assert user["taken"] == len(set(user["history"])) == 6
        for id_ in user["history"]:
            listing = showing.ask("GET", f"/v1/listings/{id_.replace('/', '%2F')}").body
            assert listing["attributes"]["brand"] == brand
        by_id = showing.ask("POST", "/v1/recommendations", {"user": user["id"], "k": 5}).body
        by_history = showing.ask("POST", "/v1/recommendations", {"history": user["history"], "k": 5}).body
        assert [hit["id"] for hit in by_id["hits"]] == [hit["id"] for hit in by_history["hits"]]
        assert "fallback" not in by_id
    assert service.ask("GET", "/v1/users").body == {"total": 0, "users": []}


def drawn(service: Service, headers: Mapping[str, str] | None = None) -> tuple[int, Message, bytes]:
    """The answer to a question for the picture of the listing `drawn`."""
    asked = urllib.request.Request(f"{service.url}/v1/listings/drawn/picture", headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:  # which 304 is, too
        with error:
            return error.code, error.headers, error.read()


def test_a_picture_is_the_listings_vector(showing: Service) -> None:
    pixels = np.array([0.0, 1.4, 127.5, 255.0, 300.0, -7.0, 64.0, 32.0])
    showing.ask("PUT", "/v1/listings/drawn", shop.document(vector=pixels.tolist()))
    status, headers, content = drawn(showing)
    assert (status, headers["content-type"]) == (200, "image/png")
    levels = np.rint(matplotlib.image.imread(io.BytesIO(content), format="png") * 255)
    np.testing.assert_array_equal(levels, [[0, 1, 128, 255], [255, 0, 64, 32]])
    held = {"if-none-match": headers["etag"]}
    assert drawn(showing, held)[::2] == (304, b"")
    showing.ask("PATCH", "/v1/listings/drawn", {"vector": (pixels + 1).tolist()})
    status, _, changed = drawn(showing, held)
    assert status == 200
    assert changed != content
    showing.ask("DELETE", "/v1/listings/drawn")
    assert drawn(showing)[0] == 404


def test_where_there_is_no_picture(showing: Service, service: Service) -> None:
    assert showing.ask("GET", "/v1/service").body["picture"] == {"pixels": [2, 4]}
    assert showing.ask("GET", "/v1/listings/nowhere/picture").status == 404
    assert service.ask("GET", "/v1/service").body["picture"] is None
    without = service.ask("GET", "/v1/listings/listing%2F1/picture")
    assert without.status == 404
    assert "picture.pixels" in without.body["detail"]


def test_the_page_brings_all_that_it_names(service: Service) -> None:
    page = service.ask("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy  # this catalogue names no pictures elsewhere
    named = [part.partition('"')[0] for part in page.body.split('"/page/')[1:]]
    assert {"main.js", "style.css"} <= set(named)
    modules = [name for name in named if name.endswith(".js")]
    while modules:
        script = service.ask("GET", f"/page/{modules.pop()}")
        assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        imported = [part.partition('"')[0] for part in script.body.split('from "./')[1:]]
        modules += [name for name in imported if name not in named]
        named += imported
    assert "://" not in page.body


def test_pages_from_elsewhere_are_refused(service: Service) -> None:
    """Of a browser on this machine; what it sends then without being asked for leave would otherwise be done."""
    listing = {**shop.document(), "id": "forged"}
    own = {"origin": service.url}
    for origin in ("http://evil.example", "null", service.url.replace("127.0.0.1", "localhost")):
        reply = service.ask(
            "POST", "/v1/listings:bulk", headers={"origin": origin}, raw=json.dumps([listing]).encode()
        )
        assert (reply.status, reply.body["type"]) == (403, "/docs#forbidden"), origin
        assert service.ask("POST", "/v1/search", {"text": "x"}, {"origin": origin}).status == 403
    for host in ("evil.example:8080", "127.0.0.1.evil.example", "[", "[::"):
        reply = service.ask("POST", "/v1/search", {"text": "x"}, {"host": host, "origin": f"http://{host}"})
        assert reply.status == 403, host
        assert "start it with keys" in reply.body["detail"]
    assert service.ask("POST", "/v1/search", {"text": "x"}, {"host": "localhost:1"}).status == 200
    assert service.ask("GET", "/v1/listings/forged").status == 404
    assert service.ask("PUT", "/v1/listings/forged", shop.document(), own).status == 200
    assert service.ask("DELETE", "/v1/listings/forged").status == 200  # no browser
