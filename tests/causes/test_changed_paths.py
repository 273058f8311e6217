"""Changed outputs, parted by the paths that changed together."""

from __future__ import annotations

from pytest_dealsnap.causes.changed_paths import MOST_GROUPS, path_groups


def groups(outputs: list[list[str]]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Return the groups of the outputs' changed paths."""
    return list(path_groups(outputs))


def test_paths_that_change_in_the_same_outputs_are_one_group() -> None:
    """The largest group stands first."""
    outputs = [["costs.site", "costs.total"]] * 12 + [["narrative"]] * 10
    assert groups(outputs) == [
        (("costs.site", "costs.total"), list(range(12))),
        (("narrative",), list(range(12, 22))),
    ]


def test_paths_that_change_in_nearly_the_same_outputs_are_one_group() -> None:
    """Seven tenths of all outputs that show either are enough, six tenths are not."""
    together = [["a", "b"]] * 7 + [["a"]] * 3
    assert groups(together) == [(("a", "b"), list(range(10)))]
    apart = [["a", "b"]] * 6 + [["a"]] * 4
    assert groups(apart) == [(("a",), list(range(10))), (("b",), list(range(6)))]


def test_an_output_may_show_two_changes() -> None:
    """It stands in both groups."""
    outputs = [["a"]] * 10 + [["a", "b"]] * 5 + [["b"]] * 10
    assert groups(outputs) == [(("a",), list(range(15))), (("b",), list(range(10, 25)))]


def test_paths_of_few_outputs_stand_together_at_the_end() -> None:
    """Each output is in a group, also one that names no path."""
    outputs = [["a"]] * 30 + [["x"], ["y"], []]
    assert groups(outputs) == [(("a",), list(range(30))), (("x", "y"), [30, 31, 32])]


def test_nothing_changed_is_no_group() -> None:
    """Nor is a bound passed by very many paths."""
    assert groups([]) == []
    many = groups([[f"{chr(97 + n // 20)}.{chr(97 + n % 20)}"] for n in range(200) for _ in range(4)])
    assert len(many) == MOST_GROUPS + 1 == 31
    assert {place for _, places in many for place in places} == set(range(800))


def test_a_path_joins_the_largest_of_a_group_and_not_whoever_came_last() -> None:
    """The second set is near the first, the third only near the second: it is a group of its own."""
    outputs = [["a"]] * 2 + [["a", "b"]] * 2 + [["a", "b", "c"]] * 6 + [["b", "c"], ["c"]]
    assert groups(outputs) == [(("a", "b"), list(range(11))), (("c",), list(range(4, 12)))]


def test_a_path_is_held_against_the_largest_set_of_a_group() -> None:
    """Six tenths of the largest set are no part of it, though they are nearly all of the second one."""
    outputs = [["a", "b", "c"]] * 6 + [["a", "b"]] + [["a"]] * 3
    assert groups(outputs) == [(("a", "b"), list(range(10))), (("c",), list(range(6)))]


def test_a_rare_path_of_an_output_that_is_told_is_no_group() -> None:
    """The output stands with the path that many show."""
    assert groups([["a"]] * 30 + [["a", "x"]]) == [(("a",), list(range(31)))]
