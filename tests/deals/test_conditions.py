"""Conditions read from text: what they say of a row is what a database says of it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.deals.check_constraints import NO_LIMITS, Bound, Limits, read_check
from pytest_dealsnap.deals.conditions import UnreadConditionError, evaluate, read_condition

CONDITIONS = (
    "a = b",
    "a <> b",
    "a < b OR a IS NULL",
    "a IS NOT NULL AND b >= 0",
    "NOT (a > 1)",
    "a IS b",
    "a IS NOT b",
    "a IN (1, 2, NULL)",
    "a NOT IN (1, 2)",
    "a BETWEEN b AND 2",
    "a + b > 1",
    "a - b * 2 < 3",
    "a / 2 = 1",
    "a % 3 = 1",
    "-a < b",
    "abs(a) = 1",
    "coalesce(a, b, 1) = 1",
    "CASE WHEN a > b THEN a = 2 WHEN a IS NULL THEN NULL ELSE b < 1 END",
    "CASE WHEN a > 1 THEN b END",
    "(a IS NULL) <> (b IS NULL)",
    "t = 'ab' OR t LIKE 'A_%'",
    "t NOT LIKE 'A_%'",
    "length(t) > 1",
    "trim(t) = 'b'",
    "upper(t) = 'AB'",
    "lower(t) = t",
    "t GLOB 'a*'",
    "t GLOB '[^a]*'",
    "CAST(a AS INTEGER) = 1",
)
small = st.none() | st.integers(-3, 3)
texts = st.none() | st.sampled_from(["", "a", "ab", "AB", " b ", "Axy", "ba"])


@given(condition=st.sampled_from(CONDITIONS), a=small, b=small, t=texts)
def test_a_condition_says_what_sqlite_says(condition: str, a: int | None, b: int | None, t: str | None) -> None:
    """True, false and unknown, for NULLs too."""
    if t is not None and "LIKE" in condition:
        t = t.upper()  # SQLite's LIKE folds case, PostgreSQL's does not: ours takes what both do
    connection = sqlite3.connect(":memory:")
    question = (
        f"SELECT CASE WHEN {condition} THEN 1 WHEN NOT ({condition}) THEN 0 END FROM (SELECT ? AS a, ? AS b, ? AS t)"
    )
    [answer] = connection.execute(question, (a, b, t)).fetchone()
    connection.close()
    found = evaluate(read_condition(condition), {"a": a, "b": b, "t": t})
    assert (None if found is None else bool(found)) == (None if answer is None else bool(answer))


@pytest.mark.parametrize(
    ("condition", "row", "allowed"),
    [
        ("x IS DISTINCT FROM y", {"x": None, "y": None}, False),
        ("x IS NOT DISTINCT FROM y", {"x": 1, "y": 1}, True),
        ("x IS TRUE", {"x": True}, True),
        ("x", {"x": False}, False),
        ("x ~ '^[a-c]+$'", {"x": "abc\n"}, False),
        ("x ~* '^[a-c]+$'", {"x": "ABC"}, True),
        ("x ILIKE 'a%'", {"x": "Ab"}, True),
        ("x NOT ILIKE 'a%'", {"x": "Ab"}, False),
        ("x NOT LIKE 'a%'", {"x": "b"}, True),
        ("x LIKE 'a%'", {"x": "Ab"}, False),
        ("x NOT LIKE 'a%'", {"x": "Ab"}, False),
        ("NOT (x LIKE 'a%')", {"x": "Ab"}, False),
        ("x <= CURRENT_TIMESTAMP", {"x": datetime(2050, 1, 1)}, False),
        ("x <= CURRENT_DATE", {"x": date(2019, 1, 1)}, True),
        ("x > '2024-01-01'", {"x": datetime(2024, 1, 1, 1, tzinfo=UTC)}, True),
        ("'2024-01-01' < x", {"x": date(2024, 1, 2)}, True),
        ("x > DATE '2024-01-01'", {"x": datetime(2024, 1, 1, 5)}, False),
        ("x > '1 January'", {"x": date(2024, 1, 2)}, False),
        ("x / y > 1", {"x": 1, "y": 0}, False),
        ("x / y > 1", {"x": 1.5, "y": Decimal(1)}, True),
        ("x > 1", {"x": "a"}, False),
        ("x = ANY (ARRAY[1, 2])", {"x": 2}, True),
        ("x = ANY (ARRAY[1, 2])", {"x": 3}, False),
        ("x <> ALL (ARRAY[1, 2])", {"x": 3}, True),
        ("x <> ALL (ARRAY[1, 2])", {"x": 2}, False),
        ("x <> ALL (ARRAY[1, NULL])", {"x": 2}, True),
        ("x > ALL (ARRAY[1, 2])", {"x": 2}, False),
        ("trim(both from x) <> ''", {"x": " "}, False),
        ("x > '5'::numeric", {"x": Decimal(6)}, True),
    ],
)
def test_what_only_other_databases_know(condition: str, row: dict[str, Any], allowed: bool) -> None:
    """PostgreSQL's forms, moments, and errors, which allow nothing."""
    assert read_check(condition).allows(row) is allowed


