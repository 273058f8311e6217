"""Hostile ids, names and messages: they stay inside their folder, and reach nobody's terminal unescaped."""

from __future__ import annotations

import re

import pytest

from tests.plugin.project import Outcome, Project, deal

IDS = (
    "../../x",
    "/etc/passwd",
    "a" * 300,
    "Acme",
    "acme",
    "tab\there",
    "esc\x1b[31mred",
    "::error::stop",
    "[x]",
    "two\nlines",
    "🚀",
    "con",
    ".hidden",
    "",
    "-rf",
    "d1::x",
    "%",
    "back\\slash",
    "9f1c0c0e-8a3b-4f6d-9a51-0d6b4c7e1a22",
)
NAME = "Evil\x1b]0;owned\x07\u202e <script>alert(1)</script>\n::error::owned & \x00\x9b31m"
LEAKS = """
def value(transaction):
    if PASS:
        return {"offer": {"price": 100}, "risks": [], "memo": "\\x1b[31m\\u202e"}
    raise ConnectionError(
        "cannot reach postgresql://ana:s3cr3t-one@db/x?password=s3cr3t-two\\x1b[2J\\n::error::owned\\x9b31m"
    )
"""
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Outcome, Outcome]:
    """A project with every hostile id, its capture, and a gate in which every deal fails."""
    project = Project(tmp_path_factory.mktemp("hostile")).with_deals(*(deal(name, title=NAME) for name in IDS))
    capture = project.with_reasoner(LEAKS.replace("PASS", "True")).capture("-v")
    failing = project.with_reasoner(LEAKS.replace("PASS", "False"))
    gate = failing.gate("-v", "--junitxml", "junit.xml", "--tb=long", "--color=no")
    return failing, capture, gate


def test_every_id_has_a_file_of_its_own_inside_the_folder(hostile: tuple[Project, Outcome, Outcome]) -> None:
    """No id leaves the folder, no two share a file, also where case is folded; and each is found again."""
    project, capture, _ = hostile
    assert capture.code == 0, capture.text
    files = [name for name in project.snapshots() if not name.startswith("..")]
    assert len({name.casefold() for name in files}) == len(files) == len(IDS)
    assert all(len(part) <= 255 for name in files for part in name.split("/"))
    assert {path.name for path in project.folder.iterdir()} <= {
        "snapshots", "book.db", "valuation.py", "pyproject.toml", "report.json", "junit.xml", "__pycache__",
        ".pytest_cache",
    }  # fmt: skip
    assert set(capture.statuses) == set(IDS)
    gate = project.with_reasoner(LEAKS.replace("PASS", "True")).gate()
    assert (gate.code, gate.report["summary"]["matched"]) == (0, len(IDS)), gate.text


def test_no_control_character_reaches_a_terminal(hostile: tuple[Project, Outcome, Outcome]) -> None:
    """Ids, names and messages are escaped: no escape sequence, no text-direction override, no forged line."""
    for outcome in hostile[1:]:
        assert not UNSAFE.findall(outcome.text)
        assert not [line for line in outcome.text.splitlines() if line.startswith("::")]
    gate = hostile[2]
    assert "deals::test_deal[acquisition-esc\\x1b[31mred] FAILED (errored)" in gate.text
    assert "deals::test_deal[acquisition-two\\nlines]" in gate.text or "acquisition-two\\x0alines" in gate.text


def test_no_secret_reaches_a_file_or_a_terminal(hostile: tuple[Project, Outcome, Outcome]) -> None:
    """A driver's message that quotes a connection string is masked in every place."""
    project, _, gate = hostile
    assert gate.statuses == dict.fromkeys(IDS, "errored")
    message = gate.deal("Acme")["error"]["message"]
    assert message.startswith("cannot reach postgresql://ana:***@db/x?password=***")
    recorded = project.with_deals(deal("z"), deal("y")).capture()
    texts = [gate.text, recorded.text, *(data.decode() for data in project.snapshots().values())]
    texts += [str(data) for data in (gate.report_bytes, gate.junit_bytes, recorded.report_bytes)]
    assert not [text for text in texts if "s3cr3t" in text]
    assert "***" in project.snapshot("z")["error"]["message"]


def test_junit_is_well_formed_with_any_name(hostile: tuple[Project, Outcome, Outcome]) -> None:
    """The JUnit file parses, holds each deal once, and says why it failed."""
    cases = hostile[2].junit
    assert len(cases) == len(IDS)
    assert all(case.find("failure") is not None for case in cases.values())


def test_ids_are_given_back_as_they_are_shown(hostile: tuple[Project, Outcome, Outcome]) -> None:
    """An id from the report selects by `--dealsnap-id`, a node id from the terminal by argument, and by `--lf`."""
    project, _, gate = hostile
    nodeids = re.findall(r"^(deals::.*\]) FAILED", gate.text, re.MULTILINE)
    assert len(nodeids) == len(IDS)
    again = project.gate(*nodeids)
    assert set(again.statuses) == set(IDS), again.text
    chosen = ("../../x", "two\nlines", "")
    by_id = project.gate(*(f"--dealsnap-id={name}" for name in chosen))
    assert set(by_id.statuses) == set(chosen)


def test_the_url_of_the_database_is_shown_without_its_secrets(project: Project) -> None:
    """Password and token of the database's URL are masked, also in the error that it cannot be reached."""
    url = "postgresql://ana:s3cr3t-one@127.0.0.1:1/book?sslpassword=s3cr3t-two"
    outcome = project.with_deals(deal("a")).capture("--dealsnap-database", url)
    assert outcome.code == 4
    assert "s3cr3t" not in outcome.text
    assert "postgresql://ana:***@127.0.0.1:1/book" in outcome.text
