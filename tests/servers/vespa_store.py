"""Applications and documents as the stand-in for Vespa keeps them: strictly by the schemas that were deployed."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import numpy as np

from tests.servers.vespa_yql import Table

_COMMENT = re.compile("#.*")
_IDLE = re.compile(r"schema (\w+) \{ document \1 \{ \} \}")
_FIELD = re.compile(r"field (\w+) type ([\w<>()\[\]]+) \{ ((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*) \}")
_TENSOR = re.compile(r"tensor<float>\(x\[(\d+)\]\)")
_GRAPH = re.compile(
    r"indexing: attribute \| index attribute \{ distance-metric: (euclidean|dotproduct|prenormalized-angular) \} "
    r"index \{ hnsw \{ max-links-per-node: \d+ neighbors-to-explore-at-insert: \d+ \} \}"
)
_BODIES = {
    "id": "indexing: attribute | summary",
    "string": "indexing: attribute attribute { fast-search } match { word cased } rank: filter",
    "array<string>": "indexing: attribute attribute { fast-search } match { word cased } rank: filter",
    "long": "indexing: attribute attribute { fast-search } rank: filter",
    "double": "indexing: attribute attribute { fast-search } rank: filter",
    "bool": "indexing: attribute rank: filter",
    "text": "indexing: index index: enable-bm25 stemming: none",
}
_SCORES = {
    "-1 * distance(field, embedding) * distance(field, embedding)": "euclidean",
    "-1 * distance(field, embedding)": "dotproduct",
    "1 - distance(field, embedding)": "prenormalized-angular",
}
_PROFILE = re.compile(
    r"inputs \{ query\((\w+)\) (\S+) \} first-phase \{ expression \{ (.*?) \} \} num-threads-per-search: 1"
)
_WORDS = r"rank-profile words \{ first-phase \{ expression \{ bm25\(text\) \} \} num-threads-per-search: 1 \}"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufdd0-\ufddf\ufffe\uffff\ud800-\udfff]")


class RefusedError(Exception):
    """Vespa would refuse it."""


@dataclass
class Schema:
    """A schema and its documents by id."""

    text: str
    types: dict[str, str]
    dim: int = 0
    distance: str = ""
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    cached: Table | None = None

    @classmethod
    def read(cls, name: str, text: str) -> Schema:
        flat = " ".join(_COMMENT.sub("", text).split())
        if _IDLE.fullmatch(flat):
            return cls(text, {})
        # A document ends where the rank profile begins.
        found = re.fullmatch(
            r"schema (\w+) \{ document (\w+) \{ (.*) \} rank-profile nearest \{ (.*?) \} "
            "(" + _WORDS + r" )?document-summary ids \{ summary id \{\} \} \}",
            flat,
        )
        if found is None or found[1] != name or found[2] != name:
            raise RefusedError(f"Could not parse schema file '{name}.sd'")
        types, schema = {}, cls(text, {})
        if _FIELD.sub("", found[3]).strip():
            raise RefusedError(f"Could not parse the fields of '{name}.sd'")
        for alias, kind, body in _FIELD.findall(found[3]):
            types[alias] = kind
            tensor, graph = _TENSOR.fullmatch(kind), _GRAPH.fullmatch(body)
            if tensor and graph:
                schema.dim, schema.distance = int(tensor[1]), graph[1]
            elif body != _BODIES.get(alias if alias in ("id", "text") else kind):
                raise RefusedError(f"Could not parse field {alias} of '{name}.sd': {body}")
        profile = _PROFILE.fullmatch(found[4])
        if profile is None or profile[1] != "q" or profile[2] != types.get("embedding"):
            raise RefusedError(f"Could not parse the rank profile of '{name}.sd'")
        if bool(found[5]) != ("text" in types):
            raise RefusedError(
                f"a rank profile of '{name}.sd' needs a field that is not there, or the reverse"
            )
        if _SCORES.get(profile[3]) != schema.distance:
            raise RefusedError(f"the score of '{name}.sd' is not one of its distance")
        schema.types = types
        return schema

    def put(self, id_: str, fields: dict[str, Any]) -> None:
        self.documents[id_] = {name: self._value(name, value) for name, value in fields.items()}
        self.cached = None

    def remove(self, id_: str) -> None:
        self.documents.pop(id_, None)
        self.cached = None

    def _value(self, name: str, value: Any) -> Any:
        kind = self.types.get(name)
        if kind is None:
            raise RefusedError(f"No field '{name}' in the structure of type '{name}'")
        if _TENSOR.fullmatch(kind):
            return self._tensor(name, value)
        if kind == "array<string>":
            if not isinstance(value, list):
                raise RefusedError(f"Could not parse field '{name}' of type {kind}: {value!r}")
            return [self._scalar(name, "string", word) for word in value]
        return self._scalar(name, kind, value)

    def _scalar(self, name: str, kind: str, value: Any) -> Any:
        wanted: Any = {"long": int, "double": (int, float), "bool": bool, "string": str}[kind]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool"):
            raise RefusedError(f"Could not parse field '{name}' of type {kind}: {value!r}")
        if kind == "long" and not -(2**63) <= value < 2**63:
            raise RefusedError(f"field '{name}': {value} is no long")
        if kind == "string" and _ILLEGAL.search(value):
            raise RefusedError(f"The string field value of '{name}' contains an illegal code point")
        return value

    def _tensor(self, name: str, value: Any) -> np.ndarray:
        cells = value.get("values") if isinstance(value, dict) else value
        if isinstance(cells, str):
            if len(cells) != 8 * self.dim:
                raise RefusedError(f"field '{name}': Expected {8 * self.dim} hex digits but got {len(cells)}")
            return np.frombuffer(bytes.fromhex(cells), ">f4").astype(np.float64)
        if not isinstance(cells, list) or len(cells) != self.dim:
            raise RefusedError(f"Could not parse field '{name}': a tensor needs {self.dim} values")
        return np.array(cells, np.float32).astype(np.float64)

    @property
    def table(self) -> Table:
        if self.cached is None:
            documents = list(self.documents.values())
            dtypes: Any = {"long": np.int64, "double": np.float64, "bool": np.bool_, "string": object}
            absent: Any = {"long": -(2**63), "double": np.nan, "bool": False, "string": ""}
            columns = {}
            for name, kind in self.types.items():
                if kind == "array<string>":
                    lists = np.empty(len(documents), object)
                    for row, document in enumerate(documents):
                        lists[row] = document.get(name, [])
                    columns[name] = lists
                elif kind in dtypes:
                    values = np.empty(len(documents), dtypes[kind])
                    values[:] = [document.get(name, absent[kind]) for document in documents]
                    columns[name] = values
                else:
                    stacked = [document[name] for document in documents]
                    columns[name] = np.array(stacked, np.float64).reshape(len(documents), self.dim)
            cased = frozenset(
                name
                for name, kind in self.types.items()
                if kind in ("string", "array<string>") and name != "text"
            )
            self.cached = Table(self.types, cased, columns, len(documents))
        return self.cached


def unpacked(body: bytes) -> dict[str, bytes]:
    """The files of an application package."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
            if len(set(names)) < len(names):
                raise RefusedError("a file occurs twice in the application package")
            return {name: archive.read(name) for name in names}
    except zipfile.BadZipFile as error:
        raise RefusedError(f"no zip file: {error}") from error


