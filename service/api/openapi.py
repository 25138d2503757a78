"""The OpenAPI 3.1 document, made of the operations and the catalogue's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engines.base import FieldKind
from service.api.http import bodies
from service.api.http.problems import KINDS, MEDIA_TYPE
from service.api.http.requests import JSON, NDJSON
from service.api.operations import OPERATIONS, Operation
from service.api.routes import browsing
from service.catalogue.checks import LONGEST_DETAIL, LONGEST_ID
from service.catalogue.schema import VECTOR, CatalogueSchema

_REF = "#/components/schemas/{name}"
_KINDS: Mapping[FieldKind, Any] = {
    "keyword": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "float": {"type": "number"},
    "boolean": {"type": "boolean"},
}
_VERSION = {
    "type": "integer",
    "minimum": 1,
    "description": "of the caller's own clock; late writes change nothing",
}
_ANYWHERE = ("unauthorized", "forbidden", "overloaded", "unavailable", "internal")


def document(schema: CatalogueSchema, version: str, *, encodes: bool, keys: bool) -> dict[str, Any]:
    """The document. encodes: whether a listing's vector may be left out; keys: whether API keys are needed."""
    kinds = [
        one for operation in OPERATIONS for one in (operation.body, operation.answer) if isinstance(one, type)
    ]
    kinds.append(bodies.Event)
    _, components = msgspec.json.schema_components(list(dict.fromkeys(kinds)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, keys)
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Bakeoff retrieval service", "version": version},
        "paths": paths,
        "components": {
            "schemas": {
                **components,
                "Listing": _listing(schema, required=True, encodes=encodes),
                "Part": _listing(schema, required=False, encodes=encodes),
                "Problem": _problem(),
            }
        },
    }
    if keys:
        made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return made


def _operation(operation: Operation, keys: bool) -> dict[str, Any]:
    kind, content = _answer(operation.answer)
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {"200": {"description": "done", "content": {kind: {"schema": content}}}},
    }
    if kind == browsing.PNG:
        found["responses"]["304"] = {"description": "it is the one at hand"}
    if any(one.name == "wait" for one in operation.parameters) and operation.answer is bodies.Stored:
        found["responses"]["202"] = {
            "description": "durable, and not yet seen in the index",
            "content": {JSON: {"schema": content}},
        }
    parameters = [
        {"name": one.name, "in": one.place, "description": one.about, "schema": one.schema}
        for one in operation.parameters
    ]
    if "{id}" in operation.path:
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
        parameters.insert(0, {"name": "id", "in": "path", "required": True, "schema": schema})
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": _body(operation.body)}
    problems = (*operation.problems, *_ANYWHERE)
    if operation.scope is not None and keys:
        problems = (*problems, "rate-limited")
        found["security"] = [{"key": []}]
        found["description"] = f"Needs a key with the scope {operation.scope}."
    for kind in problems:
        status, title = KINDS[kind]
        response = {"description": title, "content": {MEDIA_TYPE: {"schema": _reference("Problem")}}}
        found["responses"].setdefault(str(status), response)
    return found


def _answer(kind: type | str | None) -> tuple[str, dict[str, Any]]:
    """Media type and schema."""
    if isinstance(kind, str):
        return kind, {} if kind == browsing.PNG else {"type": "string"}  # bytes have no schema
    return JSON, {"type": "object"} if kind is None else _reference(kind.__name__)


def _body(kind: type | str) -> dict[str, Any]:
    if isinstance(kind, type):
        return {JSON: {"schema": _reference(kind.__name__)}}
    if kind == "events":
        one = _reference("Event")
        return {
            JSON: {"schema": {"anyOf": [one, {"type": "array", "items": one}]}},
            NDJSON: {"schema": {"type": "string"}},
        }
    if kind == "listings":
        listed = {"type": "array", "items": {**_reference("Part")}}
        return {JSON: {"schema": listed}, NDJSON: {"schema": {"type": "string"}}}
    return {JSON: {"schema": _reference("Listing" if kind == "listing" else "Part")}}


def _listing(schema: CatalogueSchema, *, required: bool, encodes: bool) -> dict[str, Any]:
    engine, longest = schema.engine, {"maxLength": schema.longest_keyword}
    vector = {
        "type": "array",
        "items": {"type": "number"},
        "minItems": engine.dim,
        "maxItems": engine.dim,
    }
    properties: dict[str, Any] = {
        "id": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
        "version": _VERSION,
        **{
            field.name: _KINDS[field.kind] | (longest if field.kind == "keyword" else {})
            for field in engine.fields
        },
        **{name: {"type": "string", "maxLength": LONGEST_DETAIL} for name in schema.details},
        VECTOR: vector,
    }
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        names = [field.name for field in engine.fields if field.name not in schema.fill]
        made["required"] = [*names, *schema.required, *([] if encodes else [VECTOR])]
    return made


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


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}
