"""One deal's judgement: lost metrics, changed types, the rest of the output, errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pytest_dealsnap.config import DEFAULT_METRICS, MetricSpec
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.judging.judge import SHOWN_PATHS, Judgement, Reasoned, judge
from pytest_dealsnap.judging.metrics import Metric, compile_metrics
from pytest_dealsnap.judging.policy import compile_policy
from pytest_dealsnap.model.results import Failure, Finding
from tests.builders import canonical_values

TYPES = DealTypes(("acquisition", "carveout", "divestiture"), "acquisition", {"spinoff": "carveout"})
NAN = float("nan")


def reasoned(
    output: Mapping[str, Any] | None,
    stored: str | None = "acquisition",
    *,
    metrics: tuple[Metric, ...],
    error: Failure | None = None,
    full: bool = True,
) -> Reasoned:
    """Return one side of a comparison."""
    deal_type = TYPES.effective(stored)
    if output is None:
        return Reasoned(deal_type, stored, error=error)
    taken = {metric.name: metric(output) for metric in metrics}
    return Reasoned(deal_type, stored, taken, output if full else None)


def judged(
    before: Mapping[str, Any] | Failure,
    after: Mapping[str, Any] | Failure,
    *,
    types: tuple[str | None, str | None] = ("acquisition", "acquisition"),
    rules: Mapping[str, Mapping[str, str]] | None = None,
    specs: tuple[MetricSpec, ...] = DEFAULT_METRICS,
    full: bool = True,
    root: Path = Path(),
) -> Judgement:
    """Judge one output after another."""
    metrics = compile_metrics(specs)
    policy = compile_policy(rules or {}, types=TYPES.valid, metrics=metrics, root=root)
    sides = [
        reasoned(None, stored, metrics=metrics, error=value)
        if isinstance(value, Failure)
        else reasoned(value, stored, metrics=metrics, full=full)
        for value, stored in zip((before, after), types, strict=True)
    ]
    return judge(
        sides[0],
        sides[1],
        policy=policy[sides[0].deal_type],
        metrics=metrics,
        is_valid_type=TYPES.recognizes,
        deal="Acme",
    )


def output(cost: Any = 100, synergies: tuple[Any, ...] = ("license", "staff"), **more: Any) -> dict[str, Any]:
    """Return an output as the example system makes it."""
    return {
        "cost_estimate": {"total_cost": cost},
        "synergies": [{"type": one} for one in synergies],
        "narrative": "calm",
        **more,
    }


COST = (MetricSpec("cost_total", "cost_estimate.total_cost"),)


@given(value=canonical_values())
def test_an_unchanged_output_matches_under_the_built_in_rules(value: Any) -> None:
    """Whatever an output holds, the same again is matched."""
    for stored in ("acquisition", "carveout", None, "odd"):
        assert judged({"v": value}, {"v": value}, types=(stored, stored)) == Judgement("matched")


@pytest.mark.parametrize(
    ("after", "status", "issues"),
    [
        (output(105), "changed", [("cost_changed", False)]),
        (output(106), "regressed", [("cost_changed", True)]),
        (
            output(100, ("license",)),
            "regressed",
            [("synergy_count_changed", True), ("synergy_types_changed", False), ("output_changed", False)],
        ),
        (output(100, ("license", "rent")), "changed", [("synergy_types_changed", False)]),
        ({**output(), "narrative": "wild"}, "changed", [("narrative_excerpt_changed", False)]),
        (output(extra=1), "changed", [("output_changed", False)]),
    ],
)
def test_an_acquisition_is_judged_by_the_plan(after: Any, status: str, issues: list[tuple[str, bool]]) -> None:
    """Cost within 5 % and as many synergies gate; everything else is reported."""
    judgement = judged(output(), after)
    assert judgement.status == status
    assert [(finding.issue, finding.gates) for finding in judgement.findings] == issues


def test_a_finding_carries_its_facts() -> None:
    """A finding has both values, the change in percent and the rule that decided."""
    assert judged(output(), output(106)).findings == (
        Finding("cost_total", "cost_changed", 100, 106, 6.0, "within 5%", gates=True),
    )


RULES = ["equal", "within 5%", "within 1000", "ratio 0.5..2", "ratio 1.5..3.0", "same items", "similar 0.9", "report"]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("lost", [None, NAN, "absent"])
def test_a_lost_metric_gates_under_every_rule(rule: str, lost: Any) -> None:
    """A value that was there and is now absent, null or NaN gates, also where changes only report."""
    after = {"cost_estimate": {}} if lost == "absent" else {"cost_estimate": {"total_cost": lost}}
    judgement = judged(
        {"cost_estimate": {"total_cost": 100}},
        after,
        rules={"*": {"cost_total": rule, "*": "ignore"}},
        specs=COST,
        types=("carveout", "carveout"),
    )
    assert judgement.status == "regressed"
    [finding] = judgement.findings
    assert (finding.metric, finding.issue, finding.gates, finding.allowed) == ("cost_total", "cost_lost", True, rule)


def test_a_lost_metric_is_not_seen_under_ignore() -> None:
    """``ignore`` is the one rule that lets go of a metric altogether."""
    rules = {"*": {"*": "ignore"}}
    assert judged(output(), {}, rules=rules) == Judgement("matched")


@pytest.mark.parametrize(("rule", "gates"), [("equal", True), ("within 5%", True), ("report", False)])
@pytest.mark.parametrize("before", [None, NAN])
def test_a_metric_that_appears_is_judged_by_its_rule(rule: str, gates: bool, before: Any) -> None:
    """A value where there was none is a change like another."""
    rules = {"acquisition": {"cost_total": rule}}
    judgement = judged(output(before), output(5), rules=rules, specs=COST)
    assert [(f.issue, f.gates) for f in judgement.findings] == [("cost_changed", gates)]


def test_an_unchanged_value_fails_a_ratio_that_leaves_out_one() -> None:
    """A carve-out that is meant to cost more, and costs the same, has not changed as it should."""
    rules = {"carveout": {"cost_total": "ratio 1.5..3.0"}}
    same = judged(output(), output(), rules=rules, types=("carveout", "carveout"))
    assert same.status == "regressed"
    assert [(f.issue, f.change_percent, f.gates) for f in same.findings] == [("cost_changed", 0.0, True)]
    assert judged(output(), output(150), rules=rules, types=("carveout", "carveout")).status == "changed"
    assert judged(output(0), output(0), rules=rules, types=("carveout", "carveout")).status == "matched"


@pytest.mark.parametrize(
    ("before", "after", "status", "gates", "corrupt"),
    [
        (None, "acquisition", "changed", False, False),
        ("", "acquisition", "changed", False, False),
        ("odd", "acquisition", "changed", False, False),
        ("odd", None, "changed", False, False),
        ("spinoff", "carveout", "changed", False, False),
        ("carveout", "spinoff", "changed", False, False),
        ("acquisition", "carveout", "regressed", True, False),
        ("carveout", "acquisition", "regressed", True, False),
        (None, "carveout", "regressed", True, False),
        ("acquisition", None, "regressed", True, True),
        ("acquisition", "Acquisition", "regressed", True, True),
        ("carveout", "", "regressed", True, True),
        ("carveout", None, "regressed", True, True),
        ("spinoff", "odd", "regressed", True, True),
    ],
)
def test_a_changed_stored_type(before: str | None, after: str | None, status: str, gates: bool, corrupt: bool) -> None:
    """The backfill is allowed; another effective type gates; a valid type that was spoilt is corruption."""
    judgement = judged(output(), output(), types=(before, after))
    assert judgement.status == status
    [finding] = judgement.findings
    assert (finding.metric, finding.issue, finding.baseline, finding.current, finding.gates) == (
        "deal_type",
        "deal_type_changed",
        before,
        after,
        gates,
    )
    assert (judgement.corrupt is not None) is corrupt


@pytest.mark.parametrize("stored", ["acquisition", "carveout", "spinoff", "odd", "", None])
def test_an_unchanged_stored_type_is_no_finding(stored: str | None) -> None:
    """What was NULL or unknown before, and still is, has not changed."""
    assert judged(output(), output(), types=(stored, stored)) == Judgement("matched")


def test_the_rule_is_that_of_the_baselines_type() -> None:
    """A deal that turned from acquisition into carve-out is still judged as the acquisition it was."""
    judgement = judged(output(), output(200), types=("acquisition", "carveout"))
    assert {(f.issue, f.gates) for f in judgement.findings} == {("deal_type_changed", True), ("cost_changed", True)}


@pytest.mark.parametrize(
    ("before", "after", "count", "paths"),
    [
        ({"a": 1}, {"a": 2}, 1, ("a",)),
        (
            {"cost_estimate": {"total_cost": 1, "x": 1}},
            {"cost_estimate": {"total_cost": 1.01, "x": 2}},
            1,
            ("cost_estimate.x",),
        ),
        ({"synergies": [{"type": "a", "v": 1}]}, {"synergies": [{"type": "b", "v": 2}]}, 1, ("synergies[0].v",)),
        ({"synergies": [{"type": "a"}]}, {"synergies": [{"type": "b"}]}, None, ()),
        ({"narrative": "x" * 501}, {"narrative": "x" * 500 + "y"}, 1, ("narrative",)),
        ({"narrative": "x"}, {"narrative": "y"}, None, ()),
        ({"a": {"b": [1, 2, 3]}}, {"a": {"b": [1, 5]}}, 2, ("a.b[1]", "a.b[2]")),
        ({"a": {}}, {}, 1, ("a",)),
        ({"a": 1}, {"a": 1.0}, None, ()),
        ({"a": NAN}, {"a": NAN}, None, ()),
        ({"a": None}, {}, 1, ("a",)),
        ({"a": True}, {"a": 1}, 1, ("a",)),
        ({str(i): i for i in range(30)}, {}, 30, ("0", "1", "10", "11", "12", "13", "14", "15", "16", "17")),
    ],
)
def test_output_changed_counts_the_paths_outside_every_metric(
    before: Any, after: Any, count: int | None, paths: tuple[str, ...]
) -> None:
    """What a changed metric covers is not counted again; everything else is, and the first are shown."""
    found = [f for f in judged(before, after, types=("carveout", "carveout")).findings if f.metric == "output"]
    if count is None:
        assert found == []
    else:
        assert [(f.issue, f.count, f.gates) for f in found] == [("output_changed", count, False)]
        assert [path.strip('"') for path in found[0].paths] == list(paths)
        assert len(found[0].paths) <= SHOWN_PATHS


@given(before=canonical_values(), after=canonical_values())
def test_every_difference_is_seen(before: Any, after: Any) -> None:
    """A deal is matched only where its outputs are the same."""
    from pytest_dealsnap.judging.values import same

    judgement = judged({"narrative": before, "x": [before]}, {"narrative": after, "x": [after]})
    assert (judgement.status == "matched") is same(before, after)


@pytest.mark.parametrize(
    ("rule", "before", "after", "status"),
    [
        ("equal", {"a": 1, "b": 2}, {"a": 1, "b": 3}, "regressed"),
        ("equal", {"a": 1}, {"a": 1.0}, "matched"),
        ("within 5%", {"a": 100, "b": "x"}, {"a": 105, "b": "x"}, "changed"),
        ("within 5%", {"a": 100, "b": "x"}, {"a": 105, "b": "y"}, "regressed"),
        ("within 5%", {"a": 100}, {"a": 106}, "regressed"),
        ("within 5%", {"a": 100}, {}, "regressed"),
        ("equal", {}, {"a": 1}, "regressed"),
        ("ignore", {"a": 1}, {"a": 2}, "matched"),
        ("report", {"a": 1}, {}, "changed"),
    ],
)
def test_the_rest_of_the_output_is_judged_by_the_star_rule(rule: str, before: Any, after: Any, status: str) -> None:
    """Each changed path outside the metrics is held against "*"; one that came or went never holds."""
    assert judged(before, after, rules={"acquisition": {"*": rule}}, specs=COST).status == status


@pytest.mark.parametrize(("forms", "each"), [(1, 40), (4, 10), (9, 5), (12, 3)])
def test_of_many_paths_ten_are_shown_and_each_form_among_them(forms: int, each: int) -> None:
    """In their order; one of each form comes before the second of any."""
    before = {f"list{form:02}": [0] * each for form in range(forms)}
    after = {f"list{form:02}": [1] * each for form in range(forms)}
    [finding] = judged(before, after, types=("carveout", "carveout")).findings
    assert finding.count == forms * each
    assert len(finding.paths) == len(set(finding.paths)) == SHOWN_PATHS
    assert list(finding.paths) == sorted(finding.paths, key=lambda path: (path[:6], int(path[7:-1])))
    shown = {path.partition("[")[0] for path in finding.paths}
    assert len(shown) == min(forms, SHOWN_PATHS)


def test_a_gating_rest_shows_what_broke() -> None:
    """The paths shown are those that break the rule; the count is of all that changed."""
    rules = {"acquisition": {"*": "within 5%"}}
    [finding] = judged({"a": 100, "z": 100}, {"a": 101, "z": 200}, rules=rules, specs=COST).findings
    assert (finding.count, finding.paths, finding.gates, finding.allowed) == (2, ("z",), True, "within 5%")


def test_metrics_only_snapshots_have_no_rest() -> None:
    """Where only metrics are recorded, only metrics are judged."""
    assert judged(output(x=1), output(x=2), full=False) == Judgement("matched")
    assert judged(output(100), output(200), full=False).status == "regressed"


def test_a_metric_that_was_added_since_is_taken_from_the_recorded_output() -> None:
    """A new metric needs no new capture where the whole output was recorded."""
    metrics = compile_metrics(COST)
    policy = compile_policy({"acquisition": {"cost_total": "equal"}}, types=TYPES.valid, metrics=metrics, root=Path())
    before = Reasoned("acquisition", None, metrics={}, output=output(100))
    after = Reasoned("acquisition", None, metrics={"cost_total": 200}, output=output(200))
    judgement = judge(before, after, policy=policy["acquisition"], metrics=metrics, is_valid_type=TYPES.recognizes)
    assert [(f.issue, f.baseline, f.gates) for f in judgement.findings] == [("cost_changed", 100, True)]


BOOM, BANG = Failure("ValueError", "boom"), Failure("KeyError", "'x'")


@pytest.mark.parametrize(
    ("before", "after", "status", "gates"),
    [
        (output(), BOOM, "errored", True),
        (BOOM, BOOM, "changed", False),
        (BOOM, Failure("ValueError", "another text"), "changed", False),
        (BOOM, BANG, "errored", True),
        (BOOM, output(), "new", False),
    ],
)
def test_errors_before_and_after(before: Any, after: Any, status: str, gates: bool) -> None:
    """A new error, or one of another type, gates; the same error is a change; none any more makes the deal new."""
    judgement = judged(before, after)
    assert judgement.status == status
    assert [finding.gates for finding in judgement.findings] == [gates]
    assert judgement.corrupt is None


def test_a_known_error_does_not_hide_a_changed_type() -> None:
    """A deal that still errs, and whose type was spoilt meanwhile, is regressed and corrupt."""
    judgement = judged(BOOM, BOOM, types=("carveout", None))
    assert judgement.status == "regressed"
    assert judgement.corrupt == "its type was 'carveout' and is now None"


@pytest.fixture
def own_rules(tmp_path: Path) -> Path:
    """A project with rules of its own."""
    (tmp_path / "own_rules_of_judge.py").write_text(
        "from pytest_dealsnap.model.results import Finding\n"
        "def no(baseline, current, deal): return False\n"
        "def yes(baseline, current, deal): return True\n"
        "def told(baseline, current, deal): return Finding('cost_total', 'margin_changed', note=deal, gates=False)\n"
        "def worse(baseline, current, deal): return Finding('cost_total', 'margin_changed', note=deal)\n"
        "def raises(baseline, current, deal): raise OSError('postgresql://ana:s3cret@db/x is down')\n"
        "def vague(baseline, current, deal): return 'perhaps'\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "after", "status", "issues"),
    [
        ("no", 100, "regressed", [("cost_changed", True)]),
        ("yes", 100, "matched", []),
        ("yes", 500, "changed", [("cost_changed", False)]),
        ("told", 500, "changed", [("margin_changed", False)]),
        ("told", 100, "matched", []),
        ("worse", 100, "regressed", [("margin_changed", True)]),
        ("raises", 100, "regressed", [("cost_changed", True)]),
        ("vague", 100, "regressed", [("cost_changed", True)]),
        ("yes", None, "regressed", [("cost_lost", True)]),
    ],
)
def test_a_rule_of_the_users_own(
    own_rules: Path, name: str, after: Any, status: str, issues: list[tuple[str, bool]]
) -> None:
    """It sees unchanged values too; raising, or an answer that is none, gates; a lost value gates before it."""
    rules = {"acquisition": {"cost_total": f"own_rules_of_judge:{name}"}}
    judgement = judged(output(100), output(after), rules=rules, specs=COST, root=own_rules)
    assert judgement.status == status
    assert [(finding.issue, finding.gates) for finding in judgement.findings] == issues


def test_a_rule_that_raises_says_so_without_secrets(own_rules: Path) -> None:
    """What a user's rule raised stands in the finding, its secrets masked."""
    rules = {"acquisition": {"cost_total": "own_rules_of_judge:raises"}}
    [finding] = judged(output(), output(), rules=rules, specs=COST, root=own_rules).findings
    assert finding.note == "the rule raised OSError: postgresql://ana:***@db/x is down"


