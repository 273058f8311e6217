"""Every deal gets a valid type; what was there before is remembered for the way back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
VALID = "deal_type IN ('acquisition', 'carveout', 'divestiture')"


def upgrade() -> None:
    """Backfill first, then the constraints."""
    op.execute("CREATE TABLE types_before AS SELECT id, deal_type FROM deals")
    op.execute(f"UPDATE deals SET deal_type = 'acquisition' WHERE deal_type IS NULL OR NOT {VALID}")
    with op.batch_alter_table("deals") as table:
        table.alter_column("deal_type", existing_type=sa.String(20), nullable=False)
        table.create_check_constraint("valid_type", VALID)


def downgrade() -> None:
    """Take the constraints away, and bring the old types back."""
    with op.batch_alter_table("deals") as table:
        table.drop_constraint("valid_type", type_="check")
        table.alter_column("deal_type", existing_type=sa.String(20), nullable=True)
    op.execute("UPDATE deals SET deal_type = (SELECT b.deal_type FROM types_before b WHERE b.id = deals.id)")
    op.execute("DROP TABLE types_before")
