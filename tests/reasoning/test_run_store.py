"""The run store: killed anywhere, the same run goes on where it was, and nothing is paid twice."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ConfigError, LockedError, StoreError
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.kept_runs import kept_runs
from pytest_dealsnap.reasoning.replay import Replay, ReplaySettings
from pytest_dealsnap.reasoning.run_store import RunStore, other_run, row_hash, run_key
from pytest_dealsnap.reasoning.spending import Budget
from pytest_dealsnap.reasoning.stored import StoredCalls, StoreSettings
from tests.builders import configure

DEALS = [Deal(str(number), None, "acquisition", None, {"amount": number}) for number in range(6)]
FACTS = {"mode": "gate", "currency": "USD", "budget": None}


def asked(prompt: str) -> dict[str, Any]:
    """A model."""
    return {"text": prompt, "usd": 0.5}


class Story:
    """A run of six deals over one store, and the calls that were made."""

    def __init__(self, folder: Path, *, budget: Budget | None = None, retries: int = 0) -> None:
        self.folder = folder / "runs" / "key"
        retry_on = ("builtins.TimeoutError",) if retries else ()
        self.settings = StoreSettings(self.folder, budget or Budget(), "USD", "usd", retries, retry_on)
        self.log = folder / "made.txt"

    def value(self, deal: Deal) -> dict[str, Any]:
        with self.log.open("a") as file:
            file.write(f"{deal.id}\n")
        return {"price": Decimal("1.50") * len(deal.id), "usd": 0.25}

    async def later(self, deal: Deal) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.value(deal)

    @property
    def made(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def run(
        self, reasoner: Callable[..., Any] | None = None, *, deals: list[Deal] = DEALS, fresh: bool = False
    ) -> list[Reasoning]:
        store = RunStore(self.folder, self.settings.budget, "USD")
        store.open(tests=[deal.id for deal in deals], facts=FACTS, fresh=fresh)
        calls, engine = StoredCalls(self.settings), Engine()
        function = calls.reasoner(reasoner or self.value)
        try:
            return [calls.settle(deal, engine(function, deal)) for deal in deals]
        finally:
            engine.close()
            store.close()


@pytest.mark.parametrize("name", ["value", "later"])
def test_what_was_computed_is_not_computed_again(tmp_path: Path, name: str) -> None:
    """The outputs are the same, down to the last digit, and marked; a fresh run computes anew."""
    story = Story(tmp_path)
    reasoner = getattr(story, name)
    first = story.run(reasoner)
    assert not any(one.reused for one in first)
    again = story.run(reasoner)
    assert [one.output for one in again] == [one.output for one in first]
    assert all(one.reused for one in again)
    assert len(story.made) == 6
    story.run(reasoner, fresh=True)
    assert len(story.made) == 12
    assert kept_runs(story.folder.parent)[0].spent == Decimal("1.50")


@pytest.mark.parametrize("where", ["in the call", "once it is kept"])
@pytest.mark.parametrize("k", range(1, 7))
def test_a_kill_at_every_call_loses_at_most_that_call(tmp_path: Path, k: int, where: str) -> None:
    """N + 1 calls at most are begun, and the outputs are those of a run that was not killed."""
    story = Story(tmp_path)
    if (child := os.fork()) == 0:

        def killed(deal: Deal) -> dict[str, Any]:
            if where == "once it is kept" and len(story.made) == k:
                os.kill(os.getpid(), 9)
            value = story.value(deal)
            if where == "in the call" and len(story.made) == k:
                os.kill(os.getpid(), 9)
            return value

        story.run(killed)
        os._exit(0)
    os.waitpid(child, 0)
    outputs = [one.output for one in story.run()]
    run = kept_runs(story.folder.parent)[0]
    assert len(story.made) <= 7
    assert len(outputs) <= run.calls <= 7
    assert run.calls == len(outputs) + run.lost
    whole = tmp_path / "whole"
    whole.mkdir()
    assert outputs == [one.output for one in Story(whole).run()]


def test_an_output_is_reused_for_the_same_row_only(tmp_path: Path) -> None:
    """A changed column, type or name computes anew; a damaged file as well."""
    story = Story(tmp_path)
    story.run()
    changed = [replace(DEALS[0], fields={"amount": 7}), *DEALS[1:]]
    assert [one.reused for one in story.run(deals=changed)] == [False] + [True] * 5
    (story.folder / "outputs" / "3.0.json").write_text("{")
    assert [one.reused for one in story.run(deals=changed)] == [True, True, True, False, True, True]
    assert row_hash(DEALS[0]) != row_hash(replace(DEALS[0], deal_type="carveout"))


def test_errors_are_paid_and_never_reused(tmp_path: Path) -> None:
    """A failed call is asked again by the next run."""
    story = Story(tmp_path)

    def failing(deal: Deal) -> dict[str, Any]:
        story.value(deal)
        raise ValueError("no")

    assert all(one.failure is not None for one in story.run(failing))
    assert not any(one.reused for one in story.run())
    run = kept_runs(story.folder.parent)[0]
    assert (run.calls, len(story.made)) == (12, 12)


def test_a_budget_stop_is_no_failure(tmp_path: Path) -> None:
    """The deals that it leaves are not judged; with more money the run goes on."""
    story = Story(tmp_path, budget=Budget(Decimal(1), Decimal("0.25")))
    first = story.run()
    assert [one.excused for one in first] == [False] * 4 + [True] * 2
    assert "the budget of 1 USD allows no further call" in str(first[4].failure)
    story.settings = replace(story.settings, budget=Budget(Decimal(2), Decimal("0.25")))
    assert [one.reused for one in story.run()] == [True] * 4 + [False] * 2
    assert len(story.made) == 6


@pytest.mark.parametrize("is_async", [False, True])
def test_retries_are_only_those_that_were_asked_for(tmp_path: Path, is_async: bool) -> None:
    """Each is counted; another error is not retried."""
    failures: dict[str, list[Exception]] = {
        "0": [TimeoutError("late")],
        "1": [TimeoutError("late")] * 3,
        "2": [ValueError("no")],
    }

    def value(deal: Deal) -> dict[str, Any]:
        output = story.value(deal)
        if failures.get(deal.id):
            raise failures[deal.id].pop()
        return output

    async def later(deal: Deal) -> dict[str, Any]:
        return value(deal)

    story = Story(tmp_path, retries=1)
    found = story.run(later if is_async else value)
    assert [one.failure is None for one in found] == [True, False, False, True, True, True]
    assert kept_runs(story.folder.parent)[0].calls == len(story.made) == 8


def test_a_second_run_on_one_store_is_refused(tmp_path: Path) -> None:
    """Also from another process; the lock dies with its holder."""
    story = Story(tmp_path)
    store = RunStore(story.folder, Budget(), "USD")
    store.open(tests=[], facts=FACTS, fresh=False)
    assert kept_runs(story.folder.parent)[0].alive
    with pytest.raises(LockedError, match="another run works on"):
        story.run()
    store.close()
    story.run()
    assert not kept_runs(story.folder.parent)[0].alive


def test_another_currency_is_refused(tmp_path: Path) -> None:
    """What was spent cannot be added up; git takes nothing of the store."""
    story = Story(tmp_path)
    story.run()
    store = RunStore(story.folder, Budget(), "EUR")
    with pytest.raises(StoreError, match=r"paid in USD, and calls\.currency is EUR now"):
        store.open(tests=[], facts={**FACTS, "currency": "EUR"}, fresh=False)
    store.close()
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_a_replay_is_free_until_a_call_is_made(tmp_path: Path) -> None:
    """Only the deals whose requests are new are paid for, by what their calls cost."""
    story = Story(tmp_path, budget=Budget(Decimal(1), Decimal("0.5")))
    name = f"{__name__}:asked"
    replay = Replay(ReplaySettings((name,), Path.cwd(), (), "usd", "ask", False), lambda deal_id: None)
    replay.begin()
    store = RunStore(story.folder, story.settings.budget, "USD")
    store.open(tests=[], facts=FACTS, fresh=False)
    calls, engine = StoredCalls(story.settings), Engine()

    def reasoner(deal: Deal) -> dict[str, Any]:
        return asked("x") if deal.id in ("1", "4") else {"a": 1}

    function = calls.reasoner(replay.reasoner(reasoner))
    try:
        found = [replay.settle(deal, engine(function, deal)) for deal in DEALS]
        assert not any(one.excused for one in found)
        assert (store.spend.account().begun, store.spend.account().known) == (2, Decimal(1))
        over = replay.settle(replace(DEALS[1], id="9"), engine(function, replace(DEALS[1], id="4", name="new row")))
        assert over.excused
    finally:
        replay.end()
        engine.close()
        store.close()


# --- what a run is known by


def key(config: Config, mode: str = "gate", **environ: str) -> str:
    """Return the key of a gate in this environment."""
    return run_key(config, mode=mode, database="sqlite:///d.db", facts={"revision": "a1"}, environ=environ)


def test_the_key_is_all_that_an_output_depends_on(tmp_path: Path) -> None:
    """Mode, code, environment and what is dropped; not rules, documents or tests."""
    text = '[calls]\nenv = ["MODEL"]\n'
    (tmp_path / "app.py").write_text("a = 1")
    config = configure(tmp_path, text)
    first = key(config)
    assert key(config, mode="capture") != first
    assert key(config, MODEL="x") != first
    assert key(configure(tmp_path, f'{text}[output]\ndrop = ["at"]')) != first
    assert key(configure(tmp_path, f'{text}[rules.acquisition]\ncost_total = "equal"')) == first
    for name in ("README.md", "tests/test_x.py", "snapshots/deals/1.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert key(config) == first
    (tmp_path / "app.py").write_text("a = 2")
    assert key(config) != first


def test_the_key_by_git(tmp_path: Path) -> None:
    """Files that git ignores do not count, and of pyproject.toml our settings do not."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "prompt.jinja").write_text("a")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.dealsnap.verdict]\nmin_compared = 90\n')
    config = load_config(tmp_path, flags={}, environ={})
    first = key(config)
    (tmp_path / "x.log").write_text("x")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert key(config) == first
    (tmp_path / "prompt.jinja").write_text("b")
    assert key(config) != first


