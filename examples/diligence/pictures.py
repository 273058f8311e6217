"""The README's pictures, taken of a real gate: `python -m examples.diligence.pictures [FOLDER]`.

Two faults are switched on, the gate at the root writes its HTML report, and Chromium looks at it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "docs" / "pictures"
FAULTS = "rounding,crash_on_empty"
# What is looked at: a name, the place in the report, the size of the window.
VIEWS = (("report", "", (1120, 1010)), ("deal", "#deal=78", (1120, 1240)))
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--hide-scrollbars")


def gate(report: Path) -> None:
    """Gate the example with its faults on; it must not come out green."""
    foreign = ("DEALSNAP_", "DEAL_TYPE_", "DATABASE_URL", "PYTEST_", "GITHUB_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    command = [sys.executable, "-m", "pytest", "--dealsnap", f"--dealsnap-report=html:{report}", "-q", "--tb=no"]
    done = subprocess.run(command, cwd=ROOT, env={**environment, "DILIGENCE_FAULT": FAULTS}, stdout=subprocess.DEVNULL)
    if done.returncode != 1:
        raise SystemExit(f"the gate ended with {done.returncode}; with {FAULTS} switched on it must find something")


def take(report: Path, folder: Path) -> list[Path]:
    """Take the pictures of *report* into *folder*, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    driver = _browser(report.parent / "profile")
    try:
        return [_picture(driver, report, place, size, folder / f"{name}.png") for name, place, size in VIEWS]
    finally:
        driver.quit()


def _browser(profile: Path) -> Chrome:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    return Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))


def _picture(driver: Chrome, report: Path, place: str, size: tuple[int, int], path: Path) -> Path:
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    light = {"name": "prefers-color-scheme", "value": "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [light]})
    driver.get("about:blank")
    driver.get(report.as_uri() + place)
    if not driver.save_screenshot(str(path)):
        raise SystemExit(f"{path} could not be written")
    return path


def main(folder: Path = FOLDER) -> None:
    """Gate, and take the pictures into *folder*."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.html"
        gate(report)
        for path in take(report, folder):
            print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
