"""Samples of several clients put together."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.errors import ConfigurationError
from harness.results.samples import Samples, concatenate, read_answers, write_samples
from tests.unit.results.windows import MS, samples


def numbered_samples(start, n, share=1.0, kept=None):
    """n requests, one a millisecond from `start`; the answer of each is the millisecond that it was due at."""
    zero = np.zeros(n, dtype=np.int64)
    due = (start + np.arange(n)) * MS
    rows = np.arange(n) if kept is None else np.asarray(kept)
    ids = (start + rows)[:, None]
    return Samples(
        due, due, due + 1, zero, zero, zero, ids, zero + 1,
        kind=zero, free_ns=due, rows=rows, scores=ids * 2.0, share=share,
    )  # fmt: skip


def test_answers_stay_with_their_requests_when_clients_are_put_together():
    parts = [numbered_samples(500, 40), numbered_samples(0, 30, kept=[2, 9]), numbered_samples(250, 20)]
    found = concatenate(parts)
    assert len(found) == 90
    assert (np.diff(found.scheduled_ns) >= 0).all()
    assert (np.diff(found.kept_rows) > 0).all()
    assert len(found.ids) == 62
    assert (found.ids[:, 0] * MS == found.scheduled_ns[found.kept_rows]).all()
    assert found.scores is not None and (found.scores == 2 * found.ids).all()
    chosen = found.scheduled_ns % 2 == 0
    chosen[::3] = False
    part = found.select(chosen)
    assert len(part) == chosen.sum()
    assert (part.ids[:, 0] * MS == part.scheduled_ns[part.kept_rows]).all()
    assert len(part.ids) == np.count_nonzero(chosen[found.kept_rows])


def test_a_client_that_kept_all_its_answers_counts_no_more_than_one_that_kept_a_quarter():
    quarter = numbered_samples(0, 8000, share=0.25, kept=np.arange(0, 8000, 4))
    found = concatenate([quarter, numbered_samples(10_000, 8000)])
    assert found.share == 0.25
    early = found.kept_rows < 8000
    assert np.count_nonzero(early) == 2000
    assert np.count_nonzero(~early) == pytest.approx(2000, abs=200)
    assert (found.ids[:, 0] * MS == found.scheduled_ns[found.kept_rows]).all()


def test_the_memory_of_samples_is_that_of_their_columns() -> None:
    found = samples(np.linspace(1, 2, 1000))
    columns = (
        getattr(found, name) for name in ("scheduled_ns", "sent_ns", "done_ns", "query", "ids", "lengths")
    )
    assert found.nbytes >= sum(column.nbytes for column in columns)
    assert found.nbytes < 1000 * 8 * 30


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    for written in (numbered_samples(0, 6), numbered_samples(0, 6, kept=[1, 4])):
        write_samples(tmp_path / "s.parquet", written)
        ids, queries = read_answers(tmp_path / "s.parquet")
        np.testing.assert_array_equal(ids, written.ids)
        np.testing.assert_array_equal(queries, written.query[written.kept_rows])
    assert len(queries) == 2
    (tmp_path / "s.parquet").write_bytes(b"PAR1 and no more")
    for name in ("s.parquet", "missing.parquet"):
        with pytest.raises(ConfigurationError, match=f"{name}: is missing or damaged"):
            read_answers(tmp_path / name)


def test_no_process_of_a_run_imports_pandas_to_write_its_samples(tmp_path: Path) -> None:
    """In a process of its own; pandas takes longer to import than a short window to measure."""
    code = (
        "import sys; from pathlib import Path; from harness.results.samples import write_samples; "
        "import tests.unit.results.test_samples as t; "
        "assert 'pandas' not in sys.modules; write_samples(Path(sys.argv[1]), t.numbered_samples(0, 5)); "
        "print('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "samples.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout == "False\n"
