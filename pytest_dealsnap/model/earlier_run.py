"""What a report keeps of an earlier run: its verdict, how many deals it affected, its money, and its causes."""

from __future__ import annotations

from pytest_dealsnap.model.record import Record, always

__all__ = ["CauseThen", "EarlierRun", "MoneyThen"]


class MoneyThen(Record, frozen=True):
    """One metric's totals in that run, as decimal texts."""

    metric: str
    baseline: str
    current: str


class CauseThen(Record, frozen=True):
    """A cause of that run; ``deals`` counts its deals."""

    id: str
    title: str
    metric: str
    issue: str
    deal_types: tuple[str, ...]
    deals: int
    gates: bool


class EarlierRun(Record, frozen=True):
    """An earlier run. ``verdict`` is empty where it had none, ``outcome`` says in words what it came to."""

    report: str
    started_at: str
    mode: str
    verdict: str
    outcome: str
    compared: int
    affected: int
    affected_percent: float
    git_commit: str | None = always(None)
    money: tuple[MoneyThen, ...] = always(())
    causes: tuple[CauseThen, ...] = always(())
