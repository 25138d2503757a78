"""What bodies are in JSON Schema: of the types that they are read into, and of the catalogue's fields.

What no schema can say is left to the service: conditions of a filter that exclude each other, a vector of length 0,
members that exclude each other in other ways than by being there, how many ids may be named together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engines.base import Field, FieldKind, Schema
from engines.filters import BOUNDS, INT64
from harness.data.stored.arrays import LONGEST
from service.catalogue.checks import LONGEST_DETAIL, LONGEST_ID
from service.catalogue.listing import HIGHEST_VERSION
from service.catalogue.schema import VECTOR, CatalogueSchema
from service.settings.model import Settings

_REF = "#/components/schemas/{name}"
_TEXT = r"^[^\u0000]*$"  # what databases store
_NUMBER = {"type": "number"}
_COMPONENT = {"type": "number", "minimum": -LONGEST, "maximum": LONGEST}  # of a vector
_INT64 = {"type": "integer", "format": "int64", "minimum": INT64[0], "maximum": INT64[1]}
_KINDS: Mapping[FieldKind, Any] = {
    "integer": _INT64,
    "float": _NUMBER,
    "boolean": {"type": "boolean"},
}
VERSION = {
    "type": "integer",
    "minimum": 1,
    "maximum": HIGHEST_VERSION,
    "description": "of the caller's own clock; late writes change nothing",
}
# "printable" is no format of JSON Schema's own: letters, digits, signs and spaces, and no control character.
ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "format": "printable"}


def reference(name: str) -> dict[str, str]:
    """A reference to one of the components."""
    return {"$ref": _REF.format(name=name)}


def components(
    kinds: Sequence[type], schema: CatalogueSchema, settings: Settings, *, encodes: bool
) -> dict[str, Any]:
    """Schemas by name: of these types and those they hold, of listings, filters and problems.

    encodes: whether a listing's vector may be left out.
    """
    _, made = msgspec.json.schema_components(list(dict.fromkeys(kinds)), ref_template=_REF)
    for one in made.values():
        _fit(one.get("properties", {}), schema, settings)
    made["Recommendations"]["allOf"] = _WHOM
    return {
        **made,
        "Listing": _listing(schema, required=True, encodes=encodes),
        "Part": _listing(schema, required=False, encodes=encodes),
        "Line": _line(schema),
        "Filter": _filter(schema.engine.fields),
        "Problem": _problem(),
    }


def _fit(properties: dict[str, Any], schema: CatalogueSchema, settings: Settings) -> None:
    """What the types do not say of members: the catalogue's fields and the limits."""
    for name, value in properties.items():
        for inner in value.get("anyOf", [value]):
            if name == "where" and "description" in inner:
                inner.update(reference("Filter"))
            elif name == "vector" and "items" in inner:
                inner.update(_vector(schema.engine))
            elif name == "history" and "items" in inner and "default" in value:
                inner["maxItems"] = settings.limits.history
        properties[name] = limited(name, value, settings)


def limited(name: str, schema: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The schema of a member or parameter of this name, with what the settings say of it."""
    if name == "k":
        return {**schema, "maximum": settings.limits.k}
    if name == "variant" and "default" in schema:  # of an answer it is any
        return {**schema, "enum": list(settings.retrieval.variants)}
    return dict(schema)


def _given(name: str, **what: Any) -> dict[str, Any]:
    """That a member is there, and is not null."""
    return {"required": [name], "properties": {name: what}}


# Whom recommendations are for: a vector, or else one of the others; a user has a history.
_USER, _HISTORY = _given("user", type="string"), _given("history", type="array")
_WHOM: Sequence[Any] = [
    {
        "oneOf": [
            _given("vector", type="array"),
            {"anyOf": [_USER, _HISTORY, _given("preferences", minProperties=1)]},
        ]
    },
    {"not": {"allOf": [_USER, _HISTORY]}},
]


def _filter(fields: Sequence[Field]) -> dict[str, Any]:
    """Of filters, whose members hold together."""
    inner = {**reference("Filter"), "minProperties": 1}
    several = {"type": "array", "items": inner}
    return {
        "type": "object",
        "description": "A filter as in scenarios: {brand: Zara}, {size: [S, M]}, {price: {gte: 10, lt: 50}}, "
        "{colours: {all: [red, blue]}}, {size: {exists: true}}",
        "properties": {
            **{field.name: _condition(field.kind) for field in fields},
            "and": several,
            "or": several,
            "not": inner,
        },
        "additionalProperties": False,
    }


def _condition(kind: FieldKind) -> dict[str, Any]:
    """On one field: a value, one of several, all of several, whether there is one, and of numbers a range."""
    value = _KINDS.get(kind, {"type": "string"})
    several = {"type": "array", "items": value}
    forms = [{"all": {**several, "minItems": 1}}, {"exists": {"type": "boolean"}}]
    if kind in ("integer", "float"):
        forms.append(dict.fromkeys(BOUNDS, _NUMBER))
    objects = [
        {"type": "object", "properties": form, "minProperties": 1, "additionalProperties": False}
        for form in forms
    ]
    return {"anyOf": [value, several, *objects]}


def _vector(schema: Schema) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "array", "items": _COMPONENT}
    if schema.metric == "cosine":
        made["contains"] = {"not": {"const": 0}}
    return {**made, "minItems": schema.dim, "maxItems": schema.dim}


def _value(known: Field, longest_keyword: int) -> dict[str, Any]:
    """Of a listing's field."""
    word = {"type": "string", "pattern": _TEXT, "maxLength": longest_keyword}
    made = {"type": "array", "items": word} if known.kind == "tags" else _KINDS.get(known.kind, word)
    return {"anyOf": [made, {"type": "null"}]} if known.can_lack else made


def _listing(schema: CatalogueSchema, *, required: bool, encodes: bool) -> dict[str, Any]:
    engine = schema.engine
    detail = {"type": "string", "maxLength": LONGEST_DETAIL, "pattern": _TEXT}
    properties: dict[str, Any] = {
        "version": VERSION,
        **{field.name: _value(field, schema.longest_keyword) for field in engine.fields},
        **dict.fromkeys(schema.details, detail),
        VECTOR: _vector(engine),
    }
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        made["required"] = [*schema.required_fields, *schema.required, *([] if encodes else [VECTOR])]
    return made


def _line(schema: CatalogueSchema) -> dict[str, Any]:
    """One of many: a listing, a part of one or nothing else than an id, by what is done with it."""
    made = _listing(schema, required=False, encodes=True)
    return {**made, "properties": {"id": ID, **made["properties"]}, "required": ["id"]}


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    errors = {
        "type": "object",
        "properties": {"field": text, "detail": text},
        "required": ["field", "detail"],
    }
    return {
        "type": "object",
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "request_id": text,
            "trace_id": text,
            "errors": {"type": "array", "items": errors},
            "version": {"type": "integer"},
        },
        "required": ["type", "title", "status", "detail"],
    }
