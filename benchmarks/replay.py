"""Replay and the run store on a simulated agent: what unchanged code, a change after the model and a new prompt cost.

``python -m benchmarks.replay`` writes ``benchmarks/REPLAY.md``. Each case is a whole run of pytest.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

DEALS, CARVEOUTS = 30, 5
SETTINGS = """
database = "sqlite:///deals.db"
reasoner = "agent:run"
[calls]
cost = "usd"
[rules.carveout]
cost_total = "within 5%"
[replay]
calls = ["llm:ask"]
cost = "usd"
"""
LLM = """
import random


def ask(prompt):
    with open("paid.txt", "a") as file:
        file.write("x")
    return {"value": random.lognormvariate(11, 0.1), "text": str(random.random()), "usd": 16 / 3}
"""
AGENT = """
from llm import ask


def run(deal):
    risk, cost, text = (ask(f"{step} of deal {deal.id} ({deal.deal_type})") for step in ("risk", "cost", "text"))
    total = cost["value"] + risk["value"]
    return {"cost_estimate": {"total_cost": total}, "synergies": [], "narrative": text["text"], "usd": 16}
"""


def gate(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run pytest in *folder*; return the calls that it made, and its verdict."""
    paid = folder / "paid.txt"
    paid.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = re.search(r"^verdict: (.*)$", done.stdout, re.MULTILINE)
    return len(paid.read_text()) if paid.exists() else 0, found[1] if found else done.stdout.splitlines()[-1]


def main() -> None:
    """Run all cases, and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connection = sqlite3.connect(folder / "deals.db")
        with connection:
            connection.execute("CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT)")
            kinds = ["carveout"] * CARVEOUTS + ["acquisition"] * (DEALS - CARVEOUTS)
            connection.executemany("INSERT INTO deals VALUES (?, ?, ?)", [(i, f"D{i}", k) for i, k in enumerate(kinds)])
        connection.close()
        files = {"dealsnap.toml": SETTINGS, "llm.py": LLM, "agent.py": AGENT}
        for file, text in files.items():
            (folder / file).write_text(text)
        cases = {
            "capture": (AGENT, ("--dealsnap-update",)),
            "unchanged, replay only": (AGENT, ("--dealsnap", "--dealsnap-replay", "only")),
            "unchanged, run again from the store": (AGENT, ("--dealsnap",)),
            "+12 % after the model": (
                AGENT.replace("total =", "total = 1.12 * (").replace('["value"]\n', '["value"])\n'),
                (),
            ),
            "another prompt for carve-outs": (
                AGENT.replace("{step} of", "{step} {'(TSA) ' * (deal.deal_type == 'carveout')}of"),
                (),
            ),
            "unchanged, not recorded (replay off), budget of 100": (
                AGENT,
                ("--dealsnap", "--dealsnap-replay", "off", "--dealsnap-fresh", "--dealsnap-budget", "100"),
            ),
        }
        for case, (agent, arguments) in cases.items():
            (folder / "agent.py").write_text(agent)
            calls, verdict = gate(folder, *(arguments or ("--dealsnap",)))
            rows.append(f"| {case} | {calls} | {verdict} |")
    table = "\n".join(
        [
            "# Replay and the run store",
            "",
            f"{DEALS} deals, {CARVEOUTS} of them carve-outs, of 3 noisy calls each at 16 / 3 USD: "
            "`python -m benchmarks.replay`",
            "",
            "| case | paid calls | verdict |",
            "| --- | --- | --- |",
            *rows,
        ]
    )
    Path(__file__).with_name("REPLAY.md").write_text(f"{table}\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
