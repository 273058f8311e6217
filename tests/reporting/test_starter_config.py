"""The starter configuration is valid and says what was found, whatever a database calls its things."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.discovery import Discovery
from pytest_dealsnap.deals.soft_delete import SoftDelete
from pytest_dealsnap.deals.table_guess import Candidate, TableFacts
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.deals.type_words import suggest_types
from pytest_dealsnap.reporting.starter_config import ProjectFacts, found_lines, starter_config

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(
    ['a "b"', "x\n[tool.evil]", "\x7f\x1b[31m", "'''", '"""', "# no", "carve-out ", "SPIN_OFF", "é\u202e"]
)


def discovery(table: str, columns: list[str], stored: dict[str, int], *, secret: bool = False) -> Discovery:
    """Return what would be found in such a table."""
    identity, name, kind = columns
    chosen = Candidate(TableFacts(None, table, ()), identity, name, kind, score=50)
    suggestion = suggest_types(stored) if columns[2] else None
    mark = SoftDelete(f'"{columns[0]}" IS NULL', 1)
    return Discovery(
        "sqlite:///x.db", secret, "sqlite", chosen, 9, stored, 2, suggestion, mark, revision=table, others=(table,)
    )


@settings(max_examples=40)
@given(NAMES, st.lists(NAMES | st.just(""), min_size=3, max_size=3), st.dictionaries(NAMES, st.integers(1, 9)), NAMES)
def test_every_name_survives_and_the_file_is_read_back(
    table: str, columns: list[str], stored: dict[str, int], path: str
) -> None:
    """No name of table, column, type or file breaks out of its place, in the file or on the terminal."""
    found = discovery(table, columns, stored)
    text = starter_config(found, ProjectFacts(f"sqlite:///{path}", rehearsal={"alembic": path}))
    assert set(tomllib.loads(text)) == {"tool"}
    assert set(tomllib.loads(text)["tool"]["dealsnap"]) == {"database", "snapshots", "deals", "rehearsal"}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dealsnap.toml").write_bytes(text.encode())
        config = load_config(Path(folder), flags={}, environ={})
    assert config.database == f"sqlite:///{path}"
    assert (place_of(config.deals.table), config.deals.id) == ((None, table), columns[0] or "id")
    assert (config.deals.name, config.deals.type) == tuple(columns[1:])
    if found.suggestion is not None:
        assert (config.deals.types, dict(config.deals.aliases)) == (found.suggestion.types, found.suggestion.aliases)
    assert all("\x1b" not in line and "\n" not in line for line in found_lines(found))


def test_it_says_what_a_person_has_to_decide() -> None:
    """What counts as the default, slips, strangers, deleted rows, the secret, the reasoner: each with its number."""
    stored = {"acquisition": 5, "Acquisition": 1, "spinoff": 2, "merger": 3, " ": 1}
    text = starter_config(
        discovery("deals", ["id", "name", "type"], stored, secret=True), ProjectFacts("postgresql://x")
    )
    assert "postgresql://x" not in text
    for line in (
        "#   DEALSNAP_DATABASE=sqlite:///x.db",
        '# reasoner = "myapp.analysis:run_reasoning_phase"',
        'where = "\\"id\\" IS NULL"  # leaves out 1 of 9 rows',
        'default_type = "acquisition"  # what NULL, blank and unknown types count as, as a backfill makes them',
        '# Counted so today: NULL (2), blank (1), "Acquisition" (1), "merger" (3).',
        '"spinoff" = "carveout"  # 2 rows',
        '# "Acquisition" = "acquisition"  # 1 row',
        "# The database is Alembic's (revision deals), but no alembic.ini was found",
        '# "cost_total: carveout / acquisition" = "1.5..3.0"',
    ):
        assert line in text.splitlines()


def test_what_was_commented_out_is_right_when_uncommented() -> None:
    """Every suggestion can be taken by removing its `# `: the whole is a configuration then."""
    around = ProjectFacts("sqlite:///x")
    text = starter_config(discovery("deals", ["id", "name", "type"], {"loan": 2, "equity x": 1}), around)
    keys = ("[", '"', "reasoner", "cost", "syn", "narr", "drop", "flag", "database_env", "alembic", "tests", "spin")
    lines = [
        line.removeprefix("# ") if line.removeprefix("# ").startswith(keys) else line for line in text.splitlines()
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text("\n".join(lines).replace('spinoff = "carveout"', ""))
        config = load_config(Path(folder), flags={}, environ={})
    assert set(config.rules) == {"loan", "equity x"}
    assert config.rehearsal.flag == "DEAL_TYPE_AWARENESS"
    assert "cost_total: equity x / loan" in config.matrix_rules
