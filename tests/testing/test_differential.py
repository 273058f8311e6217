"""The differential search: what it finds, what it lets be, and the test that it prints."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from pytest_dealsnap.errors import ConfigError, ReasonerError, SourceError
from pytest_dealsnap.testing import Deal, NothingComparedWarning, assert_same_outputs, deals
from tests.testing.reasoners import added, added_async, added_by_id, priced, rounded

DEALS = deals(fields={"amounts": st.lists(st.integers(0, 20_000))})
ROOT = Path(__file__).parents[2]


def found(old: Callable[..., Any], new: Callable[..., Any], **options: Any) -> str:
    """Return what the search says."""
    with pytest.raises(AssertionError) as caught:
        assert_same_outputs(old, new, **options)
    return str(caught.value)


def printed(text: str) -> str:
    """Return the test that was printed."""
    return text.partition("ready to paste")[2].partition("\n\n")[2]


def test_the_smallest_deal_is_told_with_a_test_that_runs(tmp_path: Path) -> None:
    """The message names difference and deal; the test, pasted into a file of its own, fails for the same reason."""
    text = found(added, rounded, deals=DEALS)
    assert text.startswith("added and rounded disagree on an acquisition deal: cost_total 10,001 → 10,000 (-0.01 %)")
    assert 'fields={"id": 1, "name": "Deal", "deal_type": "acquisition", "amounts": [10001]}' in text
    (tmp_path / "test_pasted.py").write_text(printed(text))
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout
    assert "1 failed" in run.stdout
    assert "cost_total 10,001 → 10,000" in run.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"test_pasted.py", "pytest.ini", "__pycache__"}, (
        "no .hypothesis"
    )


def test_the_same_search_finds_the_same_deal() -> None:
    """Nothing depends on chance, and the seed is told."""
    first, second = (found(added, rounded, deals=DEALS, seed=5) for _ in range(2))
    assert first == second
    assert "seed 5)" in first


def test_equal_reasoners_are_let_be() -> None:
    """Sync and async, each on a copy of the deal that the other cannot spoil."""
    assert_same_outputs(added, added_async, deals=DEALS, max_examples=60)
    assert_same_outputs(added_async, added, deals=DEALS, max_examples=60)


def test_a_search_inside_a_running_event_loop_compares_too() -> None:
    """An async test can search: calls run beside its loop, not into an error that both sides share."""

    async def search() -> str:
        return found(added_async, rounded, deals=DEALS, max_examples=80)

    assert "cost_total 10,001 → 10,000" in asyncio.run(search())


@pytest.mark.parametrize(
    ("rules", "agrees"),
    [
        ({"cost_total": "within 1%"}, True),
        ({"cost_total": "within 0%"}, False),
        ({"*": "report"}, True),
        ({"acquisition": {"cost_total": "within 1%"}}, False),
        ({"acquisition": {"cost_total": "within 1%"}, "*": {"cost_total": "within 5"}}, True),
        ({"synergy_count": "report"}, False),
    ],
    ids=str,
)
def test_rules_say_what_may_differ(rules: Any, agrees: bool) -> None:
    """By metric, or by type and metric; what the rules do not name must be equal."""
    if agrees:
        assert_same_outputs(added, rounded, deals=DEALS, rules=rules, max_examples=80)
    else:
        assert "cost_total" in found(added, rounded, deals=DEALS, rules=rules)


def test_metrics_and_drop() -> None:
    """Metrics name what is judged; what is dropped is not compared; both are in the printed test."""
    text = found(added, rounded, deals=DEALS, metrics={"total": "cost_estimate.total_cost"}, drop=["notes"])
    assert "total 10,001 → 10,000" in text
    assert 'metrics={"total": "cost_estimate.total_cost"},\n        drop=["notes"],\n' in printed(text)
    assert_same_outputs(added, rounded, deals=DEALS, metrics={}, drop=["cost_estimate.total_cost"], max_examples=60)


def test_errors_are_outputs_too() -> None:
    """The same type of error agrees; another, or none, does not."""

    def refusing(deal_id: int) -> dict[str, Any]:
        raise (ValueError if deal_id % 2 else KeyError)(deal_id)

    def silent(deal_id: int) -> dict[str, Any]:
        return {"id": deal_id}

    assert_same_outputs(priced, priced, max_examples=20)
    text = found(priced, refusing)
    assert "priced answers, refusing raises KeyError: 2" in text
    assert "where refusing raised:" in text
    assert "raise (ValueError if deal_id % 2" in text
    assert "priced raises ValueError: no price for 1, silent answers" in found(priced, silent)


def test_two_that_always_fail_are_told_of() -> None:
    """They agree, but nothing was compared, which is said."""

    def failing(deal: Deal) -> dict[str, Any]:
        raise ValueError(deal.id)

    with pytest.warns(NothingComparedWarning, match="both failed for each of 5 deals: no output was compared"):
        assert_same_outputs(failing, failing, max_examples=5)
    with pytest.warns(NothingComparedWarning, match="added and rounded were asked about no deal: there was none"):
        assert_same_outputs(added, rounded, deals=iter([]))


def test_existing_deals_can_be_searched() -> None:
    """Of deals or records that are given, all are tried, and the smallest that differs is told."""
    records = [{"id": n, "name": "x" * n, "deal_type": "spinoff", "amounts": [n * 5_001]} for n in range(6)]
    text = found(added, rounded, deals=records)
    assert (
        'Deal(\n        id=2,\n        name="xx",\n        deal_type="acquisition",\n        stored_type="spinoff"'
        in text
    )
    assert "the smallest of 6 deals tried" in text
    assert_same_outputs(added, rounded, deals=records[:2])
    with pytest.raises(SourceError, match=r"a record has no 'id' \(deals.id\)"):
        assert_same_outputs(added, rounded, deals=[{"no": 1}])


def test_reasoners_of_other_conventions_and_of_other_objects() -> None:
    """``deal_id`` and ``deal_type`` are given by name; what is no deal is handed over as it is."""

    def shouting(deal_id: int, deal_type: str) -> dict[str, Any]:
        return {"id": deal_id, "type": deal_type.upper() if deal_type == "carveout" else deal_type}

    def no_deal() -> dict[str, Any]:
        return {}

    assert "on a carveout deal: rest of the output differs in type" in found(added_by_id, shouting)
    assert "on a tuple: rest of the output" in found(
        lambda pair: {"n": pair[0]}, lambda pair: {"n": max(pair)}, deals=st.tuples(st.integers(), st.integers())
    )
    with pytest.raises(ReasonerError, match="takes no deal"):
        assert_same_outputs(added, no_deal, deals=DEALS)


def test_an_unsteady_reasoner_is_told_of() -> None:
    """One that answers differently when asked again is found, and called that."""
    calls = iter(range(10**6))

    def once(deal: Deal) -> dict[str, Any]:
        return {"n": int(next(calls) == 3)}

    def never(deal: Deal) -> dict[str, Any]:
        return {"n": 0}

    text = found(once, never, max_examples=10)
    assert "once and never disagree" in text
    assert "A reasoner answered differently when it was asked about this deal again." in text


def test_a_class_method_is_imported_with_its_class() -> None:
    """It is another object each time it is asked for, and the same method."""
    code = printed(found(Engine.price, added_by_id))
    assert f"from {__name__} import Engine\n" in code
    assert "assert_same_outputs(Engine.price, added_by_id, deals=[deal])" in code


class Engine:
    """A release as a class."""

    @classmethod
    def price(cls, deal_id: int) -> dict[str, Any]:
        """Return a price."""
        return {"price": deal_id}


def test_two_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release beside the one before, in modules of two names: the printed test imports both."""
    for module, factor in (("engine_v1", 1), ("engine_v2", 2)):
        (tmp_path / f"{module}.py").write_text(f"def price(deal_id):\n    return {{'price': deal_id * {factor}}}\n")
    monkeypatch.syspath_prepend(tmp_path)
    modules = [importlib.import_module(name) for name in ("engine_v1", "engine_v2")]
    text = found(modules[0].price, modules[1].price)
    assert "price and price disagree on an acquisition deal: rest of the output differs in price" in text
    code = printed(text)
    assert "from engine_v1 import price as old\nfrom engine_v2 import price as new\n" in code
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    [test] = [value for key, value in namespace.items() if key.startswith("test_")]
    with pytest.raises(AssertionError, match="price and price disagree"):
        test()


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ({"cost_totl": "equal"}, 'unknown metric. Did you mean "cost_total"?'),
        ({"carve": {"*": "equal"}}, 'unknown deal type. Did you mean "carveout"?'),
        ({"cost_total": "equal", "carveout": {"*": "equal"}}, "by metric ('cost_total') and by deal type ('carveout')"),
        ({"cost_total": 5}, "rules['cost_total'] = 5: must be a rule"),
        ({"cost_total": "withn 5%"}, "unknown rule."),
    ],
)
def test_wrong_rules_are_refused(rules: Any, what: str) -> None:
    """Before any deal is drawn, saying where they stand and what is valid."""
    with pytest.raises(ConfigError) as caught:
        assert_same_outputs(added, rounded, deals=DEALS, rules=rules)
    assert what in str(caught.value)


