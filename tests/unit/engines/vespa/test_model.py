"""What Vespa's own Java half says of our applications, documents and queries."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.base import Batch, Metric, Schema
from engines.filters import And, Eq, Filter, Range, matches
from engines.values.columns import column_of
from engines.values.words import words
from engines.vespa.deployment import IDLE
from engines.vespa.package import MAX_HITS, package, schema_text
from engines.vespa.params import IndexParams, SearchParams
from engines.vespa.queries import Queries
from engines.vespa.values import Documents, encoded, term
from tests.conformance.gaps import (
    LACKING,
    LACKING_FILTERS,
    TAG_FILTERS,
    TAGGED,
    lacking_row,
    tagged_row,
)
from tests.conformance.model import make_batch
from tests.conformance.test_filters import EQUALS, FLOATS, INTEGERS, NOTHING, OTHERS, ROWS, SCHEMA, WORDS
from tests.conformance.test_generated import filters
from tests.servers import vespa_model
from tests.servers.launch import UnavailableError
from tests.servers.vespa_model import VespaModel, in_our_form
from tests.servers.vespa_store import Schema as StoredSchema
from tests.servers.vespa_yql import Reader

NAME = "bakeoff_test"
PARAMS = IndexParams()
COLUMNS: dict[str, list[Any]] = {
    field.name: [values[row % len(values)] for row in range(ROWS)]
    for field, values in zip(SCHEMA.fields, (WORDS, INTEGERS, FLOATS, [True, False, False]), strict=True)
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VespaModel]:
    """BAKEOFF_REQUIRE_VESPA_MODEL=1 makes a failure of what is missing."""
    try:
        with vespa_model.running(tmp_path_factory.mktemp("vespa")) as model:
            yield model
    except UnavailableError as error:
        if os.environ.get("BAKEOFF_REQUIRE_VESPA_MODEL") == "1":
            pytest.fail(f"BAKEOFF_REQUIRE_VESPA_MODEL: {error}")
        pytest.skip(str(error))


def application(schema: Schema, name: str = NAME, params: IndexParams = PARAMS) -> bytes:
    return package({name: schema_text(name, schema, params)}, params)


def built(model: VespaModel, new: bytes, old: bytes | None = None) -> dict[str, Any]:
    question = {"model": model.unpack(new)} | ({} if old is None else {"previous": model.unpack(old)})
    answer = model.ask(question)
    assert "error" not in answer, answer["error"]
    return answer


@pytest.mark.parametrize(
    ("metric", "distance"),
    [("l2", "EUCLIDEAN"), ("ip", "DOTPRODUCT"), ("cosine", "PRENORMALIZED_ANGULAR")],
)
def test_the_config_model_takes_every_kind_of_collection(
    model: VespaModel, metric: Metric, distance: str
) -> None:
    params = IndexParams(max_links_per_node=24, neighbors_to_explore_at_insert=77)
    answer = built(model, application(Schema(7, metric, SCHEMA.fields), params=params))
    told = {
        name: dict(line.split(" ", 1) for line in text.splitlines())
        for name, text in answer["attributes"].items()
    }
    assert set(told) == {"id", "embedding", "f0", "f1", "f1_lowest", "f2", "f3"}
    graph = told["embedding"]
    assert (graph["tensortype"], graph["distancemetric"]) == ('"tensor<float>(x[7])"', distance)
    assert (graph["index.hnsw.enabled"], graph["index.hnsw.maxlinkspernode"]) == ("true", "24")
    assert graph["index.hnsw.neighborstoexploreatinsert"] == "77"
    kinds = {name: (told[name]["datatype"], told[name]["fastsearch"]) for name in ("f0", "f1", "f2", "f3")}
    assert kinds == {
        "f0": ("STRING", "true"),
        "f1": ("INT64", "true"),
        "f2": ("DOUBLE", "true"),
        "f3": ("BOOL", "false"),
    }
    assert (told["f0"]["match"], told["f0"]["dictionary.match"]) == ("CASED", "CASED")


def test_the_config_model_takes_collections_side_by_side_none_at_all_and_several_machines(
    model: VespaModel,
) -> None:
    texts = {f"bakeoff_{i}": schema_text(f"bakeoff_{i}", Schema(i, "l2"), PARAMS) for i in (1, 2, 4096)}
    both = package(texts, PARAMS)
    built(model, both)
    assert built(model, package(dict(list(texts.items())[:1]), PARAMS), both).get("actions") is None
    assert built(model, package(IDLE, PARAMS), both).get("actions") is None
    params = IndexParams(hosts=("vespa0", "vespa1", "vespa2"), min_redundancy=2)
    several = application(SCHEMA, params=params)
    built(model, several)
    assert "restart" in built(model, several, application(SCHEMA))["actions"][0]


def test_a_collection_may_only_go_because_of_the_override(model: VespaModel) -> None:
    old, new = model.unpack(application(SCHEMA)), model.unpack(application(SCHEMA, "bakeoff_other"))
    assert "error" not in model.ask({"model": new, "previous": old})
    (vespa_model.Path(new) / "validation-overrides.xml").unlink()
    assert "schema-removal" in model.ask({"model": new, "previous": old})["error"]


@pytest.fixture(scope="module")
def serving(model: VespaModel) -> VespaModel:
    model.serve(application(SCHEMA))
    return model


def batch() -> Batch:
    vectors = np.random.default_rng(1).standard_normal((ROWS, 4)).astype(np.float32)
    vectors[0] = [np.finfo(np.float32).max, np.finfo(np.float32).tiny, -0.0, 1e-45]
    ids = np.arange(ROWS)
    ids[-1] = 2**63 - 1
    return make_batch(SCHEMA, ids, vectors, COLUMNS)


def test_vespa_reads_our_documents_as_they_are_meant(serving: VespaModel) -> None:
    given = batch()
    documents = Documents(given, SCHEMA, slice(None))
    for row, id_ in enumerate(documents.ids):
        answer = serving.ask({"put": documents.body(row).decode(), "id": f"id:bakeoff:{NAME}::{id_}"})
        assert "error" not in answer, answer["error"]
        fields = json.loads(answer["document"])["fields"]
        word, number, size, flag = (COLUMNS[field.name][row] for field in SCHEMA.fields)
        assert (fields["id"], fields["f1"], fields["f2"], fields["f3"]) == (id_, number, size, flag)
        assert (fields["f0"], fields["f1_lowest"]) == (encoded(word), number == -(2**63))
        cells = np.array([cell["value"] for cell in fields["embedding"]["cells"]], np.float32)
        assert cells.tobytes() == given.vectors[row].tobytes()


def test_vespa_refuses_words_as_they_come(serving: VespaModel) -> None:
    body = json.dumps({"fields": {"f0": "nul\0"}})
    assert "illegal code point" in serving.ask({"put": body, "id": f"id:bakeoff:{NAME}::1"})["error"]
    status, told = serving.request("POST", f"/document/v1/bakeoff/{NAME}/docid/1?timeout=55s", body)
    assert (status, "illegal code point" in told["message"]) == (400, True)


def asked(
    model: VespaModel,
    where: Filter | None,
    k: int = 10,
    search: SearchParams | None = None,
    *,
    exact: bool = False,
    schema: Schema = SCHEMA,
) -> list[str]:
    """What Vespa's container says it would send to its content nodes: the lines of the query's trace."""
    queries = Queries(NAME, schema, search or SearchParams())
    body = json.loads(queries.nearest(np.array([1, 2.5, -3, 1e-7], np.float32), k, where, exact=exact))
    return dispatched(model, body)


def dispatched(model: VespaModel, body: dict[str, Any]) -> list[str]:
    status, answer = model.request("POST", "/search/", json.dumps({**body, "trace.level": 3}))
    (error,) = answer["root"]["errors"]
    assert (status, error["code"]) == (503, 10), (
        error
    )  # there are no content nodes; anything else is a refusal
    return list(messages(answer["trace"]))


def messages(trace: dict[str, Any]) -> Iterator[str]:
    if "message" in trace:
        yield trace["message"]
    for child in trace.get("children", []):
        yield from messages(child)


def test_vespa_takes_every_parameter_of_a_query(serving: VespaModel) -> None:
    search = SearchParams(
        exploreAdditionalHits=7,
        approximateThreshold=0.125,
        postFilterThreshold=0.5,
        filterFirstThreshold=0.25,
        filterFirstExploration=0.375,
        explorationSlack=0.0625,
        targetHitsMaxAdjustmentFactor=3,
    )
    sent = " ".join(asked(serving, Eq(SCHEMA.fields[3].name, True), 11, search))
    for part in (
        "targetHits=11,hnsw.exploreAdditionalHits=7}",
        "hits=11 rankprofile[nearest]",
        r"[tensor<float>(x[4]):[1.0, 2.5, -3.0, 1.0E-7]]",
        '"vespa.softtimeout.enable":[false]',
        'global_filter.lower_limit":[0.125]',
        'global_filter.upper_limit":[0.5]',
        'filter_first_upper_limit":[0.25]',
        'filter_first_exploration":[0.375]',
        'exploration_slack":[0.0625]',
        'target_hits_max_adjustment_factor":[3.0]',
        f"restrict=[{NAME}]",
    ):
        assert part in sent, (part, sent)
    assert "targetHits=11,approximate=false}" in " ".join(asked(serving, None, 11, search, exact=True))
    assert f"hits={MAX_HITS} " in " ".join(asked(serving, None, MAX_HITS))
    assert "query=[TRUE]" in " ".join(dispatched(serving, json.loads(Queries(NAME, SCHEMA, search).all())))


TITLED = Schema(4, "l2", SCHEMA.fields, text="title")


def test_vespa_looks_for_the_words_as_they_are_stored(model: VespaModel) -> None:
    model.serve(application(TITLED))
    try:
        body = json.loads(Queries(NAME, TITLED, SearchParams()).words("Été qx-501 coat", 7, None))
        sent = " ".join(dispatched(model, body))
        each = " ".join(f"text:{term(word)}" for word in words("Été qx 501 coat"))
        assert f"query=[OR {each}]" in sent  # not one of them cut up, stemmed or rid of its accents
        assert "hits=7 rankprofile[words]" in sent
        where = Eq(SCHEMA.fields[3].name, True)
        body = json.loads(Queries(NAME, TITLED, SearchParams()).words("coat dress", 7, where))
        assert "query=[AND (OR text:coat text:dress) f3:true]" in " ".join(dispatched(model, body))
        columns = COLUMNS | {"title": ["Été qx-501 coat"] * ROWS}
        given = make_batch(SCHEMA, np.arange(ROWS), np.zeros((ROWS, 4)), columns)
        given.attributes["title"] = column_of(columns["title"], "keyword")  # type: ignore[index]
        body = Documents(given, TITLED, slice(None)).body(0).decode()
        answer = model.ask({"put": body, "id": f"id:bakeoff:{NAME}::0"})
        expected = " ".join(term(word) for word in ("été", "qx", "501", "coat"))
        assert json.loads(answer["document"])["fields"]["text"] == expected
    finally:
        model.serve(application(SCHEMA))


@pytest.fixture(scope="module")
def stored() -> StoredSchema:
    """The documents, in the stand-in, whose reader of YQL then says what Vespa's tree would match."""
    schema = StoredSchema.read(NAME, schema_text(NAME, SCHEMA, PARAMS))
    documents = Documents(batch(), SCHEMA, slice(None))
    for row, id_ in enumerate(documents.ids):
        schema.put(str(id_), json.loads(documents.body(row))["fields"])
    return schema


