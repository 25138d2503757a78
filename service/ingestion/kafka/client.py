"""A consumer as the settings describe it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError
from service.settings.ingest import KafkaSettings, TlsSettings

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

_KEY = "ingest.kafka"


def options_of(settings: KafkaSettings) -> dict[str, Any] | None:
    """What an `AIOKafkaConsumer` is made with, but for its topic; None where nothing is to be taken from Kafka.

    Raises ConfigurationError with every problem.
    """
    if not settings.servers and settings.topic is None:
        return None
    problems = list(_problems(settings))
    encrypted = settings.security_protocol.endswith("SSL")
    context = None
    if encrypted and not problems:
        try:
            context = _context(settings.tls)
        except (OSError, ValueError) as error:  # of files, and of what they hold
            problems.append(f"{_KEY}.tls: cannot be used ({error}); correct its files or its password")
    if problems:
        raise ConfigurationError(problems)
    return {
        "bootstrap_servers": list(settings.servers),
        "group_id": settings.group,
        "auto_offset_reset": settings.begin,
        # Committed is what was written, and not what was fetched.
        "enable_auto_commit": False,
        # Of a transaction that was given up nothing is to be seen.
        "isolation_level": "read_committed",
        "metadata_max_age_ms": 30_000,  # until a new partition is noticed
        "retry_backoff_ms": 500,
        "security_protocol": settings.security_protocol,
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_plain_username,
        "sasl_plain_password": settings.sasl_plain_password,
        "ssl_context": context,
    }


def consumer(options: Mapping[str, Any]) -> AIOKafkaConsumer:
    """Not started yet; made within the event loop that it is used in."""
    from aiokafka import AIOKafkaConsumer

    return AIOKafkaConsumer(**options)


def _problems(settings: KafkaSettings) -> Iterator[str]:
    if settings.topic is None:
        yield f"{_KEY}.topic: is missing; name the topic that holds listings"
    if not settings.servers:
        yield f"{_KEY}.servers: are missing; name the brokers of topic {settings.topic}, such as localhost:9092"
    for server in settings.servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            yield f"{_KEY}.servers: must be host:port, got {server}"
    named = settings.sasl_plain_username is not None and settings.sasl_plain_password is not None
    if settings.security_protocol.startswith("SASL") and not named:
        yield (
            f"{_KEY}: {settings.security_protocol} needs sasl_plain_username and sasl_plain_password; set both, or "
            "another security_protocol"
        )
    if settings.tls != TlsSettings() and not settings.security_protocol.endswith("SSL"):
        yield (
            f"{_KEY}.tls: is for the security_protocol SSL or SASL_SSL, not {settings.security_protocol}; set one of "
            "those, or leave it out"
        )
    try:
        import aiokafka  # noqa: F401
    except ImportError as error:
        yield f"{_KEY}: needs {error.name}. Install it with: pip install 'bakeoff[kafka]'"


def _context(tls: TlsSettings) -> ssl.SSLContext:
    from aiokafka.helpers import create_ssl_context

    for file in (tls.cafile, tls.certfile, tls.keyfile):
        if file is not None:
            Path(file).open("rb").close()  # the error of a missing one names no file elsewhere
    context: ssl.SSLContext = create_ssl_context(
        cafile=tls.cafile,
        certfile=tls.certfile,
        keyfile=tls.keyfile,
        password=tls.password or "",  # with none it would be asked for on the terminal
    )
    return context
