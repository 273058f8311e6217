"""A user's project as a value, so that a test reads as a story.

::

    project = Project(tmp_path).with_deals(deal("7", amount=100))
    project.capture()
    outcome = project.with_deals(deal("7", amount=200)).gate()
    assert outcome.statuses == {"7": "regressed"}

Nothing here is named or shaped like the example system: the table is ``transactions``, its ids are
texts, its metrics are a price and risks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.fork import run_module

__all__ = [
    "ALIKE",
    "CONFIG",
    "REASONER",
    "Outcome",
    "Project",
    "Row",
    "clean_environment",
    "deal",
    "deals",
    "run_pytest",
]

# Plugins that are here for one test each cost each run their import; Hypothesis's own imports all of Hypothesis as it
# closes. A test that wants one asks for it by `-p`.
_ASIDE = (
    "hypothesispytest",
    "rerunfailures",
    "pytest-retry",
    "allure_pytest",
    "django",
    "pytest_cov",
    "platformdirs",
    "asyncio",
    "anyio",
)
BASE_ARGUMENTS = tuple(word for name in _ASIDE for word in ("-p", f"no:{name}"))
# The deals of a story are often alike, and so are their outputs.
ALIKE = "--dealsnap-allow-constant"

CONFIG = """
[tool.dealsnap]
database = "sqlite:///book.db"
reasoner = "valuation:value"

[tool.dealsnap.deals]
table = "transactions"
id = "deal_no"
name = "title"
type = "kind"

[tool.dealsnap.metrics]
price = "offer.price"
risk_count = "length(risks)"

[tool.dealsnap.rules.acquisition]
price = "within 5%"
risk_count = "equal"
"""

REASONER = """
def value(transaction):
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}
"""

SCHEMA = "CREATE TABLE transactions (deal_no TEXT, title TEXT, kind TEXT, amount INTEGER)"

Row = tuple[object, object, object, object]


def deal(deal_no: object, *, amount: object = 100, kind: object = "acquisition", title: object = "Orion") -> Row:
    """Return one row of ``transactions``."""
    return (deal_no, title, kind, amount)


def deals(count: int, *, amount: object = 100) -> tuple[Row, ...]:
    """Return *count* acquisitions, ``d1``, ``d2`` and so on."""
    return tuple(deal(f"d{number}", amount=amount) for number in range(1, count + 1))


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without anything that steers pytest, dealsnap or a CI's reports."""
    foreign = re.compile(
        r"DEALSNAP_|DATABASE_URL|DEAL_|DILIGENCE_|PYTEST_|PYTHON(?!PATH)|CI$|GITHUB_|BUILD_|TF_BUILD|.*COLOR"
    )
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return {**kept, "COLUMNS": "120", **more}


def run_pytest(folder: Path, *arguments: str, environment: Mapping[str, str]) -> Outcome:
    """Run ``python -m pytest`` in *folder*, in a process of its own."""
    for compiled in folder.rglob("__pycache__"):
        shutil.rmtree(compiled)  # a module rewritten within a second would be taken from its stale bytecode
    done = run_module("pytest", *BASE_ARGUMENTS, *arguments, folder=folder, environment=environment)
    text = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
    assert "INTERNALERROR" not in text, text
    return Outcome(done.code, text, _bytes(folder / "report.json"), _bytes(folder / "junit.xml"))


# What a first capture left, by all that it depends on.
_CAPTURED: dict[str, Path] = {}


