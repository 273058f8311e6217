"""Reasoners: how they are called, what they may return, and how they fail."""

from __future__ import annotations

import pytest

from tests.plugin.project import CONFIG, Project, deal, deals

PRICE = "{'offer': {'price': 5}, 'risks': []}"
PER_DEAL = """
import dataclasses, datetime, decimal, enum, functools, uuid

class Money(enum.Enum):
    FIVE = decimal.Decimal("5.10")

@dataclasses.dataclass
class Report:
    offer: dict
    risks: list

class Loop:
    pass

def cyclic():
    output = {"offer": {"price": 5}, "risks": []}
    output["again"] = {"of": [output]}
    return output

class Rude(Exception):
    def __str__(self):
        raise RuntimeError("no")

def raise_it(error):
    raise error

OUTPUTS = {
    "nothing": lambda: None,
    "list": lambda: [1, 2],
    "text": lambda: "5",
    "cycle": cyclic,
    "object": lambda: {"offer": {"price": 5, "by": Loop()}, "risks": []},
    "huge": lambda: {"offer": {"price": 5}, "risks": [], "blob": "x" * 50_000_000},
    "exit": lambda: raise_it(SystemExit(3)),
    "rude": lambda: raise_it(Rude()),
    "deep": lambda: {"offer": functools.reduce(lambda inner, _: [inner], range(100_000), 5)},
    "long": lambda: raise_it(ValueError("y" * 100_000)),
    "key": lambda: {("a", "b"): 1},
    "nan": lambda: {"offer": {"price": float("nan")}, "risks": [], "worst": float("-inf")},
    "set": lambda: {"offer": {"price": 5}, "risks": {"b", "a"}},
    "dataclass": lambda: Report({"price": 5}, [uuid.UUID(int=1), datetime.date(2026, 1, 2), Money.FIVE]),
}

def value(transaction):
    return OUTPUTS[transaction.id]()
"""


def test_what_cannot_be_recorded_is_an_error_that_names_what_and_where(project: Project) -> None:
    """Each unusable output is one deal's error with a short message; every other deal is recorded."""
    bad = ("nothing", "list", "text", "cycle", "object", "huge", "exit", "rude", "deep", "long", "key")
    good = ("nan", "set", "dataclass")
    project = project.with_reasoner(PER_DEAL).with_deals(*map(deal, (*bad, *good)))
    outcome = project.capture("--dealsnap-allow-errors")
    assert outcome.code == 0, outcome.text
    assert {name for name, status in outcome.statuses.items() if status == "errored"} == set(bad)
    errors = {name: outcome.deal(name)["error"] for name in bad}
    messages = {name: f"{error['type']}: {error['message']}" for name, error in errors.items()}
    assert messages["nothing"].startswith("OutputError: the reasoner returned nothing (None); it must return a mapping")
    assert "returned list" in messages["list"]
    assert "returned str" in messages["text"]
    assert messages["cycle"] == "OutputError: at again.of[0]: the output contains itself (a cycle)"
    assert "at offer.by: valuation.Loop has no canonical JSON form" in messages["object"]
    assert "0x" not in messages["object"], "an address would make each capture another one"
    assert "50,000," in messages["huge"]
    assert "output.max_bytes" in messages["huge"]
    assert messages["exit"] == "SystemExit: 3"
    assert messages["rude"] == "Rude: (its message raised RuntimeError)"
    assert "nested too deeply" in messages["deep"]
    assert len(messages["long"]) < 2_100
    assert "('a', 'b')" in messages["key"]
    assert all(len(data) < 4_000 for data in project.snapshots().values())
    assert '"price": NaN' in (project.baseline / "nan.json").read_text()
    assert project.snapshot("set")["output"]["risks"] == ["a", "b"]
    assert project.snapshot("dataclass")["output"]["risks"] == [
        "00000000-0000-0000-0000-000000000001", "2026-01-02", 5.10,
    ]  # fmt: skip
    gate = project.gate()
    assert (gate.code, gate.action) == (0, "proceed"), "the same errors as in the baseline are allowed"
    assert {name: gate.statuses[name] for name in ("nan", "set", "nothing")} == {
        "nan": "matched",
        "set": "matched",
        "nothing": "changed",
    }


CONVENTIONS = """
import asyncio, dataclasses

def output(*got):
    return {"offer": {"price": 5}, "risks": [], "got": list(got)}

async def by_id(deal_id):
    await asyncio.sleep(0)
    return output(deal_id)

def by_id_and_type(deal_id, deal_type):
    return output(deal_id, deal_type)

def by_type(*, deal_type):
    return output(deal_type)

def whole(anything, *, depth=3):
    return output(anything.id, anything.stored_type, anything["amount"], depth)

class Engine:
    @staticmethod
    def by_id(deal_id):
        return output(deal_id)

@dataclasses.dataclass
class Made:
    deal_id: str
    offer: dict = dataclasses.field(default_factory=lambda: {"price": 5})
    got: str = "made"
"""


def test_a_reasoner_is_called_by_its_parameters(project: Project) -> None:
    """Sync or async, by id, by type or by the whole deal: a function, a class or an attribute of one."""
    project = project.with_deals(deal("7", kind="spinoff")).with_reasoner(CONVENTIONS)
    project = project.with_settings('aliases = { spinoff = "carveout" }', section="deals")
    for name, got in {
        "by_id": ["7"],
        "by_id_and_type": ["7", "carveout"],
        "by_type": ["carveout"],
        "whole": ["7", "spinoff", 100, 3],
        "Engine.by_id": ["7"],
        "Made": "made",
    }.items():
        outcome = project.capture("--dealsnap-reasoner", f"valuation:{name}")
        assert outcome.code == 0, outcome.text
        assert project.snapshot("7")["output"]["got"] == got
        assert project.snapshot("7")["metrics"]["price"] == 5


