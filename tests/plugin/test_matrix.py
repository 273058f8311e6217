"""`pytest --dealsnap --dealsnap-matrix`: every deal under every type, judged beside itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from tests.plugin.project import SCHEMA, Outcome, Project, deal, deals

RULES = """
"price: carveout / acquisition" = "1.5..3.0"
"price: divestiture / acquisition" = "2.0..3.5"
"offer.tsa" = "only carveout"
"""

# d3 breaks a ratio, d4 fails as a carve-out, d5 has a TSA under every type, d6 is worth nothing.
REASONER = """
FACTORS = {"acquisition": 1, "carveout": 2, "divestiture": 3}

def value(transaction):
    kind, price = transaction.deal_type, transaction["amount"]
    assert transaction["kind"] == kind or transaction["kind"] in (None, "spinoff")
    if transaction.id == "d3" and kind == "carveout":
        price *= 3
    if transaction.id == "d4" and kind == "carveout":
        raise ValueError("no TSA for d4")
    if transaction.id == "d6":
        return {"offer": {"price": 0, "tsa": 0}, "risks": [], "kind": kind}
    tsa = 50 if kind == "carveout" or transaction.id == "d5" else 0
    return {"offer": {"price": price * FACTORS[kind], "tsa": tsa}, "risks": [], "kind": kind}
"""

KINDS = ("acquisition", "carveout", "divestiture", None, "spinoff", "acquisition", "acquisition", "carveout")


@pytest.fixture
def matrix(project: Project) -> Project:
    """Eight deals of all types, the rules of the plan, and a reasoner that obeys them for most deals."""
    rows = [deal(f"d{number}", kind=kind, title=f"Deal {number}") for number, kind in enumerate(KINDS, start=1)]
    project = project.with_deals(*rows).with_reasoner(REASONER).with_settings(RULES, section="matrix.rules")
    return project.with_settings('aliases = { spinoff = "carveout" }', section="deals")


def run_matrix(project: Project, *arguments: str) -> Outcome:
    """Run the matrix, with a JSON report."""
    return project.gate("--dealsnap-matrix", *arguments)


EXPECTED = {"d1": "matched", "d2": "matched", "d3": "regressed", "d4": "errored", "d5": "regressed",
            "d6": "changed", "d7": "matched", "d8": "matched"}  # fmt: skip


def test_every_deal_is_judged_under_every_type(matrix: Project) -> None:
    """No baseline is needed or made; each broken rule is a finding; the verdict has its usual thresholds."""
    outcome = run_matrix(matrix, "--junitxml=junit.xml")
    assert outcome.statuses == EXPECTED
    assert (outcome.code, outcome.action) == (1, "disable_flag")
    assert outcome.verdict.startswith("DISABLE THE FLAG - 3 of 8 compared deals are affected (37.5 %)")
    assert (outcome.report["run"]["mode"], outcome.report["baseline"]) == ("matrix", None)
    assert "each under acquisition, carveout, divestiture" in outcome.text
    [broken] = outcome.deal("d3")["findings"]
    assert broken == {
        "metric": "price: carveout / acquisition", "issue": "matrix_rule_broken", "baseline": 100, "current": 600,
        "change_percent": 500.0, "allowed": "1.5..3.0", "gates": True, "note": "6 times", "kind": "between_types",
    }  # fmt: skip
    assert outcome.deal("d4")["error"] == {"type": "ValueError", "message": "as carveout: no TSA for d4"}
    assert [finding["metric"] for finding in outcome.deal("d5")["findings"]] == [
        "offer.tsa: acquisition",
        "offer.tsa: divestiture",
    ]
    [none] = outcome.deal("d6")["findings"]
    assert (none["issue"], none["gates"], len(none["current"])) == ("type_has_no_effect", False, 3)
    assert "test_matrix[carveout-d5]" in outcome.junit
    assert "price: carveout / acquisition 100 → 600" in outcome.text
    assert "pytest --dealsnap --dealsnap-matrix --lf" in outcome.text
    assert not (matrix.folder / "snapshots").exists()


def test_it_runs_as_any_other_run(matrix: Project) -> None:
    """With calls begun ahead, in part, by name and after a failure: the same results for the same deals."""
    assert run_matrix(matrix, "--dealsnap-workers", "4").statuses == EXPECTED
    again = run_matrix(matrix, "--lf")
    assert again.statuses == {name: status for name, status in EXPECTED.items() if status in ("regressed", "errored")}
    part = run_matrix(matrix, "--dealsnap-shard", "1/2", "-m", "carveout").report
    assert {entry["id"] for entry in part["deals"]} < {"d2", "d5", "d8"}
    assert (part["run"]["partial"], part["run"]["shard"]) == (True, "1/2")
    assert run_matrix(matrix, "deals::test_matrix[carveout-d5]").statuses == {"d5": "regressed"}


COUNTING = """
def value(deal_id, deal_type):
    with open("calls.txt", "a") as calls:
        calls.write(f"{deal_id} {deal_type}\\n")
    return {"offer": {"price": ord(deal_type[0])}, "risks": []}
