"""Reason some deals twice with the same code, and say what differs by itself and how far; --write settles it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_dealsnap.baseline.manifest import read_manifest
from pytest_dealsnap.baseline.noise_file import write_noise
from pytest_dealsnap.cli.configuration_file import Line, lines_text, set_lines
from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.noise_floors import chance_beyond, covered
from pytest_dealsnap.judging.policy import Policy, compile_policy
from pytest_dealsnap.judging.values import exact
from pytest_dealsnap.judging.volatile import volatile_name
from pytest_dealsnap.model.noise import MetricNoise, Noise, TypeNoise
from pytest_dealsnap.pipeline.calibration import Calibration, Calibrator
from pytest_dealsnap.reporting.wording import show_value
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import plural, printable, table

__all__ = ["add_arguments", "run"]

PAIRS = 20
PROMPTS_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--pairs",
        type=int,
        metavar="N",
        help=f"how many deals to reason twice (default: {PAIRS}; where calls cost money, only recorded ones)",
    )
    parser.add_argument("--fresh", action="store_true", help="reuse no output of an earlier calibration")
    parser.add_argument("--write", action="store_true", help="put the lines that settle it into the configuration file")


def run(options: argparse.Namespace) -> int:
    """Reason the deals, print what differs, keep the floors, and return 1 where something is left to settle."""
    if options.pairs is not None and options.pairs < 1:
        raise ConfigError(f"--pairs {options.pairs}: must be at least 1")
    config = project_config()
    if config.reasoner is None:
        raise ConfigError(
            "no reasoner is configured, and that of the deal_reasoner fixture can be called by pytest only. Capture "
            "twice, into two folders, and compare them: pytest --dealsnap-update --dealsnap-snapshots=FOLDER, then "
            "dealsnap compare"
        )
    found = Calibration()
    with Calibrator(config) as calibrator:
        entries = calibrator.sample(options.pairs or PAIRS)
        calibrator.replay(entries, found)
        measured = options.pairs is not None or not _is_paid(config)
        if measured:
            calibrator.measure(entries, found, fresh=options.fresh)
        elif not found.replayed:
            raise ConfigError("calls cost money here (calls.cost): say how many deals to reason twice, --pairs N")
        names = [metric.name for metric in calibrator.recorder.metrics]
        noise = found.noise(calibrator.version(), names)
        policy = compile_policy(
            config.rules,
            types=config.deals.types,
            metrics=calibrator.recorder.metrics,
            root=config.root,
            places=config.places,
        )
    say(_lines(found, noise, policy, measured=measured))
    if measured and found.pairs:
        path = write_noise(config.snapshots, noise)
        say(
            f"floors and rates of errors: {path.relative_to(config.root) if path.is_relative_to(config.root) else path}"
        )
        if any(_is_noisy(one) for one in noise.types.values()) and not _names_its_code(config):
            say("capture once more, so that the baseline names the code of these floors: pytest --dealsnap-update")
    return _settle(config, found, _settling(config, found, policy), write=options.write)


def _names_its_code(config: Config) -> bool:
    """Whether there is no baseline yet, or it says of which version of the code it is."""
    manifest = read_manifest(config.snapshots)
    return manifest is None or bool(manifest.get("calls_version"))


def _is_noisy(measured: TypeNoise) -> bool:
    return measured.errors > 0 or any(one.ties < one.pairs or one.errors for one in measured.metrics.values())


def _is_paid(config: Config) -> bool:
    return bool(config.calls.cost or config.replay.cost or config.replay.calls)


def _settling(config: Config, found: Calibration, policy: Policy) -> dict[Line, Any]:
    """Return the lines of the configuration that settle what was found."""
    lines: dict[Line, Any] = {}
    if found.to_drop:
        lines["output", "drop"] = list(dict.fromkeys([*config.output.drop, *found.to_drop]))
    prompts = sorted({path for prompt in found.prompts for path in prompt.paths if volatile_name(path)})
    if prompts:
        lines["replay", "drop"] = list(dict.fromkeys([*config.replay.drop, *prompts]))
    for deal_type, rules in found.suggested_rules(policy).items():
        for metric, rule in rules.items():
            lines["rules", deal_type, metric] = rule
    return lines


def _settle(config: Config, found: Calibration, lines: dict[Line, Any], *, write: bool) -> int:
    left = bool(found.failed or found.stopped)
    volatile = [prompt for prompt in found.prompts if not any(map(volatile_name, prompt.paths))]
    if not lines:
        return 1 if left or volatile else 0
    if not write:
        say(["settle it with: dealsnap calibrate --write, which sets", *(f"  {line}" for line in lines_text(lines))])
        return 1
    written = set_lines(config.root, lines)
    say([f"{written.name}:", *(f"  {line}" for line in lines_text(lines))])
    if ("output", "drop") in lines or ("replay", "drop") in lines:
        say(["next:", "  pytest --dealsnap-update   # capture without them"])
    return 1 if left or volatile else 0


def _lines(found: Calibration, noise: Noise, policy: Policy, *, measured: bool) -> Iterator[str]:
    for failed in found.failed[:3]:
        yield printable(redact(f"no output of {failed}"))
    if len(found.failed) > 3:
        yield f"and {len(found.failed) - 3:,} more without an output"
    yield from _prompt_lines(found)
    if found.stopped:
        yield printable(redact(f"not all pairs were made: {found.stopped}"))
    if measured:
        paid = (
            f", {found.reused:,} of the runs reused from the run store (--fresh computes anew)" if found.reused else ""
        )
        differ = f"{found.unstable_pairs:,} with a difference" if found.unstable_pairs else "no difference"
        yield f"{plural(found.pairs, 'deal')} reasoned twice: {differ}{paid}"
    yield from _places(found)
    yield from _floors(noise, policy)
    if found.spent:
        yield f"spent: {found.spent}"


def _prompt_lines(found: Calibration) -> Iterator[str]:
    if not found.replayed:
        return
    deals = plural(found.replayed, "deal")
    if not found.prompts:
        yield f"{deals} replayed: every request was recorded"
        return
    count = len(found.prompts)
    yield f"{deals} replayed: {count:,} with a request other than the recorded one. Of unchanged code it is volatile:"
    for prompt in found.prompts[:PROMPTS_SHOWN]:
        yield from (printable(redact(line)) for line in f"deal {prompt.deal_id}: {prompt.difference}".splitlines())


def _places(found: Calibration) -> Iterable[str]:
    if not found.examples:
        return []
    order = {"order": "the same items in another order", "value": ""}
    return table(
        ("path", "deals", "metric", "first run", "second run"),
        [
            (
                printable(path),
                f"{found.deals[path]}",
                one.metric or "",
                order[one.kind] or show_value(_safe(one.first)),
                "" if one.kind == "order" else show_value(_safe(one.second)),
            )
            for path, one in sorted(found.examples.items())
        ],
        right=(1,),
    )


def _floors(noise: Noise, policy: Policy) -> Iterator[str]:
    """Yield the floors of the metrics that differ by themselves, and what a floor says of the next pair."""
    rows = []
    for deal_type, measured in noise.types.items():
        if measured.errors:
            rows.append(("its output", deal_type, f"{measured.pairs}", "", "", f"{measured.errors}", ""))
        for name, one in measured.metrics.items():
            if one.ties < one.pairs or one.errors:
                rule = policy[deal_type][name].as_written
                pairs, ties = f"{one.pairs}", f"{one.ties}"
                rows.append((name, deal_type, pairs, _shown(one), ties, f"{one.errors}", rule))
    if not rows:
        return
    yield from table(("metric", "type", "pairs", "floor", "ties", "errors", "rule"), rows, right=(2, 3, 4, 5))
    for size in sorted({measured.pairs for measured in noise.types.values() if measured.pairs}):
        chance, part = 100 * float(chance_beyond(size)), 100 * covered(size)
        yield (
            f"of unchanged code, at most 1 in {size + 1} further pairs lies beyond a floor of {plural(size, 'pair')} "
            f"({chance:.1f} %); with 95 % confidence the floor covers {part:.0f} % of all pairs"
        )


def _shown(one: MetricNoise) -> str:
    if one.floor is None:
        return "none"
    if one.kind == "number":
        return f"{100 * exact(one.floor):.1f} %"
    return f"{exact(one.floor):.3f}"


def _safe(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value
