"""What the old comparison script passed silently: each is a red here."""

from __future__ import annotations

from tests.plugin.project import Project, deal, deals

STRICT = """
[tool.dealsnap.metrics]
price = "offer.price"
risk_count = "length(risks)"
risk_names = "risks[].name"

[tool.dealsnap.rules.acquisition]
price = "within 5%"
risk_count = "equal"
risk_names = "same items"

[tool.dealsnap.rules.carveout]
price = "ratio 0.5..3.0"
"""


def strict(project: Project) -> Project:
    """Return the project with rules for the names of risks and for carve-outs."""
    return project.with_config(project.config[: project.config.index("[tool.dealsnap.metrics]")] + STRICT)


WENT_WRONG = {
    # deal: (price and risks before, price and risks after, the finding that must gate)
    "from-zero": ("0, []", "1, []", "price_changed"),
    "nan": ("100, []", "nan, []", "price_lost"),
    "null": ("100, []", "None, []", "price_lost"),
    "infinite": ("100, []", "inf, []", "price_changed"),
    "text": ("100, []", "'100', []", "price_changed"),
    "true": ("True, []", "1, []", "price_changed"),
    "swapped": ("100, [tax, it]", "100, [tax, hr]", "risk_names_changed"),
    "no-risks": ("100, []", "100, None", "risk_count_lost"),
    "a-cent": ("100.00, []", "105.01, []", "price_changed"),
}
PER_DEAL = """
from math import inf, nan

tax, it, hr = {"name": "tax"}, {"name": "it"}, {"name": "hr"}
OUTPUTS = {CASES}

def value(t):
    price, risks = OUTPUTS[t.id]
    return {"offer": {"price": price}, "risks": risks}
"""


def test_a_value_that_went_wrong_is_regressed(project: Project) -> None:
    """A cost from 0, a NaN, a null, an infinity, a text, replaced types, a cent too much: each gates."""

    def reasoner(side: int) -> str:
        cases = ", ".join(f"{name!r}: ({case[side]})" for name, case in WENT_WRONG.items())
        return PER_DEAL.replace("CASES", cases)

    project = strict(project).with_deals(*map(deal, WENT_WRONG))
    project.with_reasoner(reasoner(0)).captured()
    outcome = project.with_reasoner(reasoner(1)).gate()
    assert (outcome.code, outcome.action) == (1, "roll_back")
    assert outcome.statuses == dict.fromkeys(WENT_WRONG, "regressed")
    for name, (_, _, issue) in WENT_WRONG.items():
        assert issue in [finding["issue"] for finding in outcome.deal(name)["findings"] if finding["gates"]], name


def test_deals_that_error_or_are_missing_are_not_left_out_of_the_count(project: Project) -> None:
    """Errors and lost deals count as compared and affected, so that they cannot make the share look small."""
    project = project.with_deals(*deals(10)).captured()
    raising = (
        "def value(t):\n    if t.id in ('d1', 'd2'):\n        raise ValueError(t.id)\n"
        "    return {'offer': {'price': 100}, 'risks': [], 'memo': 'as signed'}\n"
    )
    outcome = project.with_reasoner(raising).gate()
    assert outcome.report["summary"]["compared"] == 10
    assert outcome.report["summary"]["affected_percent"] == 20.0
    assert (outcome.code, outcome.action) == (1, "disable_flag")


def test_types_that_flip_are_red(project: Project) -> None:
    """A deal that is another type now is judged by the type it had, and fails for the change itself."""
    project.with_deals(deal("a", kind="carveout"), *deals(3)).captured()
    outcome = project.with_deals(deal("a", kind="divestiture"), *deals(3)).gate()
    assert outcome.statuses["a"] == "regressed"
    assert outcome.deal("a")["deal_type"] == "carveout"
    assert "test_deal[divestiture-a]" in outcome.text


def test_carveouts_that_move_by_a_factor_of_a_hundred_are_red(project: Project) -> None:
    """A ratio bounds the types that are meant to change, and fails what did not change though it should."""
    project = strict(project).with_deals(*deals(9), deal("c", kind="carveout"))
    project.captured()
    outcome = project.with_deals(*deals(9), deal("c", kind="carveout", amount=10_000)).gate()
    assert outcome.statuses["c"] == "regressed"
    assert outcome.deal("c")["findings"][0]["change_percent"] == 9900.0
    must_change = project.with_config(project.config.replace("ratio 0.5..3.0", "ratio 1.5..3.0"))
    unchanged = must_change.gate()
    assert unchanged.statuses["c"] == "regressed"


