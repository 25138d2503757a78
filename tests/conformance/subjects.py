"""What the conformance suite runs on: every registered engine, with each kind of its index."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.abilities import Remote
from engines.base import Engine, Schema
from engines.registry import ENGINES, load


@dataclass(frozen=True, slots=True)
class Variant:
    """An engine with index and search parameters.

    steady: whether a query has the same answer each time. Threads that search several graphs at once tell each other
    how near they have come, and so it depends on their timing where each stops. directed: whether a vector of length 0
    is refused under cosine, where it has no direction.
    """

    label: str
    index: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    steady: bool = True
    directed: bool = False


# An engine that is not listed here runs once, with its defaults.
VARIANTS: dict[str, tuple[Variant, ...]] = {
    "faiss": (
        Variant("faiss-flat", {"kind": "flat"}),
        Variant("faiss-hnsw", {"kind": "hnsw"}),
        Variant("faiss-ivf", {"kind": "ivf", "nlist": 16}),
        # Without the scan of few matching rows, so that FAISS' own filtering is what is tested.
        Variant("faiss-hnsw-walk", {"kind": "hnsw"}, {"full_scan_threshold": 0}),
        Variant("faiss-hnsw-post", {"kind": "hnsw"}, {"filtering": "post"}),
        Variant("faiss-hnsw-scalar", {"kind": "hnsw", "quantization": "scalar"}, {"oversampling": 3.0}),
    ),
    "qdrant-edge": (
        Variant("qdrant-edge-scan"),  # too little data for a graph by the default thresholds
        Variant("qdrant-edge-hnsw", {"indexing_threshold": 1, "full_scan_threshold": 10}),
        Variant(
            "qdrant-edge-scalar",
            {"indexing_threshold": 1, "full_scan_threshold": 10, "quantization": "scalar"},
            {"oversampling": 3.0},
        ),
    ),
    "qdrant": (
        Variant("qdrant-grpc", {"prefer_grpc": True}),
        Variant("qdrant-rest"),
        Variant("qdrant-hnsw", {"indexing_threshold": 1, "full_scan_threshold": 10}),
        Variant(
            "qdrant-scalar",
            {"indexing_threshold": 1, "full_scan_threshold": 10, "quantization": "scalar"},
            {"oversampling": 3.0},
        ),
    ),
    "milvus-lite": (
        Variant("milvus-lite-flat", {"index_type": "FLAT"}),
        Variant("milvus-lite-hnsw", {"index_type": "HNSW"}),
        Variant("milvus-lite-ivf", {"index_type": "IVF_FLAT", "nlist": 16}),
    ),
    "milvus": (
        # The others take minutes and are tested in tests/servers/test_milvus.py.
        Variant("milvus-flat", {"index_type": "FLAT"}, {"consistency_level": "Eventually"}),
        Variant("milvus-hnsw", {"index_type": "HNSW"}),
    ),
    "elasticsearch": (
        Variant("elasticsearch-flat", {"type": "flat"}),
        Variant("elasticsearch-hnsw"),
        Variant("elasticsearch-segments", {"force_merge": False, "number_of_shards": 2}, steady=False),
        Variant("elasticsearch-int8", {"type": "int8_hnsw"}),
        Variant("elasticsearch-int4", {"type": "int4_hnsw"}, {"oversample": 3.0}),
    ),
    "opensearch": (
        Variant("opensearch-hnsw"),
        Variant("opensearch-segments", {"force_merge": False, "number_of_shards": 2}, steady=False),
        Variant("opensearch-4x", {"compression_level": "4x"}, {"oversample_factor": 5.0}),
    ),
    "pgvector": (
        Variant("pgvector-scan", {"index_type": "none"}),
        Variant("pgvector-hnsw"),
        Variant("pgvector-ivfflat", {"index_type": "ivfflat", "lists": 16}),
        Variant("pgvector-halfvec", {"quantization": "halfvec"}),
        Variant("pgvector-binary", {"quantization": "binary"}, {"oversampling": 30.0, "ef_search": 400}),
    ),
    # One is enough: the engines behind it are tested by themselves.
    "http-service": (Variant("http-service", directed=True),),
}

_POST = "never: a filter applied to the hits leaves fewer than k of them; offered to show what that costs"
_WALK = "upstream: FAISS' HNSW search gives up before it meets enough rows of a selective filter"
_LISTS = "never: the items of lists that are not probed are not found"
_ROUNDED = (
    "upstream: Qdrant takes the bounds of a range as float64; the adapter refuses what they would round"
)
_DIGITS = "upstream: Qdrant keeps attributes as JSON and reads no more than 15 digits of a float exactly"
_PAIRS = "never: int4 keeps two dimensions in a byte, so an odd number of them is refused"

# (test, engine or variant) -> why it must fail: "ours to do: ...", "upstream: ..." or "never: ...".
GAPS: dict[tuple[str, str], str] = {
    ("test_selective_filters_keep_their_recall", "faiss-hnsw-post"): _POST,
    ("test_selective_filters_keep_their_recall", "faiss-hnsw-walk"): _WALK,
    ("test_selective_filters_keep_their_recall", "milvus-lite-hnsw"): _WALK,
    ("test_selective_filters_keep_their_recall", "milvus-lite-ivf"): _LISTS,
    ("test_an_update_moves_an_item_into_and_out_of_a_filter", "milvus-lite-hnsw"): _WALK,
    ("test_k_above_the_default_effort_is_answered_in_full", "faiss-ivf"): _LISTS,
    ("test_k_above_the_default_effort_is_answered_in_full", "milvus-lite-ivf"): _LISTS,
    ("test_k_above_the_default_effort_is_answered_in_full", "pgvector-ivfflat"): _LISTS,
    ("test_k_beyond_the_number_of_items", "faiss-ivf"): _LISTS,
    ("test_k_beyond_the_number_of_items", "milvus-lite-ivf"): _LISTS,
    ("test_creating_again_drops_everything", "elasticsearch-int4"): _PAIRS,
    ("test_any_collection_and_filter", "elasticsearch-int4"): _PAIRS,
    ("test_floats_of_all_digits_are_found_by_their_own_values", "faiss-hnsw-walk"): _WALK,
    ("test_floats_of_all_digits_are_found_by_their_own_values", "faiss-hnsw-post"): _POST,
    ("test_floats_of_all_digits_are_found_by_their_own_values", "milvus-lite-hnsw"): _WALK,
    ("test_floats_of_all_digits_are_found_by_their_own_values", "milvus-lite-ivf"): _LISTS,
    ("test_floats_that_differ_in_their_last_digit", "qdrant-edge"): _DIGITS,
    ("test_floats_that_differ_in_their_last_digit", "qdrant"): _DIGITS,
    ("test_floats_of_extreme_magnitude", "qdrant-edge-hnsw"): _DIGITS,
    ("test_floats_of_extreme_magnitude", "qdrant-edge-scalar"): _DIGITS,
    ("test_floats_of_extreme_magnitude", "qdrant"): _DIGITS,
    ("test_floats_of_extreme_magnitude", "milvus-lite-ivf"): _LISTS,
    ("test_ranges_of_integers_that_float64_cannot_hold", "qdrant-edge"): _ROUNDED,
    ("test_ranges_of_integers_that_float64_cannot_hold", "qdrant"): _ROUNDED,
}


def subjects() -> list[tuple[str, Variant]]:
    """Every (engine, variant)."""
    return [(name, variant) for name in ENGINES for variant in VARIANTS.get(name, (Variant(name),))]


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine to be tested, and where it keeps its files."""

    name: str
    variant: Variant
    path: Path
    made: list[Engine] = field(default_factory=list)

    @property
    def kind(self) -> type[Engine]:
        return load(self.name)

    def engine(self) -> Engine:
        """A new instance over the same directory; neither created nor opened yet."""
        kind = self.kind
        engine = kind(self.path, kind.IndexParams(**self.variant.index))
        self.made.append(engine)
        engine.configure(kind.SearchParams(**self.variant.search))
        return engine

    def drop(self) -> None:
        """Leaves nothing on a server."""
        for engine in self.made:
            if isinstance(engine, Remote):
                engine.drop()

    def created(self, schema: Schema) -> Engine:
        engine = self.engine()
        engine.create(schema)
        return engine
