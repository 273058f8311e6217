"""The verdict: what a gate tells the rollout to do, and that nothing but `proceed` is green."""

from __future__ import annotations

import shutil

from tests.plugin.project import Project, deal, deals


def test_the_share_of_affected_deals_decides(project: Project) -> None:
    """Under 10 %: fix forward; 10 to 50 %, both included: disable the flag; over: roll back."""
    for of, cases in (
        (
            11,
            {
                0: ("proceed", "PROCEED - none of 11 compared deals is affected"),
                1: ("fix_forward", "FIX FORWARD - 1 of 11 compared deals is affected (9.1 %): under 10 %"),
                6: ("roll_back", "ROLL BACK - 6 of 11 compared deals are affected (54.5 %): over 50 %"),
            },
        ),
        (
            10,
            {
                1: ("disable_flag", "DISABLE THE FLAG - 1 of 10 compared deals is affected (10.0 %): 10 % to 50 %"),
                5: ("disable_flag", "DISABLE THE FLAG - 5 of 10 compared deals are affected (50.0 %): 10 % to 50 %"),
            },
        ),
    ):
        rows = deals(of)
        project.with_deals(*rows).captured()
        for affected, expected in cases.items():
            outcome = project.with_deals(*deals(affected, amount=200), *rows[affected:]).gate()
            assert (outcome.action, outcome.verdict) == expected
            assert outcome.code == (1 if affected else 0)
        shutil.rmtree(project.folder / "snapshots")


def test_the_thresholds_are_the_users(project: Project) -> None:
    """`[tool.dealsnap.verdict]` moves the bounds, and a flag beats the file."""
    settings = "fix_forward_below = 60\nroll_back_above = 80"
    project = project.with_deals(*deals(2)).with_settings(settings, section="verdict").captured()
    changed = project.with_deals(deal("d1", amount=200), deal("d2"))
    assert changed.gate().action == "fix_forward"
    assert changed.gate(
        "--dealsnap-verdict-roll-back-above", "40", "--dealsnap-verdict-fix-forward-below", "5"
    ).action == ("roll_back")


def test_a_valid_type_that_was_spoilt_is_data_corruption(project: Project) -> None:
    """A valid stored type turned NULL or invalid rolls the release back, whatever the share."""
    spoilt = {"n": None, "i": "carve out", "b": ""}
    rows = deals(40)
    project.with_deals(*rows, *(deal(name, kind="carveout") for name in spoilt)).captured()
    outcome = project.with_deals(*rows, *(deal(name, kind=now) for name, now in spoilt.items())).gate()
    assert (outcome.code, outcome.action) == (1, "roll_back")
    assert "data corruption: deal b: its type was 'carveout' and is now ''" in outcome.verdict
    for name, now in spoilt.items():
        assert outcome.statuses[name] == "regressed"
        [finding] = [f for f in outcome.deal(name)["findings"] if f["issue"] == "deal_type_changed"]
        assert (finding["baseline"], finding["current"], finding["gates"]) == ("carveout", now, True)


def test_a_backfill_is_allowed_and_another_type_is_not(project: Project) -> None:
    """NULL that became acquisition is the backfill; acquisition that became carve-out is another input."""
    project.with_deals(deal("a", kind=None), deal("b"), deal("c", kind=" ")).captured()
    outcome = project.with_deals(deal("a"), deal("b", kind="carveout"), deal("c")).gate()
    assert outcome.statuses == {"a": "changed", "b": "regressed", "c": "changed"}
    assert outcome.action == "disable_flag"


def test_a_duplicated_id_is_data_corruption_and_named(project: Project) -> None:
    """Two rows with one id cannot be judged: errored, named, and the release rolled back."""
    project.with_deals(*deals(3)).captured()
    before = project.snapshots()
    doubled = project.with_deals(*deals(3), deal("d2", amount=5))
    outcome = doubled.gate()
    assert (outcome.code, outcome.action) == (1, "roll_back")
    assert outcome.statuses == {"d1": "matched", "d2": "errored", "d3": "matched"}
    assert "2 rows have the id 'd2'" in outcome.text
    assert doubled.capture().code == 1
    assert project.snapshots() == before
    assert doubled.capture("--dealsnap-allow-errors").code == 0
    assert project.snapshot("d2")["error"]["type"] == "DuplicateDealId"


