"""Which rule is in force for a metric of a deal type."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_dealsnap.config import DEFAULT_METRICS
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.policy import Policy, compile_policy

TYPES = ("acquisition", "carveout", "divestiture")


def policy(rules: dict[str, dict[str, str]], types: tuple[str, ...] = TYPES) -> Policy:
    """Return the compiled policy over the default metrics."""
    return compile_policy(rules, types=types, metrics=compile_metrics(DEFAULT_METRICS), root=Path())


def test_the_built_in_rules_are_the_rollout_plans() -> None:
    """Acquisitions stay as they were; the other types may change; the rest is reported."""
    assert policy({}).as_text() == {
        "acquisition": {
            "*": "report",
            "cost_total": "within 5%",
            "narrative_excerpt": "report",
            "synergy_count": "equal",
            "synergy_types": "report",
        },
        "carveout": dict.fromkeys(("*", "cost_total", "narrative_excerpt", "synergy_count", "synergy_types"), "report"),
        "divestiture": dict.fromkeys(
            ("*", "cost_total", "narrative_excerpt", "synergy_count", "synergy_types"), "report"
        ),
    }


def test_a_type_that_the_plan_does_not_know_is_judged_strictly() -> None:
    """A deal type of the user's own, and one from before a rename, are judged like acquisitions."""
    compiled = policy({}, types=("acquisition", "merger"))
    assert compiled["merger"]["cost_total"].text == "within 5%"
    assert compiled["gone"]["cost_total"].text == "within 5%"
    assert compiled["gone"]["synergy_count"].text == "equal"
    assert compiled["gone"].rest.text == "report"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"carveout": {"cost_total": "equal", "*": "ignore"}, "*": {"cost_total": "within 1%"}}, "equal"),
        ({"carveout": {"*": "ignore"}, "*": {"cost_total": "within 1%"}}, "ignore"),
        ({"*": {"cost_total": "within 1%", "*": "ignore"}}, "within 1%"),
        ({"*": {"*": "ignore"}}, "ignore"),
        ({"acquisition": {"cost_total": "equal"}}, "report"),
        ({"carveout": {"synergy_count": "equal"}}, "report"),
    ],
)
def test_the_nearest_rule_is_in_force(rules: dict[str, dict[str, str]], expected: str) -> None:
    """Metric of the type, "*" of the type, metric of "*", "*" of "*", then the built-in ones."""
    assert policy(rules)["carveout"]["cost_total"].text == expected


def test_a_partial_table_keeps_the_other_built_in_rules() -> None:
    """A rule for one metric of a type leaves the plan's rules for the others."""
    acquisition = policy({"acquisition": {"synergy_types": "same items"}})["acquisition"]
    assert acquisition["synergy_types"].text == "same items"
    assert acquisition["cost_total"].text == "within 5%"
    assert acquisition["synergy_count"].text == "equal"


def test_a_policy_knows_whether_an_unchanged_snapshot_may_be_passed_over() -> None:
    """One rule that could refuse an unchanged value makes its type's deals be judged."""
    compiled = policy({"carveout": {"cost_total": "ratio 1.5..3.0"}})
    assert compiled["acquisition"].holds_when_unchanged
    assert not compiled["carveout"].holds_when_unchanged
    assert policy({"*": {"*": "ratio 2..3"}})["gone"].holds_when_unchanged is False


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ({"acquisition": {"cost_total": "about"}}, "rules.acquisition.cost_total"),
        ({"*": {"*": "about"}}, "rules.*.*"),
        ({"removed": {"cost_total": "about"}}, "rules.removed.cost_total"),
    ],
)
def test_every_rule_is_compiled_also_one_that_is_not_in_force(rules: dict[str, dict[str, str]], place: str) -> None:
    """A bad rule is found when the configuration is read, not when its deal comes."""
    with pytest.raises(ConfigError) as caught:
        policy(rules)
    assert str(caught.value).startswith(f"{place} = 'about': unknown rule.")
