"""The documentation cannot drift: its tables are held against the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_dealsnap.judging.rules import RULE_FORMS, parse_rule
from pytest_dealsnap.model.results import STATUSES
from pytest_dealsnap.model.verdicts import ACTIONS
from pytest_dealsnap.settings import SETTINGS, Setting
from tests.docs.pages import WHOLE


def settings_table(*, of_rehearsal: bool = False) -> str:
    """Return one of the documentation's tables of settings, made from the program's."""
    chosen = [setting for setting in SETTINGS if setting.section != "matrix" and setting.of_rehearsal == of_rehearsal]
    rows = [_row(setting) for setting in chosen]
    return "\n".join(["| key | default | what |", "| --- | --- | --- |", *rows])


def _row(setting: Setting) -> str:
    default = setting.default
    shown = "" if default is None else f"`{list(default) if isinstance(default, tuple) else default!r}`"
    choices = f" ({' or '.join(f'`{choice}`' for choice in setting.choices)})" if setting.choices else ""
    return f"| `{setting.name}` | {shown.replace(chr(39), chr(34))} | {setting.help}{choices} |"


def test_settings_table_is_the_programs() -> None:
    """The documentation lists every setting with its default and meaning, as the program has them."""
    match = re.search(r"<!-- settings[^>]*-->\n(.*?)\n<!-- /settings -->", WHOLE, re.DOTALL)
    assert match is not None
    assert match[1] == settings_table()
    match = re.search(r"<!-- rehearsal settings[^>]*-->\n(.*?)\n<!-- /rehearsal settings -->", WHOLE, re.DOTALL)
    assert match is not None
    assert match[1] == settings_table(of_rehearsal=True)


@pytest.mark.parametrize("word", [*STATUSES, *ACTIONS])
def test_statuses_and_verdicts_are_explained(word: str) -> None:
    """Every status and every verdict has its row in a table."""
    assert re.search(rf"^\| {word} \|", WHOLE, re.MULTILINE)


def test_rules_table_is_the_rule_language(tmp_path: Path) -> None:
    """Every rule that the documentation's table names is one that the program reads, and none is left out."""
    table = WHOLE.split("| rule | holds when |")[1].split("\n\n")[0]
    named = {
        rule for row in table.splitlines() for rule in re.findall(r"`([^`]+)`", row.split("|")[1:2][0] if row else "")
    }
    assert named == set(RULE_FORMS)
    for rule in named - {"module:callable"}:
        assert parse_rule(rule, place="documentation", root=tmp_path).text == rule


def test_flags_exist(pytestconfig: pytest.Config) -> None:
    """Every flag in the documentation is one that pytest knows, and every flag of ours is in it."""
    in_readme = set(re.findall(r"--dealsnap(?:-[a-z]+)*", WHOLE)) - {"--dealsnap-deals-table"}
    known = {name for option in pytestconfig._parser._anonymous.options for name in option.names()}
    for group in pytestconfig._parser._groups:
        known |= {name for option in group.options for name in option.names()}
    ours = {name for name in known if name.startswith("--dealsnap")}
    scalars = {setting.flag for setting in SETTINGS if setting.scalar}
    assert in_readme <= ours
    told_by_dealsnap_alone = {"--dealsnap-old-side"}
    assert ours - scalars - told_by_dealsnap_alone <= in_readme
