"""The ledger of accepted deviations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.ledger import Ledger, read_ledger
from pytest_dealsnap.errors import LedgerError
from pytest_dealsnap.judging.judge import Reasoned, judge
from pytest_dealsnap.judging.policy import TypePolicy
from pytest_dealsnap.judging.rules import parse_rule
from pytest_dealsnap.model.results import DealResult, Failure, Finding
from pytest_dealsnap.reporting.json_reading import kind_by_name

TODAY = date(2027, 1, 31)
TYPES = ("acquisition", "carveout", "divestiture")
HEAD = 'metric = "cost_total"\nreason = "known"\nwho = "Ana"\n'


def ledger(tmp_path: Path, text: str, *, today: date = TODAY) -> Ledger:
    """Return the ledger that *text* is."""
    (tmp_path / "accepted.toml").write_text(text, encoding="utf-8")
    return read_ledger(tmp_path, today=today, types=TYPES)


def entry(text: str) -> str:
    """Return one complete entry with *text* added."""
    return f"[[accepted]]\n{HEAD}{text}\n"


def regressed(
    current: Any, *more: Finding, deal: str = "12", kind: str = "carveout", metric: str = "cost_total", **facts: Any
) -> DealResult:
    """Return a regressed deal whose *metric* is *current* now."""
    issue = facts.pop("issue", f"{metric}_changed")
    finding = Finding(metric, issue, 100, current, kind=kind_by_name(metric, issue))
    return DealResult(deal, None, kind, kind, "regressed", findings=(finding, *more), **facts)


@pytest.mark.parametrize(
    ("text", "current", "accepted"),
    [
        ('deals = ["12"]\nvalue = 150', 150, True),
        ('deals = ["12"]\nvalue = 150', Decimal("150.0"), True),
        ('deals = ["12"]\nvalue = 0.1', 0.1, True),
        ('deals = ["12"]\nvalue = 150', 151, False),
        ('deals = ["12"]\nvalue = 150', None, False),
        ('deals = [12, "13"]\nvalue = 150', 150, True),
        ('deals = ["13"]\nvalue = 150', 150, False),
        ("deals = []\nvalue = 150", 150, False),
        ('type = "carveout"\nvalue = 150', 150, True),
        ('type = "acquisition"\nvalue = 150', 150, False),
        ('deals = ["12"]\nrange = [100, 150]', 150, True),
        ('deals = ["12"]\nrange = [100, 150]', 100.0, True),
        ('deals = ["12"]\nrange = [100, 150]', Decimal("150.0000000000000000001"), False),
        ('deals = ["12"]\nrange = [0.1, 0.3]', 0.3, True),
        ('deals = ["12"]\nrange = [-inf, inf]', 5, True),
        ('deals = ["12"]\nrange = [100, 150]', float("nan"), False),
        ('deals = ["12"]\nrange = [0, 1]', True, False),
        ('deals = ["12"]\nrange = [100, 150]', "120", False),
        ('deals = ["12"]\nvalue = ["a", "b"]', ["a", "b"], True),
        ('deals = ["12"]\nvalue = ["a", "b"]', ["b", "a"], False),
        ('deals = ["12"]\nvalue = 1', True, False),
    ],
)
def test_what_an_entry_accepts(tmp_path: Path, text: str, current: Any, accepted: bool) -> None:
    """A deal or a type, and the value or the closed range that the metric may have now."""
    result, used = ledger(tmp_path, entry(text)).apply(regressed(current))
    assert result.status == ("accepted" if accepted else "regressed")
    assert used == ((0,) if accepted else ())
    assert result.reason == ("known" if accepted else "")


def moved(before: Any, after: Any, *, metric: str = "cost_total", **facts: Any) -> DealResult:
    """Return a regressed deal whose *metric* moved from *before* to *after*."""
    issue = facts.pop("issue", f"{metric}_changed")
    finding = Finding(metric, issue, before, after, kind=kind_by_name(metric, issue), **facts)
    return DealResult("12", None, "carveout", "carveout", "regressed", findings=(finding,))


@pytest.mark.parametrize(
    ("condition", "before", "after", "accepted"),
    [
        ("change_percent = [11.5, 12.5]", 100, 112, True),
        ("change_percent = [11.5, 12.5]", 0.1, 0.112, True),
        ("change_percent = [12, 12]", Decimal("100.00"), Decimal("112.00"), True),
        ("change_percent = [11.5, 12.5]", 100, Decimal("112.5000000000000000001"), False),
        ("change_percent = [11.5, 12.5]", -100, -88, True),
        ("change_percent = [-12.5, -11.5]", 100, 88, True),
        ("change_percent = [-inf, inf]", 100, 5_000, True),
        ("change_percent = [-inf, inf]", 0, 5, False),
        ("change_percent = [-inf, inf]", None, 5, False),
        ("change_percent = [-inf, inf]", 5, float("inf"), False),
        ("change_percent = [-inf, inf]", "5", "6", False),
        ("change_amount = [50000, 50000]", 1, 50_001, True),
        ("change_amount = [50000, 50000]", 0, 50_000, True),
        ("change_amount = [0.1, 0.1]", 0.2, 0.3, True),
        ("change_amount = [50000, 50000]", 1, 50_002, False),
        ("change_amount = [-1, 1]", True, 2, False),
        ('lost_items = ["a"]', ["a", "b"], ["b"], True),
        ('lost_items = ["a"]', ["a", "a", "b"], ["a", "b"], True),
        ('lost_items = ["a"]', ["a", "b"], ["b", "c"], False),
        ('lost_items = ["a"]\ngained_items = [1.0]', ["a", "b"], [1, "b"], True),
        ('lost_items = ["a"]', "a", "", False),
        ("lost = true", 5, 6, False),
        ('paths = ["a"]', 5, 6, False),
    ],
)
def test_how_far_a_metric_may_have_moved(
    tmp_path: Path, condition: str, before: Any, after: Any, accepted: bool
) -> None:
    """A change in percent of the magnitude, an amount, items: bounds included, and nothing rounded."""
    result, _ = ledger(tmp_path, entry(f'cause = "abc"\n{condition}')).apply(moved(before, after))
    assert result.status == ("accepted" if accepted else "regressed")


@pytest.mark.parametrize("current", [None, float("nan")])
def test_a_lost_value_can_be_accepted_as_lost(tmp_path: Path, current: Any) -> None:
    """TOML has no null, so there is a word for it; a value of null is no loss that any other condition takes."""
    lost = moved(5, current, issue="cost_lost")
    assert ledger(tmp_path, entry('deals = ["12"]\nlost = true')).apply(lost)[0].status == "accepted"
    assert ledger(tmp_path, entry('deals = ["12"]\nrange = [-inf, inf]')).apply(lost)[0].status == "regressed"


@pytest.mark.parametrize(
    ("paths", "changed", "count", "accepted"),
    [
        (["lines[].net"], ["lines[0].net", "lines[3].net"], 2, True),
        (["lines[].net"], ["lines[0].net", "total"], 2, False),
        (["lines[].net", "total"], ["lines[0].net"], 1, True),
        (["lines[].net", "total"], ["lines[0].net"], 5, False),
        (["x.a00"], ["x.a00"], 1, True),
        (["x.a00"], ["x.a01"], 1, False),
        (["x.a#"], ["x.a00", "x.a01"], 2, True),
        (["x.a#"], ["x.a00", "x.zz_late"], 2, False),
        (["by_party.*.net"], ["by_party.acme.net", 'by_party."A b".net'], 2, True),
        (["by_party.*.net"], ["by_party.acme.gross"], 1, False),
        (["a"], [f"{chr(97 + i)}{chr(97 + j)}" for i in range(2) for j in range(5)], 11, False),
        (["*"], [f"{chr(97 + i)}{chr(97 + j)}" for i in range(2) for j in range(5)], 11, False),
        (["*"], [f"{chr(97 + i)}{chr(97 + j)}" for i in range(2) for j in range(5)], 10, True),
    ],
)
def test_where_an_output_may_have_changed(
    tmp_path: Path, paths: list[str], changed: list[str], count: int, accepted: bool
) -> None:
    """Paths without indices; an output that changed at more kinds of paths than are known is not accepted."""
    result = moved(None, None, metric="output", issue="output_changed", count=count, paths=tuple(changed))
    text = entry(f'deals = ["12"]\npaths = {paths}'.replace("'", '"')).replace("cost_total", "output")
    assert ledger(tmp_path, text).apply(result)[0].status == ("accepted" if accepted else "regressed")


@pytest.mark.parametrize(
    ("selector", "accepted"),
    [
        ('cause = "abc"', True),
        ('cause = "abc"\ntype = "carveout"', True),
        ('cause = "abc"\ntype = ["acquisition", "carveout"]', True),
        ('cause = "abc"\ntype = "acquisition"', False),
        ('cause = "abc"\ndeals = ["12"]', True),
        ('cause = "abc"\ndeals = ["13"]', False),
        ('cause = "abc"\nwhere = { region = "EMEA" }', True),
        ('cause = "abc"\nwhere = { region = ["US", "EMEA"], "output.open" = true }', True),
        ('cause = "abc"\nwhere = { signed = 2026-01-31 }', True),
        ('cause = "abc"\nwhere = { region = "US" }', False),
        ('cause = "abc"\nwhere = { "output.open" = 1 }', False),
        ('cause = "abc"\nwhere = { absent = "EMEA" }', False),
        ('type = "carveout"\nwhere = { region = "EMEA" }', True),
    ],
)
def test_all_that_an_entry_names_must_hold(tmp_path: Path, selector: str, accepted: bool) -> None:
    """Types, deals and fields narrow a cause; a field that the deal has not is not the one that is named."""
    fields = {"region": '"EMEA"', "output.open": "true", "signed": '"2026-01-31"'}
    book = ledger(tmp_path, entry(f"{selector}\nvalue = 150"))
    assert book.apply(regressed(150), fields.get)[0].status == ("accepted" if accepted else "regressed")
    if "where" in selector:
        assert book.apply(regressed(150))[0].status == "regressed"


def test_fields_are_asked_for_only_by_an_entry_that_names_one(tmp_path: Path) -> None:
    """A deal's row is not read for entries that are about other deals or values."""
    asked: list[str] = []
    entries = entry('cause = "a"\nwhere = { region = "US" }\nvalue = 151')
    entries += entry('type = "acquisition"\nwhere = { region = "US" }\nvalue = 150')
    ledger(tmp_path, entries).apply(regressed(150), lambda field: asked.append(field))
    assert asked == []


