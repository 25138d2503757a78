"""The application package that describes the collections to Vespa, made of pyvespa's classes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

from vespa.configuration import services as xml
from vespa.configuration.vt import VT
from vespa.package import (
    HNSW,
    ApplicationPackage,
    Document,
    DocumentSummary,
    QueryField,
    QueryProfile,
    RankProfile,
    ServicesConfiguration,
    Summary,
    Validation,
    ValidationID,
)
from vespa.package import Field as VespaField
from vespa.package import Schema as VespaSchema

from engines.base import Field, FieldKind, Metric, Schema
from engines.server.ownership import MARK
from engines.values.contents import contents
from engines.vespa.params import IndexParams
from engines.vespa.values import TEXT, known, lowest

CONTAINER, CONTENT = "bakeoff", "items"  # clusters; the first one's name marks an application as ours
PROFILE, WORDS, SUMMARY = "nearest", "words", "ids"  # rank profiles; what is returned
_NOTE = f"# {MARK}: "  # how the line begins that says what a schema holds
_THREADS = 1  # of a query
MAX_HITS = 100_000  # of a query; Vespa's default is 400
_DISTANCES: dict[Metric, str] = {"l2": "euclidean", "ip": "dotproduct", "cosine": "prenormalized-angular"}
# The contract's scores; negative for l2, since Vespa puts the highest first.
_SCORES: dict[Metric, str] = {
    "l2": "-1 * distance(field, embedding) * distance(field, embedding)",
    "ip": "-1 * distance(field, embedding)",
    "cosine": "1 - distance(field, embedding)",
}
_TYPES: dict[FieldKind, str] = {
    "keyword": "string",
    "tags": "array<string>",
    "integer": "long",
    "float": "double",
    "boolean": "bool",
}


def schema_text(name: str, schema: Schema, params: IndexParams) -> str:
    """The schema of a collection, in Vespa's language: everything in memory, nothing but the id returned.

    A comment before it says what the collection holds: the config server gives a schema back as it was deployed.
    """
    tensor = f"tensor<float>(x[{schema.dim}])"
    graph = HNSW(
        _DISTANCES[schema.metric],  # type: ignore[arg-type]
        params.max_links_per_node,
        params.neighbors_to_explore_at_insert,
    )
    fields = [
        VespaField("id", "long", indexing=["attribute", "summary"]),
        VespaField("embedding", tensor, indexing=["attribute", "index"], ann=graph),
        *(made for field in schema.fields for made in _fields(schema.aliases[field.name], field)),
    ]
    profiles = [
        RankProfile(
            PROFILE,
            first_phase=_SCORES[schema.metric],
            inputs=[("query(q)", tensor)],
            num_threads_per_search=_THREADS,
        )
    ]
    if schema.text is not None:
        # Words are cut beforehand; k1 and b of bm25 are 1.2 and 0.75 unless rank properties say otherwise.
        fields.append(VespaField(TEXT, "string", indexing=["index"], index="enable-bm25", stemming="none"))
        profiles.append(RankProfile(WORDS, first_phase=f"bm25({TEXT})", num_threads_per_search=_THREADS))
    summary = DocumentSummary(SUMMARY, summary_fields=[Summary("id")])
    made = VespaSchema(name, Document(fields), rank_profiles=profiles, document_summaries=[summary])
    return f"{_NOTE}{contents(schema, params)}\n{made.schema_to_text}"


def noted(text: str) -> str | None:
    """What a schema's text says that its collection holds; None if it does not say so."""
    first, *_ = text.partition("\n")
    return first.removeprefix(_NOTE) if first.startswith(_NOTE) else None


def _fields(alias: str, field: Field) -> list[VespaField]:
    bits = [known(alias)] if field.can_lack else []
    if field.kind == "boolean":  # a bit a document: it needs no dictionary
        return [_bit(name) for name in (alias, *bits)]
    fast = VespaField(
        alias,
        _TYPES[field.kind],
        indexing=["attribute"],
        attribute=["fast-search"],  # a dictionary with the documents of each value
        rank="filter",
        match=["word", "cased"] if field.kind in ("keyword", "tags") else None,
    )
    if field.kind == "integer":
        bits.append(lowest(alias))
    return [fast, *map(_bit, bits)]


def _bit(name: str) -> VespaField:
    return VespaField(name, "bool", indexing=["attribute"], rank="filter")


def package(schemas: Mapping[str, str], params: IndexParams) -> bytes:
    """A zip file of the whole application: schemas by name, on the machines that `params` names.

    It may replace one with other schemas, whose documents Vespa then removes.
    """
    until = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    application = ApplicationPackage(
        CONTAINER,
        schema=[],
        create_schema_by_default=False,
        query_profile=QueryProfile([QueryField("maxHits", str(MAX_HITS))]),
        validations=[Validation(ValidationID.contentTypeRemoval, until, "Bakeoff drops its collections")],
        services_config=ServicesConfiguration(CONTAINER, services_config=_services(schemas, params)),
    )
    buffer = BytesIO(application.to_zip().getvalue())
    with ZipFile(buffer, "a") as archive:
        for name, text in schemas.items():
            archive.writestr(f"schemas/{name}.sd", text)
        if params.hosts:
            archive.writestr("hosts.xml", _hosts(params.hosts))
    return buffer.getvalue()


def _services(schemas: Mapping[str, str], params: IndexParams) -> VT:
    machines = range(max(1, len(params.hosts)))
    # Every core for building the graph, as in the other engines; the default is half of them.
    proton = xml.proton(xml.tuning(xml.searchnode(xml.feeding(xml.concurrency("1.0")))))
    tuning = xml.tuning(
        # By default feeding stops at 80 percent of the memory or 75 of the disk that the machine has.
        xml.resource_limits(xml.disk("0.95"), xml.memory("0.95")),
        # Every node is asked for k hits; the default asks for fewer and may miss some.
        xml.dispatch(xml.top_k_probability("1.0")),
    )
    content = xml.content(
        xml.min_redundancy(str(params.min_redundancy)),
        xml.documents(*(xml.document(type=name, mode="index") for name in schemas)),
        xml.nodes(*(xml.node(distribution_key=str(i), hostalias=f"node{i}") for i in machines)),
        xml.engine(proton),
        tuning,
        id=CONTENT,
        version="1.0",
    )
    container = xml.container(
        xml.search(),
        xml.document_api(),
        # The vectors are not in the JVM; its default of 1.5 GB would take their memory in a small container.
        xml.nodes(xml.jvm(options="-Xms512m -Xmx1g"), xml.node(hostalias="node0")),
        id=CONTAINER,
        version="1.0",
    )
    admin = xml.admin(xml.adminserver(hostalias="node0"), version="2.0")
    return xml.services(admin, container, content, version="1.0")


def _hosts(names: tuple[str, ...]) -> str:
    lines = "".join(f'<host name="{name}"><alias>node{i}</alias></host>' for i, name in enumerate(names))
    return f'<?xml version="1.0" encoding="utf-8"?>\n<hosts>{lines}</hosts>\n'
