"""``dealsnap doctor``: what is not right is said with what to do, before anything is captured or rehearsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import Answer, dealsnap
from tests.rehearsal.sample_project import QUICK, REASONER, Firm


def doctor(folder: Path, *arguments: str) -> Answer:
    """Let the doctor look at the project in *folder*."""
    return dealsnap(folder, "doctor", *arguments, **QUICK)


def line(answer: Answer, check: str) -> str:
    """Return what was said of *check*, without its mark."""
    [found] = [text for text in answer.out.splitlines() if text[6:].startswith(f"{check}: ")]
    return found


@pytest.mark.slow
def test_a_sound_project_is_well(tmp_path: Path) -> None:
    """Each check says what it saw; nothing but the scratch copy was opened by a step."""
    Firm.found(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    answer = doctor(tmp_path)
    assert answer.code == 0, answer.out + answer.err
    assert line(answer, "write protection") == "ok    write protection: the database refuses writes"
    assert line(answer, "database") == "ok    database: 12 deals"
    assert line(answer, "migration tool") == "ok    migration tool: Alembic, alembic.ini"
    assert line(answer, "flag") == "ok    flag: KINDS_COUNT, named in firm.py"
    assert line(answer, "reasoner").startswith("ok    reasoner: deal E-")
    assert "alembic current and the reasoner opened the copy" in line(answer, "preflight")
    assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in path.parts] == [
        path for path in before if "__pycache__" not in path.parts
    ]


@pytest.mark.slow
def test_what_keeps_a_rehearsal_from_working_is_said(tmp_path: Path) -> None:
    """A reasoner that takes the deal for its id, a flag that nobody reads, a tool that is not there."""
    reasoner = REASONER.replace("def answer(deal_id):", "def answer(deal):\n    deal_id = deal").replace(
        "KINDS_COUNT", "X"
    )
    Firm.found(tmp_path, rehearsal='upgrade = "no-such-tool up"', reasoner=reasoner)
    answer = doctor(tmp_path)
    assert answer.code == 1
    assert line(answer, "flag") == "FIX   flag: no Python file of the project names KINDS_COUNT"
    assert line(answer, "migration tool") == "FIX   migration tool: no-such-tool is not in PATH"
    assert "call its parameter deal_id" in line(answer, "reasoner")
    assert answer.out.splitlines()[-1] == "3 to fix"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reasoner = 7", "FIX   configuration: "),
        ("", "FIX   database: none is configured"),
        ('database = "sqlite:///none.db"', "FIX   database: "),
    ],
)
def test_a_project_that_cannot_begin_is_told_the_first_step(tmp_path: Path, text: str, words: str) -> None:
    """Without a database, nothing else can be tried."""
    (tmp_path / "dealsnap.toml").write_text(text)
    answer = doctor(tmp_path, "--no-copy")
    assert answer.code == 1
    assert words in answer.out


def test_what_is_recognized_is_offered(tmp_path: Path) -> None:
    """A project whose migrations are not configured is told by which settings they would be."""
    Firm.found(tmp_path)
    (tmp_path / "alembic.ini").rename(tmp_path / "migrations" / "alembic.ini")
    answer = doctor(tmp_path, "--no-copy")
    assert answer.code == 0
    assert 'alembic = "migrations/alembic.ini"' in answer.out
    assert "reasoner: not tried: --no-copy" in answer.out
