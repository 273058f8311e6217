"""The starter configuration: what ``dealsnap init`` writes from what it found in a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_dealsnap.deals.discovery import Discovery
from pytest_dealsnap.deals.type_words import TypeSuggestion
from pytest_dealsnap.text import cut, plural, printable

__all__ = ["ProjectFacts", "found_lines", "starter_config", "toml_text"]

LISTED = 12


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What is known beside the database: the URL in the file, ``trust_source``, the reasoner, and the migration tool.

    ``rehearsal`` are the settings for that tool, ``remarks`` what a person has to know of it.
    """

    url: str
    trust_source: bool = False
    reasoner: str | None = None
    rehearsal: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def toml_text(value: str) -> str:
    r"""Return *value* as a basic string of TOML.

    >>> print(toml_text('a "b"\n'))
    "a \"b\"\n"
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def starter_config(found: Discovery, around: ProjectFacts) -> str:
    """Return the tables of ``[tool.dealsnap]``, with comments that say what is theirs to decide."""
    sections = (_top(found, around), _deals(found), _judging(found), _rehearsal(found, around), _matrix(found))
    return "\n".join("\n".join(lines) + "\n" for lines in sections)


def _top(found: Discovery, around: ProjectFacts) -> list[str]:
    lines = ["# Every deal as a test: pytest --dealsnap-update records, pytest --dealsnap judges.", "[tool.dealsnap]"]
    if found.secret:
        lines += [
            "# Its URL holds a secret, which belongs in no file. Set it in the environment, here and in CI:",
            f"#   DEALSNAP_DATABASE={printable(found.shown_url)}",
        ]
    else:
        lines.append(f"database = {toml_text(around.url)}  # it is only ever read")
    if around.trust_source:
        lines.append("trust_source = true  # dealsnap cannot keep it from writing: its user must have no right to")
    return [
        *lines,
        "# What computes a deal's output. It is called by its parameter names: deal_id gets the id, deal_type the",
        "# effective type, a single other parameter the whole deal. It returns a mapping, a dataclass or the like.",
        "# (One that needs an application context: override the fixture deal_reasoner in conftest.py instead.)",
        f"reasoner = {toml_text(around.reasoner)}"
        if around.reasoner
        else '# reasoner = "myapp.analysis:run_reasoning_phase"',
        'snapshots = "snapshots"  # the baseline, to be committed',
    ]


def _deals(found: Discovery) -> list[str]:
    chosen, suggestion = found.chosen, found.suggestion
    what = "view" if chosen.table.is_view else "table"
    lines = ["[tool.dealsnap.deals]", f"table = {toml_text(chosen.table.shown)}  # {what}, {plural(found.rows, 'row')}"]
    if found.others:
        lines.append(f"# Not taken: {_listed(found.others)}")
    if found.id_problem:
        lines.append(f"# CHECK: {printable(found.id_problem)}; every deal needs an id of its own.")
    lines.append(f"id = {toml_text(chosen.id or 'id')}")
    lines.append(f"name = {toml_text(chosen.name)}" + ("" if chosen.name else "  # no column looks like one"))
    lines.append(f"type = {toml_text(chosen.type)}" + ("" if chosen.type else "  # none found: all are default_type"))
    lines += _where(found)
    if suggestion is not None:
        lines += _types(found, suggestion)
    return lines


def _where(found: Discovery) -> list[str]:
    soft = found.soft_delete
    if soft is None:
        return ['# where = "deleted_at IS NULL"  # SQL that selects the deals; now every row is one']
    left_out = f"leaves out {soft.rows:,} of {plural(found.rows, 'row')}"
    line = f"where = {toml_text(soft.where)}  # {left_out}"
    if soft.certain and (soft.rows < found.rows or not found.rows):
        return [line]
    return [f"# {line}; uncomment it if those are no deals"]


def _types(found: Discovery, suggestion: TypeSuggestion) -> list[str]:
    lines = [f"types = {_array(suggestion.types)}"]
    blank = sum(rows for word, rows in found.stored.items() if not word.strip())
    counted = [(found.nulls, "NULL"), (blank, "blank")]
    counted += [(found.stored[word], toml_text(printable(word))) for word in (*suggestion.slips, *suggestion.unknown)]
    there = [f"{what} ({rows:,})" for rows, what in counted if rows]
    default = f"default_type = {toml_text(suggestion.default_type)}"
    lines.append(f"{default}  # what NULL, blank and unknown types count as, as a backfill makes them")
    if there:
        more = f" and {len(there) - LISTED} more" if len(there) > LISTED else ""
        lines.append(f"# Counted so today: {', '.join(cut(one, 60) for one in there[:LISTED])}{more}.")
    if suggestion.unknown:
        lines.append("# Where one of these is a type of its own, add it to types; another word, to the aliases.")
    return lines + _aliases(found.stored, suggestion)


def _aliases(stored: Mapping[str, int], suggestion: TypeSuggestion) -> list[str]:
    if not suggestion.aliases and not suggestion.slips:
        return ["", "# [tool.dealsnap.deals.aliases]  # other spellings that are in use", '# spinoff = "carveout"']

    def line(word: str, target: str) -> str:
        return f"{toml_text(word)} = {toml_text(target)}  # {plural(stored[word], 'row')}"

    lines = ["", "[tool.dealsnap.deals.aliases]  # other spellings that are in use; compared letter by letter"]
    lines += [line(word, target) for word, target in suggestion.aliases.items()]
    if suggestion.slips:
        lines.append("# These look like slips. A backfill makes them the default; uncomment those that it will not:")
        lines += [f"# {line(word, target)}" for word, target in suggestion.slips.items()]
    return lines


def _judging(found: Discovery) -> list[str]:
    types = found.suggestion.types if found.suggestion is not None else ("acquisition",)
    default = found.suggestion.default_type if found.suggestion is not None else "acquisition"
    lines = [
        "# What is judged: JMESPath into what the reasoner returns. Uncomment and adapt; these are the defaults.",
        "# [tool.dealsnap.metrics]",
        '# cost_total = "cost_estimate.total_cost"',
        '# synergy_count = "length(synergies)"',
        '# synergy_types = "synergies[].type"',
        '# narrative_excerpt = { path = "narrative", max_chars = 500 }',
        "",
        "# How: within 5%, equal, ratio 1.5..3.0, same items, similar 0.9, report, ignore, or module:callable.",
        f"# [tool.dealsnap.rules.{_key(default)}]",
        '# cost_total = "within 5%"',
        '# synergy_count = "equal"',
        '# "*" = "report"  # every other metric, and the rest of the output',
    ]
    for deal_type in types:
        if deal_type != default:
            lines += [f"# [tool.dealsnap.rules.{_key(deal_type)}]", '# "*" = "report"']
    return [
        *lines,
        "",
        "# [tool.dealsnap.output]",
        '# drop = ["generated_at", "synergies[].id"]  # values that differ between two runs of the same code',
    ]


def _rehearsal(found: Discovery, around: ProjectFacts) -> list[str]:
    lines = ["# The rollout on a scratch copy of the database: dealsnap rehearse"]
    if around.rehearsal:
        at = f"  # the database is at revision {printable(found.revision)}" if found.revision else ""
        lines += [f"# {remark}" for remark in around.remarks]
        lines.append("[tool.dealsnap.rehearsal]")
        lines += [
            f"{key} = {toml_text(value)}{at if key == 'alembic' else ''}" for key, value in around.rehearsal.items()
        ]
    elif found.has_alembic:
        lines += [
            "# [tool.dealsnap.rehearsal]",
            f"# The database is Alembic's (revision {printable(found.revision or '')}), but no alembic.ini was found",
            "# beside this file: say where it is.",
            '# alembic = "alembic.ini"',
        ]
    else:
        lines += [
            "# [tool.dealsnap.rehearsal]",
            '# alembic = "alembic.ini"  # or a command, or module:callable, each:',
            '# upgrade = "./migrate up"',
            '# downgrade = "./migrate down"',
        ]
    return [
        *lines,
        '# flag = "DEAL_TYPE_AWARENESS"  # the feature flag\'s environment variable',
        '# flag_off = "false"',
        '# flag_on = "true"',
        '# database_env = "DATABASE_URL"  # where the application reads its database',
        '# tests = ""  # a command that runs the application\'s own tests, writing JUnit XML to {junit}',
    ]


def _matrix(found: Discovery) -> list[str]:
    types = found.suggestion.types if found.suggestion is not None else ()
    if len(types) < 2:
        return ["# [tool.dealsnap.matrix]  # for pytest --dealsnap --dealsnap-matrix; needs two types"]
    first, second = types[:2]
    return [
        "# What must hold between one deal's outputs under the types: pytest --dealsnap --dealsnap-matrix",
        "# [tool.dealsnap.matrix.rules]",
        f'# {toml_text(f"cost_total: {second} / {first}")} = "1.5..3.0"',
        f'# "cost_estimate.tsa_costs" = {toml_text(f"only {second}")}',
    ]


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else toml_text(name)


def _array(words: Iterable[str]) -> str:
    return f"[{', '.join(toml_text(word) for word in words)}]"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(cut(printable(name), 60) for name in names)


def found_lines(found: Discovery) -> list[str]:
    """Return, for the terminal, what was found, each line one fact."""
    chosen, suggestion, soft = found.chosen, found.suggestion, found.soft_delete
    roles = [f"{role} {printable(column)}" for role, column in
             (("id", chosen.id), ("name", chosen.name), ("type", chosen.type)) if column]  # fmt: skip
    lines = [
        f"{printable(found.shown_url)}: {'view' if chosen.table.is_view else 'table'} {printable(chosen.table.shown)}, "
        f"{plural(found.rows, 'row')}; {', '.join(roles)}"
    ]
    if found.stored or found.nulls:
        stored = [f"{printable(word) or 'blank'} {rows:,}" for word, rows in list(found.stored.items())[:LISTED]]
        stored += ["and more"] if len(found.stored) > LISTED else []
        stored += [f"NULL {found.nulls:,}"] if found.nulls else []
        lines.append(f"stored types: {', '.join(cut(one, 60) for one in stored)}")
    if suggestion is not None and (suggestion.slips or suggestion.unknown):
        words = [toml_text(cut(printable(word), 40)) for word in (*suggestion.slips, *suggestion.unknown)]
        words = [*words[:LISTED], "and more"] if len(words) > LISTED else words
        lines.append(f"to decide: {', '.join(words)} count as {suggestion.default_type} for now")
    if soft is not None:
        lines.append(f"{plural(soft.rows, 'row')} left out by {printable(soft.where)}")
    if found.id_problem:
        lines.append(f"to decide: {printable(chosen.id) or 'the id'}: {printable(found.id_problem)}")
    return lines
