"""Details of one deal: every metric on both sides, where its output differs, within bounds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.judging import text_folding
from pytest_dealsnap.judging.detail_making import MOST_BYTES, detail
from pytest_dealsnap.judging.judge import Reasoned, judge
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.policy import compile_policy
from pytest_dealsnap.judging.text_folding import folded
from pytest_dealsnap.model.details import Details
from pytest_dealsnap.model.record import from_plain, to_plain
from pytest_dealsnap.model.results import DealResult, Failure
from tests.builders import configure

RULES = """
[metrics]
cost = "cost"
items = "items"
note = "note"
[rules.acquisition]
cost = "within 5%"
note = "ignore"
"""


def details(tmp_path: Path, before: dict[str, Any] | Failure, after: dict[str, Any] | Failure) -> Details:
    """Judge one output against another, and return the details of it."""
    config = configure(tmp_path, RULES)
    metrics = compile_metrics(config.metrics)
    policy = compile_policy(config.rules, types=config.deals.types, metrics=metrics, root=tmp_path)["acquisition"]

    def side(output: dict[str, Any] | Failure) -> Reasoned:
        if isinstance(output, Failure):
            return Reasoned("acquisition", "acquisition", error=output)
        return Reasoned("acquisition", "acquisition", {m.name: m(output) for m in metrics}, output)

    judged = judge(side(before), side(after), policy=policy, metrics=metrics, is_valid_type=bool)
    result = DealResult("1", "One", "acquisition", "acquisition", judged.status, findings=judged.findings)
    return detail(result, side(before), side(after), policy=policy, metrics=metrics)


def test_every_metric_is_told_with_its_rule_and_what_came_of_it(tmp_path: Path) -> None:
    """What fails comes first; what is unchanged, allowed or ignored is there as well."""
    found = details(tmp_path, {"cost": 100, "items": [1], "note": "a"}, {"cost": 120, "items": [1, 2], "note": "b"})
    rows = [(row.metric, row.baseline, row.current, row.change_percent, row.rule, row.outcome) for row in found.metrics]
    assert rows == [
        ("cost", 100, 120, 20.0, "within 5%", "fails"),
        ("items", [1], [1, 2], None, "report", "allowed"),
        ("note", "a", "b", None, "ignore", "ignored"),
    ]


def test_differences_are_structured(tmp_path: Path) -> None:
    """What changed, came and went, with both sides, in path order, and counted."""
    found = details(tmp_path, {"a": 1, "items": [1], "gone": "x"}, {"a": 2, "items": [1, {"k": 3}]})
    assert [(row.path, row.move, row.baseline, row.current) for row in found.differences] == [
        ("a", "changed", 1, 2),
        ("gone", "removed", "x", None),
        ("items[1]", "added", None, {"k": 3}),
    ]
    assert found.total == 3


def test_an_error_leaves_the_other_side(tmp_path: Path) -> None:
    """A deal that errored shows what its metrics were; no output is compared."""
    found = details(tmp_path, {"cost": 100}, Failure("ValueError", "no"))
    assert {(row.metric, row.baseline, row.outcome) for row in found.metrics} >= {("cost", 100, "unknown")}
    assert (found.differences, found.total) == ((), 0)


def test_long_texts_are_kept_whole_as_long_as_they_may_be(tmp_path: Path) -> None:
    """A page of prose is whole; of a book, every difference, and how much that is alike was left out."""
    page = "word " * 1_000
    found = details(tmp_path, {"text": page}, {"text": page + "end"})
    assert found.differences[0].baseline == page
    book = [f"Chapter {number}. It is told at length, and nothing in it is new." for number in range(2_000)]
    edited = [line.replace("1500.", "1500, revised.") for line in [*book[:20], "A new chapter.", *book[20:]]]
    [row] = details(tmp_path, {"text": "\n".join(book)}, {"text": "\n".join(edited)}).differences
    assert max(len(row.baseline), len(row.current)) < 3_000
    assert "A new chapter." in row.current
    assert "Chapter 1500." in row.baseline, "also the second difference, 90,000 characters later"
    assert "Chapter 1500, revised." in row.current
    hidden = [int(number.replace(",", "")) for number in re.findall(r"… ([\d,]+) characters alike …", row.current)]
    assert hidden == [int(n.replace(",", "")) for n in re.findall(r"… ([\d,]+) characters alike …", row.baseline)]
    marks = sum(len(f"[… {number:,} characters alike …]") for number in hidden)
    assert len(row.current) - marks + sum(hidden) == len("\n".join(edited)), "what is left out is counted"
    one, other = folded("a" * 100_000, "b" * 100_000)
    assert one.endswith("a[… 40,000 more characters not shown …]")
    assert other.endswith("b[… 40,000 more characters not shown …]")
    [row] = details(tmp_path, {"text": ["x" * 10_000]}, {"text": []}).differences
    assert row.baseline == "x" * 6_000 + "[… 4,000 more characters not shown …]"


def test_texts_too_long_for_words_are_aligned_by_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then by nothing but their ends."""
    book = [f"Sentence {number} of many that are there. " for number in range(600)]
    old, new = "".join(book), "".join([*book[:10], "One more. ", *book[10:500], *book[501:]])
    monkeypatch.setattr(text_folding, "MOST_CELLS", 1_000_000)
    one, other = folded(old, new)
    assert "One more. " in other
    assert "Sentence 500 of" in one
    assert "Sentence 500 of" not in other
    assert len(one) < 4_000
    monkeypatch.setattr(text_folding, "MOST_CELLS", 1)
    one, other = folded(old, new)
    assert len(one) > 15_000
    assert one.startswith("Sentence 0 of")
    assert one.endswith("characters alike …]")


