"""The plugins that the book is gated under, each with the options that make it act."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["PLUGINS", "SHORT", "Case"]


@dataclass(frozen=True)
class Case:
    """A plugin in one setting."""

    package: str
    names: tuple[str, ...]
    """Its entry points, for ``-p``."""
    options: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Other packages that it needs."""
    environment: dict[str, str] = field(default_factory=dict)
    known: str = ""
    """How its run is known to differ; the documentation says so too."""
    part: bool = False
    """Whether it chooses some of the deals, so that no verdict is expected."""

    @property
    def label(self) -> str:
        """The package with its options, as the table names it."""
        return " ".join([self.package, *self.options])


PLUGINS = (
    Case("pytest-rerunfailures", ("rerunfailures",), ("--reruns", "2")),
    Case("pytest-retry", ("pytest-retry",), ("--retries", "2")),
    Case("pytest-repeat", ("repeat",), ("--count", "2")),
    Case("pytest-randomly", ("randomly",)),
    Case("pytest-random-order", ("random_order",), ("--random-order",)),
    Case("pytest-timeout", ("timeout",), ("--timeout", "60")),
    Case("pytest-split", ("pytest-split",), ("--splits", "2", "--group", "1"), part=True),
    Case("pytest-shard", ("pytest-shard",), ("--num-shards", "2", "--shard-id", "0"), part=True),
    *(
        Case("pytest-xdist", ("xdist",), ("-n", "2", "--dist", way))
        for way in ("loadscope", "load", "loadfile", "loadgroup", "worksteal", "each")
    ),
    Case("pytest-django", ("django",), environment={"DJANGO_SETTINGS_MODULE": "django_settings"}, also=("django",)),
    Case("pytest-flask", ("flask",)),
    Case("pytest-asyncio", ("asyncio",), ("--asyncio-mode", "auto")),
    Case("anyio", ("anyio",)),
    Case("pytest-trio", ("trio",)),
    Case("pytest-html", ("html", "html_fixtures", "metadata"), ("--html", "tests.html", "--self-contained-html")),
    Case("allure-pytest", ("allure_pytest",), ("--alluredir", "allure")),
    Case("pytest-json-report", ("pytest_jsonreport", "metadata"), ("--json-report",)),
    Case("pytest-reportlog", ("pytest_reportlog",), ("--report-log", "log.jsonl")),
    Case("pytest-sugar", ("sugar",), ("--force-sugar",)),
    Case("pytest-rich", ("rich",), ("--rich",)),
    Case("pytest-cov", ("pytest_cov",), ("--cov", ".")),
    Case("pytest-testmon", ("pytest-testmon",), ("--testmon",), known="**leaves deals out**, see below"),
    Case("pytest-picked", ("picked",), ("--picked", "first")),
    Case("pytest-instafail", ("instafail",), ("--instafail",)),
    Case(
        "pytest-github-actions-annotate-failures",
        ("pytest_github_actions_annotate_failures",),
        environment={"GITHUB_ACTIONS": "true"},
    ),
    Case("teamcity-messages", ("pytest-teamcity",), ("--teamcity",)),
    Case("pytest-clarity", ("clarity",), ("-vv",)),
)

SHORT = (
    "pytest-rerunfailures",
    "pytest-repeat",
    "pytest-random-order",
    "pytest-split",
    "pytest-xdist",
    "allure-pytest",
)
"""Those that once needed work, which `.ci/run` tries in one environment."""