def check(model: VespaModel, stored: StoredSchema, where: Filter) -> None:
    """Vespa reads a filter's YQL as a tree; what that tree matches must be what the filter means."""
    start = "YQL+ representation: "
    (sent,) = [line.removeprefix(start) for line in asked(model, where) if line.startswith(start)]
    columns = {field.name: column_of(COLUMNS[field.name], field.kind) for field in SCHEMA.fields}
    found = Reader(in_our_form(sent)).read().passes(stored.table)
    assert found.tolist() == matches(where, columns, ROWS).tolist(), (where, sent)


@pytest.mark.parametrize("where", [*EQUALS, *OTHERS, *NOTHING], ids=lambda where: repr(where)[:60])
def test_vespa_reads_our_filters_as_they_are_meant(
    serving: VespaModel, stored: StoredSchema, where: Filter
) -> None:
    check(serving, stored, where)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_vespa_reads_generated_filters_as_they_are_meant(
    serving: VespaModel, stored: StoredSchema, data: st.DataObject
) -> None:
    short = {name: [value for value in values if len(str(value)) < 1000] for name, values in COLUMNS.items()}
    check(serving, stored, data.draw(filters(SCHEMA, short)))


def test_vespa_reads_the_lowest_and_the_smallest_numbers_as_they_are_meant(
    serving: VespaModel, stored: StoredSchema
) -> None:
    price, size = SCHEMA.fields[1].name, SCHEMA.fields[2].name
    for where in (
        Range(price, lte=-(2**63)),
        Range(price, lt=-(2**63) + 2),
        And((Range(price, gte=-(2**63)), Range(price, lt=0))),
        Range(size, gte=-0.0, lte=0),
        Range(size, gt=-1.7976931348623157e308),
        Range(size, lt=5e-324),
        Eq(size, -0.0),
    ):
        check(serving, stored, where)


