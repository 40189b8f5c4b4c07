"""Hypothesis profiles: ``ci`` (the default) and ``deep``, chosen by OUTSIM_PROFILE."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

from tests.measured import told

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=150,
    phases=[phase for phase in Phase if phase is not Phase.explain],  # it takes minutes here
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("deep", parent=settings.get_profile("ci"), max_examples=5_000)
# Hypothesis also draws the constants of whatever modules a process has loaded, so that the same
# test would draw other examples in each worker.
HypothesisProvider._local_constants = property(lambda _: Constants())  # type: ignore[assignment]
settings.load_profile(os.environ.get("OUTSIM_PROFILE", "ci"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module."""
    from tests.browser import chromium  # loaded only where there is something to look at

    with chromium() as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests measured."""
    reports = [r for end in ("passed", "failed") for r in terminalreporter.getreports(end)]
    for title, lines in told(reports).items():
        terminalreporter.section(title)
        terminalreporter.write_line("\n".join(lines))
