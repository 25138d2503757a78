"""Events over HTTP: recorded once, refused with a reason, part of a user's history, and exported for training."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.data.reading.interaction_file import read_interactions
from models.data.reading.item_file import read_items
from service.events.event import KINDS
from service.events.opening import open_events
from tests.service import shop
from tests.service.launch import Reply, Service, command, environment, running

NOW_MS = time.time_ns() // 1_000_000
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    shop.write(folder)
    return folder


@pytest.fixture(scope="module")
def recording(place: Path) -> Iterator[Service]:
    with running(place, "--dataset", "shop", "--config", "service.yaml") as started:
        yield started
        assert not [
            line for line in started.said if "Traceback" in line or (" service." in line and ": 500 " in line)
        ]


def event(id_: str, **changes: Any) -> dict[str, Any]:
    whole = {"id": id_, "type": "click", "user": "anna", "listing": "listing/1", "at_ms": NOW_MS} | changes
    return {name: value for name, value in whole.items() if value is not None}


def send(service: Service, body: Any) -> Reply:
    return service.ask("POST", "/v1/events", body)


def outcomes(reply: Reply) -> list[str]:
    """Of each line, or the kind of its problem."""
    assert reply.status == 200, reply.body
    results = reply.body["results"]
    assert [one["line"] for one in results] == list(range(1, reply.body["lines"] + 1))
    assert reply.body["failed"] == sum("problem" in one for one in results)
    return [one.get("outcome") or one["problem"]["type"].rpartition("#")[2] for one in results]


def test_a_repeated_event_is_known_and_another_under_its_id_is_refused(recording: Service) -> None:
    assert outcomes(send(recording, event("one"))) == ["recorded"]
    assert outcomes(send(recording, event("one"))) == ["known"]
    reply = send(recording, event("one", listing="listing/2", position=4))
    assert (reply.status, reply.fields) == (409, {"id"})
    assert (
        "is here already with listing 'listing/1', not 'listing/2', position None, not 4"
        in reply.body["detail"]
    )


def test_each_line_has_its_own_result(recording: Service) -> None:
    lines = [
        event("l1"),
        event("l1"),
        event("l1", user="ben"),
        event("l2", type="impression", request_id="r", position=1),
        event("l3", listing="nothing"),
        [],
        event("l4", type="favourite", at_ms=NOW_MS - 300 * 86_400_000),
    ]
    wanted = ["recorded", "known", "taken", "recorded", "invalid", "invalid", "recorded"]
    assert outcomes(send(recording, lines)) == wanted
    text = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n{]\n"
    reply = recording.ask("POST", "/v1/events", headers=NDJSON, raw=text)
    assert outcomes(reply) == [*(one.replace("recorded", "known") for one in wanted), "malformed"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"at_ms": NOW_MS + 3_600_000}, {"at_ms"}),
        ({"at_ms": NOW_MS // 1000}, {"at_ms"}),
        ({"at_ms": "today", "type": "view"}, {"at_ms", "type"}),
        ({"type": "impression"}, {"request_id", "position"}),
        ({"listing": "nothing", "user": "a\u0000"}, {"listing", "user"}),
        ({"user": None, "price": 3}, {"user", "price"}),
        ({"position": 0}, {"position"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_recorded(
    recording: Service, changes: dict[str, Any], fields: set[str]
) -> None:
    reply = send(recording, event("wrong", **changes))
    assert (reply.status, reply.fields) == (422, fields)
    assert "wrong" not in str(send(recording, [event("wrong", **changes)]).body["results"][0].get("outcome"))
    if "at_ms" in fields and "type" not in fields:
        assert "by the service's" in reply.body["detail"]


def test_what_was_wrong_can_be_sent_again_corrected(recording: Service) -> None:
    assert outcomes(send(recording, event("wrong"))) == ["recorded"]


def test_bodies_that_are_no_events(recording: Service) -> None:
    assert send(recording, "text").status == 422
    assert recording.ask("POST", "/v1/events", raw=b"{").status == 400
    assert recording.ask("POST", "/v1/events", headers={"content-type": "text/csv"}, raw=b"a,b").status == 415
    assert send(recording, [event(f"{one}") for one in range(51)]).fields == {"body"}


def test_a_user_of_events_is_recommended_to_by_them_also_when_what_they_took_is_sold(
    recording: Service,
) -> None:
    def hits(**body: Any) -> list[str]:
        reply = recording.ask("POST", "/v1/recommendations", {"k": 5, "mode": "exact", **body})
        assert reply.status == 200, reply.body
        assert not reply.body.get("fallback")
        return [hit["id"] for hit in reply.body["hits"]]

    assert recording.ask("POST", "/v1/recommendations", {"user": "carla"}).status == 404
    seen = event("c0", user="carla", type="impression", request_id="r", position=1)
    send(recording, [seen, event("c1", user="carla", listing="listing/7", type="purchase")])
    before = hits(history=["listing/7"])
    assert hits(user="carla") == before
    assert recording.ask("DELETE", "/v1/listings/listing%2F7").status == 200
    assert hits(user="carla") == [one for one in hits(history=["listing/7"]) if one != "listing/7"]
    assert hits(user="carla")[0] == next(one for one in before if one != "listing/7")
    # Somebody may still look at what is sold, and what was never there is no listing.
    assert outcomes(send(recording, event("c2", user="carla", listing="listing/7"))) == ["recorded"]
    send(recording, event("c3", user="carla", listing="listing/9", at_ms=NOW_MS - 1000))
    assert hits(user="carla") == hits(history=["listing/9", "listing/7"])


def test_events_of_a_running_service_are_exported_as_training_reads_them(
    recording: Service, place: Path
) -> None:
    sent = [
        event(f"x{one}", user=f"u{one % 3}", listing=f"listing/{one}", at_ms=NOW_MS - one) for one in range(9)
    ]
    send(recording, sent)

    def export(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command("events", "export", "--to", "out.parquet", *options),
            cwd=place, env=environment(place), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    done = export("--data", "served/shop", "--items", "items.parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out.parquet: ")
    items = read_items(place / "items.parquet")
    assert items.ids.tolist() == [f"listing/{row}" for row in range(shop.ROWS)]
    found = read_interactions(place / "out.parquet", items)
    read = zip(
        found.user_ids[found.users].tolist(), items.ids[found.items].tolist(), found.times_ms, strict=True
    )
    theirs = [(user, listing, at_ms) for user, listing, at_ms in read if user.startswith("u")]
    assert theirs == [(one["user"], one["listing"], one["at_ms"]) for one in reversed(sent)]
    wrong = {(): "--data", ("--data", "none"): "is not there", ("--data", "x", "--since", "y"): "--since"}
    for options, told in wrong.items():
        failed = export(*options)
        assert failed.returncode == 104
        assert told in failed.stderr


def test_no_acknowledged_event_is_lost_by_a_kill(folder: Path) -> None:
    acknowledged: list[str] = []

    def write_on(service: Service, name: str, started: threading.Event) -> None:
        for number in range(100_000):
            pair = [event(f"{name}-{number}-{half}") for half in "ab"]
            try:
                reply = send(service, pair)
            except (OSError, http.client.HTTPException):
                return
            if reply.status == 200:
                acknowledged.extend(
                    one["id"] for one in reply.body["results"] if one["outcome"] == "recorded"
                )
            if number == 20:
                started.set()

    with running(folder, "--dataset", "shop") as service:
        started = [threading.Event() for _ in range(3)]
        writers = [
            threading.Thread(target=write_on, args=(service, f"w{place}", one))
            for place, one in enumerate(started)
        ]
        for writer in writers:
            writer.start()
        assert all(one.wait(60) for one in started)
        service.process.kill()
        service.process.wait(30)
        for writer in writers:
            writer.join(60)
    store = open_events(None, folder / "served" / "shop", made=False)
    held = [one.id for page in store.since(0, KINDS) for one in page]
    store.close()
    assert len(acknowledged) > 120
    assert set(acknowledged) <= set(held)
    assert sorted({one[:-1] for one in held}) == sorted(
        one[:-1] for one in held if one.endswith("a")
    )  # whole pairs
