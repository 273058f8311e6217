"""Gate the smoke test's book, green and red, under each plugin, and print how each run differs from one without."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.compatibility.plugins import PLUGINS, SHORT, Case

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "SECRET_KEY = 'x'\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"


@dataclass(frozen=True)
class Gate:
    """What a user sees of one gate."""

    status: int
    verdict: str | None
    shown: str
    deals: Mapping[str, object]
    output: str


def gate(python: Path, folder: Path, options: list[str], environment: dict[str, str]) -> Gate:
    """Gate the book in *folder*.

    Args:
        python: The environment's interpreter.
        folder: The book, captured.
        options: Further options of pytest.
        environment: Variables on top of this process's own.
    """
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    done = run(python, folder, ["--dealsnap", "--dealsnap-report", f"json:{report}", *options], environment)
    found = json.loads(report.read_text("utf-8")) if report.exists() else {}
    deals: dict[str, object] = {one["id"]: (one["status"], one.get("findings")) for one in found.get("deals", ())}
    shown = re.search(r"verdict: ([A-Z ]+)|(\d+ of \d+) deals judged", done.stdout)
    return Gate(
        done.returncode, found.get("verdict"), shown[0].strip() if shown else "", deals, done.stdout + done.stderr
    )


def run(
    python: Path, folder: Path, options: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run pytest in *folder*."""
    return subprocess.run(
        [str(python), "-m", "pytest", *options],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def difference(case: Case, without: Gate, beside: Gate) -> str:
    """Return how a gate beside the plugin differs from one without it; empty if it does not."""
    told = []
    if beside.status != without.status:
        told.append(f"exit status {without.status} → {beside.status}")
    for deal, found in beside.deals.items():
        if found != without.deals.get(deal):
            told.append(f"{deal} differs")
    if case.part:
        if beside.verdict is not None or not 0 < len(beside.deals) < len(without.deals):
            told.append(f"a part has the verdict {beside.verdict} over {len(beside.deals)} deals")
        return "; ".join(told)
    if len(beside.deals) != len(without.deals):
        told.append(f"{len(without.deals)} deals → {len(beside.deals)}")
    if beside.verdict != without.verdict:
        told.append(f"verdict {without.verdict} → {beside.verdict}")
    if beside.shown != without.shown:
        told.append(f"shows “{beside.shown}”, not “{without.shown}”")
    return "; ".join(told)


def snapshots(folder: Path) -> dict[str, bytes]:
    """Return each deal's snapshot in *folder*; the manifest holds the time of the run and is left out."""
    found = (one for one in (folder / "snapshots").rglob("*") if one.is_file() and one.name != "manifest.json")
    return {str(one.relative_to(folder)): one.read_bytes() for one in found}


def book(python: Path, folder: Path, options: list[str], environment: dict[str, str]) -> str:
    """Make the smoke test's book in *folder* and capture it; return what went wrong."""
    shutil.copytree(ROOT / ".ci" / "smoke", folder)
    (folder / "django_settings.py").write_text(SETTINGS, "utf-8")
    subprocess.run([str(python), "make_deals.py"], cwd=folder, check=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # pytest-picked asks git
    done = run(python, folder, ["--dealsnap-update", *options], environment)
    return "" if done.returncode == 0 else f"capture: exit status {done.returncode}\n{done.stdout}{done.stderr}"


def environment_of(folder: Path, wheel: Path, packages: list[str]) -> Path:
    """Make a virtual environment with the wheel and *packages*; return its interpreter."""
    python = folder / "bin" / "python"
    wanted = [str(wheel), *packages]
    if uv := shutil.which("uv"):
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *wanted], check=True)
    else:
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True)
    return python


def version(python: Path, package: str) -> str:
    """Return the installed version of *package*."""
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    return subprocess.run([python, "-c", code, package], capture_output=True, text=True, check=True).stdout.strip()


PLAIN = ("-p", "dealsnap", "-p", "syrupy")
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
COLOURS = {"green": {}, "red": {"COST_FACTOR": "1.2"}}


@cache
def without_plugin(python: Path, folder: Path) -> dict[str, Gate]:
    """Return the gates, green and red, that the others are compared with; their book stays in *folder*."""
    if wrong := book(python, folder, [*PLAIN], ALONE):
        raise SystemExit(wrong)
    return {colour: gate(python, folder, [*PLAIN], {**ALONE, **extra}) for colour, extra in COLOURS.items()}


def check(case: Case, python: Path, reference: Path, work: Path) -> str:
    """Capture and gate the book with the plugin; return how that differs from *reference*, empty if it does not."""
    options = [*PLAIN, *(word for name in case.names for word in ("-p", name)), *case.options]
    environment = {**ALONE, **case.environment}
    expected = without_plugin(python, reference)
    if case.part:
        shutil.copytree(reference, work / "book")
        told = []
    else:
        told = [book(python, work / "book", options, environment)]
        if snapshots(reference) != snapshots(work / "book"):
            told.append("capture: other snapshots")
    outputs = ""
    for colour, extra in COLOURS.items():
        beside = gate(python, work / "book", options, {**environment, **extra})
        if differs := difference(case, expected[colour], beside):
            told.append(f"{colour}: {differs}")
            outputs += beside.output
    (work / "output.txt").write_text("\n".join([*told, outputs]), "utf-8")
    return "; ".join(one.splitlines()[0] for one in told if one)


def say(line: str) -> None:
    """Write a line at once, since the next one may take a minute."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Check each plugin and print the table; return 1 if any run differs from what is known."""
    parser = argparse.ArgumentParser(prog="python -m tests.compatibility", description=__doc__)
    parser.add_argument("wheel", type=Path, help="this project's wheel")
    parser.add_argument("packages", nargs="*", help="plugins to try; all if none is named")
    parser.add_argument("--short", action="store_true", help=f"one setting each of {', '.join(SHORT)}")
    parser.add_argument("--shared", action="store_true", help="one environment for all plugins, loaded one at a time")
    parser.add_argument("--python", type=Path, help="the interpreter of an environment that has them all")
    arguments = parser.parse_intermixed_args()
    wanted = arguments.packages or (SHORT if arguments.short else sorted({case.package for case in PLUGINS}))
    if unknown := set(wanted) - {case.package for case in PLUGINS}:
        parser.error(f"no such plugin in tests/compatibility/plugins.py: {', '.join(sorted(unknown))}")
    cases = [case for case in PLUGINS if case.package in wanted]
    if arguments.short:
        cases = [next(case for case in cases if case.package == package) for package in wanted]
    work = Path(tempfile.mkdtemp(prefix="compatibility-"))
    python: Path | None = arguments.python
    if python is None and arguments.shared:
        packages = sorted({one for case in cases for one in (case.package, *case.also)})
        python = environment_of(work / "shared", arguments.wheel.resolve(), packages)
    failed = 0
    say("| plugin | version | result |\n| --- | --- | --- |")
    for number, case in enumerate(cases):
        folder = work / f"{number:02}"
        folder.mkdir()
        own = python or environment_of(folder / "venv", arguments.wheel.resolve(), [case.package, *case.also])
        reference = work / "reference" if python else folder / "reference"
        differs = check(case, own, reference, folder)
        failed += bool(differs) != bool(case.known)
        result = case.known or differs or ("as without, a part: no verdict" if case.part else "as without")
        say(f"| `{case.label}` | {version(own, case.package)} | {result} |")
    if failed:
        say(f"{failed} of {len(cases)} differ; what they printed is under {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
