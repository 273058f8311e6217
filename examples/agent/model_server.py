"""A model to play with: OpenAI's chat completions on loopback, with noise, latency, rate limits and prices.

Each answer to a request is another one, some 1 % apart. Every seventh request is refused with 429, as a busy
service does.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["serve"]

LATENCY = 0.02  # seconds; a real model takes minutes
REFUSED = 7
USD_A_TOKEN = 0.0002


class Model(BaseHTTPRequestHandler):
    """Answers ``POST /v1/chat/completions``."""

    protocol_version = "HTTP/1.1"
    requests, lock = 0, threading.Lock()

    def do_POST(self) -> None:
        """Answer with a number that the request's own numbers make, and some words."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Model.lock:
            Model.requests += 1
            refused = Model.requests % REFUSED == 0
        if self.path != "/v1/chat/completions":
            self._send(404, {"error": {"message": f"no such path: {self.path}"}})
        elif refused:
            self._send(429, {"error": {"message": "rate limit"}}, retry_after="0.05")
        else:
            time.sleep(LATENCY)
            self._send(200, completion(request))

    def _send(self, status: int, body: dict[str, Any], **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


def completion(request: dict[str, Any]) -> dict[str, Any]:
    """Return a chat completion; its ``usage`` says what it cost."""
    prompt = request["messages"][-1]["content"]
    number = 1000 * sum(map(int, re.findall(r"\d+", prompt))) * random.gauss(1, 0.01)  # noise
    answer = json.dumps({"amount": round(number, 2), "words": random.choice(["low", "usual", "plain"])})
    prompt_tokens, completion_tokens = len(prompt.split()), len(answer.split())
    tokens = prompt_tokens + completion_tokens
    return {
        "id": f"chatcmpl-{random.randrange(10**9)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request["model"],
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}},
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": tokens,
            "usd": round(tokens * USD_A_TOKEN, 6),
        },
    }


def serve(port: int) -> None:
    """Serve on loopback until the process is ended."""
    ThreadingHTTPServer(("127.0.0.1", port), Model).serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    serve(parser.parse_args().port)
