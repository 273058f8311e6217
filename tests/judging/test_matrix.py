"""One deal under every type: what rules between types hold, and when a type is said to have no effect."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.matrix import MatrixJudgement, Side, alike_everywhere, judge_matrix, settle
from pytest_dealsnap.judging.matrix_rules import MatrixRules, compile_matrix_rules, is_between_types
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.model.results import DealResult, Failure, Finding, Kind
from tests.builders import json_values, numbers

TYPES = ("acquisition", "carveout", "divestiture")
METRICS = compile_metrics([MetricSpec("cost", "estimate.total"), MetricSpec("risks", "length(risks)")])


def compiled(rules: dict[str, Any]) -> MatrixRules:
    """Compile rules over the metrics and types of these tests."""
    return compile_matrix_rules(
        rules, types=TYPES, aliases={"spinoff": "carveout"}, metrics=METRICS, root=Path(), place="[matrix.rules]"
    )


def output(total: Any, **more: Any) -> dict[str, Any]:
    """Return an output with a total."""
    return {"estimate": {"total": total}, "risks": [], **more}


def judged(rules: dict[str, Any], *outputs: dict[str, Any] | Failure) -> MatrixJudgement:
    """Judge outputs under the three types, in their order."""
    sides = {
        name: Side(error=one, words=frozenset({name}))
        if isinstance(one, Failure)
        else Side(one, one, words=frozenset({name}))
        for name, one in zip(TYPES, outputs, strict=True)
    }
    return judge_matrix(sides, compiled(rules), metrics=METRICS)


def gating(judgement: MatrixJudgement) -> list[str]:
    """Return the names of what gates."""
    return [finding.metric for finding in judgement.findings if finding.gates]


@pytest.mark.parametrize(
    ("text", "acquisition", "carveout", "holds"),
    [
        ("1.5..3.0", 100, 150, True),
        ("1.5..3.0", 100, 300, True),
        ("1.5..3.0", 100, Decimal("300.0000001"), False),
        ("1.5..3.0", 100, 149.99, False),
        ("ratio 1.5..3.0", 100, 200, True),
        ("1.5..3.0", 0, 0, True),
        ("1.5..3.0", 0, 1, False),
        ("1.5..3.0", 100, None, False),
        ("1.5..3.0", None, 100, False),
        ("1.5..3.0", 100, float("nan"), False),
        ("1.5..3.0", 100, float("inf"), False),
        ("1.5..3.0", 100, "150", False),
        ("equal", 5, 5.0, True),
        ("equal", 5, 6, False),
        ("differs", 5, 6, True),
        ("differs", 5, 5.0, False),
        ("within 5%", 100, 105, True),
        ("within 5%", 100, 106, False),
        ("report", 100, 900, True),
        ("report", 100, None, True),
        ("ignore", 100, None, True),
    ],
)
def test_a_rule_between_two_types(text: str, acquisition: Any, carveout: Any, holds: bool) -> None:
    """The second type is the one compared with; bounds hold, and a value under one of them only never does."""
    judgement = judged({"cost: carveout / acquisition": text}, output(acquisition), output(carveout), output(7))
    assert gating(judgement) == ([] if holds else ["cost: carveout / acquisition"])
    assert judgement.status == ("regressed" if not holds else "changed" if judgement.findings else "matched")


def test_a_broken_rule_is_a_finding_with_both_values() -> None:
    """It names metric and types, both values, the change, how many times, and the rule."""
    judgement = judged({"cost: spinoff/acquisition": "1.5..3.0"}, output(100), output(387), output(7))
    [finding] = judgement.findings
    assert finding == Finding(
        "cost: carveout / acquisition",
        "matrix_rule_broken",
        100,
        387,
        287.0,
        "1.5..3.0",
        note="3.87 times",
        kind=Kind.BETWEEN_TYPES,
    )
    assert is_between_types(finding.metric, TYPES)
    assert not is_between_types("cost", TYPES)


def test_a_reported_difference_is_shown_and_never_gates() -> None:
    """`report` makes the deal changed, `ignore` leaves it matched."""
    rules = {"cost: carveout / acquisition": "report", "cost: divestiture / acquisition": "ignore"}
    judgement = judged(rules, output(1), output(2), output(3))
    assert [(finding.issue, finding.gates) for finding in judgement.findings] == [("matrix_rule_reported", False)]
    assert judgement.status == "changed"


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ((0, 600, 0), []),
        ((0, 0, 0), []),
        ((None, 600, []), []),
        (("", 600, {}), []),
        (([0, 0], 600, {"a": 0, "b": None}), []),
        ((False, True, False), []),
        ((1, 600, 0), ["tsa: acquisition"]),
        ((0, 600, 0.01), ["tsa: divestiture"]),
        ((float("nan"), 600, [0, 1]), ["tsa: acquisition", "tsa: divestiture"]),
        (("x", None, {"a": "b"}), ["tsa: acquisition", "tsa: divestiture"]),
    ],
)
def test_only_under_a_type(values: tuple[Any, Any, Any], broken: list[str]) -> None:
    """`only carveout`: under any other type it is absent, empty or zero; under a carve-out it may be."""
    outputs = [output(price, tsa=value) for price, value in enumerate(values)]
    judgement = judged({"tsa": "only carveout"}, *outputs)
    assert gating(judgement) == broken
    assert {finding.allowed for finding in judgement.findings if finding.gates} <= {"only carveout"}


def test_only_under_several_types_and_by_metric_or_path() -> None:
    """Several types are listed; a metric's name, a path, and a path into lists all work."""
    rules = {"risks": "only carveout, spinoff,divestiture", "lines[].tsa": "only carveout"}
    line = {"lines": [{"tsa": 0}, {"tsa": 5}]}
    judgement = judged(rules, {**output(1), "risks": ["x"]}, {**output(2), **line}, {**output(3), **line})
    assert gating(judgement) == ["risks: acquisition", "lines[].tsa: divestiture"]
    assert judgement.findings[0].allowed == "only carveout, divestiture"


def test_a_rule_that_finds_nothing_is_idle() -> None:
    """What a rule could not judge is told, so that a slip in a path is no pass in silence."""
    rules = {"estimate.totl: carveout / acquisition": "1.5..3.0", "no.such": "only carveout", "zero": "only carveout"}
    assert judged(rules, output(1, zero=0), output(2), output(3)).idle == (
        "estimate.totl: carveout / acquisition",
        "no.such",
    )


def test_a_failure_under_any_type_makes_the_deal_errored() -> None:
    """Each failing type is a finding; rules that need its output are not judged, and not idle; others are."""
    rules = {
        "cost: carveout / acquisition": "1.5..3.0",
        "cost: divestiture / acquisition": "1.5..3.0",
        "tsa": "only carveout",
    }
    judgement = judged(rules, output(100), Failure("ValueError", "no TSA"), output(900))
    assert judgement.status == "errored"
    assert judgement.findings[0] == Finding(
        "output",
        "reasoning_failed",
        None,
        "ValueError: no TSA",
        allowed="no errors under any type",
        note="as carveout",
        kind=Kind.FAILED,
    )
    assert gating(judgement) == ["output", "cost: divestiture / acquisition"]
    assert judgement.idle == ()


def no_effect(judgement: MatrixJudgement, metric: str = "output") -> list[str]:
    """Return the pairs of types that are said to make no difference."""
    return [
        pair
        for finding in judgement.findings
        if finding.issue == "type_has_no_effect" and finding.metric == metric
        for pair in finding.current
    ]


def test_types_that_make_no_difference_are_reported() -> None:
    """Pair by pair; for one deal that gates nothing."""
    judgement = judged({}, output(1), output(2), output(1))
    assert no_effect(judgement) == ["divestiture / acquisition"]
    assert judgement.status == "changed"
    assert no_effect(judged({}, output(1), output(1.0), output(1))) == [
        f"{other} / {one}" for one, other in combinations(TYPES, 2)
    ]


def test_repeating_the_types_name_is_no_effect() -> None:
    """An output that only says what its type is called has not been touched by it."""
    outputs = [output(1, about={"types": [name], "n": 1}) for name in TYPES]
    assert len(no_effect(judged({}, *outputs))) == 3
    outputs = [output(1, about=f"a {name}") for name in TYPES]
    assert no_effect(judged({}, *outputs)) == []


def test_types_that_move_no_metric_are_told_apart() -> None:
    """Where only the rest of the output differs, as a time would, that is said of the metrics."""
    judgement = judged({}, output(1, at="10:00"), output(1, at="10:01"), output(2, at="10:02"))
    assert no_effect(judgement) == []
    assert no_effect(judgement, "metrics") == ["carveout / acquisition"]
    assert judgement.status == "changed"
    assert no_effect(judged({}, {"at": 1}, {"at": 2}, {"at": 3}), "metrics") == []


def test_types_may_be_meant_to_be_alike() -> None:
    """A rule for the whole output takes the place of the question whether it differs."""
    rules = {"output: divestiture / acquisition": "equal"}
    assert judged(rules, output(1), output(2), output(1)).status == "matched"
    [finding] = judged(rules, output(1), output(2), output(3, x=1)).findings
    assert (finding.metric, finding.gates, finding.count) == ("output: divestiture / acquisition", True, 2)
    assert finding.paths == ("estimate.total", "x")
    assert (finding.baseline, finding.current) == (None, None), "whole outputs are too much for a report"
    alike = judged({"output: carveout / acquisition": "differs"}, output(1), output(1), output(2))
    assert gating(alike) == ["output: carveout / acquisition"]


def result(deal_id: str, judgement: MatrixJudgement, **facts: Any) -> DealResult:
    """Return the result of a judged deal."""
    return DealResult(deal_id, None, "acquisition", None, judgement.status, findings=judgement.findings, **facts)


