"""The reasoner needs Django: it is a fixture, not a name in the configuration."""

import os
from collections.abc import Callable

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")


@pytest.fixture(scope="session")
def deal_reasoner() -> Callable[[str], dict[str, object]]:
    """Return what computes a deal's price, by Django's models and settings."""
    django.setup()
    from book.models import Deal
    from django.conf import settings

    factors = {"carveout": 2, "divestiture": 3} if settings.DEAL_TYPES_COUNT else {}

    def price(deal_id: str) -> dict[str, object]:
        deal = Deal.objects.get(pk=deal_id)
        return {"price": deal.fee * factors.get(deal.deal_type, 1)}

    return price
