"""What is alike in messages and paths that differ only in their particulars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.templates import LONGEST_SHAPE, message_shape, path_shape, path_shapes


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("no row 12 of 'assets'", "no row # of '…'"),
        ("can't open 'a' at 1,234.5 s", "can't open '…' at # s"),
        ('key "x" in `y`', "key '…' in '…'"),
        ("deal Acme Ltd (k7) is closed", "deal <deal> (<deal>) is closed"),
        ("object at 0x7ffe01", "object at <id>"),
        ("6ba7b810-9dad-11d1-80b4-00c04fd430c8 and 0a1b2c3d4e5f", "<id> and <id>"),
        ("took 3s\n  and  5ms", "took #s and #ms"),
        ("", ""),
    ],
)
def test_particulars_are_masked(message: str, shape: str) -> None:
    """Numbers, ids, quoted parts, and the deal's own id and name."""
    assert message_shape(message, "k7", "Acme Ltd") == shape


def test_an_id_that_is_a_number_is_masked_like_any_number() -> None:
    """Row 7 of deal 7 and row 8 of deal 9 are one message."""
    assert message_shape("row 7 of deal 7", "7") == message_shape("row 8 of deal 9", "9") == "row # of deal #"


@given(message=st.text(max_size=2_000), name=st.text(max_size=8) | st.none())
def test_any_message_has_a_short_shape(message: str, name: str | None) -> None:
    """Also a hostile one, and masking what is masked changes only what could be a name."""
    assert len(message_shape(message, name)) <= LONGEST_SHAPE
    assert message_shape(message) == message_shape(message)


def test_paths_are_masked_where_they_count() -> None:
    """Indices and digits of keys make no path of its own."""
    assert path_shape("lines[12].by_year.y2027[0]") == "lines[].by_year.y#[]"


def test_few_keys_are_parts_of_the_form_and_many_are_names() -> None:
    """An object with more than twenty different keys is a table of names."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    few = {f"by.{letter}": f"by.{letter}" for letter in letters[:20]}
    assert path_shapes(few) == few
    many = [f'by."{letter}.x".v' for letter in letters] + ["total"]
    assert path_shapes(many) == {**dict.fromkeys(many[:-1], "by.*.v"), "total": "total"}


def test_a_name_of_one_letter_is_no_name() -> None:
    """It would be found in any message; a name of two letters is masked as a word only."""
    assert message_shape("plan A has no A-side", "A") == "plan A has no A-side"
    assert message_shape("plan AB has no ABC", "AB") == "plan <deal> has no ABC"