def test_a_reasoner_that_cannot_be_used_is_one_usage_error(project: Project) -> None:
    """A wrong name, a failing import, wrong parameters: exit code 4 before the first deal, said once."""
    project = project.with_deals(*deals(3)).with_file("broken.py", "raise RuntimeError('no licence')")
    project = project.with_file("other.py", "def needs(deal_id, rate, year): ...\ndef none(): ...\nnumber = 5\n")
    for reasoner, words in (
        ("valuations:value", "no module named 'valuations'"),
        ("valuation:valeu", 'Did you mean "value"?'),
        ("valuation", "package.module:name"),
        ("broken:value", "importing broken raised RuntimeError: no licence"),
        ("other:needs", 'needs "rate", which no deal offers'),
        ("other:none", "takes no deal"),
        ("other:number", "is int, which cannot be called"),
    ):
        outcome = project.run("--dealsnap-update", "--dealsnap-reasoner", reasoner)
        assert outcome.code == 4, outcome.text
        assert words in outcome.text
        assert outcome.text.count("ERROR") == 1
        assert "Traceback" not in outcome.text
        assert not (project.folder / "snapshots").exists()


def test_no_reasoner_at_all_says_the_three_ways_to_name_one(project: Project) -> None:
    """Without a reasoner the error names setting, flag, variable and fixture."""
    project = project.with_deals(deal("a")).with_config(CONFIG.replace('reasoner = "valuation:value"', ""))
    outcome = project.capture()
    assert outcome.code == 4
    for way in ("[tool.dealsnap]", "--dealsnap-reasoner", "DEALSNAP_REASONER", "deal_reasoner", "conftest.py"):
        assert way in outcome.text
    assert project.with_environment(DEALSNAP_REASONER="valuation:value").capture().code == 0


def test_a_reasoner_fixture_below_the_root_is_told_to_move(project: Project) -> None:
    """The deals are the root folder's: a fixture in a deeper conftest.py is not theirs, and that is one usage error."""
    fixture = (
        "import pytest\n\n@pytest.fixture\ndef deal_reasoner():\n"
        "    return lambda deal_id: {'offer': {'price': 1}, 'risks': []}\n"
    )
    project = project.with_deals(deal("a")).with_config(CONFIG.replace('reasoner = "valuation:value"', ""))
    project = project.with_file("tests/conftest.py", fixture).with_file("tests/test_own.py", "def test_own(): pass\n")
    outcome = project.run("--dealsnap-update", "tests")
    assert outcome.code == 4, outcome.text
    assert "conftest.py of the root folder" in outcome.text
    assert project.with_file("conftest.py", fixture).run("--dealsnap-update", "tests").code == 0


NO_EXCEPTIONS = """
import pytest

class Gone(BaseException):
    pass

KIND value(transaction):
    if transaction.id == "gone":
        raise Gone("for good")
    if transaction.id == "skipped":
        pytest.skip("not today")
    return {"offer": {"price": transaction["amount"]}, "risks": []}
"""


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_is_raised_and_is_no_exception_is_that_deals_error(project: Project, kind: str, workers: str) -> None:
    """Also a skip of pytest's: a deal that nobody judged must not look like one that was left out, nor hang the run."""
    project = project.with_deals(deal("gone"), deal("ok"), deal("skipped")).captured()
    outcome = project.with_file("valuation.py", NO_EXCEPTIONS.replace("KIND", kind)).gate("--dealsnap-workers", workers)
    assert outcome.statuses == {"gone": "errored", "ok": "changed", "skipped": "errored"}
    assert outcome.deal("gone")["error"] == {"type": "Gone", "message": "for good"}
    assert outcome.deal("skipped")["error"] == {"type": "Skipped", "message": "not today"}
    assert outcome.code == 1


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_hung_call_is_ended_and_the_run_goes_on(project: Project, kind: str) -> None:
    """`--dealsnap-timeout` makes a hung call an error of its deal; the others are recorded."""
    wait = "await asyncio.sleep(3600)" if kind == "async def" else "threading.Event().wait(3600)"
    project = project.with_deals(*deals(3)).with_reasoner(
        f"import asyncio, threading\n\n{kind} value(t):\n    if t.id == 'd2':\n        {wait}\n    return {PRICE}\n"
    )
    outcome = project.capture("--dealsnap-timeout", "0.5")
    assert outcome.code == 1, outcome.text
    assert outcome.statuses == {"d1": "new", "d2": "errored", "d3": "new"}
    assert outcome.deal("d2")["error"] == {
        "type": "ReasonerTimeoutError",
        "message": "no answer within 0.5 seconds (--dealsnap-timeout)",
    }


def test_a_reasoner_that_prints_or_warns_spoils_nothing(project: Project) -> None:
    """Output, log and warnings of a passing reasoner stay where pytest keeps them, also under -W error."""
    source = (
        "import logging, warnings\n\ndef value(t):\n    print('LOUD')\n    logging.error('LOUD')\n"
        f"    warnings.warn('LOUD')\n    return {PRICE}\n"
    )
    noisy = project.with_deals(deal("a")).with_reasoner(source)
    outcome = noisy.capture()
    assert outcome.code == 0
    assert outcome.text.count("LOUD") <= 2, "at most pytest's own summary of warnings"
    strict = noisy.gate("-W", "error")
    assert strict.statuses == {"a": "errored"}
    assert strict.deal("a")["error"]["type"] == "UserWarning"