@pytest.mark.parametrize(
    ("name", "after", "status"),
    [
        ("no", {"a": 1}, "regressed"),
        ("yes", {"a": 1}, "matched"),
        ("yes", {"a": 2}, "changed"),
        ("no", {"a": 2}, "regressed"),
        ("raises", {"a": 2}, "regressed"),
    ],
)
def test_a_rule_of_the_users_own_for_the_rest(own_rules: Path, name: str, after: Any, status: str) -> None:
    """Under "*", the user's rule is asked once, with both whole outputs."""
    rules = {"acquisition": {"cost_total": "report", "*": f"own_rules_of_judge:{name}"}}
    assert judged({"a": 1}, after, rules=rules, specs=COST, root=own_rules).status == status


class TestSilentPasses:
    """What the system's own comparison script let pass without a word."""

    @pytest.mark.parametrize("cost", [1, 250_000, 0.01, -3])
    def test_a_baseline_cost_of_zero(self, cost: Any) -> None:
        """From zero, five percent allow only zero."""
        assert judged(output(0), output(cost)).status == "regressed"

    def test_an_error(self) -> None:
        """A deal that cannot be reasoned any more fails."""
        assert judged(output(), BOOM).status == "errored"

    def test_a_cost_that_became_nan(self) -> None:
        """NaN compares false with every bound, and must not pass for that."""
        assert judged(output(), output(NAN)).status == "regressed"
        assert judged(output(), output(NAN), types=("carveout", "carveout")).status == "regressed"

    @pytest.mark.parametrize(
        ("before", "after"), [("acquisition", "carveout"), ("divestiture", "acquisition"), ("carveout", "divestiture")]
    )
    def test_types_that_flipped(self, before: str, after: str) -> None:
        """The same numbers under another deal type are not the same deal."""
        assert judged(output(), output(), types=(before, after)).status == "regressed"

    def test_synergy_types_replaced_one_for_one(self) -> None:
        """As many synergies of other types are shown, and gate where they must stay the same."""
        shown = judged(output(), output(100, ("rent", "staff")))
        assert (shown.status, [f.issue for f in shown.findings]) == ("changed", ["synergy_types_changed"])
        rules = {"acquisition": {"synergy_types": "same items"}}
        assert judged(output(), output(100, ("rent", "staff")), rules=rules).status == "regressed"
        assert judged(output(), output(100, ("staff", "license")), rules=rules).status == "changed"

    def test_carve_outs_that_moved_by_a_hundred(self) -> None:
        """A carve-out's cost is reported under the plan's rules, and gates under a ratio."""
        shown = judged(output(), output(10_000), types=("carveout", "carveout"))
        assert [(f.issue, f.change_percent, f.gates) for f in shown.findings] == [("cost_changed", 9900.0, False)]
        rules = {"carveout": {"cost_total": "ratio 1.5..3.0"}}
        assert judged(output(), output(10_000), rules=rules, types=("carveout", "carveout")).status == "regressed"


