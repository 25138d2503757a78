"""Who is known by id: by the model, by events, by both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.encoding.model import Model
from service.application.users.known import KnownUsers, known_users
from service.events.event import TAKEN, Event
from service.events.opening import open_events
from service.events.sql import SqlEvents
from service.retrieval.values import Taken, User
from tests.unit.models.encoding.folders import publish, write_model
from tests.unit.models.features.catalogues import catalogue

PUBLISHED = {"anna": User((Taken("a"), Taken("b"), Taken("c")))}


@pytest.fixture
def events(tmp_path: Path) -> Iterator[SqlEvents]:
    store = open_events(None, tmp_path)
    store.record(
        [
            Event("1", "purchase", "anna", "d", 30),
            Event("2", "click", "anna", "b", 20),
            Event("3", "click", "ben", "a", 10),
            Event("4", "impression", "carla", "a", 10, "r", 1),
        ]
    )
    yield store
    store.close()


def test_newer_events_come_after_what_a_user_was_published_with(events: SqlEvents) -> None:
    known = KnownUsers(PUBLISHED, events, TAKEN, 10)
    anna = known.find("anna")
    assert anna is not None
    assert anna.history == (Taken("a"), Taken("c"), Taken("b", 20), Taken("d", 30))
    assert known.find("ben") == User((Taken("a", 10),))
    assert known.find("carla") is None
    assert known.find("nobody") is None
    assert known.examples(5) == (1, {"anna": anna})
    newest = replace(known, most=1).find("anna")
    assert newest is not None
    assert newest.history == (Taken("a"), Taken("b"), Taken("c"), Taken("d", 30))


def test_events_count_of_which_kinds_the_model_has_learnt(events: SqlEvents, tmp_path: Path) -> None:
    made = Model.load(write_model(tmp_path / "model"))
    publish(made, catalogue())
    assert known_users(made, events, {}).kinds == TAKEN
    assert known_users(made, events, {}).find("someone") == User((Taken("item-0"),))
    simulated = {"simulated 1": User((Taken("item-2"),))}
    total, examples = known_users(made, events, simulated).examples(1)
    assert (total, examples) == (2, simulated)
    weights = made.interactions.model_copy(update={"events": {"purchase": 5.0, "view": 1.0}})
    known = known_users(replace(made, interactions=weights), events, {})
    assert known.kinds == ("purchase",)
    assert known.find("ben") is None
    assert known.most == made.encoder.user.weights.longest
