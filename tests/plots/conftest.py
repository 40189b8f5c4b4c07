"""Pictures of tests are drawn on no screen, and none is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import pytest

mpl.use("agg")


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    """Close what a test has drawn."""
    from matplotlib import pyplot

    yield
    pyplot.close("all")


@pytest.fixture
def ax() -> Any:
    """Axes of a figure of the usual size."""
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]
