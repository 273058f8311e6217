"""What the tests of reports start from: a project, and a reader with a real browser at three reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.reporting.html_report import render_html
from tests.plugin.project import Project
from tests.reporting.browsing import Reader
from tests.reporting.runs import hostile_run, large_run, small_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
RUNS: dict[str, Callable[[], FinishedRun]] = {"small": small_run, "hostile": hostile_run, "large": large_run}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a configuration and a reasoner, and no deals yet."""
    return Project(tmp_path)


@pytest.fixture(scope="package")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One Chromium for all tests here, with a profile and a folder for downloads of its own."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs Chromium and chromedriver")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    chrome = Chrome(options=options, service=ChromeService(DRIVER))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="package")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of a small, a hostile and a large run, as files."""
    folder = tmp_path_factory.mktemp("pages")
    paths = {name: folder / f"{name}.html" for name in RUNS}
    for name, path in paths.items():
        path.write_text(render_html(RUNS[name]()), encoding="utf-8")
    return paths


@pytest.fixture
def reader(driver: Chrome, pages: dict[str, Path], tmp_path: Path) -> Iterator[Reader]:
    """A reader with nothing remembered; at the end, the console must have had nothing to say."""
    reader = Reader(driver, tmp_path)
    reader.look()
    reader.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), eventsEnabled=True)
    reader.open(pages["small"])
    driver.execute_script("localStorage.clear()")
    reader.complaints()
    yield reader
    assert reader.complaints() == []