def test_a_type_without_effect_on_any_deal_gates_all() -> None:
    """One deal that differs is enough; a failed one says nothing; settling again changes nothing."""
    never = result("1", judged({}, output(1), output(2), output(1)))
    all_alike = result("2", judged({}, output(3), output(3), output(3)))
    failure = Failure("ValueError", "")
    failed = result("3", judged({}, failure, failure, failure), error=failure)
    differs = result("4", judged({}, output(1), output(2), output(3)))
    settled = settle([never, all_alike, failed])
    assert [one.status for one in settled] == ["regressed", "regressed", "errored"]
    assert settle(settled) == settled
    assert alike_everywhere(settled) == ("divestiture / acquisition",)
    assert [one.status for one in settle([*settled, differs])] == ["changed", "changed", "errored", "matched"]
    assert settle([failed]) == [failed]
    assert alike_everywhere([]) == ()


def test_a_rule_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called with both values and the deal, and what it raises or returns is told."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "between_rules.py").write_text(
        "from pytest_dealsnap.model.results import Finding\n"
        "def doubled(baseline, current, deal):\n"
        "    if baseline == 3: return Finding('cost', 'odd', gates=False)\n"
        "    if baseline == 4: raise KeyError('x')\n"
        "    return current == 2 * baseline\n"
    )
    rules = {"cost: carveout / acquisition": "between_rules:doubled"}
    assert judged(rules, output(1), output(2), output(9)).status == "matched"
    assert judged(rules, output(1), output(3), output(9)).status == "regressed"
    assert judged(rules, output(3), output(1), output(9)).findings[0].issue == "odd"
    assert judged(rules, output(4), output(1), output(9)).findings[0].note == "the rule raised KeyError: 'x'"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("cost: carvout / acquisition", "1..2", ('"carvout"', 'Did you mean "carveout"?', "Valid: acquisition,")),
        ("cost: carveout / aquisition", "1..2", ('"aquisition"', 'Did you mean "acquisition"?')),
        ("cots: carveout / acquisition", "1..2", ('unknown metric "cots"', 'Did you mean "cost"?', "output")),
        ("estimate[: carveout / acquisition", "1..2", ("not a JMESPath expression",)),
        ("cost: carveout / spinoff", "1..2", ("carveout with itself",)),
        ("cost", "1.5..3.0", ("names no two types", '"METRIC: TYPE / OTHER"')),
        ("cost: carveout", "equal", ("names no two types",)),
        ("cost: carveout / acquisition", "3..1.5", ("the range is empty",)),
        ("cost: carveout / acquisition", "1.5-3.0", ("unknown rule", "1.5..3.0", "differs", "within 5%")),
        ("cost: carveout / acquisition", "difers", ('Did you mean "differs"?',)),
        ("cost: carveout / acquisition", 2, ("a rule is a string", "= 2")),
        ("cost: carveout / acquisition", "only carveout", ("its key names no types",)),
        ("tsa", "only", ("names no type",)),
        ("tsa", "only carveout,", ("names no type",)),
        ("tsa", "only carve-out", ('"carve-out"', 'Did you mean "carveout"?')),
        ("tsa[", "only carveout", ("not a JMESPath expression",)),
        ("nosuch(tsa)", "only carveout", ("JMESPath has no function nosuch()",)),
    ],
)
def test_a_bad_rule_is_shown_with_what_is_valid(key: str, value: Any, words: tuple[str, ...]) -> None:
    """Key and value, where they stand, the valid forms, and what was probably meant."""
    with pytest.raises(ConfigError) as caught:
        compiled({key: value})
    assert str(caught.value).startswith(f'[matrix.rules] "{key}"')
    for word in words:
        assert word in str(caught.value)


def test_a_rule_cannot_stand_there_twice() -> None:
    """Two spellings of one key would leave it open which of them counts."""
    with pytest.raises(ConfigError, match="stands there twice"):
        compiled({"cost: carveout / acquisition": "equal", "cost:spinoff/acquisition": "1..2"})


@given(numbers(), numbers(), st.decimals(0, 10, places=2), st.decimals(0, 10, places=2))
def test_ranges_between_types_are_the_gates_ratio(old: Any, new: Any, one: Decimal, other: Decimal) -> None:
    """The shorthand `1.5..3.0` and the rule `ratio 1.5..3.0` judge any two numbers alike."""
    low, high = sorted((one, other))
    outputs = (output(old), output(new), output(0))
    short = judged({"cost: carveout / acquisition": f"{low}..{high}"}, *outputs)
    long = judged({"cost: carveout / acquisition": f"ratio {low}..{high}"}, *outputs)
    assert gating(short) == gating(long)


@given(st.dictionaries(st.sampled_from("abc"), json_values(), max_size=3))
def test_equal_outputs_have_no_effect_and_break_no_rule_but_differs(same: dict[str, Any]) -> None:
    """Whatever an output holds: it equals itself under every type."""
    judgement = judged({"output: carveout / acquisition": "equal"}, same, same, same)
    assert gating(judgement) == []
    assert no_effect(judgement) == ["divestiture / acquisition", "divestiture / carveout"]
    differing = judged({"output: carveout / acquisition": "differs"}, same, same, same)
    assert gating(differing) == ["output: carveout / acquisition"]
