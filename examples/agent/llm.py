"""The client of the model: one request of OpenAI's shape, tried again while the service is busy."""

from __future__ import annotations

import os
import time
from typing import Any

import httpx

__all__ = ["complete"]

TRIES = 6


def complete(messages: list[dict[str, str]], *, model: str) -> dict[str, Any]:
    """Return the chat completion of *messages*; a refusal for now is waited out, as the service asks for."""
    url = f"{os.environ['MODEL_URL']}/v1/chat/completions"
    for _ in range(TRIES):
        response = httpx.post(url, json={"model": model, "messages": messages}, timeout=60)
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(float(response.headers.get("Retry-After", 1)))
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer
