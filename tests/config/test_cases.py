"""Every kind of bad configuration, each a file below ``cases/`` with the expected error in its first line.

A file without an expectation fails: drop one in, and say what a user should read.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.errors import ConfigError

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
EXPECT = "# expect: "


def test_there_are_cases() -> None:
    """The folder is found."""
    assert len(CASES) > 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_bad_file_is_an_error_in_words(case: Path, tmp_path: Path) -> None:
    """The error shows the value, where it stands, what is valid and what was probably meant."""
    first, _, _ = case.read_text(encoding="utf-8").partition("\n")
    assert first.startswith(EXPECT), f"{case.name} does not say what is expected: begin it with {EXPECT!r}"
    shutil.copy(case, tmp_path / "pyproject.toml")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, flags={}, environ={}, cwd=tmp_path)
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(first.removeprefix(EXPECT))
    assert "s3cret" not in str(caught.value)
