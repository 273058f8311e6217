"""Rules over all compared deals at once, and shifts that no deal's own rule sees.

If nothing changed, the sign of a deal's difference is a fair coin, whatever the noise. With u ups and d downs the
evidence against that is ``E = B(1/2 + u, 1/2 + d) / B(1/2, 1/2) * 2 ** (u + d)``. It ever reaches 1 / alpha with
a probability of at most alpha. So one may look at it after every deal.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from pathlib import Path

from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.judging.rules import Rule, parse_rule
from pytest_dealsnap.judging.values import exact, is_number
from pytest_dealsnap.model.results import DealResult, Kind

__all__ = ["PortfolioRule", "broken_rules", "compile_portfolio", "shift_evidence", "shifts"]

ALPHA = 0.05
_SUMS = Context(prec=100, traps=[])
_FORM = re.compile(
    r"(?P<what>sum|median|count)\((?P<metric>[^()=]+?)(?: *= *(?P<equal>-?\d+(?:\.\d+)?))?\)"
    r"(?P<by> by (?P<column>\S+))?"
)


@dataclass(frozen=True, slots=True)
class PortfolioRule:
    """One rule: an aggregate of a metric over all deals, or over those of each type."""

    text: str
    what: str
    metric: str
    equal: Decimal | None
    by_type: bool
    rule: Rule


@dataclass(frozen=True, slots=True)
class _Pair:
    deal_type: str
    before: Decimal
    after: Decimal
    allowed: str


def compile_portfolio(
    rules: Mapping[str, str], *, metrics: Sequence[str], root: Path, place: str
) -> tuple[PortfolioRule, ...]:
    """Return the rules of ``[tool.dealsnap.portfolio]``; raises :class:`ConfigError` for a bad one."""
    return tuple(_compiled(text, rule, metrics, root, f"{place}, {text!r}") for text, rule in rules.items())


def _compiled(text: str, rule: object, metrics: Sequence[str], root: Path, place: str) -> PortfolioRule:
    found = _FORM.fullmatch(text.strip())
    if found is None or (found["equal"] is not None) != (found["what"] == "count"):
        raise ConfigError(
            f'{place}: is no portfolio rule. Valid: "sum(METRIC)", "median(METRIC)" and "count(METRIC = NUMBER)", each '
            'also with " by deal_type"'
        )
    metric = found["metric"].strip()
    if metric not in metrics:
        raise ConfigError(f"{place}: unknown metric.{did_you_mean(metric, metrics)} Valid: {', '.join(metrics)}")
    if found["by"] and found["column"] != "deal_type":
        raise ConfigError(f"{place}: by {found['column']} is not known. Valid: by deal_type")
    if not isinstance(rule, str):
        raise ConfigError(f'{place} = {rule!r}: a rule is a string, such as "within 1%"')
    equal = None if found["equal"] is None else Decimal(found["equal"])
    return PortfolioRule(
        text, found["what"], metric, equal, bool(found["by"]), parse_rule(rule, place=place, root=root, floors=False)
    )


def broken_rules(rules: Iterable[PortfolioRule], results: Sequence[DealResult]) -> list[str]:
    """Return each broken rule as a sentence, with both aggregates."""
    said = []
    for rule in rules:
        pairs = _pairs(results, rule.metric)
        groups = sorted({pair.deal_type for pair in pairs}) if rule.by_type else [""]
        for group in groups:
            chosen = [pair for pair in pairs if not group or pair.deal_type == group]
            before = _aggregate(rule, [pair.before for pair in chosen])
            after = _aggregate(rule, [pair.after for pair in chosen])
            if before is not None and after is not None and not rule.rule.holds(before, after):
                where = f" ({group})" if group else ""
                moved = f", {100 * (after - before) / abs(before):+.2f} %" if before else ""
                said.append(f"portfolio: {rule.text}{where} {before:,} → {after:,}{moved}; rule: {rule.rule.text}")
    return said


def _aggregate(rule: PortfolioRule, values: Sequence[Decimal]) -> Decimal | None:
    if rule.what == "count":
        return Decimal(sum(value == rule.equal for value in values))
    if not values:
        return None
    with localcontext(_SUMS):
        return sum(values, Decimal(0)) if rule.what == "sum" else statistics.median(values)


def _pairs(results: Iterable[DealResult], metric: str) -> list[_Pair]:
    """Return the numbers of all compared deals that have one on both sides."""
    pairs = []
    for result in results:
        if not result.compared:
            continue
        if metric in result.unchanged:
            value = exact(result.unchanged[metric])
            pairs.append(_Pair(result.deal_type, value, value, ""))
        for finding in result.findings:
            if finding.metric == metric and finding.kind is Kind.METRIC:
                before, after = finding.baseline, finding.current
                if is_number(before) and is_number(after) and exact(before).is_finite() and exact(after).is_finite():
                    pairs.append(_Pair(result.deal_type, exact(before), exact(after), finding.allowed))
    return pairs


def shift_evidence(ups: int, downs: int) -> float:
    """Return the logarithm of the evidence that *ups* and *downs* are not tosses of a fair coin."""
    log_beta = math.lgamma(0.5 + ups) + math.lgamma(0.5 + downs) - math.lgamma(1 + ups + downs)
    return log_beta - math.log(math.pi) + (ups + downs) * math.log(2)  # B(1/2, 1/2) is pi


def shifts(rules: Iterable[PortfolioRule], results: Sequence[DealResult], *, alpha: float = ALPHA) -> list[str]:
    """Return each metric and type that moved in one direction more often than noise does, as a sentence.

    Of the metrics that portfolio rules name, only changes that a tolerance (``within``) let pass, or refused, are
    looked at: a rule that expects another number expects a shift.
    """
    metrics = sorted({rule.metric for rule in rules if rule.what != "count"})
    tested = []
    for metric in metrics:
        pairs = [pair for pair in _pairs(results, metric) if pair.allowed.startswith("within") or not pair.allowed]
        tested += [(metric, kind, [p for p in pairs if p.deal_type == kind]) for kind in {p.deal_type for p in pairs}]
    said = []
    for metric, kind, pairs in sorted(tested, key=lambda test: test[:2]):
        ups, downs = sum(p.after > p.before for p in pairs), sum(p.after < p.before for p in pairs)
        if ups == downs or shift_evidence(ups, downs) < math.log(len(tested) / alpha):
            continue
        percents = [100 * (p.after - p.before) / abs(p.before) for p in pairs if p.before and p.after != p.before]
        by = f", by {statistics.median(percents):+.2f} % in the median" if percents else ""
        way, count = ("up", ups) if ups > downs else ("down", downs)
        said.append(f"portfolio: {metric} moved {way} in {count:,} of {len(pairs):,} deals of {kind}{by}: not noise")
    return said
