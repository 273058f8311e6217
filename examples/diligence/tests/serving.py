"""The system as a process of its own, and someone who talks to it over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from examples.diligence import database

ROOT = database.PACKAGE.parents[1]
SECONDS = 60  # a server that says nothing for so long is broken


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered, after redirects."""

    status: int
    headers: Message
    body: bytes
    address: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON, which it must say that it is."""
        assert self.headers.get_content_type() == "application/json"
        return json.loads(self.body)


def _opener() -> OpenerDirector:
    return build_opener(HTTPCookieProcessor(CookieJar()))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Someone with a cookie jar."""

    base: str
    opener: OpenerDirector = field(default_factory=_opener)

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        json_body: object = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request; an error status is a reply like any other."""
        sent = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("Content-Type", "application/json")
        request = Request(self.base + path, body, sent, method=method)
        try:
            with self.opener.open(request, timeout=SECONDS) as reply:
                return Reply(reply.status, reply.headers, reply.read(), reply.url)
        except HTTPError as error:
            with error:
                return Reply(error.code, error.headers, error.read(), error.url)

    def send_form(self, path: str, fields: Mapping[str, str]) -> Reply:
        """Open a form, then send it with these fields and the token that came with it."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.ask(path).text)
        assert token is not None
        return self.post(path, {"csrf_token": token[1], **fields})

    def post(self, path: str, fields: Mapping[str, str]) -> Reply:
        """Send a form's fields as they are."""
        return self.ask(path, "POST", body=urlencode(fields).encode())


@contextmanager
def served(database_url: str, folder: Path, **environment: str) -> Iterator[Visitor]:
    """Start the system over a database and stop it at the end; its log lies in the folder."""
    settings = {
        database.VARIABLE: database_url,
        "DILIGENCE_LOG_FILE": str(folder / "app.log"),
        "DILIGENCE_JSON_LOG_FILE": str(folder / "app.jsonl"),
        "DEAL_TYPE_AWARENESS_FILE": str(folder / "flag"),
    } | environment
    program = [sys.executable, "-m", "examples.diligence", "serve", "--port", "0"]
    with (folder / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(
            program, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    with process:
        try:
            assert process.stdout is not None
            address = None
            for line in process.stdout:
                if found := re.search(r" at (http://\S+)$", line.rstrip()):
                    address = found[1]
                    break
            assert address is not None, (folder / "stderr.txt").read_text()
            yield Visitor(address)
        finally:
            process.terminate()