def test_rules_that_hold_nothing_still_are_named(project: Project) -> None:
    """A metric whose path matches nothing, and rules that only report, are warned of in capture and gate."""
    loose = project.with_deals(deal("a")).with_config(
        project.config.replace('"offer.price"', '"ofer.price"')
        .replace('"within 5%"', '"report"')
        .replace('"equal"', '"report"')
    )
    capture = loose.capture()
    assert "metric price (ofer.price) is absent in every deal: is its path right?" in capture.text
    gate = loose.gate()
    assert "metric price (ofer.price) is absent in every deal" in gate.text
    assert "no rule can fail a changed value of acquisition" in gate.text
    assert gate.report["notes"]


def test_what_the_baseline_does_not_record_is_said_not_to_be_judged(project: Project) -> None:
    """A rule for the rest of the output has nothing to judge where only metrics were recorded."""
    project = project.with_deals(deal("a"))
    project.capture("--dealsnap-output-record", "metrics")
    note = "note: the baseline records metrics only: nothing else of the outputs is judged"
    assert note in project.gate().text
    assert note not in project.captured().gate().text


def test_a_rule_of_the_users_own_decides_and_its_failure_is_no_pass(project: Project) -> None:
    """`module:callable` rules gate by their answer; one that raises or answers neither yes nor no, gates."""
    rules = """
from datetime import date
from pytest_dealsnap.model.results import Finding

def fair(baseline, current, deal):
    if deal.id == "raises":
        raise LookupError("no index")
    if deal.id == "vague":
        return "yes"
    if deal.id == "says":
        return Finding("price", "price_changed", date(2026, 1, 2), {1, 2}, allowed="by hand", gates=True, note="see it")
    return deal.id == "fine"
"""
    config = project.config.replace('"within 5%"', '"rules:fair"')
    project = project.with_config(config).with_file("rules.py", rules)
    project = project.with_deals(*map(deal, ("fine", "unfair", "raises", "vague", "says"))).captured()
    for flags in ([], ["-n", "2"]):
        outcome = project.gate(*flags)
        assert outcome.statuses == {
            "fine": "matched", "unfair": "regressed", "raises": "regressed", "vague": "regressed", "says": "regressed",
        }  # fmt: skip
        assert "the rule raised LookupError: no index" in outcome.text
        assert "must return True, False or a Finding" in outcome.text
        [says] = outcome.deal("says")["findings"]
        assert (says["baseline"], says["current"], says["note"]) == ("2026-01-02", [1, 2], "see it")


def test_the_report_is_strict_json_also_with_nan(project: Project) -> None:
    """NaN and infinities stand as words, so that any JSON reader can read the report."""
    project = project.with_deals(deal("a"))
    source = "def value(t):\n    return {'offer': {'price': float('PRICE')}, 'risks': []}\n"
    project.with_reasoner(source.replace("PRICE", "nan")).captured()
    outcome = project.with_reasoner(source.replace("PRICE", "-inf")).gate()
    [finding] = outcome.deal("a")["findings"]
    assert (finding["baseline"], finding["current"]) == ("NaN", "-Infinity")
    assert finding["change_percent"] is None


UNORDERED = """
import os
def value(transaction):
    costs = {"tsa": 1.5, "people": 2, "cloud": 3}
    names = sorted(costs, reverse=os.environ.get("TURNED") == "1")
    return {"offer": {"price": 1}, "risks": [], "costs": {name: costs[name] for name in names}}
"""


def test_the_same_output_in_another_order_is_the_same_metric(project: Project) -> None:
    """A dictionary's order is neither a finding nor another byte of the baseline, also for a metric added later."""
    metrics = 'names = "keys(costs)"\nvalues = "costs.*"\n'
    later = 'as_text = "to_string(costs)"\nfirst = "costs.* | [0]"\n'
    project = project.with_deals(deal("1")).with_reasoner(UNORDERED).with_settings(metrics, section="metrics")
    turned = project.with_settings('"*" = "equal"', section="rules.acquisition").captured().with_environment(TURNED="1")
    before = project.snapshots()
    assert turned.gate().statuses == {"1": "matched"}
    added = turned.with_settings(later, section="metrics").gate()
    assert added.statuses == {"1": "matched"}, added.text
    assert turned.capture().code == 0
    assert turned.snapshots() == before
