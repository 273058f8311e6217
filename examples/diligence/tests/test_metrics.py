"""The metrics as a scraper reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from examples.diligence import database, faults, flags, metrics
from examples.diligence.web import create_app

from .scraping import DEALS, EMPTY_DEAL, create, families, scrape
from .serving import Visitor


def test_metrics_are_openmetrics(visitor: Visitor) -> None:
    """The running system answers in the format it names, ended as the format demands."""
    reply = visitor.ask("/metrics")
    assert reply.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert reply.text.endswith("# EOF\n")
    names = {family.name for family in families(reply.text)}
    assert names == {
        "diligence_deal_creations",
        "diligence_cost_calculation_errors",
        "diligence_flag_evaluations",
        "diligence_deal_type_awareness",
    }


def test_each_event_is_counted_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation by its outcome, a report by the flag, an exception by the deal's type."""
    before = scrape(client)
    create(client, good=2, bad=1)
    client.post(DEALS, json={"name": "no target"})
    client.post(DEALS, data="no JSON, so no deal")
    client.get(f"{DEALS}/328/report")
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS, "off")
    monkeypatch.setenv(faults.VARIABLE, "crash_on_empty")
    assert client.get(f"{DEALS}/{EMPTY_DEAL}/report").status_code == 500
    after = scrape(client)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        'diligence_deal_creations_total{"outcome": "created"}': 2,
        'diligence_deal_creations_total{"outcome": "invalid_deal_type"}': 1,
        'diligence_deal_creations_total{"outcome": "invalid"}': 1,
        'diligence_flag_evaluations_total{"enabled": "true"}': 1,
        'diligence_flag_evaluations_total{"enabled": "false"}': 1,
        'diligence_cost_calculation_errors_total{"deal_type": "acquisition"}': 1,
        "diligence_deal_type_awareness{}": -1,
    }


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ('{"summary": {"compared": 9, "regressed": 1, "errored": 2, "missing": 3}}', (1, 6)),
        ('{"summary": {"compared": 0, "regressed": 0, "errored": 0, "missing": 0}}', (0, None)),
        ('{"summary": {}}', (0, None)),
        ("[]", (0, None)),
        ("not json", (0, None)),
        (None, (0, None)),
    ],
)
def test_a_useless_gate_report_is_no_success(
    report: str | None, expected: tuple[int, int | None], client: FlaskClient, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A report that is missing, broken or compared nothing is unreadable, and never nought failures."""
    if report is not None:
        (tmp_path / "gate.json").write_text(report)
    monkeypatch.setenv(metrics.GATE_REPORT, str(tmp_path / "gate.json"))
    found = scrape(client)
    assert (found["diligence_regression_report_readable{}"], found.get("diligence_regression_failures{}")) == expected


@pytest.mark.parametrize(
    ("day", "moment"), [("2025-03-17", 1742169600), ("2025-03-17T02:00+02:00", 1742169600), ("", None)]
)
def test_the_cleanup_is_due_on_a_day(
    day: str, moment: float | None, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day without a zone begins in UTC."""
    monkeypatch.setenv(metrics.CLEANUP_DUE, day)
    assert scrape(client).get("diligence_flag_cleanup_due_timestamp_seconds{}") == moment


def test_what_is_no_day_stops_the_start(monkeypatch: pytest.MonkeyPatch, after_url: str) -> None:
    """A mistyped day is refused by its name before anything is served."""
    monkeypatch.setenv(database.VARIABLE, after_url)
    monkeypatch.setenv(metrics.CLEANUP_DUE, "soon")
    with pytest.raises(ValueError, match="DILIGENCE_FLAG_CLEANUP_DUE='soon' is no day such as 2025-03-17"):
        create_app()


def test_workers_share_their_counters(tmp_path: Path) -> None:
    """With PROMETHEUS_MULTIPROC_DIR, what one process counted another exposes."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    count = "from examples.diligence import metrics; metrics.deal_creation('created')"
    show = "from examples.diligence import metrics; print(metrics.exposition())"
    for program in (count, count):
        subprocess.run([sys.executable, "-c", program], cwd=database.PACKAGE.parents[1], env=environment, check=True)
    shown = subprocess.run(
        [sys.executable, "-c", show], cwd=database.PACKAGE.parents[1], env=environment, check=True, capture_output=True
    ).stdout.decode()
    assert 'diligence_deal_creations_total{outcome="created"} 2.0' in shown
