"""`bakeoff service check|rebuild|key`: what is done with a service that runs."""

from __future__ import annotations

import argparse
import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

from harness.cli.printing.output import say, show
from harness.errors import BakeoffError, ConfigurationError

_KEY = "BAKEOFF_SERVICE_KEY"


class ServiceError(BakeoffError):
    """The service did not do what it was asked; the message says what it said."""


def service(options: argparse.Namespace) -> int:
    match options.action:
        case "key":
            return _key(options)
        case "check":
            return _check(_asked(options.url, "/v1/index:check"))
        case _:
            state = _asked(options.url, "/v1/index:rebuild")
            place = f"at change {state['applied']:,} of {state['last_seq']:,}"
            show(f"rebuilt: collection {state['generation']} answers, {place}")
            return 0


def _key(options: argparse.Namespace) -> int:
    from service.settings.keys import new_key

    text, entry = new_key(options.name, options.scope or ["read"])
    say(
        "add this line below `keys:` in the service's file of keys, and give the key to its holder; it is shown once"
    )
    show(f"{entry}\n{text}")
    return 0


def _check(differences: dict[str, Any]) -> int:
    kinds = ("missing", "stale", "extra")
    found = {kind: len(differences[kind]) for kind in kinds}
    what = "vectors and attributes" if differences["vectors"] else "attributes (this engine rounds vectors)"
    show(
        f"{differences['compared']:,} listings compared, {what}; {differences['pending']:,} left out, not applied yet"
    )
    for kind in kinds:
        if found[kind]:
            show(f"{kind}: {found[kind]:,}, such as {', '.join(map(str, differences[kind][:5]))}")
    if differences["unknown_extra"]:
        show(f"extra, by the engine's count: {differences['unknown_extra']:,}")
    if sum(found.values()) + differences["unknown_extra"]:
        show("index and catalogue differ; bakeoff service rebuild makes the index anew")
        return BakeoffError.exit_code
    show("index and catalogue agree")
    return 0


def _asked(url: str, path: str) -> dict[str, Any]:
    """The answer of the service. Raises ServiceError, ConfigurationError for a URL that is none."""
    connection, place = _connection(url)
    key = os.environ.get(_KEY)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        connection.request("POST", path, headers=headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        if not isinstance(content, dict):
            raise ValueError("its answer is none of the service's")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServiceError(
            f"{place}: no service answers there ({error}); start it with bakeoff serve, or name --url"
        ) from error
    finally:
        connection.close()
    if answer.status != 200:
        remedy = f"; set {_KEY} to a key with the scope admin" if answer.status in (401, 403) else ""
        raise ServiceError(f"{content.get('detail', content)}{remedy}")
    return content


def _connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    """Not made yet, and the address in words. Raises ConfigurationError for a URL that is none of a service."""
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.path in ("", "/"):
            connection = kinds[parts.scheme](parts.hostname, parts.port)
            return connection, f"{parts.scheme}://{parts.hostname}:{connection.port}"
    except (ValueError, KeyError):  # a port, brackets or a scheme that cannot be
        pass
    raise ConfigurationError(f"--url must be such as http://127.0.0.1:8080, got {url}")
