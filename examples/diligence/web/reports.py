"""A deal's report for the web side: the reasoner in the session of the request, watched by the metrics."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from examples.diligence import analysis_runner, flags, metrics
from examples.diligence.deal_types import effective_deal_type
from examples.diligence.models import Deal

from .extensions import db

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What the reasoner said, and whether it was to follow the deal's type."""

    output: dict[str, Any]
    aware: bool


def report_of(deal: Deal) -> Report:
    """Reason about a deal; what fails is counted and logged before it is raised again."""
    deal_id, deal_type = deal.id, effective_deal_type(deal.deal_type).value
    try:
        aware = flags.deal_type_awareness()
        metrics.flag_evaluation(aware)
        return Report(analysis_runner.report(db.session(), deal_id, aware=aware), aware)
    except Exception as error:
        metrics.cost_calculation_error(deal_type)
        facts = {"deal_id": deal_id, "deal_type": deal_type, "error": type(error).__name__}
        message = "Cost calculation error: deal_id=%d, deal_type=%s, error=%s"
        logger.error(message, *facts.values(), extra={"facts": facts})
        raise
