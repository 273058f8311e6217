r"""Deal types seen in an application's log, read line by line: plain text or JSON, gzipped or not.

It counts what the rollout plan's command counts, ``grep "Cost calculation" | grep -oP 'deal_type=\w+'``,
and besides what that misses: JSON keys, quoted and blank values, lines that name no type at all.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from pytest_dealsnap.deals.type_audit import TypeAudit
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import SourceError

__all__ = ["LogComparison", "LogCounts", "LogWord", "compare_logs", "count_logs", "find_logs"]

CALCULATION = b"Cost calculation"
LONGEST_LINE = 1 << 20
MOST_WORDS = 1_000
LONGEST_WORD = 100
# Fewer expected lines than this, and a type may be missing from a log by chance: e^-5 is under 1 %.
EXPECTED_LINES = 5

_KEY = b"deal_type"
_MENTION = re.compile(
    r"(?<!\w)deal_type(?:=|[\"']\s*:\s*)"
    r"(?:\"(?P<double>[^\"]{0,200})\"|'(?P<single>[^']{0,200})'|(?P<word>\w+(?:[.-]\w+)*)|(?=[\s,;)}\]]|$))"
)


@dataclass(frozen=True, slots=True)
class LogCounts:
    """What the log files say. ``words`` maps each deal type, as it was written, to its count.

    ``calculations`` is how many lines say ``Cost calculation``: where there are any, only they are
    counted, and ``silent`` is how many of them name no type. ``other_words`` counts the mentions beyond
    the first thousand different words, ``long_lines`` those of which only the first mebibyte was read,
    ``cut_short`` the files that end in the middle of a compressed stream.
    """

    files: tuple[str, ...]
    lines: int
    calculations: int
    words: Mapping[str, int]
    silent: int = 0
    other_words: int = 0
    long_lines: int = 0
    cut_short: tuple[str, ...] = ()

    @property
    def mentions(self) -> int:
        """How many deal types were counted."""
        return sum(self.words.values()) + self.other_words


@dataclass(frozen=True, slots=True)
class LogWord:
    """One word of the log, or a configured type that is not in it: what it counts as, and how often it is there.

    ``deal_type`` is ``None`` for a word that is no deal type; ``deals`` counts the database's deals of
    that effective type, and is ``None`` where the word is not a type itself.
    """

    word: str
    deal_type: str | None
    lines: int
    deals: int | None


@dataclass(frozen=True, slots=True)
class LogComparison:
    """The log beside the database; ``unseen`` are types that it should have mentioned, by their number of deals."""

    counts: LogCounts
    words: tuple[LogWord, ...]
    unseen: tuple[str, ...]


def find_logs(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the files that *names* name, relative to *folder*: paths or patterns, each file once.

    Raises :class:`SourceError` for a name that leads to no file.
    """
    found: dict[Path, Path] = {}
    for name in names:
        path = folder / name
        paths = [path] if path.exists() else _matching(name, folder)
        files = [path for path in paths if not path.is_dir()]
        if not files:
            raise SourceError(
                f"--logs {name}: {'is a folder' if paths else 'no such file'}; name log files or a pattern"
            )
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _matching(pattern: str, folder: Path) -> list[Path]:
    absolute = Path(pattern)
    if absolute.is_absolute():
        folder, pattern = Path(absolute.anchor), str(absolute.relative_to(absolute.anchor))
    try:
        return sorted(folder.glob(pattern))
    except ValueError:  # no pattern either
        return []


def count_logs(paths: Iterable[Path]) -> LogCounts:
    """Count the deal types in the log files at *paths*; memory does not grow with them.

    Raises :class:`SourceError` for a file that cannot be opened or read.
    """
    tally = _Tally()
    names = []
    for path in paths:
        names.append(str(path))
        try:
            with path.open("rb") as file:
                for line, whole in _lines(_plain(file)):
                    tally.add(line, whole=whole)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            tally.cut_short.append(str(path))
        except OSError as error:
            raise SourceError(f"--logs {path}: cannot be read: {error.strerror or error}") from error
    return tally.counts(names)