@pytest.mark.parametrize(
    "text",
    [
        "x IN (SELECT 1)",
        "json_valid(x)",
        "x >",
        "x IS JSON",
        "random() > x",
        "ltrim(x) <> ''",
        "trim(both 'a' from x) <> ''",
        "x = ANY ('{a,b}'::text[])",
        "x <> ALL ('{a,b}'::text[])",
        "num_nonnulls(x, y) = 1",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """When it is read, never by a guess."""
    with pytest.raises(UnreadConditionError):
        read_condition(text)


@pytest.mark.parametrize(
    ("text", "known", "limits"),
    [
        ("x > 5 AND 9 >= x", {}, Limits(low=(Bound(5, included=False),), high=(Bound(9),))),
        ("x > y", {"y": 3}, Limits(low=(Bound(3, included=False),))),
        ("x > y", {"y": None}, NO_LIMITS),
        ("x > y", {}, NO_LIMITS),
        ("y = 1 OR x > 2", {"y": 1}, NO_LIMITS),
        ("y = 1 OR x > 2", {"y": 0}, Limits(low=(Bound(2, included=False),))),
        ("x IS NULL OR x IN (1, y)", {"y": 4}, Limits(choices=(1, 4))),
        ("x IN (1, y)", {}, NO_LIMITS),
        ("x IS NOT NULL", {}, Limits(null=False)),
        ("x = 1 OR x = 2 OR x = 1", {}, Limits(choices=(1, 2))),
        ("x > 1 OR x < 0", {}, NO_LIMITS),
        ("x AND y = 1", {}, Limits(choices=(True,))),
        ("length(x) < 4 AND length(x) >= 2", {}, Limits(min_length=2, max_length=3)),
        ("lower(x) = 'a'", {}, Limits(ascii=True)),
        ("x IN (1, 2) AND x IN (2, 3)", {}, Limits(choices=(2,))),
        ("x LIKE y", {}, NO_LIMITS),
        ("x = ANY (ARRAY[1, 2])", {}, Limits(choices=(1, 2))),
        ("x > ANY (ARRAY[1, 2])", {}, NO_LIMITS),
        ("x = ALL (ARRAY[1, 2])", {}, NO_LIMITS),
        ("x NOT LIKE 'a%'", {}, NO_LIMITS),
        ("y = 2", {}, NO_LIMITS),
        ("x + 1 > 2", {}, NO_LIMITS),
        ("1 / y < x", {"y": 0}, NO_LIMITS),
    ],
)
def test_what_a_condition_leaves_of_a_column(text: str, known: dict[str, Any], limits: Limits) -> None:
    """Bounds, choices and lengths, given what other columns hold; nothing where it cannot be told."""
    assert read_check(text).limits("x", known) == limits
