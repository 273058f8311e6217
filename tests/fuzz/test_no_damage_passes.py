"""What is damaged never lets pass what it refused before: configurations, decisions, values that were accepted.

A person may loosen a rule, and some damage cannot be told from that: another number in a rule, a rule's line that is
gone, also by a cut at the end of a line. All else is either refused in a sentence or judges as it did.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.ledger import parse_ledger
from pytest_dealsnap.baseline.ledger_writing import entry_text
from pytest_dealsnap.baseline.pins import pins_file
from pytest_dealsnap.baseline.recording import Capture, Recorder
from pytest_dealsnap.cli import main
from pytest_dealsnap.cli.decisions import read_decisions
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.pipeline.gate import Gate
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reporting.idle import idle_rules
from tests.fuzz.mutations import bytes_mutated, document_mutated, lines_mutated
from tests.plugin.project import CONFIG, Project, deals
from tests.profiles import scaled
from tests.reporting.runs import finding, result, small_run

bounded = settings(
    max_examples=scaled(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# The deals' own table would be one more thing to damage; its name is all that a judgement needs.
CONFIGURATION = CONFIG + '\n[tool.dealsnap.output]\ndrop = ["memo"]\n'
REF = DealRef("d1", "d1", "acquisition", "acquisition")
BEFORE = {"offer": {"price": 100}, "risks": [], "memo": "as signed"}
# No number, so that no other number in a rule allows it.
AFTER = {"offer": {"price": "to be agreed"}, "risks": [], "memo": "as signed"}


def said(action: Callable[[], Any]) -> str | None:
    """Return what is said of a file that is refused; ``None`` where it is taken."""
    try:
        action()
    except DealsnapError as error:
        return str(error)
    return None


def passes(root: Path, text: bytes) -> bool:
    """Whether a gate under the configuration *text* passes a deal whose price became a text."""
    (root / "pyproject.toml").write_bytes(text)
    config = load_config(root, flags={}, environ={})
    recorder = Recorder(config)
    gate = Gate(config, recorder, DealSnapshots(root / "snapshots"))
    kind = DealTypes.of(config.deals).effective("acquisition")
    judged = gate(
        replace(REF, deal_type=kind), Deal("d1", "Orion", kind, "acquisition"), Reasoning(output=AFTER)
    ).result
    idle = idle_rules([judged], gate.policy, recorder.paths)
    return judged.status in ("matched", "changed", "accepted") and not idle


def has_its_rule(text: bytes) -> bool:
    """Whether the configuration *text* still has a rule for the price of an acquisition."""
    rules = tomllib.loads(text.decode()).get("tool", {}).get("dealsnap", {}).get("rules", {})
    return "price" in rules.get("acquisition", {})


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A project with one deal in its baseline, which has changed since."""
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    config = load_config(tmp_path, flags={}, environ={})
    capture = Capture(Recorder(config), DealSnapshots(tmp_path / "snapshots"))
    capture(REF, Deal("d1", "Orion", "acquisition", "acquisition"), Reasoning(output=BEFORE))
    assert not passes(tmp_path, CONFIGURATION.encode())
    return tmp_path


@bounded
@given(data=lines_mutated(CONFIGURATION).map(str.encode) | bytes_mutated(CONFIGURATION.encode()))
@example(data=CONFIGURATION.replace("[tool.dealsnap.rules.acquisition]", "[tool.dealsnap.rule.acquisition]").encode())
@example(data=CONFIGURATION.replace("[tool.dealsnap.rules.acquisition]", "[tool.dealsnap.rules.acquisitio]").encode())
@example(data=CONFIGURATION.replace("[tool.dealsnap.rules.acquisition]", "[tools.dealsnap.rules.acquisition]").encode())
@example(data=CONFIGURATION.replace('price = "within', 'prise = "within').encode())
@example(data=CONFIGURATION.replace("offer.price", "offer.prise").encode())
@example(data=CONFIGURATION.replace('price = "within 5%"', "price = 5").encode())
@example(data=CONFIGURATION.replace('price = "within 5%"', 'price = ["report"]').encode())
@example(data=CONFIGURATION.replace('price = "within 5%"', 'price = "within 5%"\nprice = "report"').encode())
def test_no_damaged_configuration_passes_a_deal_that_it_refused(recorded: Path, data: bytes) -> None:
    """Unless the rule's own line, or its table, is gone: that is how a person takes a rule away."""
    passed = False

    def judge() -> None:
        nonlocal passed
        passed = passes(recorded, data)

    said(judge)
    assert not passed or not has_its_rule(data), data.decode()


