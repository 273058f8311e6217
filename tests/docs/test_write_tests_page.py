"""The page for developers: its code blocks are a project, and that project's tests pass as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dealsnap import testing
from tests.docs.pages import page

CHAPTER = page("how-to/write-tests")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", CHAPTER, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the blocks are, each under the name of its first line."""
    folder = tmp_path_factory.mktemp("readme")
    for language, text in BLOCKS:
        if language in ("python", "toml"):
            name = re.match(r"# ([\w.]+)\n", text)
            assert name is not None, f"a block without a file name: {text[:40]}"
            (folder / name[1]).write_text(text)
    return folder


def run_pytest(folder: Path, *arguments: str) -> str:
    """Run pytest there, which must succeed, and return what it says."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "-W",
        "error",
        *arguments,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_is_executed() -> None:
    """There are blocks, and each is a file or a list of commands that the tests below run."""
    assert [language for language, _ in BLOCKS].count("python") == 5
    assert {language for language, _ in BLOCKS} == {"python", "toml", "console"}
    [console] = [text for language, text in BLOCKS if language == "console"]
    assert re.findall(r"^\$ (.+?)(?:\s+#.*)?$", console, re.MULTILINE) == [
        "pytest",
        "pytest -m carveout",
        "pytest --markers",
    ]


def test_the_chapters_project_passes(project: Path) -> None:
    """All its tests pass, as many as it says, and the one over deals is skipped."""
    said = run_pytest(project)
    assert "16 passed, 1 skipped" in said
    assert "pytest --dealsnap PATH" in said


def test_one_type_can_be_chosen(project: Path) -> None:
    """``-m carveout`` runs a type's share of the matrix, under ids that read well."""
    said = run_pytest(project, "-m", "carveout", "-vv")
    assert "test_types.py::test_each_domain[carveout-network] PASSED" in said
    assert "5 passed" in said
    assert "divestiture" not in said.replace("types=", "")


def test_the_marker_is_listed(project: Path) -> None:
    """``pytest --markers`` explains it."""
    assert "@pytest.mark.deal_matrix(" in run_pytest(project, "--markers")


def test_everything_public_is_in_the_chapter_or_a_docstring_away() -> None:
    """Whatever ``pytest_dealsnap.testing`` offers has a docstring; the strategies and assertions are named here."""
    for name in testing.__all__:
        assert getattr(testing, name).__doc__
        if name.startswith("assert_"):
            assert name in CHAPTER