def test_an_entry_behind_an_uncovered_finding_is_not_stale(tmp_path: Path) -> None:
    """That another metric keeps the deal red does not make an entry useless."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 1').replace("cost_total", "synergy_count"))
    result, used = book.apply(regressed(150, Finding("synergy_count", "synergy_count_changed", 2, 1)))
    assert (result.status, used) == ("regressed", (0,))


def test_every_gating_finding_must_be_covered(tmp_path: Path) -> None:
    """An accepted cost does not make a lost synergy count green; what only reports needs no entry."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150'))
    gates = Finding("synergy_count", "synergy_count_changed", 2, 1)
    shows = Finding("synergy_types", "synergy_types_changed", [], ["a"], gates=False)
    assert book.apply(regressed(150, gates))[0].status == "regressed"
    assert book.apply(regressed(150, gates))[1] == (0,)
    assert book.apply(regressed(150, shows))[0].status == "accepted"
    two = entry('deals = ["12"]\nvalue = 150') + entry('deals = ["12"]\nvalue = 1').replace(
        "cost_total", "synergy_count"
    )
    result, used = ledger(tmp_path, two.replace('"known"', '"other"', 1)).apply(regressed(150, gates))
    assert (result.status, result.reason, used) == ("accepted", "other; known", (0, 1))


