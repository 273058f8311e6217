"""``python -m tests.man_page``: the man page of ``dealsnap``, made from its ``--help``.

With ``--write`` it replaces ``docs/man/dealsnap.1``, which the wheel installs; without, it is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_dealsnap.cli import COMMANDS, command_parser
from pytest_dealsnap.cli.help_texts import ABOUT, ALWAYS

DOCUMENT = Path(__file__).parents[1] / "docs" / "man" / "dealsnap.1"
ENVIRONMENT = (
    ("DEALSNAP_DATABASE", "the URL of the database; keep a URL with a password here"),
    ("DEALSNAP_SETTING", "any other scalar setting by its name, such as DEALSNAP_SNAPSHOTS; lists: dealsnap config"),
    ("COLUMNS", "the width of tables"),
    ("NO_COLOR, FORCE_COLOR", "never or always colour the verdict"),
)


def man_page() -> str:
    """Return the page in roff's man macros."""
    parser = command_parser()
    commands = _subparsers(parser).choices
    lines = ['.TH DEALSNAP 1 "" "pytest-dealsnap" "User Commands"']
    lines += [".SH NAME", "dealsnap \\- work with baselines and reports of pytest\\-dealsnap"]
    lines += [".SH SYNOPSIS", ".B dealsnap", ".I COMMAND", "[options]"]
    lines += [".SH DESCRIPTION", "Tests run with"]
    lines += [".B pytest \\-\\-dealsnap\\fR;", ".B dealsnap", "does what is not a test run.", ".SH COMMANDS"]
    for name in COMMANDS:
        lines += _command(name, commands[name])
    lines += [".SH ENVIRONMENT", *_terms(ENVIRONMENT)]
    lines += [".SH EXIT STATUS", "Each command tells above what 0 and 1 mean.", *_terms((str(k), v) for k, v in ALWAYS)]
    lines += [".SH FILES", *_terms((("pyproject.toml, dealsnap.toml", "the settings, in [tool.dealsnap]"),))]
    lines += [".SH SEE ALSO", ".BR pytest (1)"]
    return "\n".join([*lines, ""])


def _subparsers(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the section of one command: summary, usage, arguments, examples, exit statuses."""
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield from (f'.SS "dealsnap {name}"', _text(parser.description or ""), ".PP", _text(usage))
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction):
            yield from _terms([(_name(action), (action.help or "").replace("%%", "%"))])
    yield from (".PP", "Examples:")
    for line, meaning in ABOUT[name].examples:
        yield from (".PP", ".RS 4", ".nf", _text(line), ".fi", ".RE", ".RS 8", _text(meaning), ".RE")
    yield from (".PP", "Exit status:")
    yield from _terms([("0", ABOUT[name].fine), *([("1", ABOUT[name].open)] if ABOUT[name].open else [])])


def _name(action: argparse.Action) -> str:
    """Return how an argument is typed."""
    value = action.metavar or ("{" + ",".join(action.choices) + "}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(value)
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}")


def _terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of terms with their meanings."""
    for term, meaning in pairs:
        yield from (".TP", f".B {_text(term)}", _text(meaning))


def _text(text: str) -> str:
    """Return *text* so that roff prints each character as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith((".", "\\(aq")) else escaped


def main(argv: list[str]) -> int:
    """Print the page, or write it to its file."""
    if argv == ["--write"]:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(man_page(), encoding="utf-8")
    else:
        print(man_page(), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
