"""What to run next follows from the verdict and from how deals failed, and never approves a failure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import AFFECTED, DealResult, Failure
from pytest_dealsnap.reporting.highlights import worst_results
from pytest_dealsnap.reporting.next_steps import report_path
from tests.reporting.runs import facts, finding, finished, result

GONE = finding("deal", "Deal", None, issue="missing_from_database")
COST = finding("cost_total", 100, 112, 12.0)


def crashed(deal_id: str, kind: str = "KeyError", **more: Any) -> DealResult:
    """Return a deal whose reasoner raised *kind*."""
    failed = finding("output", None, kind, issue="reasoning_failed")
    return result(deal_id, "errored", failed, error=Failure(kind, "no"), **more)


def of_status(status: str, deal_id: str) -> DealResult:
    """Return a deal of *status*, as a gate makes it."""
    if status == "errored":
        return crashed(deal_id)
    if status == "recovered":
        recovered = finding("output", "KeyError: no", None, gates=False, issue="output_changed")
        return result(deal_id, "new", recovered, compared=False)
    known = {"regressed": (COST,), "missing": (GONE,), "changed": (finding("cost_total", 1, 2, gates=False),)}
    return result(deal_id, status, *known.get(status, ()), compared=status != "new")


STATUSES = ("matched", "changed", "regressed", "errored", "missing", "new", "recovered")


@given(
    st.lists(st.sampled_from(STATUSES), min_size=1, max_size=12),
    st.sampled_from(["gate", "matrix", "compare"]),
    st.sampled_from(["", "dealsnap.json"]),
    st.sampled_from([None, "sample", "chosen", "shard"]),
)
def test_no_red_gate_over_a_complete_baseline_offers_an_update(
    statuses: list[str], mode: str, report: str, part: Any
) -> None:
    """Whatever failed, and whatever else is new: a capture would record what nobody has looked at."""
    results = [of_status(status, str(number)) for number, status in enumerate(statuses)]
    shard = "1/2" if part == "shard" else None
    run = finished(results, mode=mode, report=report, part=part, partial=part is not None, shard=shard)
    if any(one.status in AFFECTED for one in results):
        assert not any("--dealsnap-update" in step for step in run.next_steps)
        assert mode != "gate" or run.next_steps


def steps(*results: DealResult, **changes: Any) -> tuple[str, ...]:
    """Return the next steps of a gate over *results*."""
    return finished(results, **changes).next_steps


def test_a_crash_names_the_deal_whose_traceback_is_shown_and_the_rerun() -> None:
    """The commonest error comes first; one whose id cannot be typed is not named."""
    assert steps(crashed("\x1b"), crashed("a b", "KeyError"), crashed("3", "OSError"), crashed("4", "KeyError")) == (
        "pytest --dealsnap --dealsnap-id 'a b'   # the traceback of KeyError in 2 deals, and 1 other error",
        "pytest --dealsnap --dealsnap-report json:dealsnap.json   # then: dealsnap review dealsnap.json",
        "pytest --dealsnap --lf   # after a fix, only the deals that failed",
    )


def test_a_regression_is_reviewed_where_its_report_is() -> None:
    """The report's own path is given once, as a shell takes it; a shard's report is merged first."""
    run = (result("1", "regressed", COST), *(result(str(n)) for n in range(2, 30)))
    assert steps(*run, report="my report.json")[0] == (
        "dealsnap review 'my report.json'   # accept or reject each cause"
    )
    shard = steps(*run, report="a.json", part="shard", partial=True, shard="1/2")
    assert not any("review" in step for step in shard)
    assert "dealsnap merge" in shard[-1]
    assert steps(*run, report="a.json", mode="compare") == ("dealsnap review a.json   # accept or reject each cause",)
    assert not any("review" in step for step in steps(*run, report="\x1b.json"))


def test_missing_deals_and_bad_snapshots_say_where_to_look() -> None:
    """A missing deal is looked for in the database, a bad snapshot comes from git, a bad type from the audit."""
    gone = result("5", "missing", GONE, corrupt="it is in the baseline and not in the database")
    typed = result("6", "regressed", COST, corrupt="its type was carveout and is NULL")
    found = steps(gone, typed)
    assert "look in sqlite:///deals.db for 1 missing deal: 5" in found
    assert "dealsnap audit   # which deals have a NULL or invalid type now" in found
    bad = crashed("7", "SnapshotError", compared=False)
    assert "git checkout -- snapshots   # restore 1 bad snapshot" in steps(bad, result("8"))
    assert steps(crashed("9", "MissingSnapshotError", compared=False)) == (
        "git checkout -- snapshots   # restore 1 missing snapshot",
    )


@pytest.mark.parametrize(("failed", "offered"), [(1, False), (3, True), (8, True)])
def test_the_flag_is_disabled_only_where_one_is_configured(failed: int, offered: bool) -> None:
    """And only where the verdict is to disable it, or to roll back."""
    results = [result(str(n), "regressed" if n <= failed else "matched", *[COST] * (n <= failed)) for n in range(1, 13)]
    configured = facts(12).judging
    judging = replace(configured, flag="AWARE=false")
    step = "export AWARE=false   # disable the flag where it is on, until the causes are fixed"
    assert (step in steps(*results, judging=judging)) is offered
    assert not any("flag" in step for step in steps(*results))


def test_new_deals_are_recorded_only_after_nothing_failed() -> None:
    """An update is offered for what nobody could have approved before."""
    assert any("only missing   # record the new deals" in step for step in steps(result("1"), of_status("new", "2")))
    assert any("only errors   # approve" in step for step in steps(result("1"), of_status("recovered", "2")))


def worst(run: FinishedRun) -> list[str]:
    """Return the ids of the deals that the terminal shows."""
    return [one.id for one in worst_results(run, 5)]


def test_the_worst_deals_are_two_a_cause_by_what_went_wrong_and_by_money() -> None:
    """A crash and a lost value come before any amount; then the amount decides, not the percentage."""
    costs = [
        result(str(n), "regressed", finding("cost_total", 1000 * n, 1120 * n, 12.0, allowed="within 5%"))
        for n in range(1, 9)
    ]
    counts = [result(f"s{n}", "regressed", finding("synergy_count", 1, 0, -100.0)) for n in range(9)]
    lost = result("lost", "regressed", finding("cost_total", 5, None, issue="cost_lost"))
    assert worst(finished([*counts, *costs, lost, crashed("crash")])) == ["crash", "lost", "8", "7", "s0"]


def test_the_worst_deals_of_a_cause_are_those_in_which_money_moved_most() -> None:
    """Money counts also where its rule lets it pass, after money that breaks a rule; a lost value counts whole."""

    def counted(deal_id: str, cost: int) -> DealResult:
        moved = finding("cost_total", 100, cost, float(cost - 100), allowed="report", gates=False)
        return result(deal_id, "regressed", finding("synergy_count", 1, 0, -100.0), moved)

    counts = [counted(f"s{n}", 100 + n) for n in range(9)]
    assert worst(finished(counts)) == ["s8", "s7"]
    fee = result("fee", "regressed", finding("cost_total", 100, 106, 6.0, allowed="within 5%"))
    assert worst(finished([*counts, fee])) == ["fee", "s8", "s7"]
    losses = [result(str(n), "regressed", finding("cost_total", n, None, issue="cost_lost")) for n in (5, 900, 70)]
    assert worst(finished([*counts, *losses])) == ["900", "70", "s8", "s7"]


def test_where_the_report_of_a_run_is() -> None:
    """That of the run, else that of its next steps; a path that no terminal shows cannot be typed."""
    assert report_path(finished([result("1")], report="out/gate.json").facts) == "out/gate.json"
    assert report_path(finished([result("1")]).facts) == "dealsnap.json"
    assert report_path(finished([result("1")], report="a\x1b.json").facts) == "dealsnap.json"
