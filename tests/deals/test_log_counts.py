"""Deal types counted in log files of every kind, as the rollout plan's command counts them."""

from __future__ import annotations

import gzip
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.deals.deal import StoredRow
from pytest_dealsnap.deals.log_counts import (
    LONGEST_LINE,
    MOST_WORDS,
    LogComparison,
    LogCounts,
    compare_logs,
    count_logs,
    find_logs,
)
from pytest_dealsnap.deals.type_audit import audit_types
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import SourceError

TYPES = DealTypes(("acquisition", "carveout", "divestiture"), "acquisition", {"spinoff": "carveout"})
PLANS_COMMAND = r"cat app.log | grep -a 'Cost calculation' | grep -aoP 'deal_type=\w+' | sort | uniq -c"


def counted(folder: Path, *lines: str | bytes) -> LogCounts:
    """Count these lines of one file."""
    path = folder / "app.log"
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return count_logs([path])


def calculation(deal_type: object) -> str:
    """Return the line that the plan has the application log."""
    return f"2025-02-15 INFO Cost calculation: deal_type={deal_type}, work_item_count=3"


def test_the_plans_counts(tmp_path: Path) -> None:
    """One count for each calculation, as the plan's own command gives; unknown words too."""
    words = ["acquisition"] * 250 + ["carveout"] * 45 + ["divestiture"] * 12 + ["merger", "None"]
    found = counted(tmp_path, *map(calculation, words), "Cost result: total=$7", "GET /deals?deal_type=sale")
    assert found.words == {"acquisition": 250, "carveout": 45, "divestiture": 12, "merger": 1, "None": 1}
    assert (found.lines, found.calculations, found.silent, found.mentions) == (311, 309, 0, 309)
    ran = subprocess.run(["bash", "-c", PLANS_COMMAND], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert {line.split()[1]: int(line.split()[0]) for line in ran.stdout.splitlines()} == {
        f"deal_type={word}": count for word, count in found.words.items()
    }


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0{\"'.-"), max_size=20), max_size=8)
)
def test_whatever_else_the_log_holds(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Text around a calculation changes nothing."""
    folder = tmp_path_factory.mktemp("log")
    found = counted(folder, *(f"{line} {calculation('carveout')} {line}" for line in lines), *lines)
    assert found.words == ({"carveout": len(lines)} if lines else {})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("deal_type=carveout", {"carveout": 1}),
        ('deal_type="carve-out " x', {"carve-out ": 1}),
        ("deal_type='carveout'", {"carveout": 1}),
        ("deal_type=DealType.CARVEOUT.", {"DealType.CARVEOUT": 1}),
        ("deal_type=carve-out, n=1", {"carve-out": 1}),
        ("deal_type=, n=1", {"": 1}),
        ("deal_type=", {"": 1}),
        ("deal_type=Übernahme", {"Übernahme": 1}),
        ("old_deal_type=carveout", {}),
        ("deal_type must be one of carveout", {}),
        ("deal_type=carveout deal_type=sale", {"carveout": 1, "sale": 1}),
        ("INFO {'deal_type': 'carveout'}", {"carveout": 1}),
        ('{"deal_type": "carveout", "message": "deal_type=sale"}', {"carveout": 1}),
        ('{"message": "deal_type=sale, n=1"}', {"sale": 1}),
        ('{"message": "deal_type=\\"carve-out \\""}', {"carve-out ": 1}),
        ('{"a": [{"deal_type": "sale"}], "facts": {"deal_type": "carveout"}}', {"carveout": 1}),
        ('{"deal_type": null}', {"null": 1}),
        ('{"deal_type": 7}', {"7": 1}),
        ('{"deal_type": "carveout", broken', {"carveout": 1}),
        ('{"deal_type": "carveout", "n": ' + "9" * 5000 + "}", {"carveout": 1}),
        ('{"deal_type": "carveout", "n": ' + "[" * 50_000, {"carveout": 1}),
        ('{"n": "deal_typ\\u0065"}', {}),
    ],
)
def test_how_a_type_may_be_written(tmp_path: Path, line: str, words: dict[str, int]) -> None:
    """Plain, quoted, blank, as a JSON key or inside a JSON text; each JSON line counts once."""
    assert counted(tmp_path, line).words == words


def test_a_calculation_without_a_type_is_counted(tmp_path: Path) -> None:
    """Where there are calculations, other lines do not make up for those that name no type."""
    found = counted(tmp_path, "Cost calculation: items=3", calculation("carveout"), "deal_type=sale")
    assert (found.words, found.calculations, found.silent) == ({"carveout": 1}, 2, 1)
    assert counted(tmp_path, "deal_type=sale", "Cost calculation: items=3").words == {}


def test_undecodable_bytes_and_line_ends(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, NULs and carriage returns break no line."""
    line = calculation("carveout").encode()
    found = counted(
        tmp_path, b"\xff\xfe" + line + b"\xc3(\r", b"\0\x1b[31m" + line, b"Cost calculation: deal_type=\xff"
    )
    assert found.words == {"carveout": 2}
    assert found.silent == 1


def test_gzipped_files(tmp_path: Path) -> None:
    """What a file begins with says that it is compressed; members that were appended are read too."""
    packed = tmp_path / "app.log.1"
    packed.write_bytes(gzip.compress(b"deal_type=carveout\n") + gzip.compress(b"deal_type=carveout\n"))
    plain = tmp_path / "app.log.2.gz"
    plain.write_bytes(b"deal_type=sale\n")
    assert count_logs([packed, plain]).words == {"carveout": 2, "sale": 1}


@pytest.mark.parametrize("keep", [-20, -4, 12])
def test_a_gzipped_file_that_is_cut_short(tmp_path: Path, keep: int) -> None:
    """What can be read is counted, the next file too, and it is said that one is cut short."""
    whole = gzip.compress("".join(f"{number} deal_type=carveout\n" for number in range(5_000)).encode())
    (tmp_path / "a.gz").write_bytes(whole[:keep])
    (tmp_path / "b").write_bytes(b"deal_type=sale\n")
    found = count_logs([tmp_path / "a.gz", tmp_path / "b"])
    assert found.cut_short == (str(tmp_path / "a.gz"),)
    assert found.words["sale"] == 1


def test_a_line_of_any_length(tmp_path: Path) -> None:
    """Its first mebibyte is read, the next line whole; it is said how many were not."""
    head = b"deal_type=carveout "
    exact = head + b"x" * (LONGEST_LINE - len(head))
    found = counted(tmp_path, exact, exact + b"xyz deal_type=sale", b'deal_type="' * 400_000, b"deal_type=divestiture")
    assert found.words["carveout"] == 2
    assert found.words["divestiture"] == 1
    assert "sale" not in found.words
    assert (found.lines, found.long_lines) == (4, 2)


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """Twenty thousand different words and one line of 12 MB leave little behind."""
    with (tmp_path / "app.log").open("wb") as file:
        for number in range(20_000):
            file.write(b"deal_type=w%d%s\n" % (number, b"x" * 200))
        file.write(b"x" * 12_000_000)
    tracemalloc.start()
    found = count_logs([tmp_path / "app.log"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(found.words), found.other_words) == (MOST_WORDS, 20_000 - MOST_WORDS)
    assert peak < 6 * LONGEST_LINE


def test_files_are_found_once(tmp_path: Path) -> None:
    """A path, a pattern relative or absolute, a name with brackets; the same file by two names is one."""
    folder = tmp_path / "logs[1]"
    folder.mkdir()
    for name in ("app.log", "app.log.1", "app.log.2.gz", "[x].log"):
        (folder / name).touch()
    (folder / "app.log.d").mkdir()
    (folder / "link.log").symlink_to("app.log")

    def names(*given: str) -> list[str]:
        return [path.name for path in find_logs(given, folder)]

    assert names("app.log", "app.log*", "link.log") == ["app.log", "app.log.1", "app.log.2.gz"]
    assert names("[x].log") == ["[x].log"]
    assert [path.name for path in find_logs([str(tmp_path / "*" / "app.log.?")], folder)] == ["app.log.1"]


@pytest.mark.parametrize("name", ["app.log", "*.txt", ".", "", "a**b", "/no/such/*"])
def test_a_name_that_leads_to_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file is never an empty log."""
    with pytest.raises(SourceError, match=r"--logs .*(no such file|is a folder); name log files"):
        find_logs([name], tmp_path)


def compared(words: dict[str, int], **deals: int) -> LogComparison:
    """Compare these words with a database of these deals."""
    rows = [StoredRow(n, None, name) for name, count in deals.items() for n in range(count)]
    return compare_logs(LogCounts(("x",), 0, 0, words), audit_types(rows, TYPES, ids_unique=True), TYPES)


def test_the_log_beside_the_database() -> None:
    """Every type with its deals, then aliases and strangers by count."""
    found = compared({"spinoff": 2, "merger": 9, "acquisition": 80}, acquisition=80, carveout=20, spinoff=3)
    assert [(w.word, w.deal_type, w.lines, w.deals) for w in found.words] == [
        ("acquisition", "acquisition", 80, 80),
        ("carveout", "carveout", 0, 23),
        ("divestiture", "divestiture", 0, 0),
        ("merger", None, 9, None),
        ("spinoff", "carveout", 2, None),
    ]
    assert found.unseen == ()


@pytest.mark.parametrize(("lines", "unseen"), [(24, ()), (25, ("carveout",)), (500, ("carveout", "divestiture"))])
def test_a_type_is_missed_only_where_chance_cannot_explain_it(lines: int, unseen: tuple[str, ...]) -> None:
    """Of a type with a fifth of the deals, five lines of twenty-five were to be expected."""
    assert compared({"acquisition": lines}, acquisition=78, carveout=20, divestiture=2).unseen == unseen
