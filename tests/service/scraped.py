"""What Prometheus would read of `/metrics`."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, ...], float]


def samples(text: str) -> dict[str, Samples]:
    """Values by name of a sample, and by the values of its labels in the order of their names."""
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = tuple(value for _, value in sorted(one.labels.items()))
            found.setdefault(one.name, {})[labels] = one.value
    return found


def grown(before: dict[str, Samples], after: dict[str, Samples], name: str) -> Samples:
    """By how much the values grew that did."""
    was = before.get(name, {})
    return {
        labels: value - was.get(labels, 0)
        for labels, value in after.get(name, {}).items()
        if value != was.get(labels, 0)
    }
