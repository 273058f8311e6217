"""What ``--help`` and the man page say of each command beside its arguments: examples and exit statuses."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ABOUT", "ALWAYS", "About", "epilog"]


class About(NamedTuple):
    """What the help of one command adds to its arguments.

    Args:
        fine: When the exit status is 0.
        open: When it is 1; empty where it never is.
        examples: Command lines, each with what it does.
    """

    fine: str
    open: str
    examples: tuple[tuple[str, str], ...]


ALWAYS = (
    (2, "usage, configuration, a file or a database that cannot be read"),
    (130, "interrupted"),
)

ABOUT = {
    "init": About(
        "the configuration is written",
        "",
        (
            ("dealsnap init sqlite:///deals.db", "write pyproject.toml, or add to the one that is there"),
            ("dealsnap init --table projects --output -", "show the file for DEALSNAP_DATABASE and one of its tables"),
        ),
    ),
    "doctor": About(
        "nothing needs a fix",
        "a check found something to fix",
        (
            ("dealsnap doctor", "check everything that a gate and a rehearsal need"),
            ("dealsnap doctor --no-copy", "leave out what needs a scratch copy of the database"),
        ),
    ),
    "audit": About(
        "every stored deal type is valid",
        "rows have no type or an invalid one, or the checklist found something",
        (
            ("dealsnap audit", "count the stored deal types and list the bad rows"),
            ("dealsnap audit --logs 'app.log*'", "compare them with the types in the logs"),
            ("dealsnap audit --post-migration --report gate.json", "go through the 30-day checklist"),
        ),
    ),
    "config": About(
        "the settings are printed",
        "",
        (
            ("dealsnap config", "show each setting, metric and rule, and where it is from"),
            ("dealsnap config --schema", "print the JSON Schema for an editor"),
        ),
    ),
    "calibrate": About(
        "no output differs, or --write dropped every path that differs",
        "a path or a metric still differs, or a call failed",
        (
            ("dealsnap calibrate", "reason 20 deals twice and list what differs"),
            ("dealsnap calibrate --pairs 100 --write", "add the paths that differ to output.drop"),
        ),
    ),
    "check": About(
        "the baseline is whole",
        "a file is damaged, edited by hand or missing",
        (
            ("dealsnap check", "check the whole baseline"),
            ("dealsnap check snapshots/carveout/D-017.json", "check one file"),
        ),
    ),
    "compare": About(
        "the verdict is PROCEED",
        "any other verdict",
        (("dealsnap compare before after --report html:page.html", "judge the folder after against before"),),
    ),
    "merge": About(
        "the verdict of the whole run is PROCEED",
        "any other verdict",
        (("dealsnap merge shard-1.json shard-2.json --report json:all.json", "join two shards"),),
    ),
    "report": About(
        "the report is rendered, whatever its verdict",
        "",
        (
            ("dealsnap report gate.json", "show the summary again"),
            ("dealsnap report gate.json --format html --output gate.html", "make the page"),
            ("dealsnap report --schema gate", "print the JSON Schema of a gate's report"),
        ),
    ),
    "history": About(
        "the runs are listed",
        "",
        (("dealsnap history monday.json tuesday.json", "one line a run, the oldest first"),),
    ),
    "review": About(
        "every finding is decided and none is rejected",
        "findings are left, or some are rejected",
        (
            ("dealsnap review gate.json", "go through causes and deals with single keys"),
            ("dealsnap review gate.json --words", "answer with words and Enter, for a screen reader or a pipe"),
        ),
    ),
    "accept": About(
        "all that was named is accepted",
        "something could not be accepted, or the confirmation was refused",
        (
            ("dealsnap accept gate.json --cause 3f2a91", "take the new outputs of one cause into the baseline"),
            (
                "dealsnap accept gate.json --deal D-017 --into ledger --reason 'new fee' --expires 2030-06-30",
                "allow the change of one deal until a day",
            ),
            ("dealsnap accept gate.json --decisions decisions.json --yes", "apply what was decided on the page"),
        ),
    ),
    "reject": About(
        "the rejection is recorded; the gate stays red",
        "",
        (("dealsnap reject gate.json --cause 3f2a91 --note 'fee counted twice'", "say that a cause is wrong"),),
    ),
    "prune": About(
        "no snapshot is without its deal, or --yes deleted them",
        "snapshots are listed and not deleted",
        (
            ("dealsnap prune", "list the snapshots whose deal is gone"),
            ("dealsnap prune --yes", "delete them"),
        ),
    ),
    "clean": About(
        "nothing is left, or --yes removed it",
        "something is listed and not removed",
        (
            ("dealsnap clean", "list what killed commands left"),
            ("dealsnap clean --yes reports", "remove it, also in the folder reports"),
        ),
    ),
    "status": About(
        "a run is shown",
        "no run is kept",
        (("dealsnap status --json", "the newest kept run, for a script"),),
    ),
    "store": About(
        "the runs are listed, or --yes removed them",
        "runs are listed for removal and not removed",
        (
            ("dealsnap store list", "list the kept runs and their size"),
            ("dealsnap store prune --yes", "remove the runs that no process works on"),
        ),
    ),
    "rehearse": About(
        "the verdict is PROCEED",
        "any other verdict, or a step failed",
        (
            ("dealsnap rehearse", "rehearse with the settings of [tool.dealsnap.rehearsal]"),
            ("dealsnap rehearse --sample 200 --no-load", "a quick rehearsal with 200 deals"),
            ("dealsnap rehearse --each --report html:rehearsal.html", "time and locks of each Alembic revision"),
        ),
    ),
    "completion": About(
        "the script is printed",
        "",
        (
            (
                "dealsnap completion bash > ~/.local/share/bash-completion/completions/dealsnap",
                "for each new bash, where the package bash-completion is installed",
            ),
            ("dealsnap completion zsh > ~/.zfunc/_dealsnap", "for zsh, where ~/.zfunc is in fpath"),
            ("dealsnap completion fish > ~/.config/fish/completions/dealsnap.fish", "for fish"),
        ),
    ),
}


def epilog(command: str) -> str:
    """Return the examples and exit statuses of *command*, as ``--help`` shows them below its arguments.

    Args:
        command: The command's name; an unknown one has nothing to add.
    """
    about = ABOUT.get(command)
    if about is None:
        return ""
    lines = ["examples:"]
    for line, meaning in about.examples:
        lines += [f"  {line}", f"      {meaning}"]
    statuses = [(0, about.fine), *([(1, about.open)] if about.open else []), *ALWAYS]
    return "\n".join([*lines, "", "exit status:", *(f"  {status:<3}  {meaning}" for status, meaning in statuses)])
