"""What a run spent, and how its outputs came about, in every report."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pytest_dealsnap.reporting.github_report import render_github
from pytest_dealsnap.reporting.html_report import render_html
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.junit_properties import junit_properties
from pytest_dealsnap.reporting.markdown_report import render_markdown
from pytest_dealsnap.reporting.openmetrics_report import render_openmetrics
from pytest_dealsnap.reporting.spending_words import merged_spending, with_words
from pytest_dealsnap.reporting.summary_text import summary_lines
from tests.reporting.runs import finding, finished, result


def spending(**changes: Any) -> dict[str, Any]:
    """Return what a run spent."""
    counts = {"calls": 7, "lost": 1, "unknown": 1, "under_way": 0, "reused": 1, "old_calls": 2}
    return with_words({"spent": "56.10", "currency": "USD", "budget": "480", **counts, **changes})


WORDS = (
    "spent: 56.10 USD of a budget of 480 in 7 calls; 2 of them by the old code; 1 output reused from the run store "
    "(--dealsnap-fresh computes anew); 1 call lost with the process, each counted as the reserve; 1 call of unknown "
    "cost, each counted as the reserve"
)


def test_every_report_tells_spending_and_evidence() -> None:
    """Green or red."""
    green = [
        result("1", evidence="replayed"),
        result("2", evidence="reused"),
        result("3", evidence="computed", asked=1),
    ]
    red = [*green, result("4", "regressed", finding("cost_total", 100, 120, 20.0), evidence="computed", asked=3)]
    evidence = "1 of 3 replayed; 1 of 3 reused; 1 asked anew"
    for results, words in ((green, evidence), (red, evidence.replace("of 3", "of 4").replace("1 asked", "2 asked"))):
        run = finished(results, spending=spending())
        terminal = "\n".join(summary_lines(run, width=400))
        for text in (terminal, render_markdown(run), render_html(run), render_github(run)):
            plain = text.replace("\\", "")
            assert words in plain, text
            assert WORDS.partition(";")[0].removeprefix("s") in plain, text
        document = render_json(run)
        assert WORDS in document
        assert '"evidence": "replayed"' in document
        metrics = render_openmetrics(run)
        assert 'dealsnap_spent{currency="USD"} 56.1' in metrics
        assert 'dealsnap_evidence_deals{evidence="replayed"} 1' in metrics
    assert ("evidence", "computed") in junit_properties(red[-1])
    assert ("asked", 3) in junit_properties(red[-1])


def test_a_run_that_pays_nothing_says_nothing_of_it() -> None:
    """Nor does a report hold an empty place for it."""
    run = finished([result("1")])
    for text in ("\n".join(summary_lines(run)), render_markdown(run), render_html(run), render_openmetrics(run)):
        assert "spent" not in text
    assert [name for name, _ in junit_properties(run.results[0])] == ["deal_id", "deal_name", "deal_type", "status"]


def test_the_spending_of_shards_is_added_up() -> None:
    """Two currencies cannot be; a shard without a budget has none for the whole."""
    whole = merged_spending([spending(), None, spending(spent="0.90", budget="20")])
    assert whole is not None
    assert (Decimal(whole["spent"]), whole["budget"], whole["calls"]) == (Decimal(57), "500", 14)
    assert whole["words"].startswith("spent: 57.00 USD of a budget of 500 in 14 calls; 4 of them by the old code")
    unlimited = merged_spending([spending(), spending(budget=None)])
    assert unlimited is not None
    assert unlimited["budget"] is None
    assert merged_spending([spending(), spending(currency="EUR")]) is None
    assert merged_spending([None, None]) is None
