"""The documents cannot drift: their commands run, their links lead somewhere, their facts are the code's."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from examples.diligence import database, flags, logs, metrics
from examples.diligence.costs import MULTIPLIERS
from examples.diligence.deal_types import VALID_DEAL_TYPES, DealType
from examples.diligence.web import app
from examples.diligence.web.type_help import TYPE_HELP

from .checkout import copy_checkout, run_bash

DOCS = database.PACKAGE / "docs"
DOCUMENTS = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ELSEWHERE = "# on your own servers\n"
FOUND_SOMETHING = re.compile(r" \|\| echo .*")


def blocks(document: Path) -> list[str]:
    """The commands of a document that need nobody's servers."""
    return [block for block in BLOCK.findall(document.read_text()) if not block.startswith(ELSEWHERE)]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in a copy of the checkout, one after the other until one fails, on a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return run_bash(script.replace("8000", port), copy_checkout(folder), PYTEST_DEBUG_TEMPROOT=str(folder))


@pytest.mark.skipif(not shutil.which("curl"), reason="the documents' commands use curl")
@pytest.mark.parametrize("document", [*filter(blocks, DOCUMENTS)], ids=lambda document: document.stem)
def test_the_commands_run(document: Path, tmp_path: Path) -> None:
    """All commands of a document run, in its order, in a fresh checkout; audits and gates may find something."""
    script = FOUND_SOMETHING.sub(" || test $? = 1", "\n".join(blocks(document)))
    ran = run(script, tmp_path)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link of a document is a file beside it, and every file of code it names is there."""
    text = document.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (DOCS / target).exists(), target
    for name in re.findall(r"`((?:\w+/)*\w+\.(?:py|yml|html))`", text):
        assert (database.PACKAGE / name).exists() or list((database.PACKAGE / "web").rglob(name)), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_commands_that_need_servers_say_so(document: Path) -> None:
    """Whatever reaches for another machine or a service stands in a block that says it needs yours."""
    for block in blocks(document):
        assert not re.search(r"\b(ssh|rsync|systemctl|psql|pg_dump|pg_restore|gunicorn|git push)\b", block)


def test_the_user_guide_knows_the_page() -> None:
    """Types, questions, buttons and limits are called in the guide what they are called on the page."""
    guide = (DOCS / "creating_deals.md").read_text()
    for about in TYPE_HELP.values():
        assert f"| {about.title} |" in guide
        assert about.question in guide
    templates = "".join(path.read_text() for path in (database.PACKAGE / "web" / "templates").iterdir())
    for button in ("New deal", "Create deal", "Edit deal", "Save changes"):
        assert f"**{button}**" in guide
        assert button in templates


def test_the_developer_guide_knows_the_multipliers() -> None:
    """The ranges of multipliers in the guide are those of the cost engine."""
    guide = (DOCS / "deal_type_system.md").read_text()
    for deal_type in (DealType.CARVEOUT, DealType.DIVESTITURE):
        factors = MULTIPLIERS[deal_type].values()
        assert f"multipliers {min(factors)} to {max(factors)}" in guide
    assert all(f'`deal_type="{deal_type}"`' in guide for deal_type in VALID_DEAL_TYPES)


def test_the_runbook_knows_every_alarm() -> None:
    """Each rule stands in the runbook's table of what is watched, and the table names no other."""
    runbook = (DOCS / "deployment.md").read_text()
    rules = set(re.findall(r"- alert: (\w+)", (database.PACKAGE / "alerts" / "diligence.rules.yml").read_text()))
    table = runbook[runbook.index("| watched |") : runbook.index("If one fires")]
    assert set(re.findall(r"`(\w+)`", table)) == rules != set()


def test_the_runbook_knows_every_variable() -> None:
    """No setting of the system is left out of the runbook's table."""
    runbook = (DOCS / "deployment.md").read_text()
    for variable in (
        database.VARIABLE, flags.DEAL_TYPE_AWARENESS, flags.DEAL_TYPE_AWARENESS_FILE, logs.LOG_FILE,
        logs.JSON_LOG_FILE, metrics.GATE_REPORT, metrics.CLEANUP_DUE, app.SECRET_KEY, app.BEHIND_TLS,
    ):  # fmt: skip
        assert f"`{variable}`" in runbook