STEPS = {"steps": [{"name": "scope", "by": "Ann"}, {"name": "close", "by": "Bo"}], "fee": 100}
TURNED = {**STEPS, "steps": STEPS["steps"][::-1]}  # type: ignore[index]


def rest_finding(after: Mapping[str, Any], rule: str) -> tuple[str, Finding]:
    """Judge the rest of an output by *rule*; return the status and the finding."""
    judgement = judged(STEPS, after, rules={"*": {"*": rule}}, specs=())
    (finding,) = judgement.findings
    return judgement.status, finding


def test_another_order_of_a_list_is_told_as_such() -> None:
    """By the form of the list; every leaf in it counts as before."""
    status, finding = rest_finding(TURNED, "equal")
    assert (status, finding.gates, finding.count) == ("regressed", True, 4)
    assert finding.reordered == ("steps",)
    assert finding.forms == ("steps[].by", "steps[].name")


def test_the_rule_same_items_allows_another_order_in_the_rest_of_the_output() -> None:
    """Other items, and other values, it does not."""
    status, finding = rest_finding(TURNED, "same items")
    assert (status, finding.gates, finding.reordered) == ("changed", False, ("steps",))
    status, finding = rest_finding({**TURNED, "fee": 101}, "same items")
    assert (status, finding.gates, finding.forms, finding.reordered) == ("regressed", True, ("fee",), ())
    status, finding = rest_finding({**STEPS, "steps": [{"name": "scope", "by": "Cy"}, STEPS["steps"][1]]}, "same items")  # type: ignore[index]
    assert (status, finding.paths, finding.reordered) == ("regressed", ("steps[0].by",), ())


