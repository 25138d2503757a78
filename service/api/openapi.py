"""The OpenAPI 3.1 document, made of the operations and the catalogue's schema."""

from __future__ import annotations

from typing import Any

from service.api.http import bodies
from service.api.http.problems import KINDS, MEDIA_TYPE
from service.api.http.requests import JSON, NDJSON
from service.api.operations import OPERATIONS, Operation, Parameter
from service.api.parts import Parts
from service.api.routes import browsing
from service.api.schemas import ID, components, limited, reference
from service.settings.model import Settings

_ANYWHERE = ("unauthorized", "forbidden", "overloaded", "unavailable", "internal")


def document(parts: Parts, version: str) -> dict[str, Any]:
    """The document of a service that these parts make up."""
    kinds = [
        one for operation in OPERATIONS for one in (operation.body, operation.answer) if isinstance(one, type)
    ]
    schemas = components(
        [*kinds, bodies.Event], parts.schema, parts.settings, encodes=parts.encoder is not None
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        described = _operation(operation, parts.settings, keys=parts.keys is not None)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Bakeoff retrieval service", "version": version},
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if parts.keys is not None:
        made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return made


def _operation(operation: Operation, settings: Settings, *, keys: bool) -> dict[str, Any]:
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
    parameters = [_parameter(one, settings) for one in operation.parameters]
    if "{id}" in operation.path:
        parameters.insert(0, {"name": "id", "in": "path", "required": True, "schema": ID})
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
        response = {"description": title, "content": {MEDIA_TYPE: {"schema": reference("Problem")}}}
        found["responses"].setdefault(str(status), response)
    links = {
        name: {"operationId": name, "parameters": {"id": "$request.path.id"}} for name in operation.links
    }
    for status in found["responses"].keys() & {"200", "202"} if links else ():
        found["responses"][status]["links"] = links
    return found


def _parameter(one: Parameter, settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "in": one.place, "description": one.about}
    schema = limited(one.name, one.schema, settings)
    return found | ({"content": {JSON: {"schema": schema}}} if one.as_json else {"schema": schema})


def _answer(kind: type | str | None) -> tuple[str, dict[str, Any]]:
    """Media type and schema."""
    if isinstance(kind, str):
        return kind, {} if kind == browsing.PNG else {"type": "string"}  # bytes have no schema
    return JSON, {"type": "object"} if kind is None else reference(kind.__name__)


def _body(kind: type | str) -> dict[str, Any]:
    if isinstance(kind, type):
        return {JSON: {"schema": reference(kind.__name__)}}
    if kind == "events":
        one = reference("Event")
        return {
            JSON: {"schema": {"anyOf": [one, {"type": "array", "items": one}]}},
            NDJSON: {"schema": {"type": "string"}},
        }
    if kind == "listings":
        listed = {"type": "array", "items": reference("Line")}
        return {JSON: {"schema": listed}, NDJSON: {"schema": {"type": "string"}}}
    return {JSON: {"schema": reference("Listing" if kind == "listing" else "Part")}}
