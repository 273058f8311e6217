"""The project that the tests of the pytest side start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a configuration and a reasoner, and no deals yet."""
    return Project(tmp_path)
