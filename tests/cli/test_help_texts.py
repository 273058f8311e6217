"""Each command's help is complete and right, and so are the man page and the completion made from it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dealsnap.cli import COMMANDS, command_parser, main
from pytest_dealsnap.cli.completion import SHELLS
from pytest_dealsnap.cli.help_texts import ABOUT, epilog
from tests.man_page import DOCUMENT, man_page

EXAMPLES = [(name, line) for name, about in ABOUT.items() for line, _ in about.examples]


def test_each_command_has_examples_and_exit_statuses() -> None:
    """No command is without, and none is described that does not exist."""
    assert set(ABOUT) == set(COMMANDS)
    assert all(about.examples and about.fine for about in ABOUT.values())


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_can_be_typed(name: str, line: str) -> None:
    """Every example is a command line of its command that the parser takes."""
    words = shlex.split(line.partition(" > ")[0])
    assert words[0] == "dealsnap"
    assert command_parser().parse_args(words[1:]).command == name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_shows_examples_and_exit_statuses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`dealsnap COMMAND --help` ends with both, line by line as they are written."""
    with pytest.raises(SystemExit):
        main([name, "--help"])
    said = capsys.readouterr().out
    assert said.endswith(f"{epilog(name)}\n")
    assert "exit status:\n  0  " in said
    assert "  130  interrupted" in said


def test_a_command_that_is_not_described_has_no_more_to_say() -> None:
    """The help of such a command is its arguments."""
    assert epilog("unknown") == ""


def test_the_man_page_is_the_help() -> None:
    """The page that the wheel installs is up to date: ``python -m tests.man_page --write`` makes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == man_page()


def test_the_man_page_is_roff() -> None:
    """Groff finds nothing to warn of, and prints dashes and quotes as they are typed."""
    if (groff := shutil.which("groff")) is None:
        pytest.skip("needs groff")
    done = subprocess.run(
        [groff, "-man", "-ww", "-Tascii", "-P-c", str(DOCUMENT)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "dealsnap audit --logs 'app.log*'" in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_printed_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script names every command."""
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["dealsnap", "re"], {"report", "review", "reject", "rehearse"}),
        (["dealsnap", "accept", "--in"], {"--into"}),
        (["dealsnap", "accept", "--into", "b"], {"baseline"}),
        (["dealsnap", "review", "ga"], {"gate.json"}),
        (["dealsnap", "compare", "be"], {"before"}),
    ],
)
def test_bash_completes_commands_options_values_and_files(
    words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bash offers what can stand there: a command, an option, a choice, a file, a folder."""
    if (bash := shutil.which("bash")) is None:
        pytest.skip("needs bash")
    main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / "gate.json").touch()
    (tmp_path / "before").mkdir()
    (tmp_path / "best.json").touch()
    ask = f"""
        . ./script
        COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}
        $(complete -p dealsnap | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run([bash, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered


def test_without_shtab_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is exit 2, and names the extra."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'pytest-dealsnap[completion]'" in capsys.readouterr().err
