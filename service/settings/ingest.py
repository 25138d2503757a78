"""What can be set of listings that come from a topic of Kafka."""

from __future__ import annotations

from typing import Annotated, Literal

from harness.scenario.strict import Listed, PositiveInt, StrictModel

_Servers = Annotated[tuple[str, ...], Listed]


class TlsSettings(StrictModel):
    """Files for TLS, as `aiokafka.helpers.create_ssl_context` takes them; without any the system's authorities hold."""

    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    password: str | None = None


class KafkaSettings(StrictModel):
    """servers: host:port of brokers; none: nothing is taken from Kafka. begin: where a group begins that has committed
    nothing yet. batch: records that are written together. The others as `aiokafka.AIOKafkaConsumer` takes them.
    """

    servers: _Servers = ()
    topic: str | None = None
    group: str = "bakeoff"
    operation: Literal["put", "patch"] = "put"
    begin: Literal["earliest", "latest"] = "earliest"
    batch: PositiveInt = 1000
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_plain_username: str | None = None
    sasl_plain_password: str | None = None
    tls: TlsSettings = TlsSettings()


class IngestSettings(StrictModel):
    """dead_letters: the file that they go to; None: dead-letters.ndjson beside the catalogue."""

    dead_letters: str | None = None
    kafka: KafkaSettings = KafkaSettings()
