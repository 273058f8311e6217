"""The rule language: what each rule allows, at its boundaries and in general."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.rules import RULE_FORMS, Rule, parse_rule
from pytest_dealsnap.model.results import Finding
from tests.builders import canonical_values

NAN = float("nan")
INF = math.inf


def rule(text: str, root: Path = Path()) -> Rule:
    """Return the compiled rule."""
    return parse_rule(text, place='[tool.dealsnap.rules.acquisition] "cost_total"', root=root)


HOLDS: list[tuple[str, Any, Any]] = [
    ("equal", 5, 5.0),
    ("equal", NAN, NAN),
    ("equal", None, None),
    ("equal", ["a"], ["a"]),
    ("within 5%", 100, 105),
    ("within 5%", 100, 95),
    ("within 5%", -100, -105),
    ("within 5%", 100.0, Decimal("105.00")),
    ("within 10%", 0.1, 0.11),
    ("within 200%", 0.1, 0.3),
    ("within 0.1%", 1_000_000_000_000.1, 1_001_000_000_000.1001),
    ("within 5%", 0, 0.0),
    ("within 5%", INF, INF),
    ("within 5%", "text", "text"),
    ("within 0%", 7, 7.0),
    ("within 100%", 5, 0),
    ("within 200%", 5, -5),
    ("within 1000", 0, 1000),
    ("within 1_000", 0, -1000),
    ("within 0.1", 0.2, 0.3),
    ("within 0.2", 0.1, 0.3),
    ("within 5% or 1000", 0, 1000),
    ("within 5% or 1000", 100_000, 105_000),
    ("within 5% or 1000", 100, 1100),
    ("within  5 %", 100, 105),
    ("within 50%", Decimal("2E+999999"), Decimal("3E+999999")),
    ("ratio 1.5..3.0", 100, 150),
    ("ratio 1.5..3.0", 100, 300),
    ("ratio 1.5..3.0", 0.1, 0.3),
    ("ratio 1.5..3.0", -100, -150),
    ("ratio 1.5..3.0", 0, 0.0),
    ("ratio 0.5..2", INF, INF),
    ("ratio 1.5..3.0", None, None),
    ("ratio 1 .. 1", 7, 7),
    ("same items", ["b", "a"], ["a", "b"]),
    ("same items", [1, 2.0, 2], [2, 2, 1.0]),
    ("same items", [{"a": [1]}, {}], [{}, {"a": [1.0]}]),
    ("same items", [NAN], [Decimal("NaN")]),
    ("same items", [], []),
    ("same items", 5, 5.0),
    ("similar 0.9", "a" * 10, "a" * 9 + "b"),
    ("similar 0.1", "a" * 1 + "x" * 9, "a" * 1 + "y" * 9),
    ("similar 0", "abc", "xyz"),
    ("similar 1", "abc", "abc"),
    ("similar 0.9", "", ""),
    ("similar 0.9", 5, 5.0),
    ("similar 0.5", "a\ud800", "a\ud800b"),
    ("report", 1, "x"),
    ("ignore", 1, None),
]

BREAKS: list[tuple[str, Any, Any]] = [
    ("equal", 1, True),
    ("equal", 5, 6),
    ("equal", None, 0),
    ("equal", ["a", "b"], ["b", "a"]),
    ("within 5%", 100, Decimal("105.000000000000000000001")),
    ("within 5%", 100, Decimal("94.99999999999999999999999")),
    ("within 5%", 0, Decimal("1E-40")),
    ("within 5%", 0, 1_000_000),
    ("within 5%", 100, -100),
    ("within 5%", 100, NAN),
    ("within 5%", NAN, 100),
    ("within 5%", 100, INF),
    ("within 5%", INF, -INF),
    ("within 5%", 100, "100"),
    ("within 500%", True, 1),
    ("within 500%", 1, True),
    ("within 5%", 100, None),
    ("within 5%", None, 100),
    ("within 0%", 7, Decimal("7.0000000001")),
    ("within 1000", 0, Decimal("1000.01")),
    ("within 1000", 10**30, 10**30 + 1001),
    ("within 0.1", 0.2, Decimal("0.30000000000000004")),
    ("within 5% or 1000", 100, 1101),
    ("within 50%", Decimal("1E+999999"), Decimal("9E+999999")),
    ("within 50%", Decimal("1E-2000000"), Decimal("9E-2000000")),
    ("within 50%", Decimal("1E+2000000"), Decimal("9E+2000000")),
    ("ratio 1.5..3.0", 100, 100),
    ("ratio 1.5..3.0", 100, Decimal("149.99999999999999999999")),
    ("ratio 1.5..3.0", 100, Decimal("300.00000000000000000001")),
    ("ratio 1.5..3.0", 0, 1),
    ("ratio 1.5..3.0", 100, -200),
    ("ratio 1.5..3.0", NAN, 5),
    ("ratio 1.5..3.0", 5, INF),
    ("ratio 1.5..3.0", INF, INF),
    ("ratio 1.5..3.0", "5", "5"),
    ("ratio 2..3", Decimal("1E+999999"), Decimal("9E+999999")),
    ("same items", ["a", "a", "b"], ["a", "b", "b"]),
    ("same items", ["a"], ["a", "a"]),
    ("same items", [1], [True]),
    ("same items", ["consolidation"], ["license"]),
    ("same items", ["a"], "a"),
    ("same items", [[1, 2]], [[2, 1]]),
    ("similar 0.9", "a" * 9, "a" * 8 + "b"),
    ("similar 0.9", "abc", None),
    ("similar 0.9", 5, 6),
    ("similar 1", "abc", "abd"),
]


@pytest.mark.parametrize(("text", "baseline", "current"), HOLDS)
def test_a_rule_holds_up_to_its_bound(text: str, baseline: Any, current: Any) -> None:
    """What a rule allows, the bound itself included, holds."""
    assert rule(text).holds(baseline, current) is True


@pytest.mark.parametrize(("text", "baseline", "current"), BREAKS)
def test_a_rule_breaks_beyond_its_bound(text: str, baseline: Any, current: Any) -> None:
    """What lies beyond a bound, by however little, does not hold."""
    assert rule(text).holds(baseline, current) is False


money = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=2)
percents = st.decimals(min_value=0, max_value=300, places=3)


@given(baseline=money, percent=percents, sign=st.sampled_from([1, -1]))
def test_the_percentage_bound_itself_holds_and_the_next_value_does_not(
    baseline: Decimal, percent: Decimal, sign: int
) -> None:
    """Exactly p percent off holds for any baseline; the smallest step beyond does not."""
    bound = abs(baseline) * percent / 100
    step = Decimal("1E-9")
    assert rule(f"within {percent}%").holds(baseline, baseline + sign * bound) is True
    assert rule(f"within {percent}%").holds(baseline, baseline + sign * (bound + step)) is False


@given(baseline=money, amount=st.decimals(min_value=0, max_value=10**9, places=4), sign=st.sampled_from([1, -1]))
def test_the_amount_bound_itself_holds_and_the_next_value_does_not(
    baseline: Decimal, amount: Decimal, sign: int
) -> None:
    """Exactly the amount off holds for any baseline; the smallest step beyond does not."""
    assert rule(f"within {amount}").holds(baseline, baseline + sign * amount) is True
    assert rule(f"within {amount}").holds(baseline, baseline + sign * (amount + Decimal("1E-9"))) is False


@given(
    baseline=st.floats(allow_nan=False, allow_infinity=False),
    current=st.floats(allow_nan=False, allow_infinity=False),
    percent=percents,
)
@example(baseline=0.1, current=0.3, percent=Decimal("200.000"))
@example(baseline=1e308, current=-1e308, percent=Decimal("200.000"))
@example(baseline=5e-324, current=1e-323, percent=Decimal("100.000"))
def test_within_is_exact_arithmetic_on_the_written_decimals(baseline: float, current: float, percent: Decimal) -> None:
    """The rule agrees with rational arithmetic over the texts of both floats."""
    before, after = Fraction(repr(baseline)), Fraction(repr(current))
    expected = before == after or abs(after - before) * 100 <= abs(before) * Fraction(percent)
    assert rule(f"within {percent}%").holds(baseline, current) is expected


@given(baseline=money, low=st.decimals(0, 3, places=2), width=st.decimals(0, 3, places=2), current=money)
def test_ratio_is_exact_arithmetic(baseline: Decimal, low: Decimal, width: Decimal, current: Decimal) -> None:
    """The closed range holds by rational arithmetic; from zero only zero follows."""
    high = low + width
    if baseline == 0:
        expected = current == 0
    else:
        expected = Fraction(low) <= Fraction(current) / Fraction(baseline) <= Fraction(high)
    assert rule(f"ratio {low}..{high}").holds(baseline, current) is expected
    if baseline:
        assert rule(f"ratio {low}..{high}").holds(baseline, baseline * low) is True
        assert rule(f"ratio {low}..{high}").holds(baseline, baseline * high) is True


@given(value=canonical_values(), text=st.sampled_from([form for form in RULE_FORMS if ":" not in form]))
def test_a_reflexive_rule_allows_every_unchanged_value(value: Any, text: str) -> None:
    """A rule that calls itself holds_when_unchanged never refuses a value for itself."""
    compiled = rule(text)
    assert compiled.holds_when_unchanged is (text != "ratio 1.5..3.0")
    if compiled.holds_when_unchanged:
        assert compiled.holds(value, value) is True


@pytest.mark.parametrize(
    ("text", "holds_when_unchanged"),
    [
        ("ratio 1.5..3.0", False),
        ("ratio 0.1..0.9", False),
        ("ratio 1..2", True),
        ("ratio 0.5..1", True),
        ("ratio 0.9..1.1", True),
    ],
)
def test_a_ratio_that_leaves_out_one_is_not_reflexive(text: str, holds_when_unchanged: bool) -> None:
    """An unchanged value fails a ratio that asks for a change."""
    assert rule(text).holds_when_unchanged is holds_when_unchanged
    assert rule(text).holds(100, 100) is holds_when_unchanged


@given(items=st.lists(canonical_values(), max_size=6), data=st.data())
def test_same_items_ignores_order_only(items: list[Any], data: st.DataObject) -> None:
    """A permutation holds; one item more or less does not."""
    shuffled = data.draw(st.permutations(items))
    assert rule("same items").holds(items, shuffled) is True
    assert rule("same items").holds(items, [*shuffled, "one more"]) is False
    if items:
        assert rule("same items").holds(items, shuffled[1:]) is False


@given(left=st.text(max_size=20), right=st.text(max_size=20))
def test_similarity_is_symmetric_and_full_for_equal_texts(left: str, right: str) -> None:
    """A text is entirely similar to itself only, in either direction."""
    assert rule("similar 1").holds(left, right) is (left == right)
    assert rule("similar 0.5").holds(left, right) is rule("similar 0.5").holds(right, left)


@pytest.mark.parametrize(
    ("text", "gates", "shown"), [("report", False, True), ("ignore", False, False), ("equal", True, True)]
)
def test_report_and_ignore_never_gate(text: str, gates: bool, shown: bool) -> None:
    """``report`` shows without gating, ``ignore`` does not even show."""
    assert (rule(text).gates, rule(text).shown) == (gates, shown)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("equals", 'Did you mean "equal"?'),
        ("witin 5%", 'Did you mean "within 5%"?'),
        ("within", 'Did you mean "within 5%"?'),
        ("within 5%%", "Did you mean"),
        ("within -5%", "Did you mean"),
        ("within 5% or", "Did you mean"),
        ("within five percent", "Did you mean"),
        ("ratio 1.5", "Did you mean"),
        ("ratio 3.0..1.5", "the range is empty, 3.0 is above 1.5"),
        ("ratio -1..1", "Did you mean"),
        ("similar", "Did you mean"),
        ("similar 1.5", "a similarity is from 0 to 1"),
        ("same", 'Did you mean "same items"?'),
        ("Report", 'Did you mean "report"?'),
        ("", "Valid: equal, within 5%"),
        ("exactly", "Valid: equal, within 5%"),
    ],
)
def test_an_unknown_rule_is_refused(text: str, hint: str) -> None:
    """The error shows the text, where it stands, what is valid and what was probably meant."""
    with pytest.raises(ConfigError) as caught:
        rule(text)
    message = str(caught.value)
    assert f'[tool.dealsnap.rules.acquisition] "cost_total" = {text!r}' in message
    assert hint in message


def test_spaces_in_a_rule_do_not_matter() -> None:
    """A rule is read word by word."""
    assert rule("  within   5%   or  1000 ").text == "within 5% or 1000"


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with rules of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_rules_of_judging.py").write_text(
        "from pytest_dealsnap.model.results import Finding\n"
        "class Rules:\n"
        "    @staticmethod\n"
        "    def never(baseline, current, deal): return False\n"
        "def always(baseline, current, deal): return True\n"
        "def explains(baseline, current, deal):\n"
        "    return Finding('margin', 'margin_changed', baseline, current, note=f'{deal} told me')\n"
        "def raises(baseline, current, deal): raise ZeroDivisionError('no margin')\n"
        "def vague(baseline, current, deal): return None\n"
        "def number(baseline, current, deal): return 1\n"
        "answer = 42\n"
    )
    return tmp_path


def test_a_rule_of_the_users_own_decides(own_rules: Path) -> None:
    """``module:callable`` is called with both values and the deal; a method's path works too."""
    assert rule("own_rules_of_judging:always", own_rules).holds(1, 2) is True
    assert rule("own_rules_of_judging:Rules.never", own_rules).holds(1, 1) is False
    assert rule("own_rules_of_judging:always", own_rules).holds_when_unchanged is False
    finding = rule("own_rules_of_judging:explains", own_rules).holds(1, 2, "Acme")
    assert finding == Finding("margin", "margin_changed", 1, 2, note="Acme told me")


