"""A copy of this checkout, so that nothing of the real one is touched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.example.checkout import Checkout, git

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The files of this checkout in a folder of their own, committed, with nothing built yet."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.invalid", "commit", "-qm", "copy", "--no-verify")
    yield Checkout(folder)
    subprocess.run(["rm", "-rf", str(folder)], check=False)
