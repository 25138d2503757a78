"""The machine's own noise during a measurement: CPU time stolen or used by other programs, and sleeps too long."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from harness.children.interrupts import uninterrupted
from harness.children.start import bare_python
from harness.machine import noise_probe
from harness.machine.cpu_accounts import STAT

MAX_STEAL = 0.05  # share of CPU time taken by the hypervisor beyond which a cell is flagged
MAX_FOREIGN = 0.05  # share of CPU time used by other programs of this machine beyond which a cell is flagged
# CPU times are counted in steps of 10 ms a process, so in a short window they may be wrong by this much.
FOREIGN_ALLOWANCE_S = 0.05
# Used where other programs' CPU time is not known. A run's own load on all processors oversleeps by less.
MAX_OVERSLEEP_US = 8000.0
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one window; None where it could not be had, with the cause in `reasons` by field name.

    steal_share: the share (0-1) of all CPU time that the hypervisor took away, in steps of 10 ms.
    foreign_share, foreign_s: the CPU time that programs of this machine used which do not belong to the run, as a share
    of all and in seconds; counted over the processors that the run may use, and a little beyond the window.
    oversleep_p99_us, oversleep_max_us: by how much a process that only sleeps, 10 ms at a time, overslept: what the
    machine adds to anyone's latency whatever the engine does.
    """

    steal_share: float | None = None
    foreign_share: float | None = None
    foreign_s: float | None = None
    oversleep_p99_us: float | None = None
    oversleep_max_us: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def without_foreign(self, reason: str) -> Noise:
        """The same without the CPU time of other programs, for engines whose CPU time is not known apart from it."""
        return Noise(
            self.steal_share,
            None,
            None,
            self.oversleep_p99_us,
            self.oversleep_max_us,
            self.reasons | {"foreign_share": reason},
        )

    def metrics(self) -> tuple[dict[str, float | None], dict[str, str]]:
        """The metrics of the cell, and the reasons of those that are missing."""
        names = ("steal_share", "foreign_share", "oversleep_p99_us", "oversleep_max_us")
        figures: dict[str, float | None] = {name: getattr(self, name) for name in names}
        return figures, {name: self.reasons[name] for name, value in figures.items() if value is None}

    def flags(self) -> list[str]:
        """What a reader has to know about the window: `steal 7.1%`, `contention 12%`."""
        found = []
        if self.steal_share is not None and self.steal_share > MAX_STEAL:
            found.append(f"steal {self.steal_share:.1%}")
        if self.foreign_share is not None and self.foreign_s is not None:
            allowed = MAX_FOREIGN * self.foreign_s / self.foreign_share if self.foreign_share else 0.0
            if self.foreign_s > allowed + FOREIGN_ALLOWANCE_S:
                found.append(f"contention {self.foreign_share:.0%}")
        elif self.oversleep_p99_us is not None and self.oversleep_p99_us > MAX_OVERSLEEP_US:
            found.append(
                f"contention (an idle thread overslept by {self.oversleep_p99_us / 1e3:.1f} ms, P99)"
            )
        return found


class NoiseMonitor:
    """Watches the machine from a small process of its own, so that our interpreter lock does not delay it.

    Used as a context manager around a whole run; `window` is asked after each cell. The process takes
    about 1 % of a core and ends with its parent, however that ends.
    """

    def __enter__(self) -> Self:
        self._own: list[int] = []
        self._start()
        return self

    def _start(self) -> None:
        with uninterrupted():
            self._probe = subprocess.Popen(
                bare_python("harness.machine.noise_probe"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # else it would keep the run's standard error open
                text=True,
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        assert self._probe.stdin is not None and self._probe.stdout is not None
        with suppress(OSError):  # raised where the process has ended already
            self._probe.stdin.close()
        try:
            self._probe.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._probe.kill()
            self._probe.wait()
        self._probe.stdout.close()

    def count_as_own(self, pid: int) -> None:
        """From now on a process that this one did not start, such as a container's, counts as the run's own."""
        self._own.append(pid)
        self._tell(f"own {pid}")

    def _tell(self, line: str) -> None:
        assert self._probe.stdin is not None
        with suppress(OSError):  # it has ended; `window` reports that
            self._probe.stdin.write(f"{line}\n")
            self._probe.stdin.flush()

    def window(self, start_ns: int, end_ns: int) -> Noise:
        """The noise between two moments of perf_counter_ns that have passed.

        A monitor that has been killed is started again; for the window so far nothing is known.
        """
        assert self._probe.stdout is not None
        self._tell(f"window {start_ns} {end_ns}")
        line = self._probe.stdout.readline()
        if not line:
            code = self._probe.wait()
            self._stop()
            self._start()
            for pid in self._own:
                self._tell(f"own {pid}")
            gone = f"the process that watches the machine had ended ({code}), it was started again"
            return Noise(reasons=dict.fromkeys(_REASONS, gone))
        values = json.loads(line)
        return Noise(
            **values, reasons={name: _REASONS[name] for name, value in values.items() if value is None}
        )


_NO_SLEEP_ENDED = f"no sleep of {noise_probe.TICK_NS // 1_000_000} ms ended within the window"
_NOT_REPORTED = f"{STAT} does not report it, or the monitor did not run for the whole window"
_REASONS = {
    "steal_share": _NOT_REPORTED,
    "foreign_share": _NOT_REPORTED,
    "foreign_s": _NOT_REPORTED,
    "oversleep_p99_us": _NO_SLEEP_ENDED,
    "oversleep_max_us": _NO_SLEEP_ENDED,
}
