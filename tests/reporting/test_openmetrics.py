"""OpenMetrics: read by the reference parser, and by that of the older text format."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

from pytest_dealsnap.reporting.openmetrics_report import render_openmetrics
from tests.reporting.runs import HOSTILE, finding, finished, hostile_run, large_run, result, small_run


def samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return every family's samples by the values of their labels, as the reference parser reads them."""
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in read_openmetrics(text)  # type: ignore[no-untyped-call]  # the client has no types for it
    }


def test_a_small_run_in_numbers() -> None:
    """Verdict, deals by type and status, share affected, causes, seconds."""
    found = samples(render_openmetrics(small_run()))
    assert found["dealsnap_verdict"][("roll_back",)] == 1
    assert sum(found["dealsnap_verdict"].values()) == 1
    assert found["dealsnap_deals"]["acquisition", "regressed"] == 3
    assert found["dealsnap_deals"]["carveout", "accepted"] == 1
    assert found["dealsnap_compared_deals"][()] == 29
    assert found["dealsnap_affected_deals"][()] == 5
    assert found["dealsnap_affected_ratio"][()] == 0.172414
    assert found["dealsnap_causes"] == {("fails",): 3, ("accepted",): 1, ("reported",): 1}
    assert found["dealsnap_run_seconds"][()] == 12.346


def test_a_capture_has_no_verdict() -> None:
    """Nothing was judged, so nothing says what to do."""
    found = samples(render_openmetrics(finished([result("1", "new")], mode="capture")))
    assert "dealsnap_verdict" not in found
    assert found["dealsnap_deals"]["acquisition", "new"] == 1


def test_hostile_words_stay_in_their_labels() -> None:
    """Quotes, backslashes and line breaks of names come back out of the parser as they are shown elsewhere."""
    text = render_openmetrics(hostile_run())
    assert text.endswith("\n# EOF\n")
    assert samples(text)["dealsnap_run_seconds"][()] == 12.346
    words = HOSTILE[10]
    found = samples(render_openmetrics(finished([result("1", "regressed", finding(words, 1, 2, 100.0))])))
    [labels] = [labels for labels in found["dealsnap_cause_deals"] if words.replace("\\", "\\\\") in labels]
    assert found["dealsnap_cause_deals"][labels] == 1


def test_both_formats_read_it() -> None:
    """node_exporter's textfile collector reads the older format: it knows no info and no state set."""
    for run in (small_run(), hostile_run(), large_run(), finished([])):
        text = render_openmetrics(run)
        old = {family.name for family in read_prometheus(text)}
        assert old == set(samples(text))
        assert {family.type for family in read_prometheus(text)} == {"gauge"}


def test_many_causes_and_types_are_few_series() -> None:
    """A gate gone wrong does not flood a monitoring system."""
    many = [
        result(f"{n}", "regressed", finding(f"metric {n}", n, n + 1, 5.0), deal_type=f"type {n}") for n in range(300)
    ]
    found = samples(render_openmetrics(finished(many)))
    assert len(found["dealsnap_cause_deals"]) == 20
    assert len(found["dealsnap_deals"]) == 50 * 7