"""
OWN_TEST = """
import pytest

@pytest.mark.deal_matrix
def test_price_by_type(deal, deal_output):
    assert deal_output["offer"]["price"] == ord(deal.deal_type[0])

def test_price(deal, deal_output):
    assert deal_output["offer"]["price"] == ord(deal.deal_type[0])
"""


@pytest.mark.parametrize(
    "arguments",
    [(), ("--dealsnap-workers", "3"), ("--dealsnap-executor", "concurrent.futures:ThreadPoolExecutor")],
    ids=["in turn", "ahead", "executor"],
)
def test_each_output_is_computed_once(project: Project, arguments: tuple[str, ...]) -> None:
    """Deals times types calls and no more; tests that ask for a deal's output, under its type or each, share them."""
    project = project.with_deals(deal("a"), deal("b", kind="carveout"), deal("c", kind=None)).with_reasoner(COUNTING)
    outcome = run_matrix(project.with_file("tests/test_own.py", OWN_TEST), "tests", *arguments)
    assert outcome.closing == "15 passed", outcome.text
    calls = Counter((project.folder / "calls.txt").read_text().splitlines())
    types = ("acquisition", "carveout", "divestiture")
    assert calls == {f"{name} {deal_type}": 1 for name in "abc" for deal_type in types}


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        ("return {'offer': {'price': 1}, 'type': t.deal_type}", "carveout / acquisition, divestiture / acquisition"),
        (
            "return {'offer': {'price': 2 if t.deal_type == 'carveout' else 1}, 'type': t['kind']}",
            "divestiture / acquisition",
        ),
    ],
)
def test_a_type_that_never_reaches_the_code_is_found(project: Project, source: str, pairs: str) -> None:
    """No deal's output differs: that gates them all, also where the output repeats the type's name."""
    outcome = run_matrix(project.with_deals(*deals(3)).with_reasoner(f"def value(t):\n    {source}\n"))
    assert (outcome.code, outcome.action) == (1, "roll_back")
    assert set(outcome.statuses.values()) == {"regressed"}
    assert f"no deal's output differs between {pairs}" in outcome.text
    assert "the deal type does not reach the reasoner" in outcome.text


def test_a_part_of_the_deals_cannot_say_so(project: Project) -> None:
    """One deal whose type makes no difference may have nothing to differ in: not regressed, and no verdict."""
    project = project.with_deals(*deals(3)).with_reasoner("def value(t):\n    return {'offer': {'price': 1}}\n")
    part = run_matrix(project, "-k", "d2")
    assert (part.code, part.action, part.statuses) == (0, "none", {"d2": "changed"})
    assert "1 of 3 deals judged, all pass: no verdict for the rollout" in part.text


def test_a_rule_that_found_nothing_to_judge_is_never_green(project: Project) -> None:
    """A slip in a path judges no deal: inconclusive, with the rule named."""
    source = "def value(deal_id, deal_type):\n    return {'offer': {'price': ord(deal_type[0])}}\n"
    project = project.with_deals(*deals(2)).with_reasoner(source)
    outcome = run_matrix(project.with_settings('"offer.tsas" = "only carveout"', section="matrix.rules"))
    assert (outcome.code, outcome.action) == (1, "inconclusive")
    assert 'the matrix rule "offer.tsas" = "only carveout" found nothing to judge in any deal' in outcome.text
    assert run_matrix(project).action == "proceed"


LEDGER = """
[[accepted]]
deals = ["d3"]
metric = "price: carveout / acquisition"
range = [500, 700]
reason = "all of it is hosted by the parent"
who = "Deal desk"

[[accepted]]
deals = ["d1"]
metric = "price"
value = 100
reason = "of the gate"
who = "Deal desk"
"""


def test_the_ledger_takes_a_deviation_between_types(matrix: Project) -> None:
    """An entry whose metric names the types is the matrix run's; a gate's is neither asked nor stale here."""
    outcome = run_matrix(matrix.with_file("snapshots/accepted.toml", LEDGER))
    assert outcome.statuses == {**EXPECTED, "d3": "accepted"}
    assert "1 xfailed" in outcome.closing
    assert "stale" not in outcome.text
    gate = matrix.with_file("snapshots/accepted.toml", LEDGER.replace('"d1"', '"d9"')).capture()
    assert gate.code == 0
    stale = [note for note in matrix.gate().report["notes"] if "stale" in note]
    assert len(stale) == 1
    assert "of the gate" in stale[0]


