"""The embedded metric format's own rules, written down from its specification."""

from __future__ import annotations

import math
from typing import Any

UNITS = {"Seconds", "Microseconds", "Milliseconds", "Bytes", "Count", "Percent", "None"}
LONGEST = 1024
MOST_DIMENSIONS = 30
MOST_METRICS = 100
MOST_VALUES = 100
MOST_BYTES = 262_144


def check_document(document: dict[str, Any]) -> None:
    """Fail unless CloudWatch would take every figure of `document`."""
    metadata = document["_aws"]
    assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(metadata["Timestamp"], int)
    assert metadata["Timestamp"] >= 0
    assert metadata["CloudWatchMetrics"]
    for directive in metadata["CloudWatchMetrics"]:
        _check_directive(directive, document)


def _check_directive(directive: dict[str, Any], document: dict[str, Any]) -> None:
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert 1 <= len(directive["Namespace"]) <= LONGEST
    for names in directive["Dimensions"]:
        assert len(names) <= MOST_DIMENSIONS
        assert len(set(names)) == len(names)
        for name in names:
            value = document[name]
            assert isinstance(value, str)
            assert 1 <= len(value) <= LONGEST
            assert value.strip()
    assert 1 <= len(directive["Metrics"]) <= MOST_METRICS
    for metric in directive["Metrics"]:
        assert metric["Unit"] in UNITS
        assert 1 <= len(metric["Name"]) <= LONGEST
        found = document[metric["Name"]]
        values = found if isinstance(found, list) else [found]
        assert 1 <= len(values) <= MOST_VALUES
        assert all(isinstance(value, int | float) and math.isfinite(value) for value in values)
