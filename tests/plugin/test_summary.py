"""What a reader sees: the closing summary, its bounds, and how far a long run is."""

from __future__ import annotations

import re

from tests.plugin.project import Project, deal, deals

WAITING = """
import time

def value(transaction):
    time.sleep(0.02)
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}
"""


def test_sixty_failed_deals_are_summed_up_not_listed(project: Project) -> None:
    """Twenty failures are shown in full, all are counted and in the report, and one change is one cause."""
    rows = (*deals(30), *(deal(f"c{n}", kind="carveout") for n in range(30)))
    project = project.with_settings('price = "equal"', section="rules.carveout").with_deals(*rows).captured()
    outcome = project.with_deals(*((number, title, kind, 112) for number, title, kind, _ in rows)).gate()
    assert outcome.closing == "60 failed"
    assert "40 more failed deals are not shown above; all of them are in the report" in outcome.text
    assert len(re.findall(r"^_+ test_deal\[", outcome.text, re.MULTILINE)) == 20
    assert len(outcome.text.splitlines()) < 450
    assert outcome.report["summary"]["regressed"] == 60
    [cause] = outcome.report["causes"]
    assert cause["title"] == "price +12.0% · acquisition, carveout"
    assert (len(cause["deals"]), cause["gates"], cause["metric"]) == (60, True, "price")
    assert "60 failed deals, the worst two of each cause:" in outcome.text
    assert outcome.text.count("dealsnap review") == 1
    assert "  dealsnap review report.json   # accept or reject each cause" in outcome.text
    summary = outcome.text[outcome.text.index("dealsnap gate") :]
    rows_of_summary = [line.split() for line in summary.splitlines()[2:7]]
    assert rows_of_summary[0] == ["type", "matched", "regressed", "deals"]
    assert rows_of_summary[2:] == [
        ["acquisition", "0", "30", "30"],
        ["carveout", "0", "30", "30"],
        ["all", "0", "60", "60"],
    ]
    assert outcome.verdict == "ROLL BACK - 60 of 60 compared deals are affected (100.0 %): over 50 %"
    quiet = project.with_deals(*((number, title, kind, 112) for number, title, kind, _ in rows)).gate("-q", "--tb=no")
    assert "ROLL BACK" in quiet.verdict


def test_a_difference_is_explained_in_the_failure(project: Project) -> None:
    """A failed deal shows a table of its findings and the paths that changed; long texts where they differ."""
    long_text = "x" * 200
    source = (
        "def value(t):\n    return {'offer': {'price': PRICE}, 'risks': [], 'memo': {'a': [1, 2, 3], 'text': TEXT}}\n"
    )
    project = project.with_deals(deal("a", title="Alpine"))
    project.with_reasoner(source.replace("PRICE", "100").replace("TEXT", repr(long_text + "old"))).captured()
    outcome = project.with_reasoner(source.replace("PRICE", "112").replace("TEXT", repr(long_text + "new"))).gate()
    assert "deal a Alpine (acquisition): regressed" in outcome.text
    assert re.search(r"! price\s+100\s+112\s+\+12.00 %\s+within 5%", outcome.text)
    assert "2 differences in the output:" in outcome.text
    assert "offer.price: 100 → 112" in outcome.text
    assert "memo.text: " in outcome.text
    shown = next(line for line in outcome.text.splitlines() if "memo.text: " in line)
    assert "old" in shown, "the part that differs is shown"
    assert "new" in shown


def test_a_long_run_says_how_far_it_is(project: Project) -> None:
    """Progress lines count deals done, failures and errors; `--dealsnap-progress 0` gives none."""
    project = project.with_deals(*deals(20)).with_reasoner(WAITING).captured()
    changed = project.with_deals(deal("d1", amount=500), *deals(20)[1:])
    outcome = changed.gate("--dealsnap-progress", "0.05")
    lines = re.findall(r"^dealsnap: (\d+) of 20 deals(, 1 failed)?, .*/s, .* left$", outcome.text, re.MULTILINE)
    assert lines
    assert [int(done) for done, _ in lines] == sorted(int(done) for done, _ in lines)
    assert all(failed for _, failed in lines)
    assert not re.search(r"^dealsnap: \d+ of 20", changed.gate("--dealsnap-progress", "0").text, re.MULTILINE)


def test_each_verdict_names_the_next_command(project: Project) -> None:
    """After a capture: commit; after new deals: record them; after a part: run the whole."""
    project = project.with_deals(deal("a"))
    assert "git add snapshots && git commit" in project.capture().text
    fresh = project.with_deals(deal("a"), deal("b")).gate()
    assert (fresh.code, fresh.action) == (1, "inconclusive"), "a new deal counts in min_compared"
    assert "dealsnap review" not in fresh.text, "nothing failed, so there is nothing to go through"
    assert "pytest --dealsnap-update --dealsnap-only missing   # record the new deals" in fresh.text
    nothing = project.gate("-k", "none_such")
    assert nothing.code == 5
    assert "pytest --dealsnap   # every deal, for the verdict" in nothing.text