def test_bad_rules_and_flags_are_usage_errors(matrix: Project) -> None:
    """The rule or the flag, where it stands, what is valid, what was meant; exit code 4."""
    wrong = matrix.with_config(matrix.config.replace('"price: carveout', '"pirce: carvout'))
    for project, arguments, words in (
        (wrong, ["--dealsnap", "--dealsnap-matrix"], ("[tool.dealsnap.matrix] rules", 'Did you mean "carveout"?')),
        (wrong, ["--dealsnap-update"], ("[tool.dealsnap.matrix] rules", 'Did you mean "carveout"?')),
        (matrix, ["--dealsnap-matrix"], ("--dealsnap-matrix goes with --dealsnap",)),
        (matrix, ["--dealsnap-update", "--dealsnap-matrix"], ("not with --dealsnap-update",)),
        (matrix.with_config(matrix.config.replace('aliases = { spinoff = "carveout" }', 'types = ["acquisition"]')),
         ["--dealsnap", "--dealsnap-matrix"], ("needs two types",)),
        (matrix.with_deals(), ["--dealsnap", "--dealsnap-matrix"], ("nothing to compare",)),
    ):  # fmt: skip
        outcome = project.run(*arguments)
        assert outcome.code == 4, outcome.text
        for word in words:
            assert word in outcome.text
        assert "Traceback" not in outcome.text


# It reads its database, and the type in it, by itself, from where a variable leads when it is imported.
READS_ITSELF = """
import os, sqlite3, sys

PATH = os.environ["BOOK"].removeprefix("sqlite:///")
FACTORS = {"acquisition": 1, "carveout": 2, "spinoff": 2, "divestiture": 3, None: 1}

def value(deal_id):
    [(kind, amount)] = sqlite3.connect(PATH).execute(
        "SELECT kind, amount FROM transactions WHERE deal_no = ?", [deal_id]
    )
    if kind == "carveout" and deal_id == "d4":
        sys.stdout.flush(); WHAT
    return {"offer": {"price": amount * FACTORS[kind], "tsa": int(kind in ("carveout", "spinoff"))}, "risks": []}
"""


@pytest.fixture
def by_itself(matrix: Project) -> Project:
    """The same deals, with a reasoner that is given no more than an id."""
    project = matrix.with_reasoner(READS_ITSELF.replace("WHAT", "raise ValueError('no TSA for d4')"))
    project = project.with_settings('database_env = "BOOK"', section="rehearsal")
    return project.with_environment(BOOK=f"sqlite:///{project.folder / 'book.db'}", TMPDIR=str(project.folder / "tmp"))


def scratch_left(project: Project) -> list[Path]:
    """What is left of scratch copies."""
    return [path for path in (project.folder / "tmp").rglob("*") if path.is_file()]


def checksum(project: Project) -> str:
    """Return the database's bytes, in short."""
    return hashlib.sha256((project.folder / "book.db").read_bytes()).hexdigest()


def test_a_reasoner_that_reads_the_type_itself_runs_on_copies(by_itself: Project) -> None:
    """One copy for each type, shared by all workers, its column changed; the original stays as it was."""
    (by_itself.folder / "tmp").mkdir(parents=True)
    before = checksum(by_itself.write())
    outcome = run_matrix(by_itself, "-n", "2")
    assert outcome.statuses == {**dict.fromkeys(EXPECTED, "matched"), "d4": "errored"}
    assert outcome.deal("d4")["error"]["message"] == "as carveout: no TSA for d4"
    assert outcome.action == "disable_flag", outcome.text
    assert checksum(by_itself) == before
    assert scratch_left(by_itself) == []


def test_a_copy_whose_process_dies_or_hangs_fails_one_deal(by_itself: Project) -> None:
    """A crash of the process, or a call that takes too long, is an error of its deal; the others are judged."""
    (by_itself.folder / "tmp").mkdir(parents=True)
    source = READS_ITSELF.replace("WHAT", "os._exit(1)").replace(
        "    return {",
        "    if kind == 'carveout' and deal_id == 'd6':\n        import time; time.sleep(600)\n    return {",
    )
    outcome = run_matrix(by_itself.with_reasoner(source), "--dealsnap-timeout", "2")
    assert outcome.deal("d4")["error"]["type"] == "BrokenProcessPool", outcome.text
    assert outcome.deal("d6")["error"]["type"] == "ReasonerTimeoutError"
    assert outcome.report["summary"]["matched"] == 6
    assert scratch_left(by_itself) == []


WRITES = """
import sqlite3

def value(deal_id):
    connection = sqlite3.connect(PATH)
    [(amount,)] = connection.execute("SELECT amount FROM transactions WHERE deal_no = ?", [deal_id])
    with connection:
        connection.execute("UPDATE transactions SET amount = 0 WHERE deal_no = ?", [deal_id])
    connection.close()
    return {"offer": {"price": amount, "tsa": 0}, "risks": []}
"""


