"""What conformance does not reach: parameters, SQL, and the binary format."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from engines.base import EngineError, Schema, UnsupportedError
from engines.filters import And, Eq, In, Not, Or, Range
from engines.pgvector import binary, local
from engines.pgvector.filters import Condition, Conditions
from engines.pgvector.params import IndexParams, SearchParams, effort, oversampled, settings
from engines.pgvector.tables import Table
from tests.unit.engines.pgvector.items import SCHEMA, batch

ROOT = Path(__file__).parents[4]

# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"index_type": "ivfflat", "m": 8}, "m: no parameter of index_type: ivfflat, remove it"),
        ({"lists": 5}, "lists: no parameter of index_type: hnsw"),
        ({"index_type": "none", "quantization": "halfvec"}, "quantization: no parameter of index_type: none"),
        ({"m": 60}, r"ef_construction must be >= 2 \* m, got 100 with m 60"),
        ({"maintenance_work_mem": "2GB'; drop"}, "maintenance_work_mem"),
    ],
)
def test_index_parameters_that_do_not_go_together_are_refused(
    params: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        IndexParams(**params)


def test_oversampling_and_effort_follow_the_quantization_and_k() -> None:
    none, binary = IndexParams(), IndexParams(quantization="binary")
    assert [oversampled(SearchParams(), index) for index in (none, binary)] == [1.0, 4.0]
    assert oversampled(SearchParams(oversampling=9), binary) == 9.0
    assert [effort(SearchParams(), none, k) for k in (10, 100, 5000)] == [64, 100, 1000]
    assert [effort(SearchParams(), binary, k) for k in (10, 100, 5000)] == [64, 400, 1000]
    assert effort(SearchParams(ef_search=200), none, 100) == 200


def test_search_parameters_become_the_servers_settings() -> None:
    assert settings(SearchParams(ef_search=99), IndexParams()) == {
        "hnsw.ef_search": "99",
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": "20000",
        "hnsw.scan_mem_multiplier": "1.0",
    }
    lists = IndexParams(index_type="ivfflat")
    assert settings(SearchParams(probes=3), lists)["ivfflat.probes"] == "3"
    assert settings(SearchParams(), IndexParams(index_type="none")) == {}


@pytest.mark.parametrize(
    ("search", "index", "message"),
    [
        ({"probes": 3}, {}, "probes: no parameter of index_type: hnsw, quantization: none"),
        ({"oversampling": 2.0}, {}, "oversampling: no parameter of index_type: hnsw, quantization: none"),
        ({"ef_search": 3}, {"index_type": "none"}, "ef_search: no parameter of index_type: none"),
        ({"iterative_scan": "strict_order"}, {"index_type": "ivfflat"}, "ivfflat has no iterative_scan"),
    ],
)
def test_search_parameters_of_another_index_are_refused(
    search: dict[str, object], index: dict[str, object], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        settings(SearchParams(**search), IndexParams(**index))


@pytest.mark.parametrize(
    ("dim", "params", "remedy"),
    [
        (2001, {}, "quantization: halfvec or index_type: none"),
        (4001, {"quantization": "halfvec"}, "quantization: binary or index_type: none"),
        (16_001, {"index_type": "none"}, "holds vectors of up to 16000 dimensions, not 16001"),
    ],
)
def test_vectors_beyond_the_limits_are_refused(dim: int, params: dict[str, object], remedy: str) -> None:
    with pytest.raises(UnsupportedError, match=remedy):
        Table("t", Schema(dim, "l2"), IndexParams(**params)).check()


def test_the_container_has_the_same_settings() -> None:
    service = yaml.safe_load((ROOT / "docker/pgvector/compose.yaml").read_text())["services"]["pgvector"]
    command = (
        service["command"][2]
        .replace("${BAKEOFF_MEMORY_MIB:-4096}", "4096")
        .replace("${BAKEOFF_CPUS:-2}", "2")
    )
    halved = re.sub(r"`expr (\d+) / (\d)`", lambda found: str(int(found[1]) // int(found[2])), command)
    assert dict(re.findall(r"-c (\w+)=(\S+)", halved)) == local.server_settings(2, 4 << 30)


# SQL


def test_filters_put_no_value_into_the_sql() -> None:
    where = And(
        (
            Or((Eq("brand", "x'; --{}"), Not(In("price", (1, 2))))),
            Range("price", gt=1, lte=5),
            Range("price", gte=3),
            Range("r", gt=0.5, lt=2),
            Eq("new", True),
        )
    )
    assert Conditions(SCHEMA).translate(where).sql == (
        "((f0 = {} or not (f1 = any({}))) and f1 between {} and {} and f1 >= {} and (f2 > {} and f2 < {}) and f3 = {})"
    )
    values = Conditions(SCHEMA).translate(where).values
    assert values[0] == b"x'; --{}"
    assert values[2:5] == tuple(binary.integer(number) for number in (2, 5, 3))
    assert values[5:] == (binary.double(0.5), binary.double(2.0), b"\1")


def test_queries_use_the_vector_index_or_keep_away_from_it() -> None:
    where = Condition("f1 >= {}", (b"",))

    def sql(metric: str, exact: bool = False, oversampling: float = 1.0, **params: object) -> str:
        table = Table("t", Schema(2, metric), IndexParams(**params))  # type: ignore[arg-type]
        return table.search(3, where, exact=exact, oversampling=oversampling)

    rows = "from t where f1 >= $2"
    assert sql("l2") == f"select id, embedding <-> $1::vector {rows} order by 2 limit 3"
    assert sql("ip", exact=True) == f"select id, (embedding <#> $1::vector) + 0 {rows} order by 2 limit 3"
    assert sql("cosine", index_type="none") == (
        f"select id, coalesce(nullif(embedding <=> $1::vector, 'NaN'), 1) {rows} order by 2 limit 3"
    )
    assert sql("l2", quantization="halfvec") == (
        f"select id, embedding <-> $1::vector from (select id, embedding {rows} "
        "order by embedding::halfvec(2) <-> $1::vector::halfvec(2) limit 3) as candidates order by 2 limit 3"
    )
    assert "binary_quantize(embedding)::bit(2) <~> binary_quantize($1::vector)::bit(2) limit 6)" in sql(
        "l2", quantization="binary", oversampling=1.7
    )


# The binary format


def test_text_without_a_nul_of_its_own() -> None:
    words = ["", "\0", "\1", "\2", "\1\1", "\1\2", "a\0b", "a\1\2b", "日本語"]
    encoded = [binary.text(word) for word in words]
    assert len(set(encoded)) == len(words)
    assert not any(b"\0" in each for each in encoded)
    assert binary.text("日本語") == "日本語".encode()
    with pytest.raises(EngineError, match="no valid Unicode"):
        binary.text("\ud800")


def test_nan_is_refused() -> None:
    with pytest.raises(EngineError, match="NaN in 'r'"):
        list(binary.copy_data(batch([1, 2], ["a", "b"], [0.5, np.nan]), SCHEMA))
