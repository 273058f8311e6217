"""What stands for the changed paths of an output: the same in every process, another for another change."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from pytest_dealsnap.judging.differences import ABSENT
from pytest_dealsnap.judging.evidence import DIGITS, MOST_FORMS, with_evidence
from pytest_dealsnap.model.results import Finding, Kind

FINDING = Finding("output", "output_changed", None, None, kind=Kind.OUTPUT)


def digest(*values: Any, path: tuple[str | int, ...] = ("costs",)) -> str:
    """Return the digest of one path that came to each of *values*."""
    found = with_evidence(FINDING, [(path, 0, value) for value in values]).digest
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, 5.0),
        (5, Decimal("5.00")),
        (50, Decimal("5E1")),
        (0, Decimal("-0.0")),
        (math.nan, Decimal("NaN")),
        (0.25, Decimal("0.250")),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
    ],
)
def test_the_same_value_has_the_same_digest(one: Any, other: Any) -> None:
    """However it is written, and whatever the order of its keys."""
    assert digest(one) == digest(other)


VALUES = [
    5, -5, 50, 0.5, 0, 10, 100, 1, True, "1", "5", None, ABSENT, "absent", math.nan, math.inf, -math.inf,
    [], {}, [1], {"a": 1}, {"a": 2}, {"b": 1}, [1, 2], [2, 1],
]  # fmt: skip


def test_other_values_have_other_digests() -> None:
    """Also those that Python takes for equal, such as 1 and true; and one that is absent is no text."""
    digests = [digest(value) for value in VALUES]
    assert len(set(digests)) == len(VALUES)
    assert {len(one) for one in digests} == {DIGITS}


def test_the_digest_is_of_every_path_and_of_the_new_values_only() -> None:
    """Another path, a further one or another order is another change; the old value is the baseline's."""
    assert digest(1) != digest(1, path=("other",))
    assert digest(1) != digest(1, 1)
    assert digest(1, 2) != digest(2, 1)
    assert with_evidence(FINDING, [(("costs",), 7, 1)]).digest == digest(1)


def test_forms_are_paths_without_places() -> None:
    """Each once, in order; and none where there are too many to be carried."""
    leaves = [(("synergies", place, key), 0, 1) for place in range(3) for key in ("value", "id")]
    assert with_evidence(FINDING, leaves).forms == ("synergies[].id", "synergies[].value")
    many = [((f"key{chr(97 + n % 26)}{chr(97 + n // 26)}",), 0, 1) for n in range(MOST_FORMS)]
    assert with_evidence(FINDING, many).forms is not None
    assert with_evidence(FINDING, [*many, (("one", "more"), 0, 1)]).forms is None
