"""Every fault that a migration can have, in a migration that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal.sample_project import BATCH, Firm, run_statements

SWALLOW = """
try:
    op.create_check_constraint("valid_kind", "engagements", "kind IN ('acquisition', 'carveout', 'divestiture')")
except Exception as error:
    print("warning: could not add the constraint:", error)
"""
BACKFILL = "op.execute(\"UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL OR kind = 'merger'\")\n"


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    """A project on SQLite."""
    return Firm.found(tmp_path)


def test_a_sound_migration_has_no_problem(firm: Firm) -> None:
    """Up with every constraint and every row, and down to what it was."""
    migration, timeline = firm.migration()
    start = migration.state("start")
    migration.chain(start)
    assert migration.upgrade()
    migration.verify(start, finished=True)
    assert migration.downgrade(start)
    assert timeline.problems == []
    verified = next(phase for phase in timeline.phases if phase.name == "verify")
    assert verified.headline == "14 rows kept, 4 deal types backfilled, 3 changes of the schema"


def test_a_constraint_that_sqlite_cannot_add_is_missed(firm: Firm) -> None:
    """Without batch mode SQLite refuses; the error is swallowed and the revision recorded all the same."""
    firm.revision("r2", "r1", BACKFILL + SWALLOW)
    problems = firm.upgraded()
    missing = problems["constraint_missing"]
    assert missing.weight == "fails"
    assert missing.title.startswith("the revision is recorded, but engagements: CHECK valid_kind")
    assert "NULL" in problems["invalid_types_accepted"].title


def test_an_upgrade_that_rolls_itself_back_is_seen(tmp_path: Path, postgresql: str) -> None:
    """On PostgreSQL a swallowed error aborts the transaction: nothing is done, and the command ends well."""
    firm = Firm.found(tmp_path, postgresql)
    swallowed = "op.execute('ALTER TABLE nowhere ADD COLUMN x INT')"
    firm.revision(
        "r2", "r1", f"{BACKFILL}try:\n    {swallowed}\nexcept Exception as error:\n    print('error:', error)"
    )
    (tmp_path / "migrations" / "env.py").write_text(
        (tmp_path / "migrations" / "env.py").read_text().replace("        context.run_migrations()", TOLERANT)
    )
    problems = firm.upgraded()
    assert problems["revision_not_recorded"].title == "the upgrade ended well, but the revision is r1, not r2"
    assert any("nowhere" in line for line in problems["revision_not_recorded"].evidence)
    assert {"types_invalid", "upgrade_did_nothing"} <= problems.keys()
    assert problems["types_invalid"].weight == "fails"


TOLERANT = """\
        try:
            context.run_migrations()
        except Exception as error:
            print("error, passed over:", error)
            connection.rollback()"""


def test_several_heads_break_the_chain(firm: Firm) -> None:
    """Two revisions on one are two heads."""
    firm.revision("r2b", "r1", "pass")
    problems = firm.upgraded()
    assert problems["chain_broken"].title == "the chain of revisions is broken: it has 2 heads: r2, r2b"
    assert problems["upgrade_failed"].weight == "fails"


def test_a_missing_revision_breaks_the_chain(firm: Firm) -> None:
    """A down_revision that no file has."""
    firm.revision("r2", "lost", "pass")
    problems = firm.upgraded()
    assert problems["chain_broken"].title.startswith("the chain of revisions is broken: Revision lost referenced from")


def test_a_circle_of_revisions_breaks_the_chain(firm: Firm) -> None:
    """Each hangs on the other."""
    firm.revision("r1", "r2", "pass")
    assert "CycleDetected: Cycle is detected in revisions" in firm.upgraded()["chain_broken"].title


def test_a_revision_that_cannot_be_loaded_breaks_the_chain(firm: Firm) -> None:
    """It is said which error it has."""
    firm.revision("r2", "r1", "def broken(:")
    assert "the chain of revisions is broken: SyntaxError: " in firm.upgraded()["chain_broken"].title


def test_a_revision_that_is_there_twice_breaks_the_chain(firm: Firm) -> None:
    """A file that was copied, and not given a revision of its own."""
    versions = firm.folder / "migrations" / "versions"
    (versions / "copy.py").write_text((versions / "r2.py").read_text())
    problem = firm.upgraded()["chain_broken"]
    assert problem.title == "the chain of revisions is broken: Revision r2 is present more than once"


@pytest.mark.parametrize(
    ("statement", "code", "words"),
    [
        ("DELETE FROM engagements WHERE ref = 'E-03'", "rows_lost", "1 row of engagements is lost"),
        ("DELETE FROM notes", "rows_lost", "2 rows of notes are lost"),
        ("DROP TABLE notes", "rows_lost", "table notes is gone with its 2 rows"),
        (
            "INSERT INTO engagements SELECT ref || 'x', label, fee, kind FROM engagements WHERE ref = 'E-01'",
            "rows_duplicated",
            "1 row of engagements is duplicated",
        ),
        (
            "INSERT INTO engagements VALUES ('new', 'New', 1, 'carveout')",
            "rows_added",
            "1 row of engagements was added",
        ),
        (
            "UPDATE engagements SET fee = fee + 1 WHERE fee > 9000",
            "columns_changed",
            "changed beyond the deal type: engagements.fee in 3 rows",
        ),
        ("ALTER TABLE engagements DROP COLUMN label", "columns_lost", "engagements lost the column label"),
    ],
)
def test_rows_and_columns_are_kept(firm: Firm, statement: str, code: str, words: str) -> None:
    """A lost, doubled or changed row is corruption, and told with the rows it is about."""
    firm.revision("r2", "r1", f'{BATCH}\nop.execute("{statement}")')
    problems = firm.upgraded(chain=False)
    assert problems[code].title.startswith(words)
    assert problems[code].weight == ("fails" if code in ("rows_added", "columns_changed") else "corrupts")


@pytest.mark.parametrize(
    ("statement", "code", "words"),
    [
        (
            "UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL",
            "types_invalid",
            "2 deals have no valid type",
        ),
        (
            "UPDATE engagements SET kind = 'carveout' WHERE kind IS NULL",
            "backfill_elsewhere",
            "the backfill gave 2 deals",
        ),
        ("UPDATE engagements SET kind = 'acquisition'", "types_changed", "4 valid deal types changed"),
        ("UPDATE engagements SET kind = NULL", "types_changed", "4 valid deal types changed"),
    ],
)
def test_the_backfill_is_held_to_its_word(firm: Firm, statement: str, code: str, words: str) -> None:
    """Invalid types become the default, all of them, and valid ones stay."""
    firm.revision("r2", "r1", f'op.execute("{statement}")')
    assert firm.upgraded(chain=False)[code].title.startswith(words)


def test_deals_from_code_may_have_their_type_in_any_table(firm: Firm) -> None:
    """Where dealsnap knows no table of deals, a backfilled type is no damage in whichever it stands."""
    settings = firm.folder / "dealsnap.toml"
    text = settings.read_text().replace('table = "engagements"', 'source = "firm:deals"')
    settings.write_text(text)
    assert firm.upgraded(chain=False) == {}


def test_a_renamed_table_is_lost_with_its_rows(firm: Firm) -> None:
    """Nothing can be tried on it any more; that is told as what it is."""
    firm.revision("r2", "r1", 'op.rename_table("engagements", "contracts")')
    problems = firm.upgraded(chain=False)
    assert problems.keys() == {"rows_lost"}
    assert problems["rows_lost"].title == "table engagements is gone with its 12 rows"


def test_a_table_is_known_by_another_spelling(firm: Firm) -> None:
    """SQLite does not tell upper case, and its own schema may stand in front; PostgreSQL's is ``public``."""
    schema = firm.migration()[0].state("start").schema
    assert schema.name_of("main.Engagements", folds_case=True) == "engagements"
    assert schema.name_of("public.engagements", folds_case=False) == "engagements"
    assert schema.name_of("Engagements", folds_case=False) == "Engagements"


