"""Results travel between processes and come out as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.model.record import from_plain, to_plain
from pytest_dealsnap.model.results import DealResult, Failure, Finding, changed_issue, lost_issue

findings = st.builds(
    Finding,
    st.text(max_size=5),
    st.text(max_size=5),
    st.integers() | st.none() | st.lists(st.text(max_size=3), max_size=2),
    st.integers(),
    st.none() | st.floats(allow_nan=False),
    paths=st.tuples(st.text(max_size=3)),
    count=st.none() | st.integers(0, 9),
)
results = st.builds(
    DealResult,
    st.text(max_size=5),
    st.none() | st.text(max_size=5),
    st.just("carveout"),
    st.none() | st.text(max_size=5),
    st.sampled_from(["matched", "regressed"]),
    st.floats(0, 10),
    st.lists(findings, max_size=3).map(tuple),
    st.none() | st.builds(Failure, st.text(max_size=5), st.text(max_size=5)),
    st.none() | st.text(max_size=5),
    st.booleans(),
    st.just(("margin",)),
    st.text(max_size=5),
)


@given(result=results)
def test_a_result_survives_the_way_between_processes(result: DealResult) -> None:
    """Taken apart, sent as JSON and put together, a result is equal to itself."""
    plain: Any = json.loads(json.dumps(to_plain(result)))
    assert from_plain(DealResult, plain) == result


@pytest.mark.parametrize(
    ("metric", "changed", "lost"),
    [("cost_total", "cost_changed", "cost_lost"), ("margin", "margin_changed", "margin_lost")],
)
def test_issues_are_named_after_their_metric(metric: str, changed: str, lost: str) -> None:
    """The plan's names for the cost; the metric's own for the others."""
    assert (changed_issue(metric), lost_issue(metric)) == (changed, lost)


@pytest.mark.parametrize(
    ("failure", "text"), [(Failure("ValueError", "boom"), "ValueError: boom"), (Failure("KeyError", ""), "KeyError")]
)
def test_a_failure_reads_like_pythons_own(failure: Failure, text: str) -> None:
    """A failure is shown as its type and its message."""
    assert str(failure) == text


def test_gating_findings_and_other_statuses() -> None:
    """A result gives its gating findings, and itself under another status with a reason."""
    gates, shows = Finding("a", "a_changed"), Finding("b", "b_changed", gates=False)
    result = DealResult("1", None, "carveout", None, "regressed", findings=(gates, shows), reason="first")
    assert result.gating == (gates,)
    assert result.with_status("accepted").reason == "first"
    assert result.with_status("accepted", reason="known").reason == "known"
    assert result.with_status("accepted").status == "accepted"