@pytest.mark.parametrize("attached", [False, True])
def test_a_process_of_a_copy_cannot_open_the_original(by_itself: Project, attached: bool) -> None:
    """A reasoner that does not follow the variable to the copy would write the original: it is refused there."""
    (by_itself.folder / "tmp").mkdir(parents=True)
    original = str(by_itself.folder / "book.db")
    source = WRITES.replace("PATH", repr(original))
    if attached:
        opening = f"connection = sqlite3.connect(':memory:'); connection.execute(\"ATTACH '{original}' AS o\")"
        source = WRITES.replace("connection = sqlite3.connect(PATH)", opening)
    own = "def value(deal_id):\n    import os\n    if 'dealsnap-scratch' in os.environ['BOOK']:\n"
    own += "        return on_the_copy(deal_id)\n    return {'offer': {'price': 1, 'tsa': 0}, 'risks': []}\n"
    project = by_itself.with_reasoner(source.replace("def value", "def on_the_copy") + own)
    before = checksum(project.write())
    outcome = run_matrix(project)
    assert outcome.code == 1, outcome.text
    assert checksum(project) == before
    assert set(outcome.statuses.values()) == {"errored"}, outcome.text
    assert attached or "refused to open the original database" in outcome.text


def test_another_database_is_said_to_be_read(by_itself: Project) -> None:
    """Where the reasoner does not follow the variable, its deals fail on the copies, by what is to be done."""
    (by_itself.folder / "tmp").mkdir(parents=True)
    path = repr(str(by_itself.folder / "book.db"))
    deaf = by_itself.with_reasoner(READS_ITSELF.replace('os.environ["BOOK"]', path).replace("WHAT", "pass"))
    outcome = run_matrix(deaf.with_deals(deal("a"), deal("b")))
    assert outcome.code == 1
    assert set(outcome.statuses.values()) == {"errored"}
    message = outcome.deal("a")["error"]["message"]
    assert "does not read its database from the variable that rehearsal.database_env names" in message


def test_what_cannot_run_on_copies_is_said(by_itself: Project) -> None:
    """A type that the database refuses, a source of the user's own, an executor, a fixture: each with a way out."""
    (by_itself.folder / "tmp").mkdir(parents=True)
    checked = by_itself.with_schema(SCHEMA.replace("kind TEXT", "kind TEXT CHECK (kind <> 'divestiture')"))
    checked = checked.with_deals(deal("a"))
    own = by_itself.with_settings('source = "valuation:records"', section="deals").with_reasoner(
        READS_ITSELF + "\ndef records():\n    return [{'deal_no': 'a', 'title': '', 'kind': None}]\n"
    )
    for project, arguments, words in (
        (checked, (), ('refuses the type "divestiture"', "CHECK constraint failed", "leave out of deals.types")),
        (own, (), ("the deals do not come from a database", "Let it take deal_type")),
        (by_itself, ("--dealsnap-executor", "concurrent.futures:ThreadPoolExecutor"), ("leave the executor out",)),
    ):
        outcome = run_matrix(project, *arguments)
        assert outcome.code == 4, outcome.text
        for word in words:
            assert word in " ".join(outcome.text.split())
    fixture = "import pytest\n@pytest.fixture\ndef deal_reasoner():\n    return lambda deal_id: {}\n"
    outcome = run_matrix(by_itself.with_file("conftest.py", fixture))
    assert (outcome.code, outcome.action) == (1, "inconclusive")
    assert "the fixture deal_reasoner returns a reasoner that takes neither the deal nor its type" in outcome.text
    assert scratch_left(by_itself) == []


def test_a_fixture_that_takes_the_type_needs_no_copies(by_itself: Project) -> None:
    """A reasoner of a fixture is called with the types in turn."""
    fixture = """
import pytest

@pytest.fixture
def deal_reasoner(tmp_path):
    return lambda deal_id, deal_type: {"offer": {"price": ord(deal_type[0]), "tsa": deal_type == "carveout"}}
"""
    project = by_itself.with_file("conftest.py", fixture).with_config(by_itself.config.replace(RULES, ""))
    assert run_matrix(project).action == "proceed"


def test_an_ended_run_leaves_no_copy(by_itself: Project) -> None:
    """Terminated in the middle of a call, the run waits for nothing, drops its copies and says what was not judged."""
    (by_itself.folder / "tmp").mkdir(parents=True)
    ending = "import signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(600)"
    outcome = run_matrix(by_itself.with_reasoner(READS_ITSELF.replace("WHAT", ending)))
    assert outcome.code == 2, outcome.text
    assert "not judged" in outcome.text
    assert scratch_left(by_itself) == []
