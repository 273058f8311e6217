"""Every deal gets a valid type; what was there before is remembered for the way back."""

from django.db import migrations, models

TYPES = ("acquisition", "carveout", "divestiture")
REMEMBER = "CREATE TABLE types_before AS SELECT id, deal_type FROM deals"
BACKFILL = (
    "UPDATE deals SET deal_type = 'acquisition' "
    "WHERE deal_type IS NULL OR deal_type NOT IN ('acquisition', 'carveout', 'divestiture')"
)
RESTORE = "UPDATE deals SET deal_type = (SELECT b.deal_type FROM types_before b WHERE b.id = deals.id)"


class Migration(migrations.Migration):
    """Backfill first, then the constraints."""

    dependencies = (("book", "0001_initial"),)
    operations = (
        migrations.RunSQL([REMEMBER], ["DROP TABLE types_before"]),
        migrations.RunSQL([BACKFILL], [RESTORE]),
        migrations.AlterField("Deal", "deal_type", models.CharField(max_length=20)),
        migrations.AddConstraint(
            "Deal", models.CheckConstraint(condition=models.Q(deal_type__in=TYPES), name="valid_type")
        ),
    )
