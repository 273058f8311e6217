"""A small firm's project, whose rollout is rehearsed: its own table, flag, migration and reasoner.

Nothing is named or shaped like the example system: engagements with text references, a flag called
``KINDS_COUNT``, a database that the application reads from ``FIRM_DB``.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from pytest_dealsnap.config import Config
from pytest_dealsnap.model.rehearsals import Problem
from pytest_dealsnap.rehearsal.flag_checks import FlagChecks
from pytest_dealsnap.rehearsal.migration import Migration
from pytest_dealsnap.rehearsal.rollout import Rollout
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.timeline import Timeline
from tests.builders import configure
from tests.cli.console import Answer, dealsnap
from tests.plugin.project import BASE_ARGUMENTS

__all__ = ["BATCH", "REASONER", "Firm", "run_statements"]

SETTINGS = """
database = "{url}"
reasoner = "firm:answer"
[deals]
table = "engagements"
id = "ref"
name = "label"
type = "kind"
[metrics]
price = "offer.price"
[rules.acquisition]
price = "within 5%"
[rules.carveout]
price = "ratio 1.5..3.0"
[rules.divestiture]
price = "report"
[rehearsal]
flag = "KINDS_COUNT"
flag_off = "no"
flag_on = "yes"
database_env = "FIRM_DB"
{rehearsal}
"""

REASONER = """
import os
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

ENGINE = create_engine(os.environ["FIRM_DB"], poolclass=NullPool)  # read at import, as many do
AWARE = os.environ.get("KINDS_COUNT") == "yes"


def answer(deal_id):
    with ENGINE.connect() as connection:
        fee, kind = connection.execute(text("SELECT fee, kind FROM engagements WHERE ref = :r"), {"r": deal_id}).one()
    factor = {"carveout": 2, "divestiture": 3}.get(kind, 1) if AWARE else 1
    return {"offer": {"price": fee * factor}, "memo": "as signed"}
"""

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

with create_engine(os.environ["FIRM_DB"], poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
"""

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}


def upgrade():
{up}


def downgrade():
{back}
"""

REMEMBER = """
op.execute("CREATE TABLE kinds_before AS SELECT ref, kind FROM engagements")
op.execute("UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL "
           "OR kind NOT IN ('acquisition', 'carveout', 'divestiture')")
"""
CONSTRAIN = """
with op.batch_alter_table("engagements") as table:
    table.alter_column("kind", existing_type=sa.String(30), nullable=False)
    table.create_check_constraint("valid_kind", "kind IN ('acquisition', 'carveout', 'divestiture')")
"""
BATCH = REMEMBER + CONSTRAIN
BACK = """
with op.batch_alter_table("engagements") as table:
    table.drop_constraint("valid_kind", type_="check")
    table.alter_column("kind", existing_type=sa.String(30), nullable=True)
op.execute("UPDATE engagements SET kind = (SELECT b.kind FROM kinds_before b WHERE b.ref = engagements.ref)")
op.execute("DROP TABLE kinds_before")
"""
# A rehearsal has many runs, each without the plugins that it has no use for.
QUICK = {"PYTEST_ADDOPTS": " ".join(BASE_ARGUMENTS)}
KINDS = ("acquisition", "carveout", "divestiture", None, "acquisition", "merger")


def run_statements(url: str, *statements: str) -> None:
    """Run statements in a database, as its owner would."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@dataclass(frozen=True)
class Firm:
    """The project's folder and database."""

    folder: Path
    url: str

    @classmethod
    def found(cls, folder: Path, url: str | None = None, *, rehearsal: str = "", reasoner: str = REASONER) -> Firm:
        """Make the project, with a dozen engagements at revision ``r1``, and a sound migration to ``r2``."""
        firm = cls(folder, url or f"sqlite:///{folder / 'firm.db'}")
        (folder / "migrations" / "versions").mkdir(parents=True)
        (folder / "migrations" / "env.py").write_text(ENV)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n")
        (folder / "firm.py").write_text(reasoner)
        (folder / "dealsnap.toml").write_text(SETTINGS.format(url=firm.url, rehearsal=rehearsal))
        firm.revision("r1", None, "pass")
        firm.revision("r2", "r1", BATCH, BACK)
        rows = ", ".join(
            f"('E-{n:02}', 'Firm <{n}>', {1000 * n}, {repr(kind) if kind else 'NULL'})"
            for n, kind in enumerate(KINDS * 2, start=1)
        )
        run_statements(
            firm.url,
            "CREATE TABLE engagements "
            "(ref VARCHAR(10) PRIMARY KEY, label VARCHAR(80), fee INTEGER NOT NULL, kind VARCHAR(30))",
            f"INSERT INTO engagements VALUES {rows}",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)",
            "INSERT INTO notes VALUES (1, 'one'), (2, 'two')",
            "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
            "INSERT INTO alembic_version VALUES ('r1')",
        )
        return firm

    def revision(self, revision: str, down: str | None, up: str, back: str = "pass") -> None:
        """Write a revision of the migration."""
        bodies = {"up": textwrap.indent(up.strip(), "    "), "back": textwrap.indent(back.strip(), "    ")}
        source = REVISION.format(revision=revision, down=down, **bodies)
        (self.folder / "migrations" / "versions" / f"{revision}.py").write_text(source)

    def config(self) -> Config:
        """Return the project's configuration."""
        return configure(self.folder, (self.folder / "dealsnap.toml").read_text())

    def migration(self) -> tuple[Migration, Timeline]:
        """Return the migration on the firm's own database, which stands for a scratch copy."""
        config = self.config()
        timeline = Timeline(lambda line: None)
        step_environment = StepEnvironment(config, "sqlite:///nowhere.db", self.url, self.folder, 60, lambda line: None)
        return Migration(step_environment, Rollout.of(config), timeline), timeline

    def answers(self, *, timeout: float = 120) -> tuple[FlagChecks, Timeline]:
        """Return the answers of the project on the firm's own database, which stands for a scratch copy."""
        timeline = Timeline(lambda line: None)
        step_environment = StepEnvironment(
            self.config(), "sqlite:///nowhere.db", self.url, self.folder, timeout, lambda line: None
        )
        return FlagChecks(step_environment, timeline, ()), timeline

    def upgraded(self, *, chain: bool = True) -> dict[str, Problem]:
        """Upgrade, look at what that left, and return the problems by their code."""
        migration, timeline = self.migration()
        start = migration.state("start")
        if chain:
            migration.chain(start)
        finished = migration.upgrade()
        migration.verify(start, finished=finished)
        return {problem.code: problem for problem in timeline.problems}

    def there_and_back(self) -> dict[str, Problem]:
        """Upgrade and downgrade, and return the problems of the downgrade by their code."""
        migration, timeline = self.migration()
        start = migration.state("start")
        assert migration.upgrade()
        migration.downgrade(start)
        return {problem.code: problem for problem in timeline.problems}

    def rehearse(self, *arguments: str, **environment: str) -> tuple[Answer, dict[str, Any]]:
        """Rehearse as a user would; return what the command said, and its JSON report."""
        report = self.folder / "rehearsal.json"
        words = ("rehearse", "--report", f"json:{report}", *arguments)
        answer = dealsnap(self.folder, *words, **QUICK, **environment)
        return answer, json.loads(report.read_text()) if report.exists() else {}
