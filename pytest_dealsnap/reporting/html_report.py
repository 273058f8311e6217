"""The HTML report: one file that asks no network, whose text can be read without JavaScript.

Data stands in the page as JSON that cannot end its element; the page's script writes it as text only.
The page allows itself nothing but its own style and its own script, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from pytest_dealsnap import __version__
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import STATUSES
from pytest_dealsnap.reporting.cause_text import remarks
from pytest_dealsnap.reporting.deal_table import COLUMNS
from pytest_dealsnap.reporting.decision_tree import branches
from pytest_dealsnap.reporting.earlier import age_words, money_cell, runs_of, since
from pytest_dealsnap.reporting.highlights import failed_results, failing_deals, weighed_causes, worst_results
from pytest_dealsnap.reporting.json_report import run_document
from pytest_dealsnap.reporting.money_text import money_lines
from pytest_dealsnap.reporting.page_data import page_data
from pytest_dealsnap.reporting.spending_words import spending_line
from pytest_dealsnap.reporting.wording import VERDICT_WORDS, type_name, worst_finding
from pytest_dealsnap.text import cut, plural, printable, some_ids

if TYPE_CHECKING:
    from jinja2 import Template

    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["STYLE", "WRITER", "asset", "content_policy", "page_template", "render_html"]

PAGE, STYLE = "page.html", "page.css"
# In this order, and in one scope.
SCRIPTS = (
    "store.js", "words.js", "copying.js", "plot.js", "table.js", "deal.js", "decisions.js", "sheet.js", "page.js",
)  # fmt: skip
WORST_SHOWN = 10


def render_html(run: FinishedRun) -> str:
    """Return the page of *run*."""
    style, script = asset(STYLE), _script()
    return page_template().render(
        style=style,
        script=script,
        policy=content_policy(style, script),
        data=_as_data(page_data(run)),
        **_words(run),
    )


def _folder() -> Traversable:
    return files("pytest_dealsnap.reporting") / "html"


def asset(name: str) -> str:
    """Return a file of the page."""
    return (_folder() / name).read_text(encoding="utf-8")


def _script() -> str:
    parts = "\n".join(asset(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def page_template(name: str = PAGE) -> Template:
    """Return a template; what it is given is escaped."""
    from jinja2 import Environment, StrictUndefined  # most runs write no page

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"printable": printable, "count": lambda number: f"{number:,}"}
    environment.globals |= {"plural": plural, "cut": cut, "some_ids": some_ids}
    return environment.from_string(asset(name))


def content_policy(style: str, script: str) -> str:
    """Return the content security policy that lets in this style and this script and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _as_data(data: Any) -> str:
    """Return *data* as JSON that may stand in a script element: no tag can begin in it."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _words(run: FinishedRun) -> dict[str, Any]:
    """Return what the page says without JavaScript."""
    failed = failed_results(run) if run.judged else []
    told = since(run)
    return {
        "mode": run.facts.mode,
        "columns": COLUMNS,
        "run": run_document(run.facts),
        "version": __version__,
        "baseline": _baseline_facts(run.facts.baseline or {}),
        "verdict": run.verdict,
        "part_outcome": run.part_outcome,
        "verdict_words": VERDICT_WORDS,
        "summary": run.summary,
        "thresholds": run.facts.judging.thresholds,
        "branches": branches(run),
        "statuses": [status for status in STATUSES if run.summary.counts[status]],
        "by_type": run.by_type(),
        "causes": [
            (index, weight, cause, remarks(cause), failing_deals(run, cause) if _in_part(cause) else cause.deals)
            for index, (weight, cause) in enumerate(weighed_causes(run))
        ],
        "worst": [(r, type_name(r), worst_finding(r)) for r in worst_results(run, WORST_SHOWN)],
        "failed": len(failed),
        "money": [money_lines(money, run.facts.judging.unjudged) for money in run.money],
        "notes": run.notes,
        "spent": spending_line(run.facts),
        "ages": {cause.id: age_words(told, cause.id) for cause in run.causes},
        "gone": told.gone if told else (),
        "earlier_report": told.run.report if told else "",
        "runs": [(one, money_cell(one)) for one in runs_of(run)] if run.facts.earlier else [],
        "next_steps": run.next_steps,
    }


def _in_part(cause: Cause) -> bool:
    """Whether some of the cause's deals break a rule, and others do not."""
    return 0 < cause.failing < len(cause.deals)


def _baseline_facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the manifest's facts in words; one that a person edited may hold anything."""
    git, deals = (part if isinstance(part := manifest.get(key), dict) else {} for key in ("git", "deals"))
    commit = str(git.get("commit") or "") + (" (with uncommitted changes)" if git.get("dirty") else "")
    facts = [
        ("captured", manifest.get("captured_at")),
        ("commit", commit),
        ("database", manifest.get("database")),
        ("revision", manifest.get("alembic_revision")),
        ("reasoner", manifest.get("reasoner")),
        ("deals", ", ".join(f"{count} {name}" for name, count in deals.items())),
    ]
    return [(name, str(value)) for name, value in facts if value]


class HtmlWriter:
    """The writer of the format ``html``."""

    name = "html"

    def render(self, run: FinishedRun) -> str:
        return render_html(run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        from pytest_dealsnap.reporting.rehearsal_html import render_rehearsal_html  # a gate renders no rehearsal

        return render_rehearsal_html(rehearsal)


WRITER = HtmlWriter()
