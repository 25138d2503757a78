"""The values of the metrics, and their text for Prometheus.

Where several processes serve, each keeps its values in files of a folder, which prometheus_client chooses when it is
imported: the environment has to name the folder before. See `processes`.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from service.telemetry.listed import METRICS
from service.telemetry.processes import shared_folder

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Meters:
    """One for each process. shared: whether `text` tells of all processes."""

    def __init__(self) -> None:
        folder = shared_folder()
        self.shared = folder is not None
        self._registry = CollectorRegistry()
        # With several processes the registry reads their files; with one it holds the values themselves.
        registry = None if self.shared else self._registry
        if folder is not None:
            MultiProcessCollector(self._registry, str(folder))  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for one in METRICS:
            if one.kind == "counter":
                self._counters[one.name] = Counter(one.name, one.about, one.labels, registry=registry)
            elif one.kind == "gauge":
                self._gauges[one.name] = Gauge(
                    one.name, one.about, one.labels, registry=registry, multiprocess_mode=one.together
                )
            else:
                self._histograms[one.name] = Histogram(
                    one.name, one.about, one.labels, registry=registry, buckets=one.buckets
                )

    def counter(self, name: str) -> Counter:
        """Raises KeyError where the list holds no such counter."""
        return self._counters[name]

    def gauge(self, name: str) -> Gauge:
        """Raises KeyError where the list holds no such gauge."""
        return self._gauges[name]

    def histogram(self, name: str) -> Histogram:
        """Raises KeyError where the list holds no such histogram."""
        return self._histograms[name]

    def text(self) -> bytes:
        """All values, as Prometheus reads them. With several processes it reads files."""
        return generate_latest(self._registry)


class Described:
    """A gauge that is 1 for the labels that hold now, and gone or 0 for those that held before."""

    def __init__(self, meters: Meters, name: str) -> None:
        self._gauge, self._shared = meters.gauge(name), meters.shared
        self._now: Mapping[str, str] = {}

    def say(self, **labels: str) -> None:
        """What holds from now on."""
        if labels == self._now:
            return
        if self._now:
            self._gauge.labels(**self._now).set(0)
            if not self._shared:
                self._gauge.remove(*self._now.values())
        self._gauge.labels(**labels).set(1)
        self._now = labels


class Since:
    """A counter that follows a number which something else counts up."""

    def __init__(self, counter: Counter) -> None:
        self._counter, self._last = counter, 0

    def follow(self, number: int) -> None:
        """The number as it is now."""
        self._counter.inc(max(0, number - self._last))
        self._last = number
