"""The old code: a commit of the project, checked out into a temporary worktree that git knows of, and removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.reasoning.signals import signals_wait
from pytest_dealsnap.rehearsal.owners import mark
from pytest_dealsnap.text import printable

__all__ = ["Checkout", "checked_out", "find_commit", "not_there"]

PLACE = "--dealsnap-against"
SHOWN = 12  # digits of a commit
# Files of configuration that a project often keeps out of git.
_LOCAL = (".env*", "*.local", "*.local.*", "local_settings.py", "*.toml", "*.ini", "*.cfg", "*.json", "*.yaml", "*.yml")
LOCAL_SHOWN = 5
# Set by a hook of git's own, such as pre-push: they would lead to another index or checkout.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A commit that is checked out.

    Attributes:
        ref: The commit as the user named it.
        commit: Its whole hash.
        toplevel: The user's own checkout.
        tree: The temporary checkout of the commit.
        root: The project's folder in it.
        folder: A temporary folder for files beside it, removed with it.
    """

    ref: str
    commit: str
    toplevel: Path
    tree: Path
    root: Path
    folder: Path

    @property
    def words(self) -> str:
        """The commit in words: ``main (1a2b3c4d5e6f)``."""
        short = self.commit[:SHOWN]
        return short if self.commit.startswith(self.ref) else f"{printable(self.ref)} ({short})"


def find_commit(root: Path, ref: str) -> tuple[str, Path, str]:
    """Return the hash of *ref*, the checkout that *root* is in, and the way from there to *root*.

    Raises :class:`ConfigError` where there is no git, no checkout, or no such commit.
    """
    shown = f"{PLACE} {printable(ref)}"
    found = _git(root, "rev-parse", "--show-toplevel", "--show-prefix")
    if found.returncode != 0:
        raise ConfigError(f"{shown}: {root} is in no git checkout, so there is no older code ({_why(found)})")
    toplevel, _, prefix = found.stdout.partition("\n")
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if commit.returncode != 0 or not ref:
        shallow = _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
        hint = "this clone is shallow: git fetch --unshallow" if shallow else "git fetch gets those of others"
        raise ConfigError(f"{shown}: git knows no such commit, branch or tag here; {hint}")
    return commit.stdout.strip(), Path(toplevel), prefix.strip()


@contextmanager
def checked_out(root: Path, ref: str) -> Iterator[Checkout]:
    """Check *ref* out beside the user's checkout, whose files and index stay as they are; remove it at the end.

    Hooks of the repository do not run.

    Args:
        root: The project's folder.
        ref: A commit, a branch or a tag.

    Raises:
        ConfigError: There is no git, no such commit, or the commit does not have the folder.
    """
    commit, toplevel, prefix = find_commit(root, ref)
    folder = Path(tempfile.mkdtemp(prefix="dealsnap-against-")).resolve()
    tree = folder / "code"
    try:
        mark(folder)
        add = ("-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--detach", "--quiet")
        added = _git(toplevel, *add, str(tree), commit)
        if added.returncode != 0:
            raise ConfigError(f"{PLACE} {printable(ref)}: git cannot check it out: {_why(added)}")
        checkout = Checkout(ref, commit, toplevel, tree, tree / prefix, folder)
        if not checkout.root.is_dir():
            raise ConfigError(f"{PLACE} {checkout.words}: that commit has no folder {prefix}")
        yield checkout
    finally:
        with signals_wait():
            _git(toplevel, "worktree", "remove", "--force", "--force", str(tree))
            shutil.rmtree(folder, ignore_errors=True)


def not_there(checkout: Checkout) -> tuple[str, ...]:
    """Return local files of configuration that git ignores, so that the old code runs without them."""
    root = checkout.toplevel / checkout.root.relative_to(checkout.tree)
    found = _git(root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", "--", *_LOCAL)
    names = (name for name in found.stdout.split("\0") if name and "/" not in name)
    return tuple(sorted(name for name in names if not (checkout.root / name).exists()))[:LOCAL_SHOWN]


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    try:
        return subprocess.run(  # noqa: S603  # fixed words, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # the user's own git
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**kept, "LC_ALL": "C"},
            check=False,
        )
    except OSError as error:
        raise ConfigError(f"{PLACE} needs git, which cannot be started: {error.strerror or error}") from None


def _why(done: subprocess.CompletedProcess[str]) -> str:
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return printable(said[-1].removeprefix("fatal: ")) if said else f"git ended with status {done.returncode}"
