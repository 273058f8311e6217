"""Rules that extensions add: their forms, and what keeps one from being used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging import rule_forms
from pytest_dealsnap.judging.rule_forms import added_forms, form_of
from pytest_dealsnap.judging.rules import Rule, parse_rule


@pytest.fixture
def adding(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let extensions answer the hook, each by its name."""

    def add(**extensions: Any) -> None:
        monkeypatch.setattr(rule_forms, "answers", lambda hook: list(extensions.items()))

    return add


def parsed(text: str) -> Rule:
    """Return the compiled rule."""
    return parse_rule(text, place="rules", root=Path())


def rounds_to(digits: str) -> Callable[[Any, Any, Any], bool]:
    """Return a check of a rule."""
    return lambda before, after, deal: bool(round(before, int(digits)) == round(after, int(digits)))


def test_a_form_takes_words_by_their_names(adding: Callable[..., None]) -> None:
    """A callable is a rule of the user's own: an unchanged value is judged, and what it raises is told."""
    adding(one={"rounds  to {digits}": rounds_to})
    rule = parsed("rounds to 1")
    assert (rule.text, rule.custom, rule.holds_when_unchanged) == ("rounds to 1", True, False)
    assert (rule.holds(1.01, 1.04), rule.holds(1.01, 1.4)) == (True, False)
    with pytest.raises(ConfigError, match=r'unknown rule\. Did you mean "rounds to \{digits\}"'):
        parsed("rounds to")


def test_a_form_may_make_a_whole_rule(adding: Callable[..., None]) -> None:
    """It counts as one of the user's own, under the words that were written."""
    adding(one={"never": lambda: Rule("x", lambda before, after, deal: False)})
    rule = parsed("never")
    assert (rule.text, rule.custom, rule.holds(1, 1), rule.holds_when_unchanged) == ("never", True, False, True)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([], "returned list; it must return a mapping"),
        ({"{digits} places": rounds_to}, "is no form and callable"),
        ({"a {x} {x}": rounds_to}, "is no form and callable"),
        ({"rounds": 3}, "is no form and callable"),
        ({3: rounds_to}, "is no form and callable"),
    ],
)
def test_what_is_no_form_is_refused(adding: Callable[..., None], answer: Any, told: str) -> None:
    """With the extension that added it."""
    adding(mine=answer)
    with pytest.raises(ConfigError, match=told) as refused:
        added_forms()
    assert "mine" in str(refused.value)


def test_two_extensions_cannot_add_one_form(adding: Callable[..., None]) -> None:
    """Nor two forms that a rule is both of."""
    adding(one={"rounds to {digits}": rounds_to}, two={"rounds  to {digits}": rounds_to})
    with pytest.raises(ConfigError, match="is added twice: by one, two"):
        added_forms()
    adding(one={"rounds to {digits}": rounds_to}, two={"rounds {how} 2": rounds_to})
    with pytest.raises(ConfigError) as refused:
        form_of("rounds to 2", place="rules")
    assert 'is of several forms: "rounds to {digits}" of one, "rounds {how} 2" of two' in str(refused.value)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: 3, "one returned int, which cannot be called"),
        (lambda: int("x"), "rules = 'odd': invalid literal"),
        (lambda: dict[str, int]()["key"], "one raised KeyError"),
    ],
)
def test_a_form_that_makes_no_rule_is_refused(adding: Callable[..., None], make: Any, told: str) -> None:
    """A ValueError says what is wrong with the words."""
    adding(one={"odd": make})
    with pytest.raises(ConfigError) as refused:
        parsed("odd")
    assert told in str(refused.value)
