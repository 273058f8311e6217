"""Deals, of which nobody demands a type."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The table as it is."""

    initial = True
    operations = (
        migrations.CreateModel(
            "Deal",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
                ("fee", models.IntegerField()),
                ("deal_type", models.CharField(max_length=20, null=True)),
            ],
            options={"db_table": "deals"},
        ),
    )