@pytest.mark.parametrize(("metric", "issue"), [("output", "reasoning_failed"), ("deal", "missing_from_database")])
def test_some_findings_can_never_be_accepted(tmp_path: Path, metric: str, issue: str) -> None:
    """A deal that could not be judged is not made green by any entry."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150').replace("cost_total", metric))
    assert book.apply(regressed(150, metric=metric, issue=issue))[0].status == "regressed"


@pytest.mark.parametrize("name", ["price: net", "a: b / c", "net (EUR): x"])
def test_a_metric_with_a_colon_is_the_gates(tmp_path: Path, name: str) -> None:
    """Only a name that ends in deal types is a matrix run's; any other entry is asked, and told where it is stale."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150').replace("cost_total", name))
    assert len(book.against_baseline().entries) == 1
    assert book.between_types().entries == ()
    result, used = book.against_baseline().apply(regressed(150, metric=name))
    assert (result.status, used) == ("accepted", (0,))
    assert book.against_baseline().stale(()) == book.entries
    matrix = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150').replace("cost_total", "x: carveout / acquisition"))
    assert matrix.against_baseline().entries == ()
    assert len(matrix.between_types().entries) == 1


def test_an_accepted_type_approves_no_output_of_a_deal_that_failed_before(tmp_path: Path) -> None:
    """The baseline has an error, and the deal works now under another type: the type is accepted, its output is new."""
    before = Reasoned("acquisition", "acquisition", error=Failure("KeyError", "x"))
    after = Reasoned("carveout", "carveout", {}, {"x": 1})
    policy = TypePolicy({"*": parse_rule("equal", place="", root=tmp_path)})
    judged = judge(before, after, policy=policy, metrics=(), is_valid_type=lambda name: True)
    assert judged.status == "regressed"
    result = DealResult("12", None, "acquisition", "carveout", "regressed", findings=judged.findings)
    text = entry('deals = ["12"]\nvalue = "carveout"').replace("cost_total", "deal_type")
    taken, used = ledger(tmp_path, text).apply(result)
    assert (taken.status, taken.compared, taken.gating, used) == ("new", False, (), (0,))


