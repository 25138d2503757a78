"""Settings of a consumer: what cannot be is told at once, and nothing but what was written is ever committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationError
from service.ingestion.kafka.client import options_of
from service.settings.ingest import KafkaSettings
from service.settings.reading import read_settings
from service.settings.told import told


def settings(**changes: Any) -> KafkaSettings:
    return KafkaSettings.model_validate({"servers": ["a:9092"], "topic": "listings"} | changes)


def test_without_any_nothing_comes_from_kafka() -> None:
    assert options_of(KafkaSettings()) is None


def test_nothing_is_committed_unasked() -> None:
    options = options_of(settings(group="shop", begin="latest"))
    assert options is not None
    assert (options["enable_auto_commit"], options["isolation_level"]) == (False, "read_committed")
    assert (options["group_id"], options["auto_offset_reset"], options["ssl_context"]) == (
        "shop",
        "latest",
        None,
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"topic": None}, ["topic: is missing"]),
        ({"servers": []}, ["servers: are missing"]),
        (
            {"servers": ["a", ":1", "b:x", "c:70000"]},
            ["must be host:port, got a", "got :1", "got b:x", "got c:70000"],
        ),
        ({"security_protocol": "SASL_SSL"}, ["SASL_SSL needs sasl_plain_username and sasl_plain_password"]),
        ({"tls": {"cafile": "a"}}, ["tls: is for the security_protocol SSL or SASL_SSL, not PLAINTEXT"]),
        ({"security_protocol": "SSL", "tls": {"cafile": "none.pem"}}, ["none.pem"]),
        ({"topic": None, "servers": ["a"]}, ["topic: is missing", "got a"]),
    ],
)
def test_every_problem_at_once(changes: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        options_of(settings(**changes))
    assert len(raised.value.problems) == len(expected)
    for problem, text in zip(raised.value.problems, expected, strict=True):
        assert problem.startswith("ingest.kafka")
        assert text in problem


def test_passwords_are_not_told(tmp_path: Path) -> None:
    file = tmp_path / "service.yaml"
    file.write_text("ingest: {kafka: {sasl_plain_password: swordfish, tls: {password: marlin}}}\n")
    lines = told(read_settings(file, {}))
    assert [line for line in lines if "password: ***" in line]
    assert not [line for line in lines if "swordfish" in line or "marlin" in line]
