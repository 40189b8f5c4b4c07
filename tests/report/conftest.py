"""Studies of reports run in a thread, so that they start at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from outsim.study import executors


@pytest.fixture(scope="session", autouse=True)
def in_a_thread() -> Iterator[None]:
    with ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "process_pool", lambda _: thread)
        patch.setattr(executors, "_end", lambda _: None)
        yield
