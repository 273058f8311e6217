"""A captured project, and the report of a gate with all faults: made once, copied for each test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.reviewing import FAULTS, Contracts, build


@pytest.fixture(scope="session")
def gated_contracts(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    """The project as a gate with all faults left it. Not to be changed: ``contracts`` is a copy."""
    project = build(tmp_path_factory.mktemp("contracts") / "project")
    captured = project.capture()
    assert captured.code == 0, captured.text
    assert project.gate(faults=FAULTS).code == 1
    return project


@pytest.fixture
def contracts(gated_contracts: Contracts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Contracts]:
    """A copy of the gated project, as the current folder, with the faults still switched on."""
    folder = tmp_path / "project"
    shutil.copytree(gated_contracts.folder, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CONTRACT_FAULTS", FAULTS)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("USER", "Ana Ruiz")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield Contracts(folder)
    sys.modules.pop("pricing", None)
