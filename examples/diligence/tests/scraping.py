"""What a scraper sees of the application, and what makes it see something."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from flask.testing import FlaskClient
from prometheus_client import Metric
from prometheus_client.openmetrics import parser

DEALS = "/api/v1/deals"
NEW = {"name": "Test Deal", "target_name": "Target"}
EMPTY_DEAL = 38  # an acquisition without an inventory

Series = dict[str, float]


def families(exposed: str) -> Iterable[Metric]:
    """What a strict parser makes of an answer; it raises on any slip in the format."""
    parsed: Iterable[Metric] = parser.text_string_to_metric_families(exposed)  # type: ignore[no-untyped-call]
    return parsed


def scrape(client: FlaskClient) -> Series:
    """Every sample at /metrics by its name and labels, read by a strict parser."""
    return {
        sample.name + json.dumps(sample.labels): sample.value
        for family in families(client.get("/metrics").text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def create(client: FlaskClient, *, good: int = 0, bad: int = 0) -> None:
    """Ask for so many deals that are fine and so many of a type that is none."""
    for deal_type, count in (("carveout", good), ("merger", bad)):
        for _ in range(count):
            client.post(DEALS, json=NEW | {"deal_type": deal_type})


def gate_report(path: Path, **statuses: int) -> str:
    """A gate's report with those counts."""
    summary = {"compared": 300, "regressed": 0, "errored": 0, "missing": 0} | statuses
    path.write_text(json.dumps({"format": 1, "summary": summary}))
    return str(path)