def test_paths_beyond_those_shown_are_asked_too(tmp_path: Path) -> None:
    """Twelve keys with digits and a late one: ten are shown, and the entry does not cover the one that is not."""
    before = Reasoned("carveout", "carveout", {}, {"x": {**{f"a{i:02}": 1 for i in range(12)}, "zz_late": 1}})
    after = Reasoned("carveout", "carveout", {}, {"x": {**{f"a{i:02}": 2 for i in range(12)}, "zz_late": 2}})
    policy = TypePolicy({"*": parse_rule("equal", place="", root=tmp_path)})
    judged = judge(before, after, policy=policy, metrics=(), is_valid_type=lambda name: True)
    [finding] = judged.findings
    assert len(finding.paths) == 10
    assert "x.zz_late" not in finding.paths
    assert finding.forms is not None
    assert "x.zz_late" in finding.forms
    result = DealResult("12", None, "carveout", "carveout", "regressed", findings=(finding,))
    listed = ", ".join(f'"x.a{i:02}"' for i in range(12))
    for paths, status in (
        ('["x.a#"]', "regressed"),
        (f"[{listed}]", "regressed"),
        ('["x.a#", "x.zz_late"]', "accepted"),
        (f'[{listed}, "x.zz_late"]', "accepted"),
        ('["x.*"]', "accepted"),
    ):
        text = entry(f'deals = ["12"]\npaths = {paths}').replace("cost_total", "output")
        assert ledger(tmp_path, text).apply(result)[0].status == status


