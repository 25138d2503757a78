"""The machine's own noise during a measurement: CPU time stolen, and sleeps that took too long."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from harness.children.interrupts import uninterrupted
from harness.errors import MeasurementError
from harness.machine import noise_probe

_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one window; None where it could not be had, with the cause in `reasons` by field name.

    steal_share: the share (0-1) of all CPU time that the hypervisor took away, in steps of 10 ms.
    hiccup_p99_us, hiccup_max_us: by how much a process that only sleeps, 10 ms at a time, overslept: what the
    machine adds to anyone's latency whatever the engine does.
    """

    steal_share: float | None
    hiccup_p99_us: float | None
    hiccup_max_us: float | None
    reasons: dict[str, str] = field(default_factory=dict)


class NoiseMonitor:
    """Watches the machine from a small process of its own, which needs no interpreter lock of ours.

    Used as a context manager around a whole run; `window` is asked after each cell. The process takes
    less than 1 % of a core and ends with its parent, however that ends.
    """

    def __enter__(self) -> Self:
        # -I -S: no site packages, no user environment; it starts in a few ms and cannot be led astray.
        command = [sys.executable, "-I", "-S", noise_probe.__file__]
        with uninterrupted():
            self._probe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._probe.stdin is not None and self._probe.stdout is not None
        with suppress(OSError):  # raised where the process is gone already
            self._probe.stdin.close()
        try:
            self._probe.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._probe.kill()
            self._probe.wait()
        self._probe.stdout.close()

    def window(self, start_ns: int, end_ns: int) -> Noise:
        """The noise between two moments of perf_counter_ns that have passed. Raises MeasurementError."""
        assert self._probe.stdin is not None and self._probe.stdout is not None
        try:
            self._probe.stdin.write(f"{start_ns} {end_ns}\n")
            self._probe.stdin.flush()
            line = self._probe.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise MeasurementError(
                f"the noise monitor (process {self._probe.pid}) is gone, start the run again"
            )
        values = json.loads(line)
        return Noise(
            **values, reasons={name: _REASONS[name] for name, value in values.items() if value is None}
        )


_ASLEEP = f"no sleep of {noise_probe.TICK_NS // 1_000_000} ms ended within the window"
_REASONS = {
    "steal_share": f"{noise_probe.STAT} tells no steal time, or the window lies outside the monitor's life",
    "hiccup_p99_us": _ASLEEP,
    "hiccup_max_us": _ASLEEP,
}
