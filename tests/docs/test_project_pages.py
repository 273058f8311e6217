"""The pages for contributors cannot drift: files, tests and links that they name exist, sentences are short."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture_picture import with_picture
from tests.test_architecture import MODULES, SINGLE_MODULES, room

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
        *sorted(DECISIONS.glob("*.md")),
    )
}
MOST_WORDS = 30
# A path that stands for those that do not exist yet.
PLACEHOLDER = "NAME"


def in_backticks(text: str) -> list[str]:
    """Return what a page shows as code in a line, outside of its code blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def sentences(text: str) -> list[str]:
    """Return the sentences, items and cells of a page, without code blocks; code in a line counts as one word."""
    text = re.sub(r"```.*?```", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]+`", "code", text)
    blocks = re.split(r"\n\s*\n|\n(?=[-*|#]|\d+\. )|\|", text)
    return [one for block in blocks for one in re.split(r"(?<=[.!?])\s+", " ".join(block.split())) if one]


@pytest.mark.parametrize("page", PAGES)
def test_files_and_tests_that_a_page_names_exist(page: str) -> None:
    """A path is relative to the root, to the package or to the folder of tests, and a test to its file."""
    absent = []
    for name in in_backticks(PAGES[page]):
        path, _, test = name.partition("::")
        if not re.fullmatch(r"[\w./-]*(/|\.(py|md|toml|json))", path) or PLACEHOLDER in path:
            continue
        places = [folder / path for folder in (ROOT, ROOT / "pytest_dealsnap") if (folder / path).exists()]
        bare = "/" not in path and any(Path(found).name == path for found in MODULES.values())
        if not (places or bare) or (test and f"def {test}(" not in places[0].read_text(encoding="utf-8")):
            absent.append(name)
    assert absent == []


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_files(page: str) -> None:
    """Relative links, from where the page stands."""
    links = re.findall(r"\]\(([^)#]+)", PAGES[page])
    assert [link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_sentences_are_short(page: str) -> None:
    """At most thirty words: one fact a sentence."""
    assert [one for one in sentences(PAGES[page]) if len(one.split()) > MOST_WORDS] == []


def test_every_room_and_single_module_is_described() -> None:
    """ARCHITECTURE.md's table of rooms has all of them."""
    rooms = {room(name) for name in MODULES} - {"__init__", "__main__", "_compat"}
    table = PAGES["ARCHITECTURE.md"].partition("## The rooms")[2].partition("## The way")[0]
    described = {name for name in rooms if f"`{name}/`" in table or (name in SINGLE_MODULES and f"`{name}`" in table)}
    assert rooms - described == set()


def test_the_picture_is_the_codes() -> None:
    """After a change of imports: ``python -m tests.architecture_picture --write``."""
    text = PAGES["ARCHITECTURE.md"]
    assert with_picture(text) == text


def test_a_page_without_a_place_for_the_picture_is_refused() -> None:
    """Rather than left without one."""
    with pytest.raises(ValueError, match=r"ARCHITECTURE\.md must hold .* once"):
        with_picture("# Architecture\n")


def test_every_decision_is_listed() -> None:
    """The list of decisions has each record once."""
    listed = re.findall(r"\]\(([^)]+)\)", PAGES["docs/decisions/README.md"])
    assert sorted(listed) == sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))


def test_the_readme_leads_to_the_pages_and_the_sdist_holds_them() -> None:
    """A stranger finds them, in a clone and in the source distribution."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"):
        assert f"]({name})" in readme
        assert name in packed
    assert "docs" in packed
