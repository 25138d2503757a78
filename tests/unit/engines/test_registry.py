from __future__ import annotations

import pytest

from engines.base import Capabilities
from engines.registry import ENGINES, Entry, MissingClientError, UnknownEngineError, load


def test_an_unknown_engine_is_told_which_there_are() -> None:
    with pytest.raises(
        UnknownEngineError, match=r"unknown engine 'fais' \(did you mean 'faiss'\? known: bruteforce, faiss, "
    ):
        load("fais")


def test_a_missing_client_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("no_such_client.adapter:Engine", "pip install 'bakeoff[none]'")
    monkeypatch.setitem(ENGINES, "none", entry)
    message = r"engine 'none' needs no_such_client. Install it with: pip install 'bakeoff\[none\]'"
    with pytest.raises(MissingClientError, match=message):
        load("none")


@pytest.mark.parametrize("name", list(ENGINES))
def test_every_engine_declares_itself(name: str) -> None:
    try:
        kind = load(name)
    except MissingClientError as error:
        pytest.skip(str(error))
    assert isinstance(kind.capabilities, Capabilities)
    for params in (kind.IndexParams, kind.SearchParams):
        assert params.model_config["extra"] == "forbid"
        assert params.model_config["frozen"]
        assert params() == params.model_validate(params().model_dump())
    assert ENGINES[name].summary


def test_an_engine_may_be_named_by_module_and_class() -> None:
    assert load("engines.bruteforce.adapter:BruteForce") is load("bruteforce")
    with pytest.raises(
        UnknownEngineError, match=r"engine 'engines.base:Nothing': module 'engines.base' has no"
    ):
        load("engines.base:Nothing")
