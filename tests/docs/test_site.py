"""The documentation as a site is built without a warning, its links lead somewhere, and a newcomer can follow it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.five_minutes import FIVE_MINUTES, follow
from tests.docs.pages import DOCS, PAGES, ROOT, page
from tests.plugin.project import clean_environment


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings(name: str) -> None:
    """Each relative link names a file of the repository, and a heading of it."""
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, anchor = link.partition("#")
        path = ((ROOT / name).parent / target).resolve() if target else ROOT / name
        known = PAGES.get(path.relative_to(ROOT).as_posix(), "")
        if not path.exists() or (anchor and anchor not in anchors(known)):
            lost.append(link)
    assert lost == []


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Every page is in the contents, and every reference is resolved."""
    options = ("-q", "-W", "--keep-going", "-d", f"{tmp_path / 'trees'}")
    command = [sys.executable, "-m", "sphinx", *options, f"{DOCS}", f"{tmp_path / 'site'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    assert (done.returncode, done.stderr) == (0, "")
    built = {
        path.relative_to(tmp_path / "site").with_suffix("").as_posix() for path in (tmp_path / "site").rglob("*.html")
    }
    assert {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} <= built
    assert "blob/main/examples/extension" in (tmp_path / "site" / "how-to" / "extend.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_five_minutes_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with the files and commands of the README as they stand there."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    made, found, calibrated, captured, green, red, *_ = follow(FIVE_MINUTES, tmp_path)
    assert made == ""
    assert "30 rows" in found
    assert "20 deals reasoned twice: no difference" in calibrated
    assert "30 passed" in captured
    assert "verdict: PROCEED" in green
    assert "cost_total" in red
    assert (tmp_path / "dealsnap.html").is_file()


@pytest.mark.slow
def test_the_tutorial_of_the_rollout_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From capture to clean-up: the rehearsal finds the missing constraint, and the gate proceeds in the end."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    said = follow(page("tutorials/rollout"), tmp_path)
    _, _, audited, captured, first, second, _, gate, again, after = said
    assert "10 rows with no type (NULL)" in audited
    assert "30 passed" in captured
    assert "the database still accepts invalid deal types" in first
    assert "verdict: PROCEED" in second
    assert "verdict: PROCEED" in gate
    assert "carveout: 245,000 → 441,000 (+80.00 %)" in gate
    assert "30 passed" in again
    assert "30 days after the rollout:" in after
