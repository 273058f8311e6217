"""Rules `… or noise` one by one: the floor itself holds, what is beyond it does not, and rates are judged together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.config import DEFAULT_METRICS
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.noise_floors import Pair, tally
from pytest_dealsnap.judging.noise_rates import by_rates, rates
from pytest_dealsnap.judging.noise_rules import with_floor, without_noise
from pytest_dealsnap.judging.policy import compile_policy
from pytest_dealsnap.judging.rules import Beyond, Rule, parse_rule
from pytest_dealsnap.model.noise import MetricNoise, NoiseFacts, TypeNoise
from pytest_dealsnap.model.results import DealResult, Failure, Finding, Kind


def bound(text: str, *pairs: tuple[Any, Any]) -> Rule:
    """Return a rule with the floor of *pairs*."""
    measured = tally([Pair({"m": first}, {"m": second}) for first, second in pairs], ["m"])
    return with_floor(parse_rule(text, place="here", root=Path()), measured.metrics.get("m"))


def kind(rule: Rule, baseline: Any, current: Any) -> str:
    """Return how the rule decided: `rule`, or what noise said."""
    verdict = rule.holds(baseline, current)
    if isinstance(verdict, Beyond):
        return verdict.kind
    return "rule" if verdict is True else "broken"


@pytest.mark.parametrize(
    ("baseline", "current", "found"),
    [(3, 3.1, "rule"), (3, 4, "floor"), (-3, -2, "floor"), (3, 4.0001, "beyond"), (3, "4", "beyond")],
)
def test_the_pair_that_made_the_floor_lies_within(baseline: Any, current: Any, found: str) -> None:
    """A third is no decimal: the floor is rounded up."""
    rule = bound("within 5% or noise", (3, 4), (3, 3))
    assert rule.text == "within 5% or noise (33.3 %, 2 pairs)"
    assert kind(rule, baseline, current) == found


def test_the_floor_itself_holds() -> None:
    """As the bound of every rule does."""
    rule = bound("within 5% or noise", (100, 108))
    assert [kind(rule, 200, current) for current in (216, 184, 216.01, 183.99)] == [
        "floor",
        "floor",
        "beyond",
        "beyond",
    ]


def test_each_type_has_its_own_floor(tmp_path: Path) -> None:
    """What differs by 40 % in one type is not allowed in another."""
    noise = {
        name: TypeNoise(20, 0, {"cost_total": MetricNoise("number", 20, Decimal(floor), 0)})
        for name, floor in (("acquisition", "0.1"), ("carveout", "0.4"))
    }
    policy = compile_policy(
        {"*": {"cost_total": "within 5% or noise"}},
        types=("acquisition", "carveout", "divestiture"),
        metrics=compile_metrics(DEFAULT_METRICS),
        root=tmp_path,
        noise=NoiseFacts(noise),
    )
    found = {name: kind(policy[name]["cost_total"], 100, 130) for name in policy.by_type}
    assert found == {"acquisition": "beyond", "carveout": "floor", "divestiture": "no floor"}


def test_texts_have_a_floor_of_similarity() -> None:
    """It is shown as one."""
    rule = bound("similar 0.9 or noise", ("abcdefghij", "abcdefghxy"), ("a", "a"))
    assert rule.text == "similar 0.9 or noise (0.800, 2 pairs)"
    assert kind(rule, "abcdefghij", "abcdefghij") == "rule"
    assert kind(rule, "abcdefghij", "abcdefghzw") == "floor"
    assert kind(rule, "abcdefghij", "abcdefgzwx") == "beyond"


def test_an_equality_is_broken_or_not() -> None:
    """Where no pair is, a broken deal is beyond; where some are, their rate decides."""
    steady = bound("equal or noise", (5, 5), (6, 6))
    assert (steady.text, kind(steady, 5, 6)) == ("equal or noise (0 of 2 pairs differ)", "beyond")
    restless = bound("equal or noise", (5, 5), (6, 7))
    assert (restless.text, kind(restless, 5, 6)) == ("equal or noise (1 of 2 pairs differ)", "rate")
    items = bound("same items or noise", ([1, 2], [2, 1]), ([1], [1]))
    assert (items.text, kind(items, [1], [2])) == ("same items or noise (0 of 2 pairs differ)", "beyond")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (bound("within 5% or noise"), "no pair of runs was measured"),
        (bound("within 5% or noise", (0, 5)), "a pair of runs of unchanged code went from 0"),
        (bound("within 5% or noise", ("a", "b")), "the measured values are no numbers"),
        (bound("equal or noise"), "no pair of runs was measured"),
    ],
)
def test_a_rule_without_a_floor_says_so(rule: Rule, said: str) -> None:
    """It holds where the rule itself does."""
    assert rule.holds(5, 5) is True
    verdict = rule.holds(5, 50)
    assert isinstance(verdict, Beyond)
    assert (verdict.kind, verdict.allowed) == ("no floor", False)
    assert said in verdict.note


def test_a_replayed_value_is_judged_by_the_rule_before() -> None:
    """And a rule without noise is what it was."""
    rule = without_noise(bound("within 5% or noise", (3, 4)))
    assert (rule.text, rule.as_written) == ("within 5% or noise (replayed: no noise)", "within 5% or noise")
    assert kind(rule, 3, 4) == "broken"
    plain = parse_rule("equal", place="here", root=Path())
    assert without_noise(plain) is plain


@pytest.mark.parametrize("text", ["report or noise", "ratio 1..2 or noise", "same things or noise", "or noise"])
def test_only_measured_rules_take_noise(text: str) -> None:
    """Others are refused."""
    with pytest.raises(ConfigError):
        parse_rule(text, place="here", root=Path())


def failing(number: int, *, known: bool = False) -> DealResult:
    """Return a deal that failed."""
    finding = Finding(
        "output", "reasoning_failed", None, "E: x", gates=False, noise="" if known else "rate", kind=Kind.FAILED
    )
    return DealResult(str(number), None, "acquisition", None, "changed", findings=(finding,), error=Failure("E", "x"))


def matched(number: int) -> DealResult:
    """Return a deal that is what it was."""
    return DealResult(str(number), None, "acquisition", None, "matched")


def test_errors_beyond_their_rate_fail_every_deal_that_has_one() -> None:
    """14 of 28 against 1 of 20 are more than noise; 3 of 28 are not. Deals that failed before are no trials."""
    noise = {"acquisition": TypeNoise(20, 1)}
    many = [failing(n) for n in range(14)] + [matched(n) for n in range(14, 28)] + [failing(99, known=True)]
    (rate,) = rates(many, noise)
    assert (rate.events, rate.trials, rate.known_events, rate.known_trials, rate.more) == (14, 28, 1, 20, True)
    settled = by_rates(many, [rate])
    assert [result.status for result in settled] == ["errored"] * 14 + ["matched"] * 14 + ["changed"]
    few = [failing(n) for n in range(3)] + [matched(n) for n in range(3, 28)]
    (rate,) = rates(few, noise)
    assert not rate.more
    assert by_rates(settled[:3], [rate])[0].status == "changed", "merged shards are settled anew"


def test_all_rates_of_a_run_share_five_percent() -> None:
    """What is significant alone is not among ten: the level is divided by the number of tests."""
    kinds = [f"type{number}" for number in range(10)]
    noise = {name: TypeNoise(20, 1) for name in kinds}

    def deals(name: str, failed: int) -> list[DealResult]:
        some = [failing(n) for n in range(failed)] + [matched(n) for n in range(failed, 28)]
        return [
            DealResult(f"{name}{r.id}", None, name, None, r.status, findings=r.findings, error=r.error) for r in some
        ]

    alone = rates(deals(kinds[0], 8), noise)
    assert alone[0].more
    assert 0.025 < alone[0].chance < 0.05, "half the level would miss it"
    together = rates([one for name in kinds for one in deals(name, 8)], noise)
    assert not any(rate.more for rate in together)


def test_values_are_counted_by_their_own_pairs() -> None:
    """A lost value by all pairs, a broken equality by those that have the value on both sides; both are told."""
    measured = MetricNoise("number", 18, Decimal("0.5"), 17, 2)
    noise = {"acquisition": TypeNoise(20, 0, {"cost": measured})}
    lost = Finding("cost", "cost_lost", 1, None, gates=False, noise="rate", kind=Kind.LOST)
    broken = Finding("cost", "cost_changed", 1, 2, gates=False, noise="rate", allowed="equal or noise (1 of 18 …)")
    results = [
        DealResult("1", None, "acquisition", None, "changed", findings=(lost,)),
        DealResult("2", None, "acquisition", None, "changed", findings=(broken,)),
    ]
    found = {rate.issue: (rate.known_events, rate.known_trials, rate.words) for rate in rates(results, noise)}
    assert found["cost_lost"][:2] == (2, 20)
    assert found["cost_changed"][:2] == (1, 18)
    assert found["cost_lost"][2].startswith("cost of acquisition: was lost in 1 of 2 deals and in 2 of 20 pairs")
    assert found["cost_changed"][2].startswith("cost of acquisition: differs in 1 of 2 deals and in 1 of 18 pairs")
