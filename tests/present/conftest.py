"""Studies of reports run in a thread, so that they start at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outsim.present import report
from tests.in_a_thread import studies_in_a_thread


@pytest.fixture(scope="module", autouse=True)
def in_a_thread() -> Iterator[None]:
    with studies_in_a_thread():
        yield


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Pages without the pictures, which take longer to draw than all else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "data_uri", lambda _: "data:,")
        yield
