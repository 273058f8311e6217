"""Deals, of which nobody demands a type."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80)),
        sa.Column("fee", sa.Integer, nullable=False),
        sa.Column("deal_type", sa.String(20)),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("deals")
