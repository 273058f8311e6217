"""Metrics: named values taken out of an output by JMESPath."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from pytest_dealsnap.config import DEFAULT_METRICS, MetricSpec
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.metrics import Metric, compile_metrics, measure
from pytest_dealsnap.judging.recorded_form import recorded_form
from pytest_dealsnap.judging.values import same
from pytest_dealsnap.reasoning.canonical import dumps, loads
from tests.builders import canonical_values


def metric(path: str, max_chars: int | None = None) -> Metric:
    """Return the compiled metric."""
    return compile_metrics([MetricSpec("m", path, max_chars, "pyproject.toml, [tool.dealsnap.metrics] m")])[0]


OUTPUT = {
    "cost_estimate": {"total_cost": Decimal("1250000.10"), "parts": [Decimal("0.1"), 0.2, 3]},
    "synergies": [{"type": "license", "id": 1}, {"type": None}, {"type": "headcount"}, "odd", {}],
    "narrative": "x" * 600,
    "odd name": {"a.b": 7},
    "nothing": None,
    "whole": [3, 4],
    "empty": [],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cost_estimate.total_cost", Decimal("1250000.10")),
        ("length(synergies)", 5),
        ("synergies[].type", ["license", "headcount"]),
        ("length(narrative)", 600),
        ("length(cost_estimate)", 2),
        ('"odd name"."a.b"', 7),
        ("cost_estimate.parts[-1]", 3),
        ("sum(cost_estimate.parts)", Decimal("3.3")),
        ("max(cost_estimate.parts)", 3),
        ("type(cost_estimate.total_cost)", "number"),
        ("type(narrative)", "string"),
        ("to_number(cost_estimate.parts[0])", 0.1),
        ('to_number(`"12"`)', 12),
        ('to_number(`"0.12345678901234567890"`)', Decimal("0.12345678901234567890")),
        ('to_number(`"1e3"`)', 1000.0),
        ("to_string(cost_estimate.total_cost)", "1250000.10"),
        ("to_string(whole)", "[3,4]"),
        ('to_string(`"x"`)', "x"),
        ("abs(cost_estimate.total_cost)", Decimal("1250000.10")),
        ("sum(whole)", 7),
        ("avg(whole)", 3.5),
        ("avg(empty)", None),
        ("sum(empty)", 0),
        ("avg(cost_estimate.parts)", Decimal("1.1")),
        ("synergies[?id].type | [0]", "license"),
        ("cost_estimate.total_cost > `1000`", True),
        ("nothing", None),
        ("nothing.at.all", None),
        ("length(nothing)", None),
        ("length(cost_estimate.total_cost)", None),
        ("narrative[].x", None),
        ("sum(synergies)", None),
        (" cost_estimate.total_cost ", Decimal("1250000.10")),
    ],
)
def test_a_metric_finds_its_value(path: str, value: Any) -> None:
    """Every JMESPath expression works; a type error means that nothing is there to be measured."""
    found = metric(path)(OUTPUT)
    assert found == value
    assert type(found) is type(value)


def test_the_default_metrics_are_the_rollout_plans() -> None:
    """The four of the plan, in name order, with an excerpt of 500 characters."""
    metrics = compile_metrics(DEFAULT_METRICS)
    assert [one.name for one in metrics] == ["cost_total", "narrative_excerpt", "synergy_count", "synergy_types"]
    values = {one.name: one(OUTPUT) for one in metrics}
    assert values["narrative_excerpt"] == "x" * 500
    assert values["synergy_count"] == 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [("abcdef", "abc"), ("ab", "ab"), (["a", "b", "c", "d"], ["a", "b", "c", "d"]), (12345, 12345)],
)
def test_max_chars_cuts_texts_only(value: Any, expected: Any) -> None:
    """A limit of characters is about texts."""
    assert metric("m", max_chars=3)({"m": value}) == expected


def test_sums_of_money_are_exact_in_any_decimal_context() -> None:
    """An application's own decimal precision does not round what is measured."""
    output = {"parts": [Decimal("123456.78"), Decimal("0.01")], "long": [Decimal("1E+40"), Decimal("0.01")]}
    with localcontext() as context:
        context.prec = 4
        assert metric("sum(parts)")(output) == Decimal("123456.79")
    assert metric("sum(long)")(output) == Decimal("10000000000000000000000000000000000000000.01")


@pytest.mark.parametrize(
    ("path", "output"),
    [
        ("ceil(v)", {"v": float("nan")}),
        ("floor(v)", {"v": float("inf")}),
        ("sum(v)", {"v": [Decimal("Infinity"), Decimal("-Infinity")]}),
        ("avg(v)", {"v": [Decimal("Infinity"), Decimal("-Infinity"), 1]}),
    ],
)
def test_arithmetic_without_a_result_is_no_value(path: str, output: Any) -> None:
    """A sum of opposite infinities or a rounded NaN is absent or NaN, never a crash of the run."""
    found = metric(path)(output)
    assert found is None or found != found


FORMS = st.sampled_from(
    ["a", "a.b", "a.b.type", "length(a)", "length(a.b)", "a[].b", "a.b[].type", "a[].b.type", " a "]
)
OUTPUTS = st.dictionaries(
    st.sampled_from(["a", "b", "type"]),
    st.recursive(
        canonical_values(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "type"]), inner, max_size=3)
        ),
        max_leaves=20,
    ),
    max_size=3,
)


