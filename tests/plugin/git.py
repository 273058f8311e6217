"""Git in a user's project: by an identity of its own, whatever the machine's configuration says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["commit", "git"]

_VARIABLES = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
_IDENTITY = dict.fromkeys(_VARIABLES, "somebody@example.com")


def git(folder: Path, *arguments: str) -> str:
    """Run git in *folder* and return what it says."""
    environment = {**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def commit(folder: Path, message: str) -> str:
    """Commit all of *folder*, which becomes a repository with the branch ``main``, and return the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD").strip()
