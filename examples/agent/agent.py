"""The agent that is gated: it asks the model three times for each deal, and adds up what it cost."""

from __future__ import annotations

import json
import os
from typing import Any

from llm import complete

__all__ = ["run"]

ROLE = {"role": "system", "content": "You estimate what it costs to separate or join IT systems. Answer in JSON."}


def run(deal: Any) -> dict[str, Any]:
    """Return the estimate of one deal."""
    spent = 0.0

    def ask(question: str) -> dict[str, Any]:
        nonlocal spent
        messages = [ROLE, {"role": "user", "content": question}]
        answer = complete(messages, model=os.environ.get("MODEL", "small"))
        spent += answer["usage"]["usd"]
        found: dict[str, Any] = json.loads(answer["choices"][0]["message"]["content"])
        return found

    people = ask(f"What do {deal['headcount']} people cost in {deal.deal_type}?")
    systems = ask(f"What do {deal['applications']} applications cost in {deal.deal_type}?")
    risk = ask(f"How likely is a delay with {deal['headcount']} people?")
    return {
        "cost_estimate": {"total_cost": round(people["amount"] + systems["amount"], 2)},
        "synergies": [],
        "narrative": f"The risk of a delay is {risk['words']}.",
        "usage": {"usd": round(spent, 6)},
    }
