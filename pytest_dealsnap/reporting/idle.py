"""Gating rules that had nothing to judge: a slip in a metric's path, or an output of another shape, fails no deal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_dealsnap.judging.policy import REST, Policy
from pytest_dealsnap.model.finished_run import IdleRule
from pytest_dealsnap.model.results import DealResult

__all__ = ["idle_notes", "idle_rules", "idle_words", "merged_idle"]

SHOWN = 3


def idle_rules(results: Iterable[DealResult], policy: Policy, paths: Mapping[str, str]) -> tuple[IdleRule, ...]:
    """Return the gating rules, for the metrics of *paths*, that had nothing to judge in *results*."""
    left: dict[str, set[str]] = {}
    unrecorded: set[str] = set()
    for result in _reasoned(results):
        name, absent = result.deal_type, result.absent_metrics
        if REST in absent:
            unrecorded.add(name)
        if name not in left:
            left[name] = {metric for metric in paths if policy[name][metric].gates}
        if left[name]:
            left[name] -= {metric for metric in left[name] if metric not in absent}
            left[name] -= {finding.metric for finding in result.findings}
    found = [
        IdleRule(name, metric, policy[name][metric].text)
        for name, metrics in sorted(left.items())
        for metric in paths
        if metric in metrics
    ]
    rest = [(name, policy[name].rest) for name in sorted(unrecorded)]
    return (*found, *(IdleRule(name, REST, rule.text) for name, rule in rest if rule.gates))


def merged_idle(parts: Sequence[tuple[Sequence[IdleRule], Sequence[DealResult]]]) -> tuple[IdleRule, ...]:
    """Return the rules that had nothing to judge in any of *parts*, each with its results."""
    types = [{result.deal_type for result in _reasoned(results)} for _, results in parts]
    known = dict.fromkeys(rule for rules, _ in parts for rule in rules)
    found = [
        rule
        for rule in known
        if rule.metric == REST
        or all(rule in rules or rule.deal_type not in there for (rules, _), there in zip(parts, types, strict=True))
    ]
    return tuple(sorted(found, key=lambda rule: (rule.metric == REST, rule.deal_type)))


def idle_words(rules: Sequence[IdleRule]) -> str:
    """Return what had nothing to judge, as the reason of a verdict; ``""`` for no rules."""
    shown = [_words(rule) for rule in rules[:SHOWN]]
    more = f"; and {len(rules) - SHOWN} more" if len(rules) > SHOWN else ""
    return "; ".join(shown) + more


def idle_notes(rules: Sequence[IdleRule], paths: Mapping[str, str]) -> Iterator[str]:
    """Yield a note for each rule that no note on a metric of *paths*, absent in every deal, says already."""
    for rule in rules:
        if rule.metric == REST:
            yield f'{_words(rule)}: capture with output.record = "full"'
        elif rule.metric not in paths:
            yield f"{_words(rule)}: is the metric's path right?"


def _words(rule: IdleRule) -> str:
    if rule.metric == REST:
        return f'rules.{rule.deal_type}."*" = "{rule.rule}" cannot judge outputs of which only metrics are recorded'
    return f'rules.{rule.deal_type}.{rule.metric} = "{rule.rule}" judged nothing: no compared deal has {rule.metric}'


def _reasoned(results: Iterable[DealResult]) -> Iterator[DealResult]:
    """Yield the results that come from an output."""
    return (one for one in results if one.compared and one.error is None and one.status not in ("missing", "errored"))
