"""What differs between two outputs of the same code for one deal."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.two_runs import unstable

METRICS = compile_metrics((MetricSpec("cost", "costs.total"), MetricSpec("kinds", "parts[].kind")))
FIRST = {"costs": {"total": 5}, "parts": [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}], "at": "noon", "tags": [1, 2]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"at": "night"}, [("at", "value", None, "noon", "night")]),
        ({"costs": {"total": 6}}, [("costs.total", "value", "cost", 5, 6)]),
        ({"costs": {}}, [("costs.total", "value", "cost", 5, None)]),
        ({"tags": [2, 1]}, [("tags", "order", None, [1, 2], [2, 1])]),
        ({"tags": [2, 3]}, [("tags[]", "value", None, 1, 2)]),
        (
            {"parts": FIRST["parts"][::-1], "at": "night"},  # type: ignore[index]
            [
                ("at", "value", None, "noon", "night"),
                ("parts", "order", None, FIRST["parts"], FIRST["parts"][::-1]),  # type: ignore[index]
            ],
        ),
        (
            {"parts": [{"kind": "c", "n": 1}, {"kind": "d", "n": 2}]},
            [("parts[].kind", "value", "kinds", "a", "c")],
        ),
    ],
)
def test_what_differs_is_told_once(change: dict[str, Any], told: list[tuple[Any, ...]]) -> None:
    """By its path without places in lists; a list in another order as a whole."""
    found = unstable(FIRST, {**FIRST, **change}, METRICS)
    assert [(one.path, one.kind, one.metric, one.first, one.second) for one in found] == told
