"""``python -m benchmarks``: gate and capture against a bare suite and syrupy's own formats, side by side.

Every round runs all competitors one after the other, so that a machine that slows down slows all of
them; what is printed are medians, and ratios to the bare suite of the same round.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suites import SUITES, Suite, build_suite


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: wall seconds and peak memory in MiB; ``None`` seconds where it ran out of time."""

    seconds: float | None
    mebibytes: float


def measure(folder: Path, arguments: tuple[str, ...], limit: float) -> Measured:
    """Run pytest in *folder* and measure the process; it must pass, unless its time is up."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    timer = threading.Timer(limit, process.kill)
    timer.start()
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    expired = not timer.is_alive()
    timer.cancel()
    if expired:
        return Measured(None, usage.ru_maxrss / 1024)
    if process.returncode != 0:
        raise SystemExit(
            f"{' '.join(arguments)} in {folder} ended with {process.returncode}:\n{output.decode()[-2000:]}"
        )
    return Measured(seconds, usage.ru_maxrss / 1024)


def contestants() -> list[tuple[str, Suite, tuple[str, ...], bool]]:
    """Return ``(label, suite, arguments, fresh)``; *fresh* runs start without snapshots."""
    return [
        ("bare", SUITES["bare"], SUITES["bare"].verify, False),
        ("dealsnap gate", SUITES["dealsnap"], SUITES["dealsnap"].verify, False),
        ("dealsnap capture", SUITES["dealsnap"], SUITES["dealsnap"].record, True),
        ("syrupy amber", SUITES["amber"], SUITES["amber"].verify, False),
        ("syrupy JSON files", SUITES["single-files"], SUITES["single-files"].verify, False),
    ]


def compete(count: int, rounds: int, limit: float, work: Path) -> dict[str, list[Measured]]:
    """Build every project with *count* deals, record it once, and time *rounds* rounds of all."""
    for suite in SUITES.values():
        build_suite(work / suite.name, suite, count)
    dead: set[str] = set()
    for suite in SUITES.values():
        if suite.name != "bare" and measure(work / suite.name, suite.record, limit).seconds is None:
            dead.add(suite.name)
    results: dict[str, list[Measured]] = {}
    for _ in range(rounds):
        for label, suite, arguments, fresh in contestants():
            if suite.name in dead:
                results.setdefault(label, []).append(Measured(None, 0.0))
                continue
            if fresh:
                shutil.rmtree(work / suite.name / "snapshots", ignore_errors=True)
            one = measure(work / suite.name, arguments, limit)
            results.setdefault(label, []).append(one)
            if one.seconds is None:
                dead.add(suite.name)
    return results


def rows_of(results: dict[str, list[Measured]], count: int, limit: float) -> list[str]:
    """Return the table rows of one size."""
    bare = results["bare"]
    lines = []
    for label, runs in results.items():
        if any(run.seconds is None for run in runs):
            lines.append(f"| {count:,} | {label} | over {limit:.0f} s | | | |")
            continue
        seconds = [run.seconds for run in runs if run.seconds is not None]
        ratios = [one / (other.seconds or 1) for one, other in zip(seconds, bare, strict=True)]
        memory = [one.mebibytes / other.mebibytes for one, other in zip(runs, bare, strict=True)]
        lines.append(
            f"| {count:,} | {label} | {statistics.median(seconds):.2f} s | {statistics.median(ratios):.2f} | "
            f"{statistics.median(run.mebibytes for run in runs):.0f} MiB | {statistics.median(memory):.2f} |"
        )
    return lines


def empty_run(rounds: int, work: Path) -> str:
    """Time pytest on an empty test file with and without the plugin, in pairs."""
    work.mkdir()
    (work / "test_empty.py").write_text("")
    command = "import sys, pytest; sys.exit(0 if pytest.main(sys.argv[1:]) == 5 else 1)"
    ratios = []
    for number in range(rounds + 1):
        pair = []
        for arguments in ((), ("-p", "no:dealsnap")):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", command, "-q", "-p", "no:cacheprovider", *arguments],
                cwd=work,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            pair.append(time.perf_counter() - started)
        if number:
            ratios.append(pair[0] / pair[1])
    return f"pytest on an empty test file, with the plugin / without: {statistics.median(ratios):.3f}"


def main() -> None:
    """Run the benchmark and print its tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--deals", type=int, nargs="+", default=[1_000, 10_000], help="how many deals (default: both)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; medians are printed (default: 5)")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a run is given up")
    options = parser.parse_args()
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| deals | suite | wall | ÷ bare | peak memory | ÷ bare |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    per_deal: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in options.deals:
            results = compete(count, options.rounds, options.limit, Path(folder) / str(count))
            print("\n".join(rows_of(results, count, options.limit)), flush=True)
            per_deal[count] = statistics.median(run.seconds or 0.0 for run in results["dealsnap gate"]) / count
        if len(per_deal) > 1:
            few, many = min(per_deal), max(per_deal)
            print(f"\ntime per deal, {many:,} / {few:,} deals: {per_deal[many] / per_deal[few]:.2f}")
        print("\n" + empty_run(max(options.rounds * 4, 10), Path(folder) / "empty"))


if __name__ == "__main__":
    main()