def test_corruption_and_other_statuses_are_not_accepted(tmp_path: Path) -> None:
    """Only a regressed deal without data corruption can be accepted."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150'))
    assert book.apply(regressed(150, corrupt="its type is gone"))[0].status == "regressed"
    assert book.apply(regressed(150).with_status("errored"))[0].status == "errored"
    assert book.apply(regressed(150).with_status("changed"))[1] == ()


@pytest.mark.parametrize(
    ("today", "status"),
    [(date(2027, 1, 30), "accepted"), (date(2027, 1, 31), "accepted"), (date(2027, 2, 1), "regressed")],
)
def test_an_entry_counts_through_its_last_day(tmp_path: Path, today: date, status: str) -> None:
    """On the day of its expiry an entry counts; on the day after it does not, and is told."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150\nexpires = 2027-01-31'), today=today)
    result, used = book.apply(regressed(150))
    assert result.status == status
    assert used == (0,)
    assert len(book.expired()) == (status == "regressed")
    assert book.stale(used) == ()
    assert book.stale([]) == (() if status == "regressed" else book.entries)


def test_a_live_entry_beside_an_expired_one_counts(tmp_path: Path) -> None:
    """The reason that is given is the live entry's."""
    old = entry('deals = ["12"]\nvalue = 150\nexpires = 2020-01-01').replace("known", "old")
    result, used = ledger(tmp_path, old + entry('type = "carveout"\nvalue = 150')).apply(regressed(150))
    assert (result.status, result.reason, used) == ("accepted", "known", (0, 1))


def test_an_entry_that_matched_nothing_is_stale(tmp_path: Path) -> None:
    """Stale are the live entries that no deal of the run needed."""
    book = ledger(tmp_path, entry('deals = ["12"]\nvalue = 150') + entry('deals = ["99"]\nvalue = 1'))
    _, used = book.apply(regressed(150))
    assert [one.place for one in book.stale(used)] == [f"{tmp_path / 'accepted.toml'}, entry 2"]


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    """A baseline needs no ledger."""
    book = read_ledger(tmp_path, today=TODAY)
    assert book.entries == ()
    assert book.apply(regressed(150)) == (regressed(150), ())


def test_all_facts_of_an_entry_are_read(tmp_path: Path) -> None:
    """Ticket and expiry are kept for the reports."""
    [one] = ledger(tmp_path, entry('deals = ["1"]\nrange = [1, 2.50]\nticket = "DD-1"\nexpires = 2027-01-31')).entries
    assert (one.metric, one.reason, one.who, one.ticket, one.expires) == (
        "cost_total",
        "known",
        "Ana",
        "DD-1",
        date(2027, 1, 31),
    )
    assert (one.condition, one.taken) == ("range", (Decimal(1), Decimal("2.50")))
    assert (one.deals, one.types, one.cause, one.where) == (frozenset({"1"}), None, None, ())


