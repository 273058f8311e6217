"""Errors: hints, secrets, and text that is safe for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap import errors
from pytest_dealsnap.errors import DealsnapError, did_you_mean
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable


def test_every_error_has_one_base() -> None:
    """One ``except`` catches whatever dealsnap raises on purpose."""
    classes = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    assert len(classes) >= 11
    assert all(issubclass(one, DealsnapError) for one in classes)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("carve_out", ' Did you mean "carveout"?'),
        ("CARVEOT", ' Did you mean "carveout"?'),
        ("xyz", ""),
        ("carveout", ' Did you mean "carveout"?'),
        ("", ""),
    ],
)
def test_the_nearest_valid_word_is_suggested(given: str, hint: str) -> None:
    """Only a word that is near."""
    assert did_you_mean(given, ["acquisition", "carveout"]) == hint


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ana:s3cret@db/x", "postgresql://ana:***@db/x"),
        ("postgresql+psycopg://ana:s3:cr/e@t'@db:5432/x?a=b", "postgresql+psycopg://ana:***@db:5432/x?a=b"),
        ("at 'mysql://u:p@h/x' and \"redis://:pw@h\"", "at 'mysql://u:***@h/x' and \"redis://:***@h\""),
        ("x?sslpassword=abc&sslmode=require", "x?sslpassword=***&sslmode=require"),
        ("PWD = 'a b' Token=\"c d\", access_key=e;f", "PWD = *** Token=***, access_key=***;f"),
        ("https://example.org/a:b and ana@example.org", "https://example.org/a:b and ana@example.org"),
        ("cut off: password='s3cr", "cut off: password=***"),
        ("no secret = here", "no secret = ***"),
        ("postgresql://ana@db/x", "postgresql://ana@db/x"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    """Passwords of URLs and of ``name=value`` pairs; what is none stays readable."""
    assert redact(text) == shown


@given(
    password=st.text(st.characters(codec="utf-8", exclude_characters="@", exclude_categories=["Z", "C"]), min_size=3)
)
def test_no_password_survives(password: str) -> None:
    """Whatever a password is made of, but blanks, nothing of it is left."""
    shown = redact(f"cannot reach postgresql://ana:{password}@db/x now")
    assert shown == "cannot reach postgresql://ana:***@db/x now"


@pytest.mark.parametrize("size", [200_000])
@pytest.mark.parametrize("piece", ["a-", "a", "a://", "=", "token", "a:b@", "://x:"])
def test_long_texts_are_masked_in_linear_time(piece: str, size: int) -> None:
    """A hostile message of many characters does not stop a run (it would take minutes otherwise)."""
    assert redact(piece * (size // len(piece)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme", "Acme"),
        ("a\x1b[31mb\\", "a\\x1b[31mb\\\\"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\n\r\t\x7f\x9f\u2028", "\\x0a\\x0d\\x09\\x7f\\x9f\\u2028"),
        ("\ud800", "\\ud800"),
        ("é💼", "é💼"),
    ],
)
def test_text_is_made_safe_for_a_terminal(text: str, shown: str) -> None:
    """Controls and text-direction overrides are escaped."""
    assert printable(text) == shown


@given(one=st.text(st.characters(exclude_categories=())), two=st.text(st.characters(exclude_categories=())))
def test_two_texts_never_look_the_same(one: str, two: str) -> None:
    """The escaping is one to one, and leaves no control character."""
    assert (printable(one) == printable(two)) is (one == two)
    assert not any(ord(character) < 32 for character in printable(one))
