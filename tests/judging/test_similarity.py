"""``similar`` on texts of any length: exact where it answers, and bounded in its work."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.judging import similarity
from pytest_dealsnap.judging.judge import Reasoned, judge
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.policy import compile_policy
from pytest_dealsnap.judging.similarity import Undecided, at_least_similar, seconds_left
from tests.plugin.project import Project, deal

MILLION = 1_000_000


def long_text(seed: int, size: int = MILLION) -> str:
    """Return a text in which nothing repeats."""
    return "".join(random.Random(seed).choices("abcdefghij klmnop", k=size))


@given(
    one=st.text(alphabet="abcé漢", max_size=40),
    other=st.text(alphabet="abcé漢", max_size=40),
    least=st.decimals(min_value=0, max_value=1, places=2),
)
def test_the_answer_is_the_normalized_similaritys(one: str, other: str, least: Decimal) -> None:
    """Stripping and cut-offs change nothing: the bound itself holds, without binary rounding."""
    expected = Indel.similarity(one, other) >= least * (len(one) + len(other))
    assert at_least_similar(one, other, least) is expected


@given(
    one=st.text(alphabet="ab", max_size=60),
    other=st.text(alphabet="ab", max_size=60),
    least=st.decimals(min_value=0, max_value=1, places=2),
    steps=st.integers(0, 300),
)
def test_within_any_budget_an_answer_is_right_or_there_is_none(
    one: str, other: str, least: Decimal, steps: int
) -> None:
    """Less work never makes a wrong answer."""
    expected = Indel.similarity(one, other) >= least * (len(one) + len(other))
    with seconds_left(steps / similarity.STEPS_A_SECOND):
        found = at_least_similar(one, other, least)
    assert isinstance(found, Undecided) or found is expected


def test_an_upper_bound_that_equals_what_is_needed_refuses_nothing() -> None:
    """The letters in common allow just the 50 % that these texts have."""
    with seconds_left(0):
        assert at_least_similar("abc", "b", Decimal("0.5")) is not False
    assert at_least_similar("abc", "b", Decimal("0.5")) is True


def test_a_few_edits_in_a_million_characters_are_similar() -> None:
    """What a person would compare is decided exactly, however long."""
    before = long_text(1)
    after = list(before)
    for place in random.Random(2).sample(range(MILLION), 300):
        after[place] = "X"
    assert at_least_similar(before, "".join(after), Decimal("0.9")) is True
    assert at_least_similar(before, before[: MILLION // 3], Decimal("0.9")) is False


def test_other_letters_are_not_similar_however_long() -> None:
    """Two texts that do not even share their letters are told without a comparison."""
    assert at_least_similar("x" * MILLION, "y" * MILLION, Decimal("0.5")) is False


def test_texts_too_long_to_be_decided_do_not_hold_and_say_why() -> None:
    """Between the bounds there is no answer; the rule gates, with both bounds in its note."""
    found = at_least_similar(long_text(1), long_text(2), Decimal("0.75"))
    assert isinstance(found, Undecided)
    assert not found
    assert found.note.startswith("too long to be compared in time: their similarity is between 0.")


def test_an_undecided_rule_gates(tmp_path: Path) -> None:
    """No time left is no pass: the finding gates and says so; ``report`` does not ask."""
    metrics = compile_metrics([MetricSpec("memo", "memo", place="memo")])
    policy = compile_policy(
        {"acquisition": {"memo": "similar 0.6"}}, types=("acquisition",), metrics=metrics,
        root=tmp_path, places={},
    )["acquisition"]  # fmt: skip
    sides = [Reasoned("acquisition", None, {"memo": text}, {"memo": text}) for text in ("abcdef" * 900, "fedcba" * 900)]
    with seconds_left(0):
        judgement = judge(*sides, policy=policy, metrics=metrics, is_valid_type=lambda text: True)
    (finding,) = [one for one in judgement.findings if one.metric == "memo"]
    assert judgement.status == "regressed"
    assert "too long to be compared in time" in finding.note


def test_a_gate_over_very_long_texts_ends_with_the_reason(tmp_path: Path) -> None:
    """The whole gate, its report included, where the time-out leaves no time for the rule."""
    reasoner = """
        import os, random
        def value(transaction):
            text = "".join(random.Random(os.environ.get("SEED", "1")).choices("abcdefghij klmnop", k=400_000))
            return {"offer": {"price": 1}, "risks": [], "memo": text}
    """
    project = (
        Project(tmp_path)
        .with_deals(deal("1"))
        .with_reasoner("\n".join(line[8:] for line in reasoner.splitlines()))
        .with_settings('memo = "memo"', section="metrics")
        .with_settings('memo = "similar 0.75"', section="rules.acquisition")
        .captured()
    )
    outcome = project.with_environment(SEED="2").gate()
    assert outcome.statuses == {"1": "regressed"}
    assert "too long to be compared in time" in str(outcome.deal("1")["findings"])
