"""What is measured. Every contest runs its competitors in turn, round by round, and prints medians and ratios.

A machine that slows down slows all competitors of a round, so the ratios hold where single times do not.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.measuring import Measured, measure, median
from benchmarks.suites import SUITES, Suite, build_suite

__all__ = ["comparison", "failing", "formats", "one_of_many", "scale", "slow_reasoners", "unused"]

GATE, CAPTURE, BARE = SUITES["dealsnap"].verify, SUITES["dealsnap"].record, SUITES["bare"].verify

_CONTESTANTS: tuple[tuple[str, str, bool], ...] = (
    ("bare", "bare", False),
    ("dealsnap gate", "dealsnap", False),
    ("dealsnap capture", "dealsnap", True),
    ("syrupy amber", "amber", False),
    ("syrupy JSON files", "single-files", False),
)


def formats(work: Path, rounds: int, limit: float, sizes: tuple[int, ...] = (1_000, 10_000)) -> None:
    """Gate and capture against a bare suite, syrupy's amber and syrupy's JSON files, at each size."""
    print("| deals | suite | wall | ÷ bare | peak memory | ÷ bare |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    per_deal = {}
    for count in sizes:
        results = _rounds(work / str(count), count, rounds, limit)
        for label, runs in results.items():
            print(_row(label, count, runs, results["bare"], limit), flush=True)
        per_deal[count] = median([run.seconds or 0.0 for run in results["dealsnap gate"]]) / count
        shutil.rmtree(work / str(count))
    few, many = min(sizes), max(sizes)
    print(f"\ngate, time per deal at {many:,} ÷ at {few:,} deals: {per_deal[many] / per_deal[few]:.2f}")


def _rounds(work: Path, count: int, rounds: int, limit: float) -> dict[str, list[Measured]]:
    given_up: set[str] = set()
    for suite in SUITES.values():
        build_suite(work / suite.name, suite, count)
        if suite.name != "bare" and measure(work / suite.name, suite.record, limit=limit).seconds is None:
            given_up.add(suite.name)
    results: dict[str, list[Measured]] = {}
    for _ in range(rounds):
        for label, name, fresh in _CONTESTANTS:
            one = Measured(None, 0.0) if name in given_up else _run(work / name, SUITES[name], fresh, limit)
            if one.seconds is None:
                given_up.add(name)
            results.setdefault(label, []).append(one)
    return results


def _run(folder: Path, suite: Suite, fresh: bool, limit: float) -> Measured:
    if fresh:  # moved, not deleted: a file system may give ten thousand files' blocks back while the next run is timed
        earlier = len(list(folder.glob("captured-*")))
        (folder / "snapshots").rename(folder / f"captured-{earlier}")
    return measure(folder, suite.record if fresh else suite.verify, limit=limit)


def _row(label: str, count: int, runs: list[Measured], bare: list[Measured], limit: float) -> str:
    if any(run.seconds is None for run in runs):
        return f"| {count:,} | {label} | given up after {limit:.0f} s | | | |"
    seconds = [run.seconds or 0.0 for run in runs]
    ratios = [one / (other.seconds or 1.0) for one, other in zip(seconds, bare, strict=True)]
    memory = [one.mebibytes / other.mebibytes for one, other in zip(runs, bare, strict=True)]
    mebibytes = median([run.mebibytes for run in runs])
    return (
        f"| {count:,} | {label} | {median(seconds):.2f} s | {median(ratios):.2f} | "
        f"{mebibytes:.0f} MiB | {median(memory):.2f} |"
    )


def scale(work: Path, rounds: int, limit: float, few: int = 10_000, many: int = 100_000) -> None:
    """A hundred thousand deals: time per deal against ten thousand, memory against a bare suite; the capture once."""
    captures = {}
    for count in (few, many):
        for name in ("bare", "dealsnap"):
            build_suite(work / str(count) / name, SUITES[name], count)
        captures[count] = measure(work / str(count) / "dealsnap", CAPTURE)
    flat, memory, wall = [], [], []
    for _ in range(rounds):
        small = measure(work / str(few) / "dealsnap", GATE)
        large = measure(work / str(many) / "dealsnap", GATE)
        bare = measure(work / str(many) / "bare", BARE)
        flat.append((large.seconds or 0.0) / many / ((small.seconds or 1.0) / few))
        memory.append(large.mebibytes / bare.mebibytes)
        wall.append((large.seconds or 0.0) / (bare.seconds or 1.0))
    print(f"gate, time per deal at {many:,} ÷ at {few:,} deals: {median(flat):.2f}")
    print(f"gate of {many:,} ÷ bare: wall {median(wall):.2f}, peak memory {median(memory):.2f}")
    per_deal = {count: (capture.seconds or 0.0) / count for count, capture in captures.items()}
    print(f"capture, time per deal at {many:,} ÷ at {few:,} deals: {per_deal[many] / per_deal[few]:.2f}")
    print(f"capture of {many:,} ÷ bare: peak memory {captures[many].mebibytes / bare.mebibytes:.2f}", flush=True)


_IMPORT = ("-c", "import sys, pytest, sqlalchemy, sqlalchemy.dialects.sqlite; sys.exit(pytest.main(sys.argv[1:]))")


def one_of_many(work: Path, rounds: int, limit: float, count: int = 50_000) -> None:
    """One deal of fifty thousand against one bare test in a process that imports SQLAlchemy as well."""
    build_suite(work / "many", SUITES["dealsnap"], count)
    measure(work / "many", [*CAPTURE, "--dealsnap-sample", "200"])
    measure(work / "many", [*CAPTURE, "--dealsnap-id", "777"])
    build_suite(work / "one", SUITES["bare"], 1)
    ratios = []
    for _ in range(rounds):
        ours = measure(work / "many", [*GATE, "--dealsnap-id", "777"])
        bare = measure(work / "one", BARE, program=_IMPORT)
        ratios.append((ours.seconds or 0.0) / (bare.seconds or 1.0))
    print(f"one deal of {count:,} ÷ (one bare test + import of SQLAlchemy): {median(ratios):.2f}", flush=True)


def failing(work: Path, rounds: int, limit: float, count: int = 10_000) -> None:
    """Every deal regressed against every deal matched."""
    build_suite(work / "deals", SUITES["dealsnap"], count)
    measure(work / "deals", CAPTURE)
    ratios = []
    for _ in range(rounds):
        matched = measure(work / "deals", GATE)
        regressed = measure(work / "deals", GATE, expect=1, environment={"COST_FACTOR": "1.12"})
        ratios.append((regressed.seconds or 0.0) / (matched.seconds or 1.0))
    print(f"{count:,} regressed ÷ {count:,} matched: {median(ratios):.2f}", flush=True)


def slow_reasoners(work: Path, rounds: int, limit: float, count: int = 2_000, workers: int = 64) -> None:
    """Calls of 50 ms, many at once, against the ideal and the gate's own time."""
    build_suite(work / "deals", SUITES["dealsnap"], count)
    measure(work / "deals", CAPTURE)
    ideal = count * 0.05 / workers
    for kind, reasoner in (("threads", "reason_slowly"), ("async", "reason_slowly_async")):
        ratios = []
        for _ in range(rounds):
            own = measure(work / "deals", GATE)
            flags = ["--dealsnap-reasoner", f"reasoner:{reasoner}", "--dealsnap-workers", str(workers)]
            slow = measure(work / "deals", [*GATE, *flags])
            ratios.append((slow.seconds or 0.0) / (ideal + (own.seconds or 0.0)))
        print(
            f"{count:,} deals of 50 ms, {workers} workers, {kind} ÷ (ideal + no-op gate): {median(ratios):.2f}",
            flush=True,
        )


