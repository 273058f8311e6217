"""The old code: found, checked out and removed; what its process is told, and how its failures are worded."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.rehearsal.old_checkout import checked_out, find_commit, not_there
from pytest_dealsnap.rehearsal.old_code import OldCode, open_old_code, paths_in
from pytest_dealsnap.rehearsal.old_orders import Orders, modules_from
from pytest_dealsnap.rehearsal.steps import Done
from tests.plugin.git import commit, git
from tests.plugin.project import Project, deals


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with one commit; its project is in a folder of it."""
    root = tmp_path / "own" / "app"
    root.mkdir(parents=True)
    (root / "pricing.py").write_text("RATE = 1\n")
    (tmp_path / "own" / ".gitignore").write_text(".env\n*.local.toml\nbuild/\n")
    commit(tmp_path / "own", "first")
    return root


def test_a_commit_is_checked_out_beside_and_removed(repository: Path) -> None:
    """The user's files, index and local changes stay; hooks do not run; local configuration is named."""
    own = repository.parent
    (own / ".git" / "hooks").mkdir(exist_ok=True)
    hook = own / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {own}/hooked\n")
    hook.chmod(0o755)
    (repository / "pricing.py").write_text("RATE = 2\n")
    (repository / "staged.py").write_text("")
    git(own, "add", "app/staged.py")
    (repository / ".env").write_text("KEY=1\n")
    (repository / "build").mkdir()
    before = git(own, "status", "--porcelain")
    with checked_out(repository, "main") as old:
        assert (old.root / "pricing.py").read_text() == "RATE = 1\n"
        assert old.words == f"main ({old.commit[:12]})"
        assert old.root == old.tree / "app"
        assert not_there(old) == (".env",)
        place = old.folder
    assert not place.exists()
    assert git(own, "worktree", "list").count("\n") == 1
    assert git(own, "status", "--porcelain") == before
    assert not (own / "hooked").exists()


def test_it_is_removed_when_the_run_is_interrupted(repository: Path) -> None:
    """Ctrl-C arrives as an exception."""
    with pytest.raises(KeyboardInterrupt), checked_out(repository, "HEAD") as old:
        raise KeyboardInterrupt
    assert not old.folder.exists()
    assert git(repository, "worktree", "list").count("\n") == 1


def test_a_hash_is_not_told_twice(repository: Path) -> None:
    """A reference that is the beginning of the commit says nothing more."""
    short = find_commit(repository, "main")[0][:8]
    with checked_out(repository, short) as old:
        assert old.words == old.commit[:12]


@pytest.mark.parametrize("ref", ["nowhere", "", "--help", "main:app"])
def test_an_unknown_ref_is_one_sentence(repository: Path, ref: str) -> None:
    """Whatever it looks like to git."""
    with pytest.raises(ConfigError, match=r"git knows no such commit, branch or tag here; git fetch"):
        find_commit(repository, ref)


def test_a_shallow_clone_is_named(repository: Path, tmp_path: Path) -> None:
    """Its older commits can be had."""
    (repository / "pricing.py").write_text("RATE = 3\n")
    commit(repository.parent, "second")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository.parent}", "shallow")
    with pytest.raises(ConfigError, match="this clone is shallow: git fetch --unshallow"):
        find_commit(tmp_path / "shallow", "HEAD~1")