@given(path=FORMS, output=OUTPUTS)
def test_the_quick_forms_find_what_jmespath_finds(path: str, output: dict[str, Any]) -> None:
    """``a.b``, ``length(a)`` and ``a[].b`` are searched without the interpreter, to the same result."""
    try:
        expected = jmespath.search(path, output)
    except JMESPathError:
        expected = None
    assert same(metric(path)(output), expected)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("cost[", "not a JMESPath expression"),
        ("", "not a JMESPath expression"),
        ("a..b", "not a JMESPath expression"),
        ("lenght(a)", 'JMESPath has no function lenght(). Did you mean "length"?'),
        ("a[?totl(b) > `1`]", "JMESPath has no function totl()"),
        ("length(a) | nope(@)", "JMESPath has no function nope()"),
        ("length(a, b)", "length() takes 1 argument(s), not 2"),
        ("not_null()", "not_null() takes at least 1 argument(s), not 0"),
        ("&d", "an expression reference (&) is no value"),
        ("[a, &d]", "an expression reference (&) is no value"),
        ("a[].{x: &d}", "an expression reference (&) is no value"),
        ("not_null(a, &d)", "an expression reference (&) is no value"),
        ("to_array(&d)", "an expression reference (&) is no value"),
        ("map(&to_array(&b), a)", "an expression reference (&) is no value"),
    ],
)
def test_a_bad_expression_is_refused(path: str, what: str) -> None:
    """An expression that could never find anything is an error of the configuration."""
    with pytest.raises(ConfigError) as caught:
        metric(path)
    assert str(caught.value).startswith(f"pyproject.toml, [tool.dealsnap.metrics] m = {path!r}: ")
    assert what in str(caught.value)


@pytest.mark.parametrize(
    "path", ["sort_by(a, &b.c)", "max_by(a, &b)", "map(&b, a)", "not_null(a, b, c)", "merge(a, b)"]
)
def test_an_expression_where_a_function_takes_one_is_fine(path: str) -> None:
    """What is refused is only what can never be a value."""
    assert metric(path)({}) is None


COSTS = {"z": Decimal("1.50"), "a": 0.1, "m": [Decimal("0.2"), Decimal("3")], "k": {"y": Decimal("2"), "x": "é"}}
ORDER_SENSITIVE = [
    "keys(costs)",
    "values(costs)",
    "costs.*",
    "costs.* | [0]",
    "to_string(costs)",
    "to_string(costs.m)",
    "costs.k.*",
    "merge(costs.k, costs) | keys(@)",
    "sum(costs.m)",
    "avg(costs.m)",
    "[costs.a, costs.z] | sum(@)",
    "costs.m[?@ == `0.2`]",
    "contains(costs.m, `0.2`)",
    "sort(costs.m)",
    "max(costs.m)",
]


@pytest.mark.parametrize("path", ORDER_SENSITIVE)
def test_a_metric_does_not_depend_on_the_reasoners_order_or_on_the_file(path: str) -> None:
    """The output in any order, and the output as its snapshot gives it back, have the same metric, byte for byte."""
    turned = {"costs": dict(reversed([(key, dict(reversed(list(value.items()))) if isinstance(value, dict) else value)
                                      for key, value in COSTS.items()]))}  # fmt: skip
    found = metric(path)({"costs": COSTS})
    assert found is not None
    assert dumps(metric(path)(turned)) == dumps(found)
    assert dumps(metric(path)(loads(dumps({"costs": COSTS})))) == dumps(found)


def test_a_text_of_an_object_keeps_its_digits() -> None:
    """Numbers stand in it as they are written, and no number is a text."""
    assert metric("to_string(costs)")({"costs": COSTS}) == '{"a":0.1,"k":{"x":"é","y":2},"m":[0.2,3],"z":1.50}'
    words = [float("nan"), float("inf"), -float("inf"), None, True]
    assert metric("to_string(v)")({"v": words}) == "[NaN,Infinity,-Infinity,null,true]"


@given(canonical_values())
def test_the_recorded_form_is_what_a_snapshot_gives_back(value: Any) -> None:
    """Metrics of a capture see what a gate reads from the file."""
    recorded, read = recorded_form({"v": value}), loads(dumps({"v": value}))
    assert repr(recorded) == repr(read)


@given(canonical_values())
def test_many_metrics_at_once_find_what_each_finds(value: Any) -> None:
    """An output is put into its recorded form once for all metrics."""
    metrics = [metric(path) for path in ("a.b", "a.*", "keys(a)", "to_string(a)")]
    several = [replace(one, name=str(number)) for number, one in enumerate(metrics)]
    assert dumps(list(measure(several, {"a": value}).values())) == dumps([one({"a": value}) for one in several])


@pytest.mark.parametrize(
    ("path", "pattern"),
    [("a.b", "a.b"), ("a[].b", "a[].b"), ("length(a)", None), ("a | b", None), ("a[?b]", None), ("*", "*")],
)
def test_a_metric_knows_the_path_it_selects(path: str, pattern: str | None) -> None:
    """Only an expression that does no more than select has a pattern of paths it covers."""
    found = metric(path).pattern
    assert (found.text if found else None) == pattern
