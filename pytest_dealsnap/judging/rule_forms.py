"""The forms of rules that extensions add: ``rounds to {digits}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.extensions import answers

__all__ = ["RuleForm", "added_forms", "form_of"]

HOOK = "pytest_dealsnap_rules"
_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, slots=True)
class RuleForm:
    """One form: its text, who added it, what makes its check from the words in it."""

    text: str
    extension: str
    make: Callable[..., Any]

    def words(self, rule: str) -> dict[str, str] | None:
        """Return the words of *rule* by name; ``None`` where it is not of this form."""
        parts = _FIELD.split(self.text)
        pattern = "".join(rf"(?P<{part}>\S+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        match = re.fullmatch(pattern, rule)
        return None if match is None else match.groupdict()


def added_forms() -> tuple[RuleForm, ...]:
    """Return the forms of all extensions; raises :class:`ConfigError` for one that cannot be used."""
    forms: dict[str, RuleForm] = {}
    for extension, added in answers(HOOK):
        if not isinstance(added, Mapping):
            raise ConfigError(f"{HOOK} of {extension} returned {type(added).__name__}; it must return a mapping")
        for text, make in added.items():
            form = _checked(text, make, extension)
            if form.text in forms:
                raise ConfigError(
                    f"the rule {form.text!r} is added twice: by {forms[form.text].extension}, {extension}"
                )
            forms[form.text] = form
    return tuple(forms.values())


def _checked(text: Any, make: Any, extension: str) -> RuleForm:
    words = " ".join(text.split()) if isinstance(text, str) else ""
    names = _FIELD.findall(words)
    if not re.match(r"[A-Za-z]", words) or len(set(names)) != len(names) or not callable(make):
        raise ConfigError(
            f"{HOOK} of {extension}: {text!r}: {make!r} is no form and callable, such as "
            '{"rounds to {digits}": rounds_to}'
        )
    return RuleForm(words, extension, make)


def form_of(rule: str, *, place: str) -> tuple[RuleForm, dict[str, str]] | None:
    """Return the form that *rule* is of, with its words; ``None`` where no extension has one.

    Raises :class:`ConfigError` where two have.
    """
    found = [(form, words) for form in added_forms() if (words := form.words(rule)) is not None]
    if len(found) > 1:
        both = ", ".join(f'"{form.text}" of {form.extension}' for form, _ in found)
        raise ConfigError(f"{place} = {rule!r}: is of several forms: {both}")
    return found[0] if found else None