def test_no_checkout_and_no_git_are_one_sentence_each(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is named."""
    with pytest.raises(ConfigError, match=r"--dealsnap-against main: .* is in no git checkout, so there is no older"):
        find_commit(tmp_path, "main")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="--dealsnap-against needs git, which cannot be started: No such file"):
        find_commit(repository, "main")


def test_a_commit_without_the_folder_is_refused(repository: Path) -> None:
    """The project was elsewhere then."""
    git(repository.parent, "mv", "app", "new_app")
    commit(repository.parent, "moved")
    with (
        pytest.raises(ConfigError, match="that commit has no folder new_app/"),
        checked_out(repository.parent / "new_app", "HEAD~1"),
    ):
        pass


def test_git_that_cannot_check_out_says_why(repository: Path) -> None:
    """By git's own words."""
    (repository.parent / ".git" / "worktrees").write_text("in the way")
    with pytest.raises(ConfigError, match="git cannot check it out: could not create"), checked_out(repository, "main"):
        pass


def test_the_project_and_src_are_imported_from_the_old_checkout(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what is installed in development mode; what is installed stays where it is."""
    own = repository.parent
    (own / "src" / "valuing").mkdir(parents=True)
    (own / "src" / "valuing" / "__init__.py").write_text("")
    (own / "lib").mkdir()
    (own / "lib" / "helper.py").write_text("")
    commit(own, "with src")
    here = [own / "lib", repository, own / "venv" / "site-packages", own / "gone"]
    monkeypatch.setattr(sys, "path", [str(path) for path in here])
    module = type(sys)("valuing")
    module.__spec__ = __import__("importlib.util").util.spec_from_file_location(
        "valuing", own / "src" / "valuing" / "__init__.py", submodule_search_locations=[str(own / "src" / "valuing")]
    )
    monkeypatch.setitem(sys.modules, "valuing", module)
    with checked_out(repository, "HEAD") as old:
        found = paths_in(old, "valuing.core:value")
        assert found == [str(old.tree / "lib"), str(old.tree / "app"), str(old.tree / "src")]


def test_modules_of_the_new_code_are_found(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the old checkout, of environments and of dealsnap itself are not."""
    files = {
        "pricing": repository / "pricing.py",
        "pytest_dealsnap.mine": repository / "x.py",
        "old": repository / "tree" / "old.py",
        "library": repository / "venv" / "site-packages" / "library.py",
    }
    for name, path in files.items():
        module = type(sys)(name)
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, name, module)
    found = modules_from(repository, without=[repository / "tree", repository])
    assert found == [f"pricing ({repository / 'pricing.py'})"]
    orders = Orders(
        root="r", flags={"timeout": "3"}, cwd="c", toplevel=str(repository), tree=str(repository / "tree"),
        words="main", answers="a", snapshots="s", imported=str(tmp_path / "imported"), ids=("a\n1", "ü"), state="s",
    )  # fmt: skip
    orders.note_imports()
    assert (tmp_path / "imported").read_text() == f"pricing ({repository / 'pricing.py'})\n"
    orders.write(tmp_path / "orders.json")
    assert Orders.read(tmp_path / "orders.json") == orders


def old_code(repository: Path, stack: ExitStack) -> OldCode:
    """Return the old code of the project as it is configured."""
    config = load_config(repository, flags={}, environ={})
    return open_old_code(stack, config, "main", flags={}, cwd=repository, arguments=(), say=print)


def test_a_process_that_could_not_answer_says_why(repository: Path) -> None:
    """Its own error, or how it ended."""
    with ExitStack() as stack:
        old = old_code(repository, stack)
        place = old.checkout.folder
        said = Done(4, 1.0, "ERROR: [tool.dealsnap] reasoner = 'x:y': no module named 'x'\n\n")
        with pytest.raises(ConfigError, match=r"code of main \(.{12}\) cannot be reasoned: \[tool.*no module named"):
            old._read(place, said)
        with pytest.raises(ConfigError, match=r"cannot be reasoned: python\S* was killed by signal 9$"):
            old._read(place, Done(-9, 1.0, ""))
        crashed = Done(3, 1.0, "Traceback\nE   ImportError: no flask\n1 error\n")
        with pytest.raises(ConfigError, match="ended with status 3: E ImportError: no flask"):
            old._read(place, crashed)
        (place / "imported").write_text("pricing (/own/pricing.py)\n" * 2)
        with pytest.raises(ConfigError, match=r"imported the new code: pricing \(/own/pricing.py\)\. The project is"):
            old._read(place, Done(0, 1.0, ""))


@pytest.mark.parametrize(
    ("python", "words"),
    [("no/python", "No such file or directory"), ("bare", "has no pytest-dealsnap of this version: install it there")],
)
def test_a_python_that_cannot_reason_is_refused(repository: Path, python: str, words: str) -> None:
    """Before anything is reasoned."""
    bare = repository / "bare"
    bare.write_text(f"#!/bin/sh\nexec {sys.executable} -S -E -c 'import pytest_dealsnap'\n")
    bare.chmod(0o755)
    (repository / "dealsnap.toml").write_text(f'[against]\npython = "{python}"\n')
    with ExitStack() as stack, pytest.raises(ConfigError, match=f"python.* = '{python}': .*{words}"):
        old_code(repository, stack)


@pytest.mark.slow
def test_the_old_code_is_asked_again_and_paid(tmp_path: Path) -> None:
    """Each time in a process of its own, nothing reused; a budget leaves the rest without an answer."""
    reasoner = """
import os

def value(transaction):
    return {"offer": {"price": os.getpid()}, "risks": [], "memo": "", "usd": 0.5}
"""
    settings = 'cost = "usd"\nreserve = 0.5'
    project = Project(tmp_path / "p").with_deals(*deals(3)).with_reasoner(reasoner)
    project = project.with_settings(settings, section="calls").write()
    commit(project.folder, "first")
    config = load_config(project.folder, flags={}, environ={})
    with ExitStack() as stack:
        old = open_old_code(stack, config, "main", flags={}, cwd=project.folder, arguments=(), say=print)
        again = old.again(["d1", "d3"], 2, budget=Decimal("1.5"))
        assert {deal_id: len(found) for deal_id, found in again.answers.items()} == {"d1": 2, "d3": 1}
        first, second = (snapshot.metrics for snapshot in again.answers["d1"])
        assert first is not None
        assert second is not None
        assert first["price"] != second["price"]
        assert (again.spent, again.calls) == (Decimal("1.5"), 3)
    assert not (project.folder / ".dealsnap").exists()
