"""The rules of ``[tool.dealsnap.matrix]``: what must hold between one deal's outputs under the types.

::

    "cost_total: carveout / acquisition" = "1.5..3.0"     # also any rule of the gate, or "differs"
    "output: bolt_on / acquisition" = "equal"             # the whole output
    "cost_estimate.tsa_costs" = "only carveout"           # absent, empty or zero under every other type
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.judging.metrics import Metric, compile_metrics
from pytest_dealsnap.judging.rules import Rule, parse_rule, rule_forms
from pytest_dealsnap.judging.values import same

__all__ = ["WHOLE_OUTPUT", "BetweenRule", "MatrixRules", "OnlyRule", "compile_matrix_rules", "is_between_types"]

WHOLE_OUTPUT = "output"
FORMS = '"METRIC: TYPE / OTHER" = "1.5..3.0", "differs" or any rule; "PATH" = "only TYPE, OTHER"'
_PAIR = re.compile(r"(?P<metric>.+?)\s*:\s*(?P<current>[^:/]+?)\s*/\s*(?P<baseline>[^:/]+?)\s*")
_RANGE = re.compile(r"\d[\d_]*(?:\.\d+)?\s*\.\.\s*\d[\d_]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class BetweenRule:
    """How a metric under the type ``current`` is judged beside the same deal's under ``baseline``."""

    metric: str
    measure: Callable[[Any], Any]
    current: str
    baseline: str
    rule: Rule

    @property
    def name(self) -> str:
        """``cost_total: carveout / acquisition``: what findings and the ledger call it."""
        return f"{self.metric}: {self.current} / {self.baseline}"


@dataclass(frozen=True, slots=True)
class OnlyRule:
    """Under which types something may have a value at all."""

    metric: str
    measure: Callable[[Any], Any]
    types: tuple[str, ...]

    @property
    def text(self) -> str:
        """The rule as it is written."""
        return f"only {', '.join(self.types)}"


@dataclass(frozen=True, slots=True)
class MatrixRules:
    """All rules, compiled; ``texts`` maps the name of each to its text."""

    between: tuple[BetweenRule, ...] = ()
    only: tuple[OnlyRule, ...] = ()

    @property
    def texts(self) -> dict[str, str]:
        """The rules by name."""
        named = {rule.name: rule.rule.text for rule in self.between}
        return named | {rule.metric: rule.text for rule in self.only}


def is_between_types(metric: str, types: Collection[str]) -> bool:
    """Whether a finding or an acceptance of *metric* is a matrix run's: its name ends in one of *types*, or two."""
    named = metric.rpartition(": ")[2].split(" / ") if ": " in metric else []
    return 1 <= len(named) <= 2 and all(name in types for name in named)


def compile_matrix_rules(
    rules: Mapping[str, Any],
    *,
    types: Sequence[str],
    aliases: Mapping[str, str],
    metrics: Sequence[Metric],
    root: Path,
    place: str = "[tool.dealsnap.matrix.rules]",
) -> MatrixRules:
    """Compile *rules*; raises :class:`ConfigError` that shows a bad one, where it stands and what is valid."""
    between, only = [], []
    known = {metric.name: metric for metric in metrics}
    for key, value in rules.items():
        where = f'{place} "{key}"'
        if not isinstance(value, str):
            raise ConfigError(f"{where} = {value!r}: a rule is a string. Valid: {FORMS}")
        words = " ".join(value.split())
        if words == "only" or words.startswith("only "):
            only.append(_only(key, words, where, known, types, aliases))
        else:
            between.append(_between(key, words, where, known, types, aliases, root))
    _refuse_twins([*(rule.name for rule in between), *(rule.metric for rule in only)], place)
    return MatrixRules(tuple(between), tuple(only))


def _between(
    key: str,
    words: str,
    where: str,
    known: Mapping[str, Metric],
    types: Sequence[str],
    aliases: Mapping[str, str],
    root: Path,
) -> BetweenRule:
    pair = _PAIR.fullmatch(key)
    if pair is None:
        raise ConfigError(f'{where} = "{words}": names no two types. Valid: {FORMS}')
    current = _type(pair["current"], where, types, aliases)
    baseline = _type(pair["baseline"], where, types, aliases)
    if current == baseline:
        raise ConfigError(f"{where}: compares {current} with itself. Valid: {', '.join(types)}")
    metric = pair["metric"].strip()
    return BetweenRule(metric, _measure(metric, where, known), current, baseline, _rule(words, where, root))


def _rule(words: str, where: str, root: Path) -> Rule:
    if words == "differs":
        return Rule("differs", lambda baseline, current, deal: not same(baseline, current), holds_when_unchanged=False)
    if _RANGE.fullmatch(words):
        rule = parse_rule(f"ratio {words}", place=where, root=root)
        return Rule(words, rule.check, holds_when_unchanged=rule.holds_when_unchanged)
    try:
        return parse_rule(words, place=where, root=root, floors=False)
    except ConfigError as error:
        if "unknown rule" not in str(error):
            raise
        forms = ("1.5..3.0", "differs", "only carveout", *rule_forms())
        hint = did_you_mean(words, forms)
        raise ConfigError(f'{where} = "{words}": unknown rule.{hint} Valid: {", ".join(forms)}') from None


def _only(
    key: str, words: str, where: str, known: Mapping[str, Metric], types: Sequence[str], aliases: Mapping[str, str]
) -> OnlyRule:
    named = [name.strip() for name in words.removeprefix("only").split(",")]
    if not all(named):
        raise ConfigError(f'{where} = "{words}": names no type. Valid: "only TYPE" or "only TYPE, OTHER"')
    if _PAIR.fullmatch(key) and key not in known:
        raise ConfigError(f'{where} = "{words}": "only" judges a path under all types, so its key names no types')
    chosen = {_type(name, where, types, aliases) for name in named}
    measure = known[key] if key in known else _path(key, where)
    return OnlyRule(key, measure, tuple(name for name in types if name in chosen))


def _type(name: str, where: str, types: Sequence[str], aliases: Mapping[str, str]) -> str:
    name = aliases.get(name, name)
    if name not in types:
        hint = did_you_mean(name, [*types, *aliases])
        raise ConfigError(f'{where}: unknown deal type "{name}".{hint} Valid: {", ".join(types)}')
    return name


def _measure(name: str, where: str, known: Mapping[str, Metric]) -> Callable[[Any], Any]:
    """Return what a rule between two types measures: a metric, the whole output, or what a path finds."""
    if name in known:
        return known[name]
    if name == WHOLE_OUTPUT:
        return lambda output: output
    if re.fullmatch(r"\w+", name):  # a slip in a metric's name must not be a path that finds nothing
        valid = [*known, WHOLE_OUTPUT]
        raise ConfigError(
            f'{where}: unknown metric "{name}".{did_you_mean(name, valid)} Valid: {", ".join(valid)}, '
            'or a path such as "cost_estimate.total_cost"'
        )
    return _path(name, where)


def _path(path: str, where: str) -> Metric:
    return compile_metrics([MetricSpec(path, path, place=where)])[0]


def _refuse_twins(names: Sequence[str], place: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f'{place}: "{twice}" stands there twice, in two spellings')