def test_a_gate_without_a_baseline_is_a_usage_error(project: Project) -> None:
    """Nothing to judge against is exit code 4, with the way out, and writes nothing."""
    outcome = project.with_deals(deal("a")).gate()
    assert outcome.code == 4
    assert "no baseline in" in outcome.text
    assert "pytest --dealsnap-update" in outcome.text
    assert not (project.folder / "snapshots").exists()
    assert not (project.folder / "report.json").exists()


def test_a_gate_that_compared_nothing_is_never_green(project: Project) -> None:
    """Only new deals, everything deselected, an empty sample: inconclusive, and not exit code 0."""
    project.with_deals(deal("old")).captured()
    only_new = project.with_deals(deal("a"), deal("b"))
    outcome = only_new.gate("--dealsnap-deals-missing", "report")
    assert (outcome.code, outcome.action) == (1, "inconclusive")
    assert outcome.verdict == "INCONCLUSIVE - no deal was compared"
    deselected = project.with_deals(deal("old")).gate("-k", "nothing_is_called_that")
    assert (deselected.code, deselected.action) == (5, "none")
    assert deselected.report["run"]["partial"] is True
    empty = project.gate()
    assert (empty.code, empty.action) == (1, "roll_back"), "an emptied table has lost every deal"
    only_new_by_id = only_new.gate("--dealsnap-id", "a", "--dealsnap-deals-missing", "report")
    assert (only_new_by_id.code, only_new_by_id.action) == (1, "none")
    assert "nothing was compared: no verdict for the rollout" in only_new_by_id.text


def test_errors_on_both_sides_compare_nothing(project: Project) -> None:
    """A deal that fails as before passes, and is told; where all do, no output was compared, and nothing is green."""
    broken = "def value(deal_id):\n    if deal_id != 'works':\n        raise ValueError('no rates')\n"
    broken += "    return {'offer': {'price': 1}, 'risks': []}\n"
    project = project.with_file("valuation.py", broken).with_deals(deal("a"), deal("b"), deal("works"))
    assert project.capture("--dealsnap-allow-errors").code == 0
    outcome = project.gate()
    assert (outcome.code, outcome.action, outcome.statuses["a"]) == (0, "proceed", "changed")
    assert "2 deals fail as in the baseline, with no output to compare: deal a: ValueError: no rates" in outcome.text
    none = project.gate("--dealsnap-id", "a", "--dealsnap-id", "b")
    assert (none.code, none.action) == (1, "none")
    assert "2 of 3 deals judged, every deal fails as it did in the baseline: no verdict for the rollout" in none.text


def test_a_run_that_stopped_early_is_inconclusive(project: Project) -> None:
    """-x leaves deals unjudged: less than `min_compared`, so the verdict is left open."""
    project.with_deals(*deals(10)).captured()
    stopped = project.with_deals(deal("d1", amount=200), *deals(10)[1:])
    outcome = stopped.gate("-x")
    assert outcome.action == "inconclusive"
    assert outcome.code in (1, 2)
    assert "1 of 10 selected deals were compared, 10.0 % of the 100 % asked for" in outcome.verdict
    assert outcome.report["summary"]["deals"] == 1
    lowered = stopped.gate("--maxfail", "1", "--dealsnap-verdict-min-compared", "5")
    assert lowered.action == "roll_back"


def test_the_run_is_green_only_with_proceed(project: Project) -> None:
    """Deals that all pass do not make a green run if too few were compared."""
    project.with_deals(deal("a")).captured()
    outcome = project.with_deals(deal("a"), deal("b")).gate(
        "--dealsnap-deals-new", "fail", "--deselect", "deals::test_deal[acquisition-b]"
    )
    assert (outcome.code, outcome.action) == (0, "none")
    (project.baseline / "a.json").write_text("{")
    broken = project.with_deals(deal("a")).gate()
    assert (broken.code, broken.action) == (1, "inconclusive")