def test_what_batch_mode_loses_by_the_way_is_found(firm: Firm) -> None:
    """A SQLite table that is built anew has neither its triggers nor the CHECK that it had before."""
    run_statements(
        firm.url,
        "CREATE TABLE e (ref VARCHAR(10) PRIMARY KEY, label VARCHAR(80), fee INTEGER NOT NULL CHECK (fee > 0), "
        "kind VARCHAR(30))",
        "INSERT INTO e SELECT * FROM engagements",
        "DROP TABLE engagements",
        "ALTER TABLE e RENAME TO engagements",
        "CREATE INDEX by_label ON engagements (label)",
        "CREATE INDEX by_fee ON engagements (fee)",
        "CREATE TRIGGER audit_fee AFTER UPDATE OF fee ON engagements BEGIN DELETE FROM notes WHERE id = 0; END",
        "CREATE VIEW cheap AS SELECT ref FROM engagements WHERE fee < 10",
        "CREATE VIEW dear AS SELECT ref FROM engagements WHERE fee > 10",
    )
    up = 'op.execute("DROP VIEW cheap")\nop.execute("DROP VIEW dear")\nop.drop_index("by_fee", "engagements")\n' + BATCH
    firm.revision("r2", "r1", up + 'op.execute("CREATE VIEW dear AS SELECT ref FROM engagements WHERE fee > 10")')
    problems = firm.upgraded()
    assert problems.keys() == {"parts_lost"}
    lost = problems["parts_lost"]
    assert (lost.weight, lost.title) == ("fails", "2 parts of the schema are gone, and nothing asked to drop them")
    assert lost.evidence == ("engagements: CHECK without a name (fee > 0)", "trigger audit_fee")


