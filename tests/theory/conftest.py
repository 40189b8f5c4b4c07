"""Prints the table of theory beside simulation after the tests that make it."""

from __future__ import annotations

from typing import Any

LINE = "theory"
"""Name of the property in which a test of the table leaves its line."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    lines = [value for report in reports for name, value in report.user_properties if name == LINE]
    if lines:
        from tests.theory.table import HEADER

        terminalreporter.section("theory beside simulation")
        terminalreporter.write_line("\n".join([HEADER, *sorted(set(lines))]))
