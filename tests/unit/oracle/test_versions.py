"""Answers judged while items are written: a simulated engine that is right at some moment of each query, and faults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.columns import Keywords
from engines.filters import Eq, Range, matches
from harness.data.queries.workload import Workload
from harness.oracle.changing import Rows, judge_changing
from harness.oracle.exact import exact_neighbours
from harness.oracle.versions import ABSENT, NEVER, Writes, versions_of
from harness.results.judging import Judged
from harness.results.samples import ERROR, Samples

K, QUERIES, ASKED, SPAN = 5, 12, 150, 10_000


@dataclass
class World:
    """Items, writes at random moments of a span of time, and queries while they go on."""

    seed: int = 0
    items: int = 60
    writes: int = 80
    metric: str = "l2"
    longest: int = 300  # that a write takes from being sent to being acknowledged
    ties: bool = False
    applied: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng = np.random.default_rng(self.seed)
        n = self.items + self.writes
        vectors = rng.integers(-1, 2, (n, 3)) if self.ties else rng.standard_normal((n, 4))
        self.rows = Rows(
            vectors.astype(np.float32),
            {
                "brand": Keywords.encode([f"b{v}" for v in rng.integers(0, 3, n)]),
                "price": rng.uniform(0, 1, n),
            },
            self.metric,  # type: ignore[arg-type]
        )
        self.present = rng.random(self.items) < 0.8
        sent = rng.integers(0, SPAN, self.writes)
        self.acknowledged = sent + rng.integers(1, self.longest, self.writes)
        self.applied = rng.integers(sent, self.acknowledged + 1)
        gone = rng.random(self.writes) < 0.4
        row = np.where(gone, ABSENT, self.items + np.arange(self.writes))
        self.log = Writes(rng.integers(0, self.items // 2, self.writes), row, sent, self.acknowledged)
        choice = [None, Eq("brand", "b1"), Range("price", gt=0.4), Eq("brand", "nobody")]
        filters = tuple(choice[i] for i in rng.integers(0, len(choice), QUERIES))
        asked = rng.standard_normal((QUERIES, self.rows.vectors.shape[1])).astype(np.float32)
        self.workload = Workload("changing", asked, filters, K)
        self.sent = np.sort(rng.integers(0, SPAN, ASKED))
        self.done = self.sent + rng.integers(1, 400, ASKED)
        self.query = rng.integers(0, QUERIES, ASKED)

    def state(self, moment: int) -> np.ndarray:
        """The row of each item at that moment, ABSENT where it is not there."""
        row = np.where(self.present, np.arange(self.items), ABSENT)
        for write in np.lexsort((self.log.sent_ns, self.applied)).tolist():
            if self.applied[write] <= moment:
                row[self.log.item[write]] = self.log.row[write]
        return row

    def answer(self, number: int, row: np.ndarray, columns=None) -> list[int]:
        """The k nearest of the items whose contents are in these rows."""
        query = self.query[number]
        there = np.flatnonzero(row >= 0)
        contents = {name: column[row[there]] for name, column in (columns or self.rows.columns).items()}
        where = self.workload.filters[query]
        if where is not None:
            there = there[matches(where, contents, len(there))]
        truth = exact_neighbours(
            self.rows.vectors[row[there]], self.workload.queries[query : query + 1], K, self.metric
        )
        return [int(there[i]) for i in truth.ids[0] if i >= 0]

    def samples(self, answers: list[list[int]]) -> Samples:
        ids = np.full((ASKED, K), -1, dtype=np.int64)
        for number, answer in enumerate(answers):
            ids[number, : len(answer)] = answer[:K]
        zero = np.zeros(ASKED, dtype=np.int64)
        lengths = np.array([len(answer) for answer in answers])
        return Samples(self.sent, self.sent, self.done, self.query, zero, zero, ids, lengths)

    def moments(self) -> list[int]:
        return [int(self.rng.integers(*span)) for span in zip(self.sent, self.done + 1, strict=True)]

    def run(self) -> list[list[int]]:
        """What an engine answers that is right at some moment of each query."""
        return [self.answer(number, self.state(moment)) for number, moment in enumerate(self.moments())]

    def judge(self, answers: list[list[int]] | Samples, writes: Writes | None = None, lag: int = 0) -> Judged:
        samples = answers if isinstance(answers, Samples) else self.samples(answers)
        versions = versions_of(self.present, writes or self.log, visible_within_ns=lag)
        return judge_changing(samples, self.workload, self.rows, versions)


def faults(judged: Judged) -> dict[str, int]:
    counts = {
        name: int(getattr(judged, name).sum())
        for name in ("violations", "ghosts", "unknown", "duplicates", "short", "overlong")
    }
    return {name: count for name, count in counts.items() if count}


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["l2", "ip", "cosine"]), st.booleans(),
    st.sampled_from([2, 300, 5000]),
)  # fmt: skip
def test_an_engine_that_is_right_at_some_moment_of_each_query_has_no_fault(seed, metric, ties, longest):
    world = World(seed, metric=metric, ties=ties, longest=longest)
    judged = world.judge(world.run())
    assert faults(judged) == {}
    assert (judged.recall[~np.isnan(judged.recall)] == 1.0).all()


def test_most_answers_have_something_certain_to_be_judged_by():
    world = World(3, writes=30)
    judged = world.judge(world.run())
    something = [world.workload.filters[query] != Eq("brand", "nobody") for query in world.query]
    assert np.isnan(judged.recall[something]).mean() < 0.2


def test_without_writes_every_neighbour_is_certain():
    world = World(4, writes=0)
    truth = exact_neighbours(
        world.rows.vectors, world.workload.queries, K, "l2", world.workload.filters, world.rows.columns,
        world.present,
    )  # fmt: skip
    answers = [answer[:-1] for answer in world.run()]  # all lose their last hit
    judged = world.judge(answers)
    wanted = np.minimum(truth.matches[world.query], K)
    np.testing.assert_allclose(
        judged.recall, np.where(wanted > 0, (wanted - 1) / np.maximum(wanted, 1), np.nan)
    )


def test_deletes_that_are_acknowledged_and_not_done_are_ghosts():
    world = World(5)
    gone = world.log.row == ABSENT
    world.applied = np.where(gone, NEVER, world.applied)
    found = faults(world.judge(world.run()))
    assert found.pop("ghosts") > 5
    # One that should be gone is a violation instead, while a version that does not match is on its way.
    assert set(found) <= {"violations"}
    assert faults(World(5).judge(World(5).run())) == {}


def test_updates_that_keep_the_old_attributes_are_violations():
    world = World(6)
    brand, price = world.rows.columns["brand"], world.rows.columns["price"].copy()
    codes = brand.codes.copy()
    for item, row in zip(world.log.item.tolist(), world.log.row.tolist(), strict=True):
        if row != ABSENT:
            codes[row], price[row] = brand.codes[item], world.rows.columns["price"][item]
    stale = {"brand": Keywords(codes, brand.vocabulary), "price": price}
    answers = [
        world.answer(number, world.state(moment), stale) for number, moment in enumerate(world.moments())
    ]
    assert world.judge(answers).violations.sum() > 5
    assert world.judge(answers).ghosts.sum() == 0


def test_updates_that_are_lost_cost_recall():
    world = World(7)
    world.applied = np.where(world.log.row != ABSENT, NEVER, world.applied)
    recall = world.judge(world.run()).recall
    assert np.nanmean(recall) < 0.97


def test_an_item_that_was_never_written_and_is_missing_costs_recall():
    world = World(8)
    answers = [[item for item in answer if item % 4 != 3] for answer in world.run()]
    assert np.nanmean(world.judge(answers).recall) < 0.9


def test_writes_that_are_seen_late_are_faults_unless_they_are_allowed_to_be():
    world = World(9, longest=20)
    world.applied = world.applied + 900
    answers = world.run()
    strict, lenient = world.judge(answers), world.judge(answers, lag=1000)
    assert strict.ghosts.sum() > 0
    assert np.nanmin(strict.recall) < 1
    assert faults(lenient) == {}
    assert np.nanmin(lenient.recall) == 1


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_write_that_failed_may_have_been_carried_out_or_not(carried_out):
    world = World(10)
    failed = np.arange(world.writes) % 3 == 0
    unsure = replace(world.log, acknowledged_ns=np.where(failed, NEVER, world.log.acknowledged_ns))
    if not carried_out:
        world.applied = np.where(failed, NEVER, world.applied)
    judged = world.judge(world.run(), unsure)
    assert faults(judged) == {}
    assert np.nanmin(judged.recall) == 1
    if not carried_out:  # had they been acknowledged, it would show
        assert faults(world.judge(world.run())) or np.nanmin(world.judge(world.run()).recall) < 1


def test_what_is_wrong_in_any_state_counts_at_once():
    world = World(11)
    answers = world.run()
    answers[0] = [10_000, *answers[0]][:K]
    answers[1] = [answers[1][0]] * 2 if answers[1] else [0, 0]
    answers[2] = [*range(K + 2)]
    judged = world.judge(answers)
    assert judged.unknown[0] == 1
    assert judged.duplicates[1] == 1
    assert judged.overlong[2]


def test_a_failed_request_is_not_judged():
    world = World(12)
    samples = world.samples([[59, 59, 58]] * ASKED)
    judged = world.judge(replace(samples, status=np.full(ASKED, ERROR)))
    assert faults(judged) == {}
    assert np.isnan(judged.recall).all()


def test_only_kept_answers_are_judged():
    world = World(13)
    samples = world.samples(world.run())
    rows = np.arange(0, ASKED, 7)
    part = replace(samples, rows=rows, ids=samples.ids[rows])
    whole, some = world.judge(samples), world.judge(part)
    np.testing.assert_array_equal(whole.recall[rows], some.recall)
    assert len(some.ghosts) == len(rows)


def versions(*writes, present=(True,), lag=0):
    """(row, from, until) of every version of item 0 after writes of (row, sent, acknowledged)."""
    rows, sent, sure = (np.array(values, dtype=np.int64) for values in zip(*writes, strict=True))
    found = versions_of(
        np.array(present),
        Writes(np.zeros(len(rows), dtype=np.int64), rows, sent, sure),
        visible_within_ns=lag,
    )
    return list(zip(found.row.tolist(), found.from_ns.tolist(), found.until_ns.tolist(), strict=True))


FIRST = np.iinfo(np.int64).min


def test_a_version_lasts_until_a_later_write_is_acknowledged():
    assert versions((7, 10, 20)) == [(0, FIRST, 20), (7, 10, NEVER)]
    assert versions((7, 10, 20), (8, 20, 35)) == [(0, FIRST, 20), (7, 10, 35), (8, 20, NEVER)]
    assert versions((ABSENT, 10, 20), present=(False,)) == [(ABSENT, FIRST, 20), (ABSENT, 10, NEVER)]


def test_of_writes_that_overlap_either_may_have_come_last():
    assert versions((7, 10, 30), (8, 20, 40)) == [(0, FIRST, 30), (7, 10, NEVER), (8, 20, NEVER)]
    settled = versions((7, 10, 30), (8, 20, 40), (9, 50, 60))
    assert settled == [(0, FIRST, 30), (7, 10, 60), (8, 20, 60), (9, 50, NEVER)]


def test_a_write_without_acknowledgement_supersedes_nothing_for_sure():
    assert versions((7, 10, NEVER), lag=5) == [(0, FIRST, NEVER), (7, 10, NEVER)]
    assert versions((7, 10, 20), lag=5) == [(0, FIRST, 25), (7, 10, NEVER)]


def test_without_writes_there_are_no_versions():
    empty = np.zeros(0, dtype=np.int64)
    found = versions_of(np.ones(3, dtype=np.bool_), Writes(empty, empty, empty, empty))
    assert len(found.item) == 0
    assert not found.touched.any()