def _plain(file: io.BufferedReader) -> IO[bytes]:
    """Return the file's text; what it begins with says whether it is compressed, not what it is called."""
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if file.peek(2)[:2] == b"\x1f\x8b" else file


def _lines(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each line's first :data:`LONGEST_LINE` bytes, and whether they are all of it; the rest is passed over."""
    while text := file.readline(LONGEST_LINE):
        if text.endswith(b"\n") or len(text) < LONGEST_LINE:
            yield text, True
            continue
        rest = file.readline(LONGEST_LINE)
        yield text, not rest.rstrip(b"\r\n")
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE)


@dataclass(slots=True)
class _Tally:
    """The counts while they grow: of calculations, and of all lines in case there is no calculation."""

    lines: int = 0
    calculations: int = 0
    silent: int = 0
    long_lines: int = 0
    cut_short: list[str] = field(default_factory=list)
    of_calculations: _Words = field(default_factory=lambda: _Words())
    of_others: _Words = field(default_factory=lambda: _Words())

    def add(self, line: bytes, *, whole: bool) -> None:
        self.lines += 1
        self.long_lines += not whole
        is_calculation = CALCULATION in line
        if not is_calculation and (self.calculations or _KEY not in line):
            return
        mentioned = _mentioned(line.decode("utf-8", "replace"))
        if is_calculation:
            self.calculations += 1
            self.silent += not mentioned
        (self.of_calculations if is_calculation else self.of_others).add(mentioned)

    def counts(self, names: Sequence[str]) -> LogCounts:
        chosen = self.of_calculations if self.calculations else self.of_others
        return LogCounts(
            files=tuple(names),
            lines=self.lines,
            calculations=self.calculations,
            words=dict(chosen.counter),
            silent=self.silent,
            other_words=chosen.others,
            long_lines=self.long_lines,
            cut_short=tuple(self.cut_short),
        )


@dataclass(slots=True)
class _Words:
    """A counter that a log of ever new words cannot make large."""

    counter: Counter[str] = field(default_factory=Counter)
    others: int = 0

    def add(self, words: Iterable[str]) -> None:
        for word in words:
            shown = word[:LONGEST_WORD]
            if shown in self.counter or len(self.counter) < MOST_WORDS:
                self.counter[shown] += 1
            else:
                self.others += 1


def _mentioned(line: str) -> list[str]:
    """Return the deal types that a line names: all of a plain line's, one of a JSON object's."""
    if line.startswith("{"):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            return _mentions(line)
        found = _in_json(document)
        return [] if found is None else [found]
    return _mentions(line)


def _mentions(text: str) -> list[str]:
    return [match["double"] or match["single"] or match["word"] or "" for match in _MENTION.finditer(text)]


def _in_json(document: Any) -> str | None:
    """Return the value under the key ``deal_type``, the outermost first, else what a text in it says."""
    level = [document]
    texts: list[str] = []
    while level:
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if "deal_type" in value:
                    stored = value["deal_type"]
                    return stored if isinstance(stored, str) else json.dumps(stored)
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str):
                texts.append(value)
        level = inner
    return next((mention for text in texts for mention in _mentions(text)), None)


def compare_logs(counts: LogCounts, audit: TypeAudit, types: DealTypes) -> LogComparison:
    """Set the log's words beside the database's deals, configured types first, then by count."""
    deals = audit.deals_by_type()
    strangers = sorted(counts.words.keys() - set(types.valid), key=lambda word: (-counts.words[word], word))
    words = [LogWord(name, name, counts.words.get(name, 0), deals[name]) for name in types.valid]
    words += [LogWord(word, types.aliases.get(word), counts.words[word], None) for word in strangers]
    seen: Counter[str] = Counter()
    for entry in words:
        if entry.deal_type is not None:
            seen[entry.deal_type] += entry.lines
    unseen = tuple(
        name
        for name in types.valid
        if not seen[name] and deals[name] * counts.mentions >= EXPECTED_LINES * max(audit.deals, 1)
    )
    return LogComparison(counts, tuple(words), unseen)