@pytest.mark.parametrize("cut", range(CONFIGURATION.index("[tool.dealsnap.rules"), len(CONFIGURATION), 3))
def test_a_configuration_that_is_cut_off_passes_nothing_unless_at_the_end_of_a_line(recorded: Path, cut: int) -> None:
    """Half a table's name, half a key, half a rule."""
    data = CONFIGURATION[:cut].encode()
    passed = False

    def judge() -> None:
        nonlocal passed
        passed = passes(recorded, data)

    said(judge)
    assert not passed or not has_its_rule(data), CONFIGURATION[:cut]


DECISIONS: Any = {
    "format": 1,
    "report": {"started_at": "2026-03-01T08:30:00+00:00", "database": "sqlite:///deals.db"},
    "decisions": [
        {"deal": "1", "decision": "accept", "into": "ledger", "note": "x", "reason": "y", "who": "Ana", "ticket": None,
         "expires": "2027-01-31"},
        {"deal": "2", "decision": "reject", "into": None, "note": "no", "reason": "", "who": "", "ticket": None,
         "expires": None},
    ],
}  # fmt: skip


@bounded
@given(
    data=document_mutated(DECISIONS).map(lambda document: json.dumps(document).encode())
    | bytes_mutated(json.dumps(DECISIONS).encode())
)
@example(data=json.dumps(DECISIONS).replace('"expires": "2027', '"expirs": "2027').encode())
@example(
    data=json.dumps(DECISIONS).replace('"decision": "reject"', '"decision": "reject", "decision": "accept"').encode()
)
@example(data=json.dumps(DECISIONS).replace('"into": "ledger"', '"inta": "ledger"').encode())
def test_no_damaged_file_of_decisions_accepts_what_it_did_not(tmp_path: Path, data: bytes) -> None:
    """No rejection becomes an acceptance, and no end of one is lost by its name."""
    path = tmp_path / "decisions.json"
    path.write_bytes(data)
    made: dict[str, Any] = {}

    def read() -> None:
        made.update({one.deal or "": one for one in read_decisions(path, small_run()) if one.decision == "accept"})

    said(read)
    assert "2" not in made or b'"2", "decision": "reject"' not in data
    assert all(
        b"expir" not in data or one.expires is not None or b'"expires": "2027' not in data for one in made.values()
    )


