"""Every deal has a valid type: backfill what is NULL or invalid, then let the database insist on it.

What the backfill replaced is remembered in `deal_type_backfill`, so that the downgrade can put it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"

VALID = ("acquisition", "carveout", "divestiture")
DEFAULT = "acquisition"
IS_VALID = sa.text("deal_type IN ('acquisition', 'carveout', 'divestiture')")

deals = sa.table("deals", sa.column("id", sa.Integer()), sa.column("deal_type", sa.String(50)))
backfill = sa.table("deal_type_backfill", sa.column("deal_id", sa.Integer()), sa.column("deal_type", sa.String(50)))


def upgrade() -> None:
    """Backfill, remember, constrain; say which rows changed."""
    bind = op.get_bind()
    _keep_others_out(bind)
    op.create_table(
        "deal_type_backfill",
        sa.Column("deal_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("deal_type", sa.String(50)),
    )
    needs_backfill = deals.c.deal_type.is_(None) | deals.c.deal_type.not_in(VALID)
    replaced = bind.execute(sa.select(deals.c.id, deals.c.deal_type).where(needs_backfill).order_by(deals.c.id)).all()
    op.bulk_insert(backfill, [{"deal_id": deal_id, "deal_type": stored} for deal_id, stored in replaced])
    bind.execute(sa.update(deals).where(needs_backfill).values(deal_type=DEFAULT))
    _say(f"{len(replaced)} deals without a valid type are now of type {DEFAULT}", replaced)
    with op.batch_alter_table("deals") as table:
        table.alter_column("deal_type", existing_type=sa.String(50), nullable=False)
        table.create_check_constraint("valid_deal_type", IS_VALID)


def downgrade() -> None:
    """Drop the constraints; restore what the backfill replaced, unless the deal was retyped since."""
    bind = op.get_bind()
    _keep_others_out(bind)
    with op.batch_alter_table("deals") as table:
        table.drop_constraint("valid_deal_type", type_="check")
        table.alter_column("deal_type", existing_type=sa.String(50), nullable=True)
    restorable = (backfill.c.deal_id == deals.c.id) & (deals.c.deal_type == DEFAULT)
    restored = bind.execute(
        sa.select(backfill.c.deal_id, backfill.c.deal_type).where(restorable).order_by(backfill.c.deal_id)
    ).all()
    before = sa.select(backfill.c.deal_type).where(backfill.c.deal_id == deals.c.id).scalar_subquery()
    recomputed = (deals.c.deal_type == DEFAULT) & deals.c.id.in_(sa.select(backfill.c.deal_id))
    bind.execute(sa.update(deals).where(recomputed).values(deal_type=before))
    _say(f"{len(restored)} deals have the type back that the backfill had replaced", restored)
    op.drop_table("deal_type_backfill")


def _keep_others_out(bind: sa.Connection) -> None:
    # A deal stored between two of the steps would be backfilled, but not remembered. SQLite is locked as it is.
    if bind.dialect.name == "postgresql":
        bind.execute(sa.text("LOCK TABLE deals"))


def _say(headline: str, rows: Sequence[sa.Row[Any, Any]]) -> None:
    context.config.print_stdout("%s", headline)
    for stored, count in sorted(Counter(repr(row.deal_type) for row in rows).items()):
        ids = ", ".join(str(row[0]) for row in rows if repr(row.deal_type) == stored)
        context.config.print_stdout("  %s: %s (ids %s)", stored, count, ids)
