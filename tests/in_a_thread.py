"""Studies whose runs a thread does, where processes would take seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from outsim.studies import executors


@contextmanager
def studies_in_a_thread() -> Iterator[None]:
    """Have one thread for the processes of a study, and leave it to its end."""
    with ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "process_pool", lambda _: thread)
        patch.setattr(executors, "end_pool", lambda _: None)
        yield
