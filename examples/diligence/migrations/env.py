"""How Alembic reaches the database: DATABASE_URL, or the URL a caller put into the configuration."""

from __future__ import annotations

import os
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from examples.diligence import faults
from examples.diligence.database import VARIABLE
from examples.diligence.faults import Fault
from examples.diligence.migrations.dropped_deal import drop_a_deal
from examples.diligence.models import Base


def engine() -> Engine:
    """An engine whose transactions cover the schema too, on SQLite as on PostgreSQL."""
    url = context.config.attributes.get("url") or os.environ.get(VARIABLE)
    if not url:
        raise CommandError(f"set {VARIABLE} to the database to migrate, such as sqlite:///deals.db")
    target = create_engine(url, poolclass=NullPool)
    if target.dialect.name == "sqlite":
        # The driver would commit before CREATE and DROP: take the transaction into our own hands.
        event.listen(target, "connect", lambda dbapi, _: setattr(dbapi, "isolation_level", None))
        event.listen(target, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return target


def on_version_apply(ctx: MigrationContext, step: MigrationInfo, heads: Any, run_args: Any) -> None:
    """Let the fault `dropped_deal` strike while the types are migrated."""
    broken = context.config.attributes.get("broken", faults.active())
    if Fault.DROPPED_DEAL in broken and step.is_upgrade and step.up_revision_id == "0002":
        assert ctx.connection is not None
        drop_a_deal(ctx.connection)


def is_of_the_models(name: str | None, kind: str, parents: object) -> bool:
    """Whether autogeneration looks at it: the memory of a backfill is no table that a model has lost."""
    return kind != "table" or name in Base.metadata.tables


def run(connection: Connection) -> None:
    """Run the migrations on an open connection, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        include_name=is_of_the_models,
        on_version_apply=on_version_apply,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise CommandError("no script can be written: which rows a migration changes is read from the database itself")
with engine().connect() as connection:
    run(connection)
