"""What happens beyond an engine's limit is shown and not held against it; wrong answers there are."""

from reports.decide.decision import decide
from tests.unit.example_results import build, edit, with_metrics
from tests.unit.reports.decide.deciding import FIRST, TWO, on, standing


def test_time_outs_beyond_the_limit_eliminate_nobody() -> None:
    run = build(engines=TWO, arrivals=False, saturation=True, requirements=("latency.p50 < 10ms",))
    decision = decide(run)
    assert standing(decision).status == "pick"
    plain = decide(edit(run, lambda cell: None if cell.executor == "saturation" else cell))
    assert standing(plain).checks[0].value == standing(decision).checks[0].value
    # The same under a rate that was asked for by the scenario does.
    loaded = on(build(engines=TWO), lambda cell: with_metrics(cell, timeouts=50.0), executor="arrival_rate")
    assert standing(decide(loaded)).status == "eliminated"


def test_wrong_answers_beyond_the_limit_do() -> None:
    run = build(engines=TWO, arrivals=False, saturation=True)
    wrong = on(run, lambda cell: with_metrics(cell, violations=1.0), executor="saturation")
    out = standing(decide(wrong), FIRST)
    assert out.status == "eliminated"
    assert "1 violations with filter none at 120 % of its capacity" in out.sentence
