"""The deals of the book."""

from django.db import models

TYPES = ("acquisition", "carveout", "divestiture")


class Deal(models.Model):
    """One deal."""

    name = models.CharField(max_length=80)
    fee = models.IntegerField()
    deal_type = models.CharField(max_length=20)

    class Meta:
        """Its table, and the types that it may hold."""

        db_table = "deals"
        constraints = (models.CheckConstraint(condition=models.Q(deal_type__in=TYPES), name="valid_type"),)
