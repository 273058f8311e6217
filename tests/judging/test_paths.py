"""Paths into an output: parsing, covering, removing, showing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.differences import changed_leaves
from pytest_dealsnap.judging.paths import EVERY, parse_path, selecting_path, show_path
from tests.builders import canonical_values


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("generated_at", ("generated_at",)),
        ("a.b", ("a", "b")),
        ("synergies[].id", ("synergies", EVERY, "id")),
        ("synergies[*].id", ("synergies", EVERY, "id")),
        ("a.*.b", ("a", EVERY, "b")),
        ("a[3][-1]", ("a", 3, -1)),
        ('"odd name"."x.y"', ("odd name", "x.y")),
        ('"a\\"b"', ('a"b',)),
        ("[0].a", (0, "a")),
        ("*", (EVERY,)),
    ],
)
def test_a_path_is_parsed_into_steps(text: str, steps: tuple[Any, ...]) -> None:
    """Names, quoted names, stars and indices are the language."""
    assert parse_path(text).steps == steps
    found = selecting_path(text)
    assert found is not None
    assert found.steps == steps


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "a b", "a[", "a[x]", "length(a)", "a | b", "a[?b]", '"a', "a[1:2]", "ä", '"\\q"'],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    """The error shows the text, where it stands and what is valid."""
    with pytest.raises(ConfigError) as caught:
        parse_path(text, place="pyproject.toml, [tool.dealsnap.output] drop")
    assert str(caught.value) == (
        f"pyproject.toml, [tool.dealsnap.output] drop: {text!r} is no path. "
        'Valid are names, quoted names, "*", "[]", "[*]" and "[0]"'
    )
    assert selecting_path(text) is None


@pytest.mark.parametrize(
    ("text", "path", "covers"),
    [
        ("a.b", ("a", "b"), True),
        ("a.b", ("a", "b", "c", 0), True),
        ("a.b", ("a",), False),
        ("a.b", ("a", "c"), False),
        ("a[].id", ("a", 7, "id"), True),
        ("a[].id", ("a", 7, "name"), False),
        ("a[1]", ("a", 1), True),
        ("a[1]", ("a", 2), False),
        ("*", ("anything", "below"), True),
    ],
)
def test_a_path_covers_what_lies_inside_of_it(text: str, path: tuple[str | int, ...], covers: bool) -> None:
    """A pattern covers the values that it selects, and everything within them."""
    assert parse_path(text).covers(path) is covers


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("at", {"rows": [{"id": 1, "v": 2}, {"id": 3}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}),
        ("rows[].id", {"at": 0, "rows": [{"v": 2}, {}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}),
        ("rows[0]", {"at": 0, "rows": [{"id": 3}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}),
        ("rows[-1].id", {"at": 0, "rows": [{"id": 1, "v": 2}, {}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}),
        ("rows[]", {"at": 0, "rows": [], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}),
        ("deep.*.id", {"at": 0, "rows": [{"id": 1, "v": 2}, {"id": 3}], "deep": {"x": {}, "y": {"w": 6}}}),
        ("*", {}),
        (
            "rows[9]",
            {"at": 0, "rows": [{"id": 1, "v": 2}, {"id": 3}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}},
        ),
        ("at.x.y", {"at": 0, "rows": [{"id": 1, "v": 2}, {"id": 3}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}),
    ],
)
def test_a_path_is_removed_without_touching_the_original(text: str, left: Any) -> None:
    """What a pattern selects is left out of a copy; a path that leads nowhere removes nothing."""
    output = {"at": 0, "rows": [{"id": 1, "v": 2}, {"id": 3}], "deep": {"x": {"id": 4}, "y": {"id": 5, "w": 6}}}
    before = copy.deepcopy(output)
    assert parse_path(text).remove_from(output) == left
    assert output == before


@given(value=canonical_values())
def test_nothing_covered_is_left_after_a_removal(value: Any) -> None:
    """Whatever remains of an output lies outside of the dropped path."""
    pattern = parse_path("a.b")
    remains = pattern.remove_from(value)
    assert not any(pattern.covers(path) for path, _, _ in changed_leaves({}, remains) if remains != {})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("synergies", 0, "type"), "synergies[0].type"),
        (("odd name", "b"), '"odd name".b'),
        ((3,), "[3]"),
        (("ä",), '"ä"'),
        ((), ""),
    ],
)
def test_a_path_is_shown_as_it_would_be_written(path: tuple[str | int, ...], text: str) -> None:
    """A shown path can be put into ``output.drop``."""
    assert show_path(path) == text
    if path:
        assert parse_path(text).steps == path