@cache
def _kept_captures() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="captures-", ignore_cleanup_errors=True)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@dataclass(frozen=True)
class Outcome:
    """What one run came to: its exit code, its text, and the reports that it left in its folder."""

    code: int
    text: str
    report_bytes: bytes | None = None
    junit_bytes: bytes | None = None

    @property
    def closing(self) -> str:
        """Pytest's last line, without its rule and its seconds: ``1 failed, 2 passed``."""
        found = re.findall(r"^=* *(.*?) in [\d.]+s.*$", self.text, re.MULTILINE)
        return str(found[-1]) if found else ""

    @property
    def verdict(self) -> str:
        """The verdict's line of the closing summary."""
        found = re.search(r"^verdict: (.*)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @cached_property
    def report(self) -> Any:
        """The JSON report, read as strictly as JSON is written: no NaN, no Infinity."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        assert self.report_bytes is not None, self.text
        return json.loads(self.report_bytes, parse_constant=refuse)

    @property
    def action(self) -> str:
        """The report's verdict; of a part that claims nothing, ``none``."""
        verdict = self.report["verdict"]
        return "none" if verdict is None else str(verdict["action"])

    @property
    def statuses(self) -> dict[str, str]:
        """Each deal's status, by id, from the report."""
        return {entry["id"]: entry["status"] for entry in self.report["deals"]}

    def deal(self, deal_id: str) -> Any:
        """One deal of the report."""
        return next(entry for entry in self.report["deals"] if entry["id"] == deal_id)

    @property
    def junit(self) -> dict[str, ElementTree.Element]:
        """The cases of ``junit.xml`` by name."""
        assert self.junit_bytes is not None, self.text
        root = ElementTree.fromstring(self.junit_bytes)
        return {str(case.get("name")): case for case in root.iter("testcase")}


@dataclass(frozen=True)
class Project:
    """A project of a user's in *folder*; each ``with_…`` returns another one, and ``run`` writes its files."""

    folder: Path
    rows: tuple[Row, ...] = ()
    schema: str = SCHEMA
    config: str = CONFIG
    files: Mapping[str, str] = field(default_factory=lambda: {"valuation.py": REASONER})
    environment: Mapping[str, str] = field(default_factory=dict)
    outputs_may_be_alike: bool = True

    def with_deals(self, *rows: Row) -> Project:
        """Have these rows in the database, and no others."""
        return replace(self, rows=rows)

    def with_schema(self, schema: str) -> Project:
        """Have the table made by this statement."""
        return replace(self, schema=schema)

    def with_reasoner(self, source: str) -> Project:
        """Have this module as the reasoner's; its function is ``value``."""
        return self.with_file("valuation.py", source)

    def with_config(self, config: str) -> Project:
        """Have this ``pyproject.toml``."""
        return replace(self, config=config)

    def with_settings(self, settings: str, *, section: str = "") -> Project:
        """Have further lines in a section of the configuration, which may be there already."""
        header = f"[tool.dealsnap.{section}]" if section else "[tool.dealsnap]"
        config = self.config if header in self.config else f"{self.config}\n{header}\n"
        return self.with_config(config.replace(header, f"{header}\n{settings}", 1))

    def with_file(self, name: str, text: str) -> Project:
        """Have one more file, or another text in it."""
        return replace(self, files={**self.files, name: text})

    def with_environment(self, **variables: str) -> Project:
        """Have these variables set when pytest runs."""
        return replace(self, environment={**self.environment, **variables})

    @property
    def baseline(self) -> Path:
        """The folder of the deals' snapshots."""
        return self.folder / "snapshots" / "deals"

    def snapshot(self, deal_id: str) -> Any:
        """One snapshot as it is read; a NaN is read as one."""
        return json.loads((self.baseline / f"{deal_id}.json").read_text(encoding="utf-8"))

    def snapshots(self) -> dict[str, bytes]:
        """The files of the baseline's deals folder, by their path in it."""
        paths = sorted(path for path in self.baseline.rglob("*") if path.is_file())
        return {path.relative_to(self.baseline).as_posix(): path.read_bytes() for path in paths}

    def write(self) -> Project:
        """Write database, configuration and files; ``run`` does so by itself."""
        self.folder.mkdir(parents=True, exist_ok=True)
        database = self.folder / "book.db"
        database.unlink(missing_ok=True)
        connection = sqlite3.connect(database)
        with connection:
            connection.execute(self.schema)
            connection.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?)", self.rows)
        connection.close()
        for name, text in {"pyproject.toml": self.config, **self.files}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def run(self, *arguments: str) -> Outcome:
        """Write the project and run pytest in it."""
        self.write()
        for report in ("report.json", "junit.xml"):
            (self.folder / report).unlink(missing_ok=True)
        if self.outputs_may_be_alike and "--dealsnap-update" in arguments:
            arguments = (*arguments, ALIKE)
        return run_pytest(self.folder, *arguments, environment=clean_environment(**self.environment))

    def capture(self, *arguments: str) -> Outcome:
        """Capture the baseline, with a JSON report."""
        return self.run("--dealsnap-update", "--dealsnap-report", "json:report.json", *arguments)

    def captured(self) -> Project:
        """Capture the baseline, with the errors that a story has, and return the project for what comes next.

        Many stories begin alike: a second project of the same content in an empty folder is a copy of the first.
        """
        fresh = not self.folder.exists() or not any(self.folder.iterdir())
        known = _CAPTURED.get(key := self._key()) if fresh else None
        if known:
            shutil.copytree(known, self.folder, dirs_exist_ok=True, symlinks=True)
            return self
        outcome = self.capture("--dealsnap-allow-errors")
        assert outcome.code == 0, outcome.text
        if fresh:
            _CAPTURED[key] = Path(_kept_captures().name) / str(len(_CAPTURED))
            shutil.copytree(self.folder, _CAPTURED[key], symlinks=True)
        return self

    def _key(self) -> str:
        """All that a first capture depends on, as a text."""
        environment = sorted(clean_environment(**self.environment).items())
        files = sorted(self.files.items())
        return repr((self.rows, self.schema, self.config, files, environment, self.outputs_may_be_alike))

    def gate(self, *arguments: str) -> Outcome:
        """Judge against the baseline, with a JSON report."""
        return self.run("--dealsnap", "--dealsnap-report", "json:report.json", *arguments)