@pytest.mark.parametrize(
    ("schema", "row", "filters"),
    [(LACKING, lacking_row, LACKING_FILTERS), (TAGGED, tagged_row, TAG_FILTERS)],
    ids=["missing", "tags"],
)
def test_vespa_reads_tags_and_missing_values_as_they_are_meant(
    model: VespaModel, schema: Schema, row: Any, filters: list[Filter]
) -> None:
    rows = [row(number) for number in range(ROWS)]
    columns = {field.name: [one[field.name] for one in rows] for field in schema.fields}
    documents = Documents(
        make_batch(schema, np.arange(ROWS), np.zeros((ROWS, 4)), columns), schema, slice(None)
    )
    stored = StoredSchema.read(NAME, schema_text(NAME, schema, PARAMS))
    model.serve(application(schema))
    try:
        for number in documents.ids:
            body = documents.body(number).decode()
            answer = model.ask({"put": body, "id": f"id:bakeoff:{NAME}::{number}"})
            assert "error" not in answer, answer["error"]
            sent, read = json.loads(body)["fields"], json.loads(answer["document"])["fields"]
            assert {name: value for name, value in read.items() if name != "embedding"} == {
                name: value for name, value in sent.items() if name != "embedding"
            }
            stored.put(str(number), sent)
        for where in filters:
            start = "YQL+ representation: "
            lines = asked(model, where, schema=schema)
            (told,) = [line.removeprefix(start) for line in lines if line.startswith(start)]
            found = Reader(in_our_form(told)).read().passes(stored.table)
            held = {field.name: column_of(columns[field.name], field.kind) for field in schema.fields}
            assert found.tolist() == matches(where, held, ROWS).tolist(), (where, told)
    finally:
        model.serve(application(SCHEMA))