def test_one_deal_is_bounded(tmp_path: Path) -> None:
    """Ten thousand changed leaves, long values, large objects: few kilobytes, and the total is told."""
    before = {f"k{n}": "a" * 300 for n in range(2_500)}
    after = dict.fromkeys(before, "b" * 300)
    found = details(tmp_path, before, after)
    assert found.total == 2_500
    assert 10 <= len(found.differences) <= 60
    assert len(json.dumps(to_plain(found))) < 2 * MOST_BYTES
    large = {"list": [{"n": n, "text": "t" * 50} for n in range(20_000)]}
    changed = {"list": [*large["list"][1:], {"n": -1, "text": ""}], "new": large}
    found = details(tmp_path, large, changed)
    assert found.total > 20_000
    assert len(json.dumps(to_plain(found))) < 2 * MOST_BYTES
    assert found.differences[-1].move == "changed"


def test_plain_values_and_back(tmp_path: Path) -> None:
    """Details survive the way from a worker and through a report."""
    found = details(tmp_path, {"cost": 1, "items": ["a"]}, {"cost": 2, "items": []})
    assert from_plain(Details, to_plain(found)) == found


def test_a_metric_is_told_as_it_was_recorded(tmp_path: Path) -> None:
    """Also where the output was not; one that was added since is taken out of the output."""
    config = configure(tmp_path, RULES)
    metrics = compile_metrics(config.metrics)
    policy = compile_policy(config.rules, types=config.deals.types, metrics=metrics, root=tmp_path)["acquisition"]
    after = Reasoned("acquisition", "acquisition", {"cost": 120, "items": [1], "note": "b"})
    result = DealResult("1", "One", "acquisition", "acquisition", "changed")
    narrow = Reasoned("acquisition", "acquisition", {"cost": 100, "items": [1], "note": "a"})
    told = detail(result, narrow, after, policy=policy, metrics=metrics)
    assert {row.metric: row.baseline for row in told.metrics} == {"cost": 100, "items": [1], "note": "a"}
    older = Reasoned("acquisition", "acquisition", {"cost": 100}, {"cost": 1, "items": [7], "note": "x"})
    told = detail(result, older, after, policy=policy, metrics=metrics)
    assert {row.metric: row.baseline for row in told.metrics} == {"cost": 100, "items": [7], "note": "x"}


def test_a_long_object_is_told_by_the_beginning_of_its_sorted_keys(tmp_path: Path) -> None:
    """In whatever order the reasoner made them."""
    long = {"z": "z" * 800, "a": "a" * 800}
    found = details(tmp_path, {"cost": 1, "memo": None}, {"cost": 1, "memo": long})
    (row,) = found.differences
    assert str(row.current).startswith('{"a": "aaa')


@pytest.mark.parametrize(("leaves", "total"), [(2_900, 1), (3_100, 3_101)])
def test_lists_of_a_small_output_are_aligned_and_those_of_a_large_one_are_not(
    tmp_path: Path, leaves: int, total: int
) -> None:
    """An item that came first is one difference, where deepdiff takes some milliseconds only."""
    numbers = list(range(leaves))
    found = details(tmp_path, {"cost": 1, "deep": {"list": numbers}}, {"cost": 1, "deep": {"list": [-1, *numbers]}})
    assert found.total == total
