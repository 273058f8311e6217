"""The rule language: how one metric of one deal type is judged.

A rule is compiled from its text once. :meth:`Rule.holds` then says whether a current value is
allowed, given the baseline's. What every gating rule has in common, that a value which was there
must not be lost, is decided in ``judge``, not here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.extensions import unseen
from pytest_dealsnap.judging.rule_forms import RuleForm, added_forms, form_of
from pytest_dealsnap.judging.similarity import Undecided, at_least_similar
from pytest_dealsnap.judging.values import exact, is_number, is_present, normal, same, working_context
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Finding
from pytest_dealsnap.secrets import redact

__all__ = ["OR_NOISE", "RULE_FORMS", "Beyond", "Rule", "parse_rule", "rule_forms"]

RULE_FORMS = (
    "equal",
    "within 5%",
    "within 1000",
    "within 5% or 1000",
    "ratio 1.5..3.0",
    "same items",
    "similar 0.9",
    "within 5% or noise",
    "equal or noise",
    "same items or noise",
    "similar 0.9 or noise",
    "report",
    "ignore",
    "module:callable",
)
OR_NOISE = " or noise"


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a rule ``or noise`` says of a value beyond the rule itself; ``kind`` is one of ``model.results.NOISE``."""

    kind: str
    allowed: bool
    note: str = ""

    def __bool__(self) -> bool:
        return self.allowed


