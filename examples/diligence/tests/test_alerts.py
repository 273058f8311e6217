"""The alert rules, asked by Prometheus itself over what the application really exposed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient

from examples.diligence import database, faults, flags, metrics

from .scraping import EMPTY_DEAL, create, gate_report, scrape

RULES = database.PACKAGE / "alerts" / "diligence.rules.yml"
PROMTOOL = shutil.which("promtool")


def test_every_rule_asks_for_a_metric_that_there_is(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No alert is silent because of a misspelt name, and every metric has an alert."""
    monkeypatch.setenv(metrics.GATE_REPORT, gate_report(tmp_path / "gate.json"))
    monkeypatch.setenv(metrics.CLEANUP_DUE, "2025-03-17")
    exposed = {name.partition("{")[0] for name in scrape(client)}
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert set(re.findall(r"diligence_\w+", " ".join(rule["expr"] for rule in rules))) == exposed
    assert all({"summary", "action"} == rule["annotations"].keys() for rule in rules)


@dataclass(frozen=True, slots=True)
class Event:
    """What happens between two scrapes: settings made, deals asked for, pages opened. `{}` is the test's folder."""

    settings: Mapping[str, str] = field(default_factory=dict)
    good: int = 0
    bad: int = 0
    opened: tuple[str, ...] = ()
    gate: Mapping[str, int] | None = None


ABOVE_TARGET, FAILING = "DealCreationFailuresAboveTarget", "DealCreationFailures"
GATE = {metrics.GATE_REPORT: "{}/gate.json"}
SCENARIOS: dict[str, tuple[Event, set[str]]] = {
    "healthy": (Event(good=3, opened=("/deals/328",)), set()),
    "1 of 150 refused": (Event(good=149, bad=1), set()),
    "1 of 50 refused": (Event(good=49, bad=1), {ABOVE_TARGET}),
    "2 of 30 refused": (Event(good=28, bad=2), {ABOVE_TARGET, FAILING}),
    "exception": (
        Event({faults.VARIABLE: "crash_on_empty"}, opened=(f"/deals/{EMPTY_DEAL}",)),
        {"CostCalculationErrors"},
    ),
    "clean gate": (Event(GATE, gate={}), set()),
    "one deal regressed": (Event(GATE, gate={"regressed": 1}), {"RegressionFailures"}),
    "no gate report": (Event(GATE), {"RegressionReportUnusable"}),
    "flag off": (Event({flags.DEAL_TYPE_AWARENESS: "off"}), {"DealTypeAwarenessOff"}),
    "flag mistyped": (Event({flags.DEAL_TYPE_AWARENESS: "of"}), {"DealTypeAwarenessOff"}),
    # Prometheus tests its rules on the first of January 1970.
    "cleanup overdue": (Event({metrics.CLEANUP_DUE: "1970-01-01"}, opened=("/deals/328",)), {"FlagUsedAfterCleanup"}),
    "cleanup not due": (Event({metrics.CLEANUP_DUE: "1970-01-02"}, opened=("/deals/328",)), set()),
}


@pytest.mark.skipif(not PROMTOOL, reason="needs promtool, which comes with Prometheus")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_alerts_fire_over_their_limits_only(
    scenario: str, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system exposes before and after an event makes Prometheus fire exactly the alerts it should."""
    event, expected = SCENARIOS[scenario]
    before = scrape(client)
    for name, setting in event.settings.items():
        monkeypatch.setenv(name, setting.format(tmp_path))
    if event.gate is not None:
        gate_report(tmp_path / "gate.json", **event.gate)
    create(client, good=event.good, bad=event.bad)
    for path in event.opened:
        client.get(path)
    after = scrape(client)
    series = [
        {"series": _selector(name), "values": f"{before.get(name, value)}x5 {value}x10"}
        for name, value in after.items()
    ]
    firing = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected]
    question = {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": "10m", "exp_samples": firing}
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [question]}
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    run = subprocess.run([str(PROMTOOL), "test", "rules", file], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def _selector(name: str) -> str:
    metric, _, labels = name.partition("{")
    pairs = json.loads(f"{{{labels}")
    return metric + "{" + ",".join(f'{key}="{value}"' for key, value in pairs.items()) + "}"
