"""What of a deal's result stands on pytest's report of its test."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_dealsnap._compat import junit_xml
from pytest_dealsnap.plugin.items import DealItem
from pytest_dealsnap.plugin.xdist_transport import pack
from pytest_dealsnap.reporting.junit_properties import junit_properties
from pytest_dealsnap.text import printable

__all__ = ["attach_result", "describe_suite", "say_at_once"]


def attach_result(report: pytest.TestReport, item: DealItem, *, packed: bool) -> None:
    """Attach to *report* what the last attempt at *item* came to; *packed* for the way from an xdist worker."""
    more = vars(report)  # reports may carry extra attributes
    if item.unjudged is not None:
        more["dealsnap_unjudged"] = [item.entry.ref.id, *item.unjudged.pack()]
        return
    if item.outcome is None:
        return
    result, used = item.outcome.result, item.outcome.used_entries
    more["dealsnap"] = pack(result, used) if packed else (result, used)
    more["dealsnap_status"] = result.status
    if item.attempts > 1:
        more["dealsnap_attempts"] = item.attempts
        if result.status == "accepted" and report.failed:  # run again by a plugin that knows no xfail
            more.update(outcome="skipped", wasxfail=f"accepted: {printable(result.reason)}")
    if item.config.getoption("xmlpath", None):
        properties = junit_properties(result)
        kept = [pair for pair in item.user_properties if pair not in item.own_properties]
        item.own_properties = list(properties)
        item.user_properties[:] = [*kept, *properties]
        report.user_properties = list(item.user_properties)


def describe_suite(
    config: pytest.Config, part: str | None, selected: int, total: int, spending: Mapping[str, Any] | None
) -> None:
    """Say in JUnit's properties of the suite whether the run is of a *part* of the deals, how large, what it spent."""
    xml = junit_xml(config)
    if xml is None:
        return
    xml.add_global_property("dealsnap_partial", "false" if part is None else "true")
    if part is not None:
        xml.add_global_property("dealsnap_part", part)
    xml.add_global_property("dealsnap_deals", f"{selected} of {total}")
    if spending is not None:
        xml.add_global_property("dealsnap_spent", f"{spending['spent']} {spending['currency']}")
        xml.add_global_property("dealsnap_calls", str(spending["calls"]))


def say_at_once(config: pytest.Config, text: str) -> None:
    """Write *text* where a person sees it although output is captured: the process is about to end."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend(in_=False)
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        print(text, file=sys.__stderr__, flush=True)  # a worker of xdist has no terminal
        return
    reporter.ensure_newline()
    reporter.write_line(text, flush=True)
