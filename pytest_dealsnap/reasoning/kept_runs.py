"""The runs of the run store as they are seen from outside, also while another process works on one."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.locking import try_claim
from pytest_dealsnap.errors import StoreError
from pytest_dealsnap.reasoning.run_store import RunStore
from pytest_dealsnap.reasoning.spending import Budget

__all__ = ["KeptRun", "kept_runs"]


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run of the store: how far it is, what it spent, and how large it is.

    ``seconds_left`` goes by the mean call so far and the calls that were under way at once; ``None`` before any ended.
    """

    key: str
    folder: Path
    mode: str
    started_at: str
    alive: bool
    deals: int
    done: int
    under_way: int
    calls: int
    lost: int
    spent: Decimal
    currency: str
    budget: str | None
    seconds_left: float | None
    statuses: dict[str, int]
    size: int


def kept_runs(runs: Path) -> list[KeptRun]:
    """Return the runs below *runs*, the newest first.

    Raises :class:`StoreError` for one whose files are damaged.
    """
    found = [_run(folder) for folder in (runs.iterdir() if runs.is_dir() else ()) if (folder / "run.json").is_file()]
    return sorted(found, key=lambda run: run.started_at, reverse=True)


def _run(folder: Path) -> KeptRun:
    about = _about(folder)
    limit = about.get("budget")
    currency = str(about.get("currency", "USD"))
    store = RunStore(folder, Budget(None if limit is None else _decimal(limit, folder)), currency)
    ids = about["deals"]
    account, done, deals = store.spend.account(), sum(map(store.has, ids)), len(ids)
    mean = account.seconds / account.ended if account.ended else None
    at_once = max(len(account.under_way), 1)
    return KeptRun(
        key=folder.name,
        folder=folder,
        mode=str(about.get("mode", "")),
        started_at=str(about.get("started_at", "")),
        alive=_is_locked(folder / "run.lock"),
        deals=deals,
        done=done,
        under_way=len(account.under_way),
        calls=account.begun,
        lost=account.lost,
        spent=account.spent(store.spend.budget),
        currency=currency,
        budget=limit,
        seconds_left=None if mean is None else round(mean * max(deals - done, 0) / at_once, 1),
        statuses=dict(_statuses(folder / "statuses.jsonl")),
        size=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if isinstance(about, dict) and about.get("format") == 1 and isinstance(about.get("deals"), list):
            return about
    except (OSError, ValueError):
        pass
    raise StoreError(f"{folder / 'run.json'} is damaged: dealsnap store prune --yes removes the run")


def _decimal(text: Any, folder: Path) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise StoreError(f"{folder / 'run.json'}: {text!r} is no budget") from None


def _is_locked(path: Path) -> bool:
    """Whether a living process works on the run."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not try_claim(descriptor)
    finally:
        os.close(descriptor)


def _statuses(path: Path) -> Counter[str]:
    """Return how many deals came to each status, each by its last."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return Counter()
    return Counter(dict(_pairs(lines)).values())


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        try:
            deal_id, status = json.loads(line)
        except (ValueError, TypeError):  # the last one, while it is written
            continue
        yield deal_id, status
