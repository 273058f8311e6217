"""The schema before deal types were taken seriously: any text may stand in the type, or nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the deals, their inventories and their planned work."""
    op.create_table(
        "deals",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("target_name", sa.String(255), nullable=False),
        sa.Column("buyer_name", sa.String(255)),
        sa.Column("parent_name", sa.String(255)),
        sa.Column("deal_type", sa.String(50)),
        sa.Column("status", sa.String(20), nullable=False, server_default="active"),
        sa.Column("tsa_months", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "inventory_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("deal_id", sa.Integer(), sa.ForeignKey("deals.id"), nullable=False, index=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("domain", sa.String(30), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("side", sa.String(10), nullable=False, server_default="target"),
        sa.Column("category", sa.String(50), nullable=False, server_default=""),
        sa.Column("vendor", sa.String(100), nullable=False, server_default=""),
        sa.Column("complexity", sa.String(10), nullable=False, server_default="medium"),
        sa.Column("annual_cost", sa.Integer()),
        sa.Column("user_count", sa.Integer()),
        sa.Column("hosted_by", sa.String(10), nullable=False, server_default="own"),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "work_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("deal_id", sa.Integer(), sa.ForeignKey("deals.id"), nullable=False, index=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("domain", sa.String(30), nullable=False),
        sa.Column("effort_hours", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """Drop everything."""
    op.drop_table("work_items")
    op.drop_table("inventory_items")
    op.drop_table("deals")