@pytest.mark.parametrize(("name", "returned"), [("vague", "None"), ("number", "1")])
def test_a_rule_that_returns_neither_is_refused(own_rules: Path, name: str, returned: str) -> None:
    """What is no bool and no Finding must not count as an answer."""
    with pytest.raises(TypeError, match=f"returned {returned}; it must return True, False or a Finding"):
        rule(f"own_rules_of_judging:{name}", own_rules).holds(1, 2)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("own_rules_of_judging:alway", 'Did you mean "always"?'),
        ("own_rules_of_judging:answer", "cannot be called"),
        ("no_such_module_of_rules:x", "no module named 'no_such_module_of_rules'"),
    ],
)
def test_a_rule_that_cannot_be_imported_is_refused(own_rules: Path, text: str, what: str) -> None:
    """A rule of the user's own is imported when the configuration is read, not at the first deal."""
    with pytest.raises(ConfigError) as caught:
        rule(text, own_rules)
    assert what in str(caught.value)
    assert '"cost_total"' in str(caught.value)


@given(number=st.integers(0, 10**6))
def test_underscores_group_digits(number: int) -> None:
    """``within 1_000`` is ``within 1000``."""
    assume(number)
    assert rule(f"within {number:_}").holds(0, number) is True
    assert rule(f"within {number:_}").holds(0, number + 1) is False