def test_a_projects_settings_can_stand_in(tmp_path: Path) -> None:
    """``config`` is a project's folder: its types, metrics and rules judge, and the printed test names it."""
    (tmp_path / "dealsnap.toml").write_text('[rules.acquisition]\ncost_total = "within 1%"\n"*" = "report"\n')
    assert_same_outputs(added, rounded, deals=DEALS, config=tmp_path, max_examples=60)
    text = found(added, lambda deal: {"cost_estimate": {"total_cost": 10**6}}, deals=DEALS, config=tmp_path)
    assert f'config=Path("{tmp_path.as_posix()}")' in printed(text).replace("\n        ", " ")


class Side(Enum):
    """A side of a deal."""

    BUYER = "b"


class Right(Flag):
    """What somebody may do."""

    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Item:
    """An item with a default that is not printed."""

    name: str
    side: Side = Side.BUYER
    cost: Decimal | None = None


def test_any_value_is_printed_as_it_is() -> None:
    """What a deal may hold is written as source that makes the same deal again, with its imports."""
    fields = {
        "money": Decimal("1.10"),
        "when": datetime(2024, 2, 29, 1, 2, tzinfo=UTC),
        "day": date(2024, 1, 1),
        "span": timedelta(days=2),
        "key": UUID(int=7),
        "items": [Item("a"), Item('say "it\'s"', cost=Decimal(5))],
        "side": Side.BUYER,
        "set": {3, 1},
        "none": frozenset[int](),
        "pair": (1,),
        "bytes": b"\x00",
        "huge": float("inf"),
        "zoned": datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")),
        "path": PurePosixPath("a/b"),
        "queue": deque([1]),
        "rights": Right.READ | Right.WRITE,
        "text": "<script>\x1b[31m\u202e" + "long " * 40,
    }
    deal = Deal("../../x", None, "carveout", None, fields)
    seen: list[Any] = []

    def keeping(deal: Deal) -> dict[str, Any]:
        seen.append(deal)
        return {"n": len(seen) % 2}

    code = printed(found(keeping, lambda deal: {"n": 5}, deals=[deal]))
    namespace: dict[str, Any] = {"keeping": keeping, "new": lambda deal: {"n": 5}}
    exec(code, namespace)
    seen.clear()
    [test] = [value for key, value in namespace.items() if key.startswith("test_")]
    with pytest.raises(AssertionError, match="keeping and <lambda> disagree on a carveout deal"):
        test()
    assert seen[0] == deal
    assert seen[0].fields == fields
    assert "\x1b" not in code
    assert max(map(len, code.splitlines())) < 300


@pytest.mark.slow
def test_a_large_deal_is_neither_printed_nor_warned_of() -> None:
    """Hypothesis would print each deal that fails, and warn of one that is huge: only the message writes it."""
    large = deals(fields={"inventory": st.integers(0, 800).map(lambda count: ["item " * 20] * count)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = found(
            lambda deal: {"n": len(deal["inventory"])},
            lambda deal: {"n": min(len(deal["inventory"]), 700)},
            deals=large,
            max_examples=500,
        )
    assert "rest of the output differs in n" in text


@pytest.mark.slow
def test_one_dear_item_is_shown_rather_than_hundreds_of_cheap_ones() -> None:
    """Where shrinking ends at a large deal, a smaller one is searched for, whatever the seed."""

    @st.composite
    def alike(draw: Any) -> list[int]:
        return [draw(st.integers(0, 20_000))] * draw(st.sampled_from((1, *range(500, 507))))

    for seed in range(4):
        text = found(added, rounded, deals=deals(fields={"amounts": alike()}), seed=seed)
        assert '"amounts": [10001]}' in text, seed