DEALS = 'deals = ["1"]\n'
BAD = [
    ("[[accepted]", "cannot be read: "),
    ("accepted = 5", "expected [[accepted]] entries only, found accepted = …"),
    ("[accepted]\nmetric = 'x'", "expected [[accepted]] entries only, found accepted = …"),
    ("[other]\nx = 1", "expected [[accepted]] entries only, found other"),
    ("accepted = [1]", "entry 1: must be a table"),
    ("[[accepted]]\n" + DEALS + "value = 1", "entry 1: metric is needed, a text"),
    ("[[accepted]]\nmetric = ' '\n" + DEALS + "value = 1", "entry 1: metric is needed, a text"),
    ("[[accepted]]\nmetric = 'm'\n" + DEALS + "value = 1", "entry 1: reason is needed, a text"),
    ("[[accepted]]\nmetric = 'm'\nreason = 'r'\nwho = 5\n" + DEALS + "value = 1", "entry 1: who is needed, a text"),
    (entry("value = 1"), 'entry 1: one of deals = ["12"] and type = "carveout" is needed'),
    (entry(DEALS + 'type = "carveout"\nvalue = 1'), "entry 1: one of deals"),
    (entry('deals = "12"\nvalue = 1'), "entry 1: deals must be a list of ids"),
    (entry("deals = [1.5]\nvalue = 1"), "entry 1: deals must be a list of ids"),
    (entry("deals = [true]\nvalue = 1"), "entry 1: deals must be a list of ids"),
    (
        entry('type = "carve-out"\nvalue = 1'),
        "entry 1: type 'carve-out' must be one of acquisition, carveout, divestiture. Did you mean",
    ),
    (entry("type = 5\nvalue = 1"), "entry 1: type must be a type, or a list"),
    (entry(DEALS), "entry 1: one of value, range, change_percent"),
    (entry(DEALS + "value = 1\nrange = [1, 2]"), "entry 1: one of value, range, change_percent"),
    (entry(DEALS + "lost = true\nlost_items = [1]"), "entry 1: one of value, range, change_percent"),
    (entry(DEALS + "lost = false"), "entry 1: lost must be true, or left out"),
    (entry(DEALS + "change_percent = [1]"), "entry 1: change_percent must be [lowest, highest]"),
    (entry(DEALS + "change_amount = [2, 1]"), "entry 1: the change_amount is empty, 2 is above 1"),
    (entry(DEALS + "gained_items = 5"), "entry 1: lost_items and gained_items must be lists"),
    (entry(DEALS + "paths = 'a'"), "entry 1: paths must be a list of texts"),
    (entry("cause = 5\nvalue = 1"), "entry 1: cause must be a text"),
    (entry('type = ["carveout", "sale"]\nvalue = 1'), "entry 1: type 'sale' must be one of"),
    (entry(DEALS + "where = 5\nvalue = 1"), "entry 1: where must be a table"),
    (entry(DEALS + "where = { region = 1.5 }\nvalue = 1"), "entry 1: where.region must be a text, a whole number"),
    (entry(DEALS + "where = { region = [] }\nvalue = 1"), "entry 1: where.region must be a text, a whole number"),
    (entry(DEALS + "range = [1]"), "entry 1: range must be [lowest, highest]"),
    (entry(DEALS + "range = 5"), "entry 1: range must be [lowest, highest]"),
    (entry(DEALS + "range = ['a', 'b']"), "entry 1: range must be [lowest, highest]"),
    (entry(DEALS + "range = [nan, 5]"), "entry 1: range must be [lowest, highest]"),
    (entry(DEALS + "range = [false, true]"), "entry 1: range must be [lowest, highest]"),
    (entry(DEALS + "range = [2, 1]"), "entry 1: the range is empty, 2 is above 1"),
    (entry(DEALS + "value = 1\nexpires = '2027-01-31'"), "entry 1: expires must be a date, such as 2027-01-31"),
    (entry(DEALS + "value = 1\nexpires = 2027-01-31T10:00:00"), "entry 1: expires must be a date"),
    (entry(DEALS + "value = 1\nticket = 5"), "entry 1: ticket must be a text"),
    (entry(DEALS + "value = 12:30:00"), "entry 1: value: "),
    ("<<<<<<< HEAD\n" + entry(DEALS + "value = 1"), "(it holds the markers of a merge conflict; the entries of both"),
    (entry(DEALS + "value = 1") + entry(DEALS + "valeu = 1"), "entry 2: unknown key 'valeu'. Did you mean \"value\"?"),
]


@pytest.mark.parametrize(("text", "what"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_a_bad_ledger_is_refused(tmp_path: Path, text: str, what: str) -> None:
    """The error names file, entry and what is wrong with it."""
    with pytest.raises(LedgerError) as caught:
        ledger(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "accepted.toml"))
    assert what in str(caught.value)


def test_a_ledger_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Neither bytes that are no UTF-8 nor a folder count as an empty ledger."""
    (tmp_path / "accepted.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerError, match="cannot be read"):
        read_ledger(tmp_path, today=TODAY)
    (tmp_path / "accepted.toml").unlink()
    (tmp_path / "accepted.toml").mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        read_ledger(tmp_path, today=TODAY)
