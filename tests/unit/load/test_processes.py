from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

from harness.errors import MeasurementError
from harness.load.processes import drive_processes, split_closed_loop, split_open_loop
from harness.load.schedules import constant
from harness.results.samples import OK
from tests.unit.load.load_engines import (
    echo,
    numbered,
    open_echo,
    open_exiting,
    open_failing,
    open_interrupting,
    open_killed_while_measuring,
)

WORKLOAD = numbered(20)


@pytest.fixture(autouse=True)
def _no_process_is_left():
    yield
    assert multiprocessing.active_children() == []


def test_closed_loops_of_several_processes_are_merged():
    plans = split_closed_loop(WORKLOAD, processes=2, clients=3, duration_s=60, max_queries=100)
    samples = drive_processes(open_echo, plans)
    assert len(samples) == 100
    assert np.count_nonzero(samples.client == 0) == 33  # the only client of the first process
    assert (samples.status == OK).all()
    assert (np.diff(samples.scheduled_ns) >= 0).all()
    assert np.array_equal(samples.lengths, [len(echo(query).ids) for query in samples.query])
    shares = [set(samples.query[mask]) for mask in (samples.client == 0, samples.client > 0)]
    assert [len(share) for share in shares] == [10, 10]
    assert not shares[0] & shares[1]


def test_processes_measure_at_the_same_time():
    plans = split_closed_loop(WORKLOAD, processes=2, clients=2, duration_s=0.2)
    samples = drive_processes(open_echo, plans)
    first, second = (samples.sent_ns[samples.client == client] for client in range(2))
    assert first[0] < second[-1] and second[0] < first[-1]


def test_an_open_loop_is_dealt_out_without_loss():
    schedule_ns = constant(1000, 0.1)
    plans = split_open_loop(WORKLOAD, schedule_ns, processes=2, clients=4)
    samples = drive_processes(open_echo, plans)
    assert np.array_equal(samples.scheduled_ns - samples.scheduled_ns[0], schedule_ns)
    assert (samples.status == OK).all()
    assert set(samples.client) <= {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("opener", "cause"),
    [
        (open_failing, "client process 1 of 1 failed: RuntimeError: no such collection"),
        (open_exiting, "client process 1 of 1 died: exit code 3"),
        (open_killed_while_measuring, "client process 1 of 1 died: killed by SIGKILL"),
    ],
)
def test_a_failing_process_is_an_error_with_its_cause(opener, cause: str):
    with pytest.raises(MeasurementError, match=cause):
        drive_processes(opener, split_closed_loop(WORKLOAD, processes=1, clients=1, duration_s=60))


def test_one_dying_process_ends_the_others():
    plans = [
        *split_closed_loop(WORKLOAD, processes=1, clients=1, duration_s=300),
        *split_closed_loop(WORKLOAD, processes=1, clients=1, duration_s=300),
    ]
    with pytest.raises(MeasurementError, match="of 2 died: killed by SIGKILL"):
        drive_processes(open_killed_while_measuring, plans)


def test_an_interruption_ends_the_processes():
    plans = split_closed_loop(WORKLOAD, processes=1, clients=1, duration_s=300)
    with pytest.raises(KeyboardInterrupt):
        drive_processes(open_interrupting, plans)


@pytest.mark.parametrize("processes", [0, 3])
def test_processes_without_a_client_are_refused(processes: int):
    with pytest.raises(ValueError, match="processes must be between 1 and clients"):
        split_closed_loop(WORKLOAD, processes=processes, clients=2, duration_s=1)
