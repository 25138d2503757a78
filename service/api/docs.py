"""The page at /docs: every operation and every kind of problem, without a script or anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from service.api.http.problems import KINDS
from service.api.operations import OPERATIONS

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
code, pre {{ background: #f3f3f3; padding: 0 .2em }}
td, th {{ text-align: left; padding-right: 1rem; vertical-align: top }}
</style></head>
<body><h1>{title}</h1>
<p>The whole description, for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<h2>Operations</h2>{operations}
<h2>Problems</h2>
<p>Every failure is answered as <code>application/problem+json</code>; <code>errors</code> names each field, its value
and what it must be.</p><dl>{problems}</dl></body></html>
"""


def page(document: dict[str, Any]) -> str:
    """HTML of the OpenAPI document."""
    operations = "".join(
        f"<h3 id='{operation.name}'><code>{operation.method} {escape(operation.path)}</code></h3>"
        f"<p>{escape(operation.summary)}"
        + (f" Scope: {operation.scope}." if operation.scope else "")
        + "</p>"
        + _parameters(document["paths"][operation.path][operation.method.lower()], document)
        for operation in OPERATIONS
    )
    problems = "".join(
        f"<dt id='{kind}'><code>{kind}</code> ({status})</dt><dd>{escape(title)}.</dd>"
        for kind, (status, title) in KINDS.items()
    )
    title = escape(document["info"]["title"])
    return _PAGE.format(title=title, operations=operations, problems=problems)


def _parameters(operation: dict[str, Any], document: dict[str, Any]) -> str:
    rows = [(one["name"], one["in"], one.get("description", "")) for one in operation.get("parameters", ())]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    name = schema.get("anyOf", [schema])[0].get("$ref", "").rpartition("/")[2]
    properties = document["components"]["schemas"].get(name, {}).get("properties", {})
    rows += [(key, "body", _told(value)) for key, value in properties.items()]
    cells = "".join(
        f"<tr><td><code>{escape(a)}</code></td><td>{escape(b)}</td><td>{escape(c)}</td></tr>"
        for a, b, c in rows
    )
    return f"<table>{cells}</table>" if rows else ""


def _told(value: dict[str, Any]) -> str:
    """What a member of a body may be, in a few words."""
    kind = value.get("type") or value.get("$ref", "").rpartition("/")[2]
    if "enum" in value:
        kind = " or ".join(map(str, value["enum"]))
    if "anyOf" in value:
        kind = " or ".join(_told(one) for one in value["anyOf"])
    default = f", {value['default']!r} by default" if value.get("default") not in (None, [], {}) else ""
    return f"{kind}{default}{'. ' + value['description'] if 'description' in value else ''}"
