"""How far money moved, in words that every report shares."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pytest_dealsnap.judging.values import percent_change
from pytest_dealsnap.model.money import Money, Mover, TypeMoney
from pytest_dealsnap.reporting.wording import show_percent, show_value
from pytest_dealsnap.text import listed, plural

__all__ = ["money_headline", "money_lines"]


def money_headline(money: Money) -> str:
    """Return the total on both sides, as ``cost_total: 1,000 → 1,200 (+20.00 %) in 5 deals``."""
    return f"{money.metric}: {_totals(money.total)}"


def money_lines(money: Money, unjudged: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the headline, a line for each type that moved, the rules that judge nothing, and the largest movers.

    Args:
        money: One metric's totals.
        unjudged: By metric and deal type, the rule that lets every number pass.
    """
    lines = [money_headline(money)]
    moved = [kind for kind in money.types if kind.more or kind.less or kind.lost]
    for kind in moved:
        whose = f"{kind.deal_type}: {_both(kind)}; " if len(money.types) > 1 else f"{kind.deal_type}: "
        lines.append(f"{whose}{'; '.join([*_moves(kind), *_rules(kind)])}")
    lines += _not_judged(money, unjudged.get(money.metric, {}))
    if money.movers and money.total.more + money.total.less > 1:
        lines.append(f"largest: {'; '.join(map(_mover, money.movers))}")
    return lines


def _totals(kind: TypeMoney) -> str:
    unchanged = "" if kind.more or kind.less else ", unchanged"
    lost = f"; {plural(kind.lost, 'deal')} lost the value" if kind.lost else ""
    return f"{_both(kind)} in {plural(kind.deals, 'deal')}{unchanged}{lost}"


def _both(kind: TypeMoney) -> str:
    if not kind.more and not kind.less:
        return show_value(kind.baseline)
    percent = percent_change(kind.baseline, kind.current)
    change = show_percent(percent) if percent is not None else _signed(kind.current - kind.baseline)
    return f"{show_value(kind.baseline)} → {show_value(kind.current)} ({change})"


def _moves(kind: TypeMoney) -> list[str]:
    """Return how many rose and fell, from where to where, and how many lost the value."""
    told = [
        f"{count:,} of {kind.deals:,} {word}" for word, count in (("rose", kind.more), ("fell", kind.less)) if count
    ]
    words = [" and ".join(told)] if told else []
    if words and kind.percent is not None:
        low, high = map(show_percent, kind.percent)
        words[0] += f": {low}" if low == high else f": {low} to {high}"
    return [*words, f"{plural(kind.lost, 'deal')} lost the value"] if kind.lost else words


def _rules(kind: TypeMoney) -> list[str]:
    return [f"rule: {', '.join(kind.rules)}"] if kind.rules else []


def _not_judged(money: Money, rules: Mapping[str, str]) -> list[str]:
    """Return a line for each rule that lets every number of some types pass."""
    there = {kind.deal_type for kind in money.types}
    types: dict[str, list[str]] = {}
    for deal_type, rule in rules.items():
        if deal_type in there:
            types.setdefault(rule, []).append(deal_type)
    return [f"{money.metric} of {listed(names)} is not judged (rule: {rule})" for rule, names in types.items()]


def _mover(mover: Mover) -> str:
    name = f" {mover.name}" if mover.name else ""
    percent = "" if mover.change_percent is None else f" ({show_percent(mover.change_percent)})"
    return f"deal {mover.id}{name} {_signed(mover.difference)}{percent}"


def _signed(difference: Decimal) -> str:
    return f"{'+' if difference > 0 else ''}{show_value(difference)}"
