"""A capture in which every deal gives the same answer, or an empty one, is not taken for a baseline in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import Project, deals

SAME = "def value(deal_id):\n    return {'offer': {'price': 5}, 'risks': ['one'], 'deal_id': deal_id}\n"
EMPTY = "def value(deal_id):\n    return {'offer': {'price': 0}, 'risks': [], 'memo': f'about {deal_id}'}\n"


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
@pytest.mark.parametrize(
    ("reasoner", "words"),
    [(SAME, "all 6 outputs are the same"), (EMPTY, "every metric of all 6 outputs is zero, empty or absent")],
)
def test_a_capture_of_alike_outputs_says_so_and_exits_1(
    tmp_path: Path, reasoner: str, words: str, arguments: tuple[str, ...]
) -> None:
    """It says what is alike and what to look at, and does not advise to commit; the flag accepts it."""
    project = Project(tmp_path, outputs_may_be_alike=False).with_deals(*deals(6)).with_reasoner(reasoner)
    outcome = project.capture(*arguments)
    assert outcome.code == 1
    assert words in outcome.text
    assert "git add" not in outcome.text
    allowed = project.capture("--dealsnap-allow-constant", *arguments)
    assert allowed.code == 0
    assert words not in allowed.text
    assert "git add" in allowed.text
