"""The HTML report as a file: one that asks no network, obeys no deal, and can be read without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_dealsnap.model.details import Details, MetricRow
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.reporting.decision_tree import branches
from pytest_dealsnap.reporting.html_report import render_html
from pytest_dealsnap.reporting.page_data import page_data
from tests.reporting.runs import HOSTILE, finding, finished, hostile_run, large_run, result, small_run


class Page(HTMLParser):
    """The elements of a page, its text outside of data, style and script, and those three."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = str(dict(attrs).get("type", tag))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside] = self.raw.get(self._inside, "") + data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        """What stands there, blanks made one."""
        return " ".join(" ".join(self.words).split())

    @property
    def data(self) -> Any:
        """What the page's script works on."""
        return json.loads(self.raw["application/json"])


def tags(page: Page) -> set[str]:
    """Return the names of all elements."""
    return {tag for tag, _ in page.elements}


def test_the_page_is_one_file_that_asks_no_network() -> None:
    """No element points elsewhere, and the page's own policy forbids all but its style and its script."""
    text = render_html(small_run())
    page = Page(text)
    pointing = [attrs[key] for _, attrs in page.elements for key in ("src", "href", "action", "data") if key in attrs]
    assert {str(target)[0] for target in pointing} == {"#"}
    [policy] = [
        attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    for kind, name in (("script-src", "script"), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(page.raw[name].encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none'; ")
    handlers = [key for _, attrs in page.elements for key in attrs if key.startswith("on") or key == "style"]
    assert handlers == [], "such a policy would refuse them"
    assert not re.search(
        r"\b(eval|innerHTML|outerHTML|insertAdjacentHTML|document\.write|fetch|XMLHttpRequest)\b", text
    )


def test_verdict_tree_causes_and_summary_can_be_read_without_javascript() -> None:
    """The core is text: verdict, the branch taken, causes, counts, worst deals, notes, next steps, origin."""
    text = Page(render_html(small_run())).text
    for words in (
        "Roll back data corruption: deal 5: it is in the baseline and not in the database",
        "an id twice roll back ← this run",
        "5 causes",
        "fails cost_total +12.0% · acquisition",
        "3 deals: 1, 2, 3",
        "type matched changed regressed errored missing new accepted deals acquisition 22 0 3 1 1 1 0 28",
        "1 Deal 1 (acquisition): cost_total 100 → 112 (+12.00 %), allowed: within 5%",
        "pytest --dealsnap --lf",
        "captured 2026-02-27T17:00:00+00:00 commit fedcba9876543210",
        "started 2026-03-01T08:30:00+00:00 took 12.346 s",
    ):
        assert words in text


TOO_LITTLE = "less than 100 % of the selected deals compared, or none; deals not judged; an incomplete baseline"


def one_of(count: int) -> FinishedRun:
    """Return a run in which one of *count* deals regressed."""
    return finished([result("0", "regressed"), *(result(str(n)) for n in range(1, count))])


def test_a_short_list_of_single_values_stands_in_one_line() -> None:
    """Items are read beside each other; what is long or deep is laid out line by line."""
    lists: list[Any] = [["a\nb", 1.5, float("nan")], [], ["x" * 50, "y" * 50], [{"a": 1}], {"a": [1]}]
    rows = tuple(MetricRow("m", one, None, None, "equal", "fails") for one in lists)
    kept = Details(rows, (), 0)
    data = page_data(finished([result("1", "regressed", finding("m", 1, 2, 100.0), details=kept)]))
    shown = [row["baseline"] for row in data["details"]["0"]["metrics"]]
    assert shown[:2] == ['["a\\nb", 1.5, NaN]', "[]"]
    assert [text.count("\n") for text in shown[2:]] == [3, 4, 4]


@pytest.mark.parametrize(
    ("run", "taken"),
    [
        (finished([result("1")]), "no deal affected"),
        (finished([]), TOO_LITTLE),
        (finished([result("1")], not_judged=("2",)), TOO_LITTLE),
        (one_of(20), "under 10 % of the compared deals affected"),
        (one_of(10), "10 % to 50 % affected"),
        (one_of(2), "10 % to 50 % affected"),
        (one_of(1), "over 50 % affected"),
        (small_run(), "data corruption: a deal gone, a valid type turned invalid, an id twice"),
    ],
)
def test_the_taken_branch_is_marked(run: FinishedRun, taken: str) -> None:
    """Exactly one branch of the decision tree is taken, and it leads to the verdict."""
    [branch] = [branch for branch in branches(run) if branch.taken]
    assert run.verdict is not None
    assert (branch.condition, branch.action) == (taken, run.verdict.action)
    page = Page(render_html(run))
    assert [attrs.get("class") for tag, attrs in page.elements if attrs.get("aria-current")] == ["taken"]


def test_a_capture_has_neither_verdict_nor_tree() -> None:
    """It says how many deals were recorded."""
    run = finished([result("1", "new"), result("2", "matched")], mode="capture")
    assert branches(run) == ()
    page = Page(render_html(run))
    assert "Capture 2 deals recorded" in page.text
    assert page.data["capture"] is True


def test_nothing_hostile_becomes_an_element() -> None:
    """A page of hostile words has the same kinds of elements as one of plain words, and no text is lost."""
    page = Page(render_html(hostile_run()))
    assert tags(page) <= tags(Page(render_html(small_run()))) | {"details", "summary", "div", "ul", "li", "pre"}
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert {deal["id"] for deal in page.data["deals"]} >= set(HOSTILE)
    assert HOSTILE[0] in page.text
    assert "<" not in page.raw["application/json"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page.text)


def test_ten_thousand_deals_are_a_few_megabytes() -> None:
    """Short rows: half a kilobyte for a deal that failed; and details only for the few that have them."""
    text = render_html(large_run())
    page = Page(text)
    assert len(page.data["deals"]) == 10_000
    assert len(text) < 4_000_000
    assert len(page.elements) < 1_000, "the table is made by the script, a page at a time"
    assert len(page.data["details"]) <= 60


def test_the_data_says_what_the_page_shows() -> None:
    """Causes by deal, findings worded, percentages as numbers, details of texts whole."""
    data = Page(render_html(small_run())).data
    assert data["report"] == {"started_at": "2026-03-01T08:30:00+00:00", "database": "sqlite:///deals.db"}
    assert data["causes"][0]["deals"] == [0, 1, 2]
    assert [cause["ledger"] for cause in data["causes"]] == [True, False, False, True, True]
    finding = data["deals"][0]["findings"][0]
    words = [data["words"][finding[name]] for name in ("metric", "label", "rule")]
    assert words == ["cost_total", "cost_total", "within 5%"]
    shown = {name: finding[name] for name in ("baseline", "current", "change", "gates", "percent")}
    assert shown == {"baseline": "100", "current": "112", "change": "+12.00 %", "gates": True, "percent": 12.0}
    assert data["details"]["0"]["metrics"][0] == {
        "metric": "cost_total",
        "baseline": "100",
        "current": "112",
        "change": "+12.00 %",
        "rule": "within 5%",
        "outcome": "fails",
    }
    assert data["details"]["0"]["differences"][1].items() >= {"path": "narrative", "move": "changed"}.items()
    assert data["details"]["0"]["total"] == 5


def test_many_causes_notes_and_types_are_bounded() -> None:
    """The part without JavaScript stays short as well."""
    many = [result(f"{n}", "regressed", finding(f"m{n}", 1, 2, 5.0), deal_type=f"type {n}") for n in range(400)]
    page = Page(render_html(finished(many, strangers=tuple(map(str, range(50))))))
    assert "… and 200 more" in page.text
    assert [attrs.get("class") for _, attrs in page.elements].count("cause fails") == 200