Verdict = bool | Finding | Undecided | Beyond
Check = Callable[[Any, Any, Any], Verdict]


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule.

    ``holds_when_unchanged``: an unchanged value always holds, so a deal whose snapshot is byte for byte the
    same need not be judged. A ratio that leaves out 1 is not, nor is the user's own callable.
    ``written`` is the text of the configuration, where ``text`` says more: a floor of noise. ``or_noise`` is how the
    rule measures noise: by ``difference``, or whether it is ``broken``; ``before`` is the rule before ``or noise``.
    """

    text: str
    check: Check
    gates: bool = True
    shown: bool = True
    holds_when_unchanged: bool = True
    custom: bool = False
    written: str = ""
    or_noise: str = ""
    before: Rule | None = None

    @property
    def may_add_noise(self) -> bool:
        """Whether the rule may be followed by ``or noise``, and is not yet."""
        return self.gates and not (self.custom or self.or_noise) and self.text.split(" ")[0] in _MEASURES

    @property
    def as_written(self) -> str:
        """The text of the configuration."""
        return self.written or self.text

    def holds(self, baseline: Any, current: Any, deal: Any = None) -> Verdict:
        """Whether *current* is allowed after *baseline*.

        The user's own rule may return a Finding; ``similar`` returns Undecided for texts that take too long.
        """
        return self.check(baseline, current, deal)


def parse_rule(text: str, *, place: str, root: Path, floors: bool = True) -> Rule:
    """Compile *text*; raises :class:`ConfigError` that shows it, where it stands and what is valid.

    *floors* says that the rule is of one metric and deal type, which may have a floor of noise.
    """
    words = " ".join(text.split())
    if words.endswith(OR_NOISE):
        return _or_noise(words, place, root, allowed=floors)
    if words in ("report", "ignore"):
        return Rule(words, _anything, gates=False, shown=words == "report")
    for pattern, build in _FORMS:
        match = pattern.fullmatch(words)
        if match:
            return build(words, match, place)
    if re.fullmatch(r"[\w.]+:[\w.]+", words):
        return _custom(words, place, root)
    added = form_of(words, place=place)
    if added is not None:
        return _added(words, place, *added)
    forms = rule_forms()
    valid = f"{_hint(words, forms)} Valid: {', '.join(forms)}{unseen(root) and '.'}{unseen(root)}"
    raise ConfigError(f"{place} = {text!r}: unknown rule.{valid}")


def _or_noise(words: str, place: str, root: Path, *, allowed: bool) -> Rule:
    """Return the rule before ``or noise``, which a floor is added to where the deal type is known."""
    before = words.removesuffix(OR_NOISE)
    measure = _MEASURES.get(before.split(" ")[0])
    if not allowed:
        raise ConfigError(f"{place} = {words!r}: only rules of one metric and deal type have a floor of noise")
    if measure is None:
        forms = ", ".join(form for form in RULE_FORMS if form.endswith(OR_NOISE))
        raise ConfigError(f'{place} = {words!r}: this rule cannot be followed by "or noise". Valid: {forms}')
    rule = parse_rule(before, place=place, root=root)
    return replace(rule, text=words, written=words, or_noise=measure, before=rule)


def rule_forms() -> tuple[str, ...]:
    """Return the forms of all rules: the built-in ones, then those of extensions."""
    return (*RULE_FORMS, *(form.text for form in added_forms()))


def _hint(words: str, forms: Sequence[str]) -> str:
    """Return the nearest whole form, if only because it begins with the same word."""
    first = words.split(" ")[0]
    begun = [f' Did you mean "{form}"?' for form in forms if form.split(" ")[0] == first]
    return did_you_mean(words, forms) or next(iter(begun), "")


def _anything(baseline: Any, current: Any, deal: Any) -> bool:
    return True


def _equal(words: str, match: re.Match[str], place: str) -> Rule:
    return Rule(words, lambda baseline, current, deal: same(baseline, current))


def _within(words: str, match: re.Match[str], place: str) -> Rule:
    percent = Decimal(match["percent"]) if match["percent"] else None
    amount = Decimal(match["amount"]) if match["amount"] else None

    def check(baseline: Any, current: Any, deal: Any) -> bool:
        if same(baseline, current):
            return True
        if not (_finite(baseline) and _finite(current)):
            return False
        before, after = exact(baseline), exact(current)
        bounds = [bound for bound in (percent, amount) if bound is not None]
        with localcontext(working_context(before, after, *bounds)):
            difference = abs(after - before)
            in_percent = percent is not None and difference * 100 <= abs(before) * percent
            return in_percent or (amount is not None and difference <= amount)

    return Rule(words, check)


def _ratio(words: str, match: re.Match[str], place: str) -> Rule:
    low, high = Decimal(match["low"]), Decimal(match["high"])
    if low > high:
        raise ConfigError(f"{place} = {words!r}: the range is empty, {low} is above {high}")
    holds_when_unchanged = low <= 1 <= high

    def check(baseline: Any, current: Any, deal: Any) -> bool:
        if not (_finite(baseline) and _finite(current)):
            nothing_to_divide = not is_present(baseline) and not is_present(current)
            return nothing_to_divide or (holds_when_unchanged and same(baseline, current))
        before, after = exact(baseline), exact(current)
        if before == 0:
            return after == 0
        with localcontext(working_context(before, after, low, high)):
            if before < 0:
                before, after = -before, -after
            return low * before <= after <= high * before

    return Rule(words, check, holds_when_unchanged=holds_when_unchanged)


def _same_items(words: str, match: re.Match[str], place: str) -> Rule:
    def check(baseline: Any, current: Any, deal: Any) -> bool:
        if isinstance(baseline, list) and isinstance(current, list):
            return Counter(map(normal, baseline)) == Counter(map(normal, current))
        return same(baseline, current)

    return Rule(words, check)


def _similar(words: str, match: re.Match[str], place: str) -> Rule:
    least = Decimal(match["least"])
    if not 0 <= least <= 1:
        raise ConfigError(f"{place} = {words!r}: a similarity is from 0 to 1")

    def check(baseline: Any, current: Any, deal: Any) -> bool | Undecided:
        if isinstance(baseline, str) and isinstance(current, str):
            return at_least_similar(baseline, current, least)
        return same(baseline, current)

    return Rule(words, check)


def _custom(words: str, place: str, root: Path) -> Rule:
    function = import_object(words, root=root, place=place)
    return Rule(words, _answering(words, function), holds_when_unchanged=False, custom=True)


def _added(words: str, place: str, form: RuleForm, values: Mapping[str, str]) -> Rule:
    """Return the rule that an extension makes of *values*, the words in its form."""
    where = f"{place} = {words!r}: "
    try:
        made = form.make(**values)
    except ValueError as error:
        raise ConfigError(f"{where}{redact(str(error))}") from error
    except Exception as error:
        raise ConfigError(f"{where}{form.extension} raised {type(error).__name__}: {redact(str(error))}") from error
    if isinstance(made, Rule):
        return replace(made, text=words, check=_answering(words, made.check), custom=True)
    if not callable(made):
        raise ConfigError(f"{where}{form.extension} returned {type(made).__name__}, which cannot be called")
    return Rule(words, _answering(words, made), holds_when_unchanged=False, custom=True)


def _answering(words: str, function: Callable[..., Any]) -> Check:
    def check(baseline: Any, current: Any, deal: Any) -> Verdict:
        verdict = function(baseline, current, deal)
        if isinstance(verdict, Finding):
            return verdict
        if verdict is True or verdict is False:
            return verdict
        raise TypeError(f"rule {words} returned {verdict!r}; it must return True, False or a Finding")

    return check


def _finite(value: Any) -> bool:
    return is_number(value) and exact(value).is_finite()


# How a rule that may be followed by "or noise" measures noise, by its first word.
_MEASURES = {"within": "difference", "similar": "difference", "equal": "broken", "same": "broken"}
_NUMBER = r"\d[\d_]*(?:\.\d+)?"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str], str], Rule]], ...] = (
    (re.compile("equal"), _equal),
    (re.compile(rf"within (?P<percent>{_NUMBER}) ?%(?: or (?P<amount>{_NUMBER}))?"), _within),
    (re.compile(rf"within (?P<percent>)(?P<amount>{_NUMBER})"), _within),
    (re.compile(rf"ratio (?P<low>{_NUMBER}) ?\.\. ?(?P<high>{_NUMBER})"), _ratio),
    (re.compile("same items"), _same_items),
    (re.compile(rf"similar (?P<least>{_NUMBER})"), _similar),
)
