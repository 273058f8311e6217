"""What pytest shows of a deal, without secrets: captured output, and warnings."""

from __future__ import annotations

import warnings

import pytest

from pytest_dealsnap.secrets import redact

__all__ = ["mask_warning", "without_secrets"]


def without_secrets(report: pytest.TestReport) -> pytest.TestReport:
    """Return *report* with the secrets masked in what its test printed or logged; JUnit's file shows that, too."""
    if report.sections:
        report.sections = [(title, redact(text)) for title, text in report.sections]
    return report


def mask_warning(message: warnings.WarningMessage) -> None:
    """Mask the secrets in the text of a recorded warning, which keeps its category, file and line."""
    text = str(message.message)
    shown = redact(text)
    if shown != text:
        message.message = shown