def test_what_tells_a_run_from_the_newest_with_outputs(tmp_path: Path) -> None:
    """Runs without outputs, of other modes, of earlier versions and damaged ones are no such run."""
    parts = {"mode": "gate", "version": "1", "env": "1", "database": "1", "facts": "1", "reasoner": "1", "drop": "1"}

    def kept(name: str, started: str, *, outputs: int = 1, **changes: str) -> None:
        folder = tmp_path / name
        (folder / "outputs").mkdir(parents=True)
        for number in range(outputs):
            (folder / "outputs" / f"{number}.0.json").write_text("{}")
        about = {"made_of": {**parts, **changes}, "started_at": started}
        (folder / "run.json").write_text(json.dumps(about))

    assert other_run(tmp_path / "now", parts) == ""
    kept("now", "4", outputs=0)
    kept("idle", "5", outputs=0, version="2")
    kept("capture", "6", mode="capture", version="2")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("{")
    assert other_run(tmp_path / "now", parts) == ""
    kept("older", "1", drop="2")
    kept("newer", "2", outputs=2, version="2", env="2")
    expected = "2 of a run by another version of the code (calls.version) and other values of calls.env"
    assert other_run(tmp_path / "now", parts) == expected


def test_the_version_may_be_named(tmp_path: Path) -> None:
    """As text, or by a callable, which may fail."""
    (tmp_path / "versions_of_mine.py").write_text("def now():\n    return 'v1'\ndef bad():\n    raise OSError('x')\n")
    one = key(configure(tmp_path, '[calls]\nversion = "v1"'))
    assert key(configure(tmp_path, '[calls]\nversion = "versions_of_mine:now"')) == one
    with pytest.raises(ConfigError, match="raised OSError"):
        key(configure(tmp_path, '[calls]\nversion = "versions_of_mine:bad"'))
    with pytest.raises(ConfigError, match="no module named"):
        key(configure(tmp_path, '[calls]\nversion = "nowhere_at_all:now"'))


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    """With the way out."""
    story = Story(tmp_path)
    story.run()
    (story.folder / "run.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(StoreError, match=r"run.json is damaged: dealsnap store prune"):
        kept_runs(story.folder.parent)
