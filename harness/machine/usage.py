"""What a task used: the engine's CPU seconds and memory, and the client's CPU seconds where they are apart."""

from __future__ import annotations

from harness.machine.meters import Meter
from harness.machine.resources import cpu_s, give_back_freed_memory


class Cpu:
    """CPU seconds since it was made, of the engine and of this process (with its children)."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.restart()

    def restart(self) -> None:
        """Counts from now on."""
        self._engine_s, self._client_s = self._meter.cpu_s(), cpu_s()

    def figures(self) -> tuple[dict[str, float | None], dict[str, str]]:
        """`cpu_s`, and `client_cpu_s` where the engine runs elsewhere; the reason where one is missing."""
        now_s = self._meter.cpu_s()
        known = now_s is not None and self._engine_s is not None
        figures: dict[str, float | None] = {"cpu_s": now_s - self._engine_s if known else None}  # type: ignore[operator]
        if self._meter.separate:
            figures["client_cpu_s"] = cpu_s() - self._client_s
        return figures, {} if known else {"cpu_s": self._meter.reason}


class MemoryGrowth:
    """How much more memory the engine holds than when this was made."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._before = self._held()

    def figures(
        self, ours_bytes: int, unknown: str | None = None
    ) -> tuple[dict[str, float | None], dict[str, str]]:
        """`rss_growth_bytes`, or the reason why it is missing.

        ours_bytes: what the harness itself holds more than before in the engine's process. unknown: why the
        figure would mean nothing, if it would.
        """
        now = self._held()
        if unknown or now is None or self._before is None:
            return {"rss_growth_bytes": None}, {"rss_growth_bytes": unknown or self._meter.reason}
        ours = 0 if self._meter.separate else ours_bytes
        return {"rss_growth_bytes": float(max(0, now - self._before - ours))}, {}

    def _held(self) -> int | None:
        if not self._meter.separate:
            give_back_freed_memory()
        return self._meter.rss_bytes()


class Usage:
    """CPU and memory of loading a collection, since it was made.

    Memory of a server is all it holds, for that is what a machine has to have; of an engine inside this process,
    what it holds above the level of that moment.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter, self._level_bytes = meter, meter.rss_bytes()
        meter.start_peak()
        self._cpu = Cpu(meter)

    def figures(self, items: int) -> tuple[dict[str, float | None], dict[str, str]]:
        """Those of `Cpu`, `rss_peak_bytes`, `rss_bytes` and the growth for each of `items` items,
        `rss_bytes_per_vector`; the reason where one is missing. To be asked once.
        """
        figures, reasons = self._cpu.figures()
        peak, now, level = self._meter.peak_bytes(), self._meter.rss_bytes(), self._level_bytes
        base = 0 if self._meter.separate else level or 0
        figures["rss_peak_bytes"] = None if peak is None else max(0, peak - base)
        figures["rss_bytes"] = None if now is None else max(0, now - base)
        figures["rss_bytes_per_vector"] = (
            None if now is None or level is None else max(0, now - level) / items
        )
        return figures, reasons | {
            name: self._meter.reason for name, value in figures.items() if value is None
        }
