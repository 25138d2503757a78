"""Rates of keys over HTTP."""

from __future__ import annotations

from pathlib import Path

from service.settings.keys import new_key
from tests.service.launch import running
from tests.service.scraped import samples

ONE = "/v1/listings/listing%2F1"


def test_a_key_may_ask_so_often_and_others_are_not_kept_waiting(folder: Path) -> None:
    keys = {name: new_key(name, ["read"]) for name in ("shop", "feed")}
    (folder / "keys.yaml").write_text("keys:\n" + "\n".join(entry for _, entry in keys.values()) + "\n")
    headers = {name: {"authorization": f"Bearer {text}"} for name, (text, _) in keys.items()}
    options = ("--dataset", "shop", "--keys", "keys.yaml")
    with running(folder, *options, BAKEOFF_SERVICE_LIMITS__RATE="4/day") as service:
        # One that fails counts.
        replies = [service.ask("GET", path, None, headers["shop"]) for path in (f"{ONE}?no=1", *[ONE] * 5)]
        assert [one.status for one in replies] == [422, 200, 200, 200, 429, 429]
        assert replies[-1].body["type"] == "/docs#rate-limited"
        assert "shop may ask 4/day" in replies[-1].body["detail"]
        assert 1 <= int(replies[-1].headers["retry-after"]) <= 24 * 3600
        assert service.ask("GET", "/healthz", None, headers["shop"]).status == 200
        assert service.ask("GET", ONE, None, headers["feed"]).status == 200
        scraped = service.ask("GET", "/metrics", None, headers["feed"])
        assert samples(scraped.body)["bakeoff_rate_limited_total"] == {("shop",): 2}
        assert service.ask("GET", "/metrics").status == 401