def test_an_order_and_a_value_are_told_apart() -> None:
    """Both stand in one finding, which names the list of which only the order changed."""
    status, finding = rest_finding({**TURNED, "fee": 101}, "within 5%")
    assert (status, finding.count, finding.reordered) == ("regressed", 5, ("steps",))
    assert finding.forms == ("steps[].by", "steps[].name"), "the fee is within 5 %"
    status, finding = rest_finding({**TURNED, "fee": 101}, "equal")
    assert finding.forms == ("fee", "steps[].by", "steps[].name")


def test_another_type_says_what_the_deal_counts_as() -> None:
    """A type that was spoilt says so by itself."""
    (finding,) = judged(STEPS, STEPS, types=("carveout", "divestiture"), specs=()).findings
    assert (finding.gates, finding.note) == (True, "counts as divestiture, did as carveout")
    judgement = judged(STEPS, STEPS, types=("carveout", "odd"), specs=())
    assert (judgement.findings[0].note, judgement.corrupt) == ("", "its type was 'carveout' and is now 'odd'")


def test_a_metric_added_since_is_not_known_where_no_output_was_recorded() -> None:
    """Its first value is no change of a value; with an output, it is taken out of that."""
    metrics = compile_metrics((*COST, MetricSpec("fee", "fee")))
    policy = compile_policy({"*": {"fee": "equal"}}, types=TYPES.valid, metrics=metrics, root=Path())["acquisition"]
    now = Reasoned("acquisition", "acquisition", {"cost_total": 5, "fee": 7}, {"fee": 7})

    def judged_after(output: Mapping[str, Any] | None) -> list[tuple[Any, Any]]:
        before = Reasoned("acquisition", "acquisition", {"cost_total": 5}, output)
        judgement = judge(before, now, policy=policy, metrics=metrics, is_valid_type=TYPES.recognizes)
        return [(finding.baseline, finding.current) for finding in judgement.findings]

    assert judged_after(None) == [(None, 7)]
    assert judged_after({"fee": 7}) == []
    assert judged_after({"fee": 6}) == [(6, 7)]


def test_a_rule_of_the_users_own_that_raises_gates() -> None:
    """The error is told; whatever the values are, nobody has allowed them."""
    judgement = judged(output(), output(101), specs=COST, rules={"*": {"cost_total": "operator:truth", "*": "ignore"}})
    (finding,) = judgement.findings
    assert finding.gates
    assert finding.note.startswith("the rule raised TypeError: ")