def test_a_key_of_a_decision_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A slip in ``expires`` would make an exception for ever, one in ``into`` another baseline."""
    path = tmp_path / "decisions.json"
    for wrong, words in (("expirs", 'Did you mean "expires"?'), ("inta", 'Did you mean "into"?')):
        text = json.dumps(DECISIONS).replace({"expirs": '"expires": "2', "inta": '"into": "l'}[wrong], f'"{wrong}": "x')
        path.write_text(text)
        told = said(lambda: read_decisions(path, small_run()))
        assert told is not None
        assert words in told
    path.write_text(json.dumps(DECISIONS).replace('"decision": "reject"', '"decision": "reject", "decision": "accept"'))
    told = said(lambda: read_decisions(path, small_run()))
    assert told is not None
    assert "stands there twice" in told


VALUES = {f"deal {number}": 1_300_000 + number for number in range(12)}
PINS_NAME, PINS = pins_file("cost_total", VALUES)
ENTRY = entry_text({"metric": "cost_total", "values": PINS_NAME, "reason": "twelve months of TSA", "who": "Ana"})


def accepts(folder: Path, data: bytes, value: int, deal: str = "deal 3") -> bool:
    """Whether the ledger, with *data* as the file of its values, accepts *value* in a deal."""
    path = folder / PINS_NAME
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    ledger = parse_ledger(ENTRY, folder / "accepted.toml", today=date(2026, 1, 1), types=["acquisition"])
    return (
        ledger.apply(result(deal, "regressed", finding("cost_total", 1_000_000, value, 30.0)))[0].status == "accepted"
    )


@bounded
@given(
    data=document_mutated(json.loads(PINS)).map(lambda document: json.dumps(document).encode()) | bytes_mutated(PINS)
)
@example(data=PINS.replace(b"1300003", b"9300003"))
@example(data=PINS.replace(b'"deal 3"', b'"deal 99"'))
@example(data=b"[" * 100_000)
@example(data=PINS.replace(b"1300003", b"9" * 5_000))
@example(data=PINS.replace(b"1300003", b"1e999999999999999999999"))
def test_no_damaged_file_of_values_accepts_another_value_or_deal(tmp_path: Path, data: bytes) -> None:
    """Its name is the digest of what it holds: an edited one is refused, whatever the edit says."""
    accepted: list[bool] = []
    said(lambda: accepted.append(accepts(tmp_path, data, 9_300_003)))
    said(lambda: accepted.append(accepts(tmp_path, data, 1_300_003, "deal 99")))
    assert True not in accepted


def test_a_file_of_values_may_be_laid_out_anew(tmp_path: Path) -> None:
    """Another tool's blanks, order and ends of lines say nothing else; another value does."""
    assert accepts(tmp_path, PINS, 1_300_003)
    turned = dict(reversed(json.loads(PINS).items()))
    assert accepts(tmp_path, json.dumps(turned, indent=7).replace("\n", "\r\n").encode(), 1_300_003)
    told = said(lambda: accepts(tmp_path, PINS.replace(b"1300003", b"9300003"), 9_300_003))
    assert told is not None
    assert "is not as it was accepted" in told


BOMBS = {
    "nested": "a = " + "[" * 3_000 + "]" * 3_000,
    "tables": "a = " + "{ a = " * 3_000 + "1" + " }" * 3_000,
    "number": "a = " + "9" * 5_000,
    "hexadecimal": "a = 0x" + "f" * 5_000,
    "exponent": "a = 1e999999999999999999999",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("name", ["pyproject.toml", "dealsnap.toml"])
@pytest.mark.parametrize("command", [("prune",), ("init", "sqlite:///book.db"), ("compare", "snapshots", "snapshots")])
def test_a_command_says_in_one_sentence_that_its_configuration_is_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, bomb: str, command: tuple[str, ...],
) -> None:  # fmt: skip
    """Of pytest's own configuration file as well; an infinite number there is nobody's setting."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # what another run's killed command left is told, too
    Project(tmp_path, config="").with_deals(*deals(1)).write()
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / name).write_text(f"[tool.x]\n{bomb}\n" if name == "pyproject.toml" else f"{bomb}\n")
    monkeypatch.chdir(tmp_path)
    status = main(command)
    err = capsys.readouterr().err
    assert status == 2 or (command[0] == "init" and "1e9" in bomb)
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 1
    assert len(err) < 2_000


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_ledger_that_is_a_bomb_is_one_sentence(bomb: str) -> None:
    """Whatever key it hides behind."""
    for text in (bomb, f"[[accepted]]\n{bomb}", ENTRY + bomb):
        told = said(lambda text=text: parse_ledger(text, Path("accepted.toml"), today=date(2026, 1, 1), types=["x"]))  # type: ignore[misc]  # a default
        assert told is not None
        assert len(told) < 2_000
