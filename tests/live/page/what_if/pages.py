"""Small scenarios in files, and what a room is built from without a browser."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from outsim.live.page.what_if.changing import WhatIf
from outsim.live.page.work import Work
from outsim.scenario.loading import load

SERVED = """\
name = "a small morning"
[clock]
zone = "America/New_York"
date = 2026-03-10
begins = "09:00"
ends = "09:40"
[platform]
ports = 6
workers = 1
status_work = "400 ms"
[background]
tenants = 3
campaigns_per_hour = 6
median_size = 20
[[campaign]]
name = "reminders"
tenant = "clinic"
start = "09:05"
contacts = 40
max_retry = 1
retry_interval = "2 min"
"""
OTHER = """\
extends = "served.toml"
name = "ten ports"
[platform]
ports = 10
"""
CAMPAIGN = "campaign[clinic/reminders]"
START = f"{CAMPAIGN}.start"


def write_scenarios(place: Path) -> tuple[Path, Path]:
    """Files of both."""
    for name, text in (("served.toml", SERVED), ("other.toml", OTHER)):
        (place / name).write_text(text)
    return place / "served.toml", place / "other.toml"


def what_if_of(served: Path, other: Path | None = None, seed: int = 7) -> WhatIf:
    """Of a page that serves these files."""
    page: Any = SimpleNamespace(
        scenario=load(served),
        scenario_file=served,
        other=None if other is None else load(other),
        other_file=other,
        context=SimpleNamespace(sandbox=SimpleNamespace(seed=seed)),
    )
    return WhatIf(page)


class Here(Work):
    """Does at once what would hold up the loop, as the work of a page does in a thread."""

    executor: Any = None

    def __init__(self, executor: Executor) -> None:
        super().__init__()
        self.executor = executor

    async def run(self, work, /, *given, **named):
        return work(*given, **named)


class AtOnce(Executor):
    """Makes each run when it is asked for."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []
        """Name of the scenario, and replication."""

    def submit(self, work, /, job):  # type: ignore[override]
        self.made += [(scenario.name, job.replication) for scenario in job.scenarios]
        future: Future = Future()
        future.set_result(work(job))
        return future


class Never(Executor):
    """Makes no run."""

    def __init__(self) -> None:
        self.asked: list[Future] = []
        self.is_asked = asyncio.Event()

    def submit(self, _work, /, _job):  # type: ignore[override]
        self.asked.append(Future())
        self.is_asked.set()
        return self.asked[-1]
