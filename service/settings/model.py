"""What can be set. Every key has a default, so that each source can be checked on its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from engines.base import FieldKind, Metric
from engines.values.shown import shown
from harness.scenario.strict import Listed, PositiveFloat, PositiveInt, Seconds, StrictModel
from service.catalogue.checks import LONGEST_KEYWORD
from service.settings.ingest import IngestSettings
from service.settings.retrieval import AdmissionSettings, RetrievalSettings

Names = Annotated[tuple[str, ...], Listed]
LOCAL = ("127.0.0.1", "::1", "localhost")  # hosts that only this machine reaches
Port = Annotated[int, Field(ge=0, le=65535)]


def _rate(text: str) -> str:
    from service.limits.rates import read_rates

    read_rates(text)
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"must be a URL such as http://127.0.0.1:4318, got {shown(text)}")
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Address = Annotated[str, AfterValidator(_address)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(gt=0, le=600_000)]


class FieldSettings(StrictModel):
    """A filterable field; a kind alone is one that every listing has. optional: listings may have no value of it."""

    kind: FieldKind
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _of_a_kind(cls, value: Any) -> Any:
        if not isinstance(value, str | dict | FieldSettings):
            raise ValueError(
                f"must be a kind such as tags, or {{kind: float, optional: true}}, got {shown(value)}"
            )
        return {"kind": value} if isinstance(value, str) else value

    def __str__(self) -> str:
        return f"{self.kind}, optional" if self.optional else self.kind


class CatalogueSettings(StrictModel):
    """What listings consist of (`service.catalogue.schema`); what is left out follows the data set.

    dim, metric, fields: of a catalogue that starts empty, where there is no data set. longest_keyword: characters.
    """

    dim: PositiveInt | None = None
    metric: Metric | None = None
    fields: dict[str, FieldSettings] = Field(default_factory=dict)
    fill: dict[str, str | int | float | bool] = Field(default_factory=dict)
    details: Names = ()
    required: Names = ()
    texts: Names = ()
    seller: str | None = None
    brand: str | None = None
    listed_at: str | None = None
    longest_keyword: PositiveInt = LONGEST_KEYWORD
    picture: str | None = None


class LimitSettings(StrictModel):
    """How much a request may ask. Sizes in bytes; conditions: comparisons in a filter, values: of one of them.

    head_bytes: of address and headers; head_s, body_s: how long a client may take to send them, and the body.
    rate: how often the holder of a key may ask, such as 100/second; None: as often as they like.
    """

    body_bytes: PositiveInt = 1 << 20
    bulk_bytes: PositiveInt = 64 << 20
    bulk_lines: PositiveInt = 10_000
    k: PositiveInt = 1000
    history: PositiveInt = 1000
    excluded: PositiveInt = 10_000
    conditions: PositiveInt = 100
    values: PositiveInt = 1000
    head_bytes: PositiveInt = 65_536
    head_s: Seconds = 10.0
    body_s: Seconds = 60.0
    rate: Rate | None = None


class EventSettings(StrictModel):
    """`service.events.clocks.Clocks`."""

    ahead_s: Seconds = 300.0
    days: PositiveFloat = 400.0


class TelemetrySettings(StrictModel):
    """log: how log lines are written. slow_ms: answers that took longer are logged; None: half of deadline_ms.

    otlp: the URL of a collector of traces (OTLP over HTTP), trace_share: of how many requests it is sent spans, besides
    those whose caller asks for it (`traceparent`). recall_share: of how many approximate questions recall is judged.
    """

    log: Literal["text", "json"] = "text"
    slow_ms: Milliseconds | None = None
    otlp: Address | None = None
    trace_share: Fraction = 0.01
    recall_share: Fraction = 0.01


class Settings(StrictModel):
    """The keys of the YAML file; `BAKEOFF_SERVICE_<KEY>` is the environment variable of each, with two underscores
    before a key within another: BAKEOFF_SERVICE_LIMITS__K.

    port: 0 takes a free one. data: the folder of catalogue and index. store: the URL of a PostgreSQL database for the
    catalogue, instead of a file in `data`. decision: decision.json of a run, or its folder. engine: one that is taken
    whatever was decided, with `index` and `search` as its parameters. dataset: whose listings an empty catalogue begins
    with. model: a folder that bakeoff train has written. keys: a YAML file of API keys. deadline_ms: of a request that
    reads; write_deadline_ms: of one that writes. stop_s: how long requests under way may take once the service is asked
    to stop. simulated_users: how many users are made up, as examples; tastes: the fields of words by which they choose,
    the first two by default. threads: for the catalogue's reads; as many again write, and share commits. workers:
    processes that answer on the port, each with memory and threads of its own; they need an engine on a server.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    data: str | None = None
    store: str | None = None
    decision: str | None = None
    engine: str | None = None
    index: dict[str, Any] = Field(default_factory=dict)
    search: dict[str, Any] = Field(default_factory=dict)
    dataset: str | None = None
    model: str | None = None
    keys: str | None = None
    deadline_ms: Milliseconds = 500.0
    write_deadline_ms: Milliseconds = 10_000.0
    stop_s: Seconds = 10.0
    threads: PositiveInt = 16
    simulated_users: Annotated[int, Field(ge=0, le=100)] = 0
    tastes: Names = ()
    workers: PositiveInt = 1
    limits: LimitSettings = LimitSettings()
    events: EventSettings = EventSettings()
    admission: AdmissionSettings = AdmissionSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    ingest: IngestSettings = IngestSettings()