_READ = (
    "-c",
    "import json, pathlib, sys\n"
    "for folder in sys.argv[1:]:\n"
    "    for path in pathlib.Path(folder, 'deals').iterdir():\n"
    "        json.loads(path.read_bytes())\n",
)


def comparison(work: Path, rounds: int, limit: float, count: int = 100_000) -> None:
    """``dealsnap compare`` of two folders against reading and parsing the same files."""
    build_suite(work / "deals", SUITES["dealsnap"], count)
    measure(work / "deals", CAPTURE)
    shutil.copytree(work / "deals" / "snapshots", work / "deals" / "later")
    ratios = []
    for _ in range(rounds):
        ours = measure(work / "deals", ["compare", "snapshots", "later"], program=("-m", "pytest_dealsnap"))
        read = measure(work / "deals", ["snapshots", "later"], program=_READ)
        ratios.append((ours.seconds or 0.0) / (read.seconds or 1.0))
    print(f"compare of two folders of {count:,} ÷ reading and parsing them: {median(ratios):.2f}", flush=True)


def unused(work: Path, rounds: int, limit: float) -> None:
    """Pytest on an empty test file, with the plugin installed and without it."""
    work.mkdir(parents=True)
    (work / "test_empty.py").write_text("")
    ratios = []
    for _ in range(max(rounds * 4, 10)):
        with_us = measure(work, ["-q", "-p", "no:cacheprovider"], expect=5)
        without = measure(work, ["-q", "-p", "no:cacheprovider", "-p", "no:dealsnap"], expect=5)
        ratios.append((with_us.seconds or 0.0) / (without.seconds or 1.0))
    print(f"pytest on an empty test file, with the plugin ÷ without: {median(ratios):.3f}", flush=True)