def deployed(files: dict[str, bytes], former: dict[str, Schema]) -> dict[str, Schema]:
    """The schemas of a new application; those that are unchanged keep their documents.

    Raises RefusedError where a schema goes or changes without the override that allows it.
    """
    services = ElementTree.fromstring(files["services.xml"])
    types = [document.get("type", "") for document in services.iter("document")]
    texts = {name[8:-3]: text.decode() for name, text in files.items() if name.startswith("schemas/")}
    if not types or set(types) != set(texts):
        raise RefusedError(f"documents {types} and schemas {sorted(texts)} differ")
    schemas = {name: Schema.read(name, text) for name, text in texts.items()}
    gone = set(former) - set(schemas)
    if gone and "schema-removal" not in _overrides(files):
        raise RefusedError(f"schema-removal: {', '.join(gone)} would be removed with all its documents")
    for name, schema in former.items():
        if name in schemas and schemas[name].text == schema.text:
            schemas[name] = schema
        elif name in schemas:
            raise RefusedError(f"field-type-change: the schema {name} has changed")
    return schemas


def _overrides(files: dict[str, bytes]) -> set[str]:
    root = ElementTree.fromstring(files.get("validation-overrides.xml", b"<validation-overrides/>"))
    today, allowed = datetime.now(UTC).date(), set()
    for entry in root.iter("allow"):
        days = (datetime.fromisoformat(entry.get("until", "")).date() - today).days
        if not 0 <= days <= 30:
            raise RefusedError(f"an override until {entry.get('until')} is more than 30 days ahead or over")
        allowed.add(str(entry.text))
    return allowed
