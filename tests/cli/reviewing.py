"""A project to review: sixty contracts in regions, whose reasoner has faults that the environment switches on.

``carve`` makes carve-outs cost 12 % more, ``emea`` adds a fee of 50,000 in one region, ``lost`` loses a
risk, ``crash`` fails without items, ``memo`` writes another text.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.plugin.project import Outcome, clean_environment, run_pytest

__all__ = ["COUNT", "FAULTS", "Contracts", "build"]

COUNT = 60
FAULTS = "carve,emea,lost,crash"

CONFIG = """
[tool.dealsnap]
database = "sqlite:///contracts.db"
reasoner = "pricing:price"

[tool.dealsnap.deals]
table = "contracts"
id = "number"
name = "party"
type = "kind"

[tool.dealsnap.metrics]
fee = "offer.fee"
risk_count = "length(risks)"
risks = "risks"

[tool.dealsnap.rules."*"]
fee = "within 1%"
risk_count = "equal"
"*" = "report"

[tool.dealsnap.rules.carveout]
fee = "within 1%"

[tool.dealsnap.rules.divestiture]
fee = "within 1%"
"""

PRICING = """
import os


def price(contract):
    faults = os.environ.get("CONTRACT_FAULTS", "").split(",")
    fee = contract["amount"]
    if "carve" in faults and contract.deal_type == "carveout":
        fee = fee * 112 / 100
    if "emea" in faults and contract["region"] == "EMEA":
        fee = fee + 50000
    risks = ["fx", "legal"] + (["it"] if contract["items"] > 5 else [])
    if "lost" in faults and "it" in risks:
        risks.remove("it")
    if "crash" in faults and contract["items"] == 0:
        raise ZeroDivisionError(f"no items in {contract['number']!r}")
    memo = f"as signed in {contract['region']}" + (" and amended" if "memo" in faults else "")
    return {"offer": {"fee": fee, "currency": "EUR"}, "items": contract["items"], "risks": risks, "memo": memo}
"""

KINDS = ("acquisition", "acquisition", "carveout", "divestiture")
REGIONS = ("EMEA", "APAC", "US")
PARTIES = ("Orion <b>", "::error::Vega", "Ünï \x1b[31m")


@dataclass(frozen=True)
class Contracts:
    """The project in a folder."""

    folder: Path

    def capture(self, *arguments: str, faults: str = "") -> Outcome:
        """Capture a baseline."""
        return self._pytest("--dealsnap-update", *arguments, faults=faults)

    def gate(self, *arguments: str, faults: str = "", report: str = "report.json") -> Outcome:
        """Gate with *faults*; the report stays in the folder."""
        return self._pytest("--dealsnap", "--dealsnap-report", f"json:{report}", *arguments, faults=faults)

    def _pytest(self, *arguments: str, faults: str) -> Outcome:
        environment = clean_environment(CONTRACT_FAULTS=faults, GIT_CEILING_DIRECTORIES=str(self.folder.parent))
        return run_pytest(self.folder, "-q", "-p", "no:cacheprovider", *arguments, environment=environment)

    @property
    def report(self) -> Path:
        """Where a gate's report is."""
        return self.folder / "report.json"

    def causes(self, report: str = "report.json") -> dict[str, Any]:
        """The report's causes, by their titles without the types."""
        document = json.loads((self.folder / report).read_text(encoding="utf-8"))
        return {cause["title"].partition(" · ")[0]: cause for cause in document["causes"]}

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "snapshots" / "accepted.toml"

    def snapshots(self) -> dict[str, bytes]:
        """All files of the baseline."""
        paths = sorted(path for path in (self.folder / "snapshots").rglob("*") if path.is_file())
        return {path.relative_to(self.folder / "snapshots").as_posix(): path.read_bytes() for path in paths}


def rows() -> list[tuple[object, ...]]:
    """Return the contracts: number, party, kind, region, amount, items."""
    return [
        (
            f"k{number}",
            f"{PARTIES[number % 3]}{number}",
            KINDS[number % 4],
            REGIONS[number % 3],
            100_003 + 7_919 * number,
            0 if number in (8, 20, 44) else 1 + number % 9,
        )
        for number in range(COUNT)
    ]


def build(folder: Path) -> Contracts:
    """Write the project, without a baseline, into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "pricing.py").write_text(PRICING, encoding="utf-8")
    connection = sqlite3.connect(folder / "contracts.db")
    with connection:
        connection.execute(
            "CREATE TABLE contracts (number TEXT PRIMARY KEY, party TEXT, kind TEXT, region TEXT, amount INTEGER, "
            "items INTEGER, api_token TEXT DEFAULT 'hidden')"
        )
        connection.executemany(
            "INSERT INTO contracts (number, party, kind, region, amount, items) VALUES (?, ?, ?, ?, ?, ?)", rows()
        )
    connection.close()
    return Contracts(folder)