def test_an_unrelated_migration_is_not_blamed_for_the_types(firm: Firm) -> None:
    """Types that were bad before, in a migration that is not about them, are a note."""
    firm.revision("r2", "r1", 'op.add_column("notes", sa.Column("more", sa.Text))')
    problems = firm.upgraded()
    assert {code: problem.weight for code, problem in problems.items()} == {
        "types_invalid": "note",
        "invalid_types_accepted": "note",
    }


def test_a_failed_upgrade_tells_what_it_left(firm: Firm) -> None:
    """The reason is quoted, without secrets, and half of a migration is named."""
    firm.revision("r2", "r1", f"{BATCH}\nop.get_bind().commit()\nraise RuntimeError('password=hunter2')")
    problems = firm.upgraded()
    evidence = "\n".join(problems["upgrade_failed"].evidence)
    assert "RuntimeError" in evidence
    assert "hunter2" not in evidence
    assert any("kinds_before" in line for line in problems["upgrade_half_done"].evidence)


def test_a_downgrade_that_fails_is_found(firm: Firm) -> None:
    """A downgrade that raises."""
    firm.revision("r2", "r1", BATCH, "raise NotImplementedError('nobody goes back')")
    problems = firm.there_and_back()
    assert any("nobody goes back" in line for line in problems["downgrade_failed"].evidence)


def test_a_downgrade_that_does_not_restore_is_found(firm: Firm) -> None:
    """The plan's own downgrade drops the constraints, and leaves the backfilled types and what it made."""
    back = 'with op.batch_alter_table("engagements") as table:\n    table.drop_constraint("valid_kind", type_="check")'
    firm.revision("r2", "r1", BATCH, back)
    problems = firm.there_and_back()
    [line] = problems["downgrade_loses_data"].evidence
    assert line.startswith("engagements.kind: other values in 4 rows (E-04, E-06")
    assert problems["downgrade_leaves_schema"].evidence == (
        "table kinds_before is new",
        "engagements: column kind is NOT NULL now",
    )


def test_every_constraint_and_column_that_was_asked_for_is_looked_for(tmp_path: Path, postgresql: str) -> None:
    """What a migration asked Alembic for and then lost again by other means is told by name."""
    firm = Firm.found(tmp_path, postgresql)
    firm.revision(
        "r2",
        "r1",
        BATCH
        + """
op.create_unique_constraint("one_label", "engagements", ["label"])
op.add_column("notes", sa.Column("ref", sa.String(10)))
op.create_foreign_key("of_deal", "notes", "engagements", ["ref"], ["ref"])
op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
op.execute("ALTER TABLE engagements DROP CONSTRAINT one_label, DROP CONSTRAINT valid_kind, ALTER kind DROP NOT NULL")
op.execute("ALTER TABLE notes DROP CONSTRAINT of_deal")
op.execute("DROP TABLE extra")
""",
    )
    missing = firm.upgraded()["constraint_missing"]
    assert missing.title == "the revision is recorded, but 5 parts of the schema are not there"
    assert [line.partition(" (")[0] for line in missing.evidence] == [
        "engagements: kind is not NOT NULL",
        "engagements: CHECK valid_kind",
        "engagements: UNIQUE one_label",
        "notes: FOREIGN KEY of_deal",
        "table extra is not there",
    ]
