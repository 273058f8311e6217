"""Money in words, as every report tells it: first, and also when nothing fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.money_moved import money_moved
from pytest_dealsnap.judging.policy import compile_policy
from pytest_dealsnap.model.finished_run import FinishedRun, JudgingFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.reporting.github_report import render_github
from pytest_dealsnap.reporting.html_report import render_html
from pytest_dealsnap.reporting.json_report import report_document
from pytest_dealsnap.reporting.markdown_report import render_markdown
from pytest_dealsnap.reporting.money_text import money_lines
from pytest_dealsnap.reporting.summary_text import summary_lines
from tests.reporting.runs import facts, finding, finished, result, saved

NONE: Mapping[str, Mapping[str, str]] = {}


def costs(deal: str, before: Any, after: Any, **more: Any) -> DealResult:
    """Return a deal whose cost changed, as its rule allows."""
    percent = None if not before else 100 * (after - before) / before
    changed = finding("cost_total", before, after, percent, allowed="report", gates=False)
    return result(deal, "changed", changed, **{"deal_type": "carveout", **more})


def lines(*results: DealResult, unjudged: Mapping[str, Mapping[str, str]] = NONE) -> list[str]:
    """Return how the money of *results* is told."""
    (money,) = money_moved(results)
    return money_lines(money, unjudged)


def green_run() -> FinishedRun:
    """Return a run that passes, while 2 of 3 carve-outs cost more."""
    run = finished(
        [
            costs("1", 1000, 2030),
            costs("2", 2000, 5900, name="A|B"),
            result("3", deal_type="carveout", unchanged={"cost_total": 500}),
            result("4", unchanged={"cost_total": 1500.5}),
        ]
    )
    judging = replace(run.facts.judging, unjudged={"cost_total": {"carveout": "report", "divestiture": "report"}})
    return finished(run.results, judging=judging)


GREEN = [
    "cost_total: 5,000.5 → 9,930.5 (+98.59 %) in 4 deals",
    "carveout: 3,500 → 8,430 (+140.86 %); 2 of 3 rose: +103.00 % to +195.00 %; rule: report",
    "cost_total of carveout is not judged (rule: report)",
    "largest: deal 2 A|B +3,900 (+195.00 %); deal 1 Deal 1 +1,030 (+103.00 %)",
]


def test_every_report_of_a_green_run_tells_what_moved() -> None:
    """A change that its rule allows is told in the terminal, Markdown, HTML, JSON and GitHub's notice."""
    run = green_run()
    assert run.verdict is not None
    assert run.verdict.action == "proceed"
    terminal = summary_lines(run)
    start = terminal.index(GREEN[0])
    assert terminal[start + 1 : start + 4] == [f"  {line}" for line in GREEN[1:]]
    assert all(start < place for place, line in enumerate(terminal) if line.startswith(("cause", "verdict")))
    assert report_document(run)["money"][0]["text"] == GREEN
    assert "(+98.59 %25) in 4 deals" in render_github(run)
    page, markdown = render_html(run), render_markdown(run)
    for line in GREEN:
        assert line in page
        assert line.replace("|", "\\|") in markdown
    assert markdown.index("5,000.5") < markdown.index("cause")


def test_a_saved_report_tells_the_same_money(tmp_path: Path) -> None:
    """Unchanged numbers, order, ranks and rules survive the file."""
    run = green_run()
    read = saved(run, tmp_path)
    assert read.money == run.money
    assert read.facts.judging == run.facts.judging


def test_nothing_moved() -> None:
    """The total is told all the same, so that nobody has to ask."""
    assert lines(result("1", unchanged={"cost_total": 5}), result("2", unchanged={"cost_total": 7})) == [
        "cost_total: 12 in 2 deals, unchanged"
    ]


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([(100, 110)], ["100 → 110 (+10.00 %) in 1 deal", "1 of 1 rose: +10.00 %; rule: report"]),
        (
            [(100, 110), (100, 90), (50, 50)],
            ["250 → 250 (+0.00 %) in 3 deals", "1 of 3 rose and 1 of 3 fell: -10.00 % to +10.00 %; rule: report"],
        ),
        ([(0, 7)], ["0 → 7 (+7) in 1 deal", "1 of 1 rose; rule: report"]),
    ],
)
def test_the_line_of_a_single_type_does_not_repeat_the_total(pairs: list[tuple[int, int]], told: list[str]) -> None:
    """With one type, its total is that of all."""
    total, moves = told
    found = lines(*(costs(str(place), *pair) for place, pair in enumerate(pairs)))
    assert found[:2] == [f"cost_total: {total}", f"carveout: {moves}"]


def test_lost_values_and_rules_that_judge_nothing() -> None:
    """A lost value is counted, and types with one lenient rule are named together."""
    gone = finding("cost_total", 100, None, issue="cost_lost")
    others = [result(str(n), deal_type=kind, unchanged={"cost_total": 5}) for n, kind in enumerate(("a", "b", "c"))]
    told = lines(
        result("9", "regressed", gone), *others, unjudged={"cost_total": {"a": "report", "b": "report", "c": "ignore"}}
    )
    assert told == [
        "cost_total: 15 in 3 deals, unchanged; 1 deal lost the value",
        "acquisition: 0; 1 deal lost the value",
        "cost_total of a and b is not judged (rule: report)",
        "cost_total of c is not judged (rule: ignore)",
    ]


def test_no_money_in_a_matrix_or_a_capture() -> None:
    """A matrix compares types, and a capture judges nothing."""
    deal = result("1", "matched", unchanged={"cost_total": 5})
    assert finished([deal], mode="matrix").money == ()
    assert finished([deal], mode="capture").money == ()


def test_ranks_say_which_metrics_lead(tmp_path: Path) -> None:
    """Ranked metrics come first, in the order of their ranks; the rules that judge nothing are found by type."""
    config = load_config(tmp_path, flags={}, environ={})
    specs = (MetricSpec("a", "a"), MetricSpec("b", "b", rank=2), MetricSpec("c", "c", rank=1), MetricSpec("d", "d"))
    config = replace(config, metrics=specs, rules={"acquisition": {"a": "equal", "*": "ignore"}})
    policy = compile_policy(config.rules, types=config.deals.types, metrics=compile_metrics(specs), root=tmp_path)
    judging = JudgingFacts.of(config, policy)
    assert judging.metrics == ("c", "b", "a", "d")
    assert judging.ranked == ("c", "b")
    lenient = {"carveout": "report", "divestiture": "report"}
    assert judging.unjudged == {
        "a": lenient,
        **{name: {"acquisition": "ignore", **lenient} for name in "bcd"},
    }
    deal = result("1", unchanged={"a": 1, "b": 2, "c": 3})
    run = finished([deal], judging=replace(facts(1).judging, metrics=judging.metrics, ranked=judging.ranked))
    assert [money.metric for money in run.money] == ["c", "b"]
