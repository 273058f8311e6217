"""A run that begins deals in a random order and stops once its verdict is decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import CONFIG, REASONER, Project, deals

UNTIL = ("--dealsnap-until", "decided", "--dealsnap-verdict-proceed-below", "20")
CALLS = '\n    with open("called.txt", "a") as file:\n        file.write(f"{transaction.id}\\n")'
COUNTING = REASONER.replace("def value(transaction):", f"def value(transaction):{CALLS}", 1)
STORE = "\n[tool.dealsnap.calls]\ncost = 2\n"


@pytest.fixture
def sixty(project: Project) -> Project:
    """Sixty unchanged deals, whose calls are counted."""
    found = project.with_deals(*deals(60, amount=1000)).with_reasoner(COUNTING).captured()
    (found.folder / "called.txt").unlink(missing_ok=True)
    return found


def called(project: Project) -> list[str]:
    """Return which deals were reasoned since this was last asked."""
    path: Path = project.folder / "called.txt"
    found = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def test_a_clean_run_stops_below_the_bound(sixty: Project) -> None:
    """After as many deals as the bound needs; by the same seed the same ones; and no call is begun after that."""
    first = sixty.gate(*UNTIL)
    drawn = called(sixty)
    assert (first.code, first.action, len(drawn)) == (0, "proceed", 14)
    assert first.report["verdict"]["reason"] == (
        "none of 14 affected; at most 11 of 60 (18.3 %) with 95 % confidence, whenever the run stops: under 20 %"
    )
    assert "the run stopped after 14 deals, as its verdict was decided (--dealsnap-seed 0)" in first.text
    assert "deals begin in a random order (--dealsnap-seed 0), until the verdict is decided" in first.text
    assert first.closing == "14 passed, 46 skipped"
    counts = {"deal_type": "acquisition", "deals": 60, "judged": 14, "affected": 0, "unknown": 0}
    assert first.report["run"]["looked"] == {"seed": 0, "types": [counts], "decided": True}
    sixty.gate(*UNTIL)
    assert called(sixty) == drawn
    sixty.gate(*UNTIL, "--dealsnap-seed", "1")
    assert called(sixty) != drawn


def test_a_red_run_stops_as_well(sixty: Project) -> None:
    """Where the lower bound is beyond a threshold; `-x` leaves the bound so far; two workers do no more than theirs."""
    dearer = sixty.with_deals(*deals(60, amount=1120))
    red = dearer.gate(*UNTIL)
    assert red.action == "roll_back"
    assert "18 of 18 affected; at least 31 and at most 60 of 60 (100.0 %) with 95 % confidence" in red.verdict
    assert len(called(dearer)) == 18
    stopped = dearer.gate(*UNTIL, "-x")
    assert (stopped.action, len(called(dearer))) == ("inconclusive", 1)
    assert "1 of 1 affected; at least 1 and at most 60 of 60 (100.0 %)" in stopped.verdict
    assert "1 deal of a random order did not decide the verdict" in stopped.text
    spread = dearer.gate(*UNTIL, "-n", "2")
    assert spread.action == "roll_back"
    assert 18 <= len(called(dearer)) <= 19


def test_calls_under_way_are_judged(sixty: Project) -> None:
    """With eight at once, those that were begun when the verdict was decided are judged too; none is begun after."""
    outcome = sixty.gate(*UNTIL, "--dealsnap-workers", "8")
    assert outcome.action == "proceed"
    assert 14 <= len(called(sixty)) <= 22
    assert int(outcome.closing.split()[0]) == outcome.report["summary"]["matched"] <= 22


def test_a_budget_leaves_a_sample(sixty: Project) -> None:
    """Its deals are not judged, the verdict has the bound so far; the same command goes on; another seed is told."""
    stored = sixty.with_config(CONFIG + STORE)
    short = stored.gate(*UNTIL, "--dealsnap-budget", "10")
    assert (short.action, len(called(stored))) == ("inconclusive", 5)
    assert "so far at most 27 of 60 (45.0 %) affected with 95 % confidence, whenever the run stops" in short.verdict
    whole = stored.gate(*UNTIL, "--dealsnap-budget", "100")
    assert (whole.action, len(called(stored))) == ("proceed", 9)
    plain = stored.gate("--dealsnap-budget", "40", "--dealsnap-fresh")
    assert (plain.action, len(called(stored))) == ("inconclusive", 20)
    assert "deals begin in a random order (--dealsnap-seed 0), so that a budget leaves a sample" in plain.text
    assert "so far at most 7 of 60 (11.7 %) affected" in plain.verdict
    assert "pytest --dealsnap --dealsnap-budget MORE   # a larger budget: it goes on where this run ended" in plain.text


def test_another_sample_after_a_red_one_is_told(sixty: Project) -> None:
    """Whoever draws until a sample is green proves nothing, and hears it; a first look says nothing."""
    stored = sixty.with_config(CONFIG + STORE)
    red = stored.with_deals(*deals(30, amount=1000), *deals(60, amount=1120)[30:])
    first = red.gate("--dealsnap-sample", "10")
    assert "second look" not in first.text
    again = red.gate("--dealsnap-sample", "5", "--dealsnap-seed", "7")
    assert "this is a second look: the sample by --dealsnap-seed 0 found" in again.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--dealsnap-type", "acquisition"), "leave out --dealsnap-type, whose part has no verdict"),
        (("--dealsnap-shard", "1/2"), "leave out --dealsnap-shard"),
        (("--dealsnap-matrix",), "--dealsnap-until decided goes with --dealsnap, not with an update or a matrix"),
        (("--dealsnap-against", "HEAD"), "--dealsnap-until decided needs a stored baseline"),
        (("--ff",), "something put them in another one: leave out --ff"),
    ],
)
def test_what_leaves_no_verdict_is_refused(sixty: Project, arguments: tuple[str, ...], words: str) -> None:
    """A chosen part has no verdict to be decided, and another order none that holds."""
    if "--ff" in arguments:
        sixty.with_deals(*deals(59, amount=1000), *deals(60, amount=5)[59:]).gate()
    refused = sixty.gate("--dealsnap-until", "decided", *arguments)
    assert refused.code == 4
    assert words in refused.text


def test_a_run_that_does_not_begin_leaves_no_folder(sixty: Project, tmp_path: Path) -> None:
    """Nor does one that ends: its processes' file goes with it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    inside = sixty.with_environment(TMPDIR=str(temporary))
    assert inside.gate(*UNTIL, "--dealsnap-executor", "nowhere:pool").code == 4
    assert inside.gate(*UNTIL, "--ff", "-k", "nothing").code != 0
    assert inside.gate(*UNTIL).code == 0
    assert list(temporary.glob("dealsnap-order-*")) == []
